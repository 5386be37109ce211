//! What `export` writes, in real PyTorch: `cargo test --release --test process pytorch -- --ignored`, with torch, numpy and safetensors
//! in python3 or in a folder that QUICKSTUDY_PYTORCH names (`pip install --target`).

use std::{env, process::Command};

use quickstudy::{
    experiment::read,
    models::Params,
    random::{Purpose, stream},
};
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use crate::sandbox::{SIDE, Sandbox};

const RUN: &str = "results/small/maml-seed0";

impl Sandbox {
    /// What a Python program prints, as JSON.
    fn python(&self, program: &str) -> Value {
        let mut command = Command::new("python3");
        // Cargo gives its own PYTHONPATH to what it runs.
        command.env("PYTHONPATH", env::var("QUICKSTUDY_PYTORCH").unwrap_or_default());
        let output =
            command.arg("-c").arg(program).current_dir(self.path("network")).output().expect("python3");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_str(&text(&output.stdout)).expect("JSON")
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

#[track_caller]
fn close(ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len());
    let largest = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(largest < 1e-5, "they differ by {largest}");
    assert!(ours.iter().any(|value| value.abs() > 1e-2), "{ours:?}");
}

#[test]
#[ignore = "needs PyTorch; .ci/run has it"]
fn an_exported_network_gives_the_same_outputs_in_pytorch() {
    let models = [
        "{mlp: {hidden: [8]}}",
        "{mlp: {hidden: [7, 5, 6], activation: tanh}}",
        "{mlp: {hidden: [9, 4], batch_norm: true}}",
        "{mlp: {hidden: []}}",
    ];
    for model in models {
        let sandbox = Sandbox::new();
        let set = format!("model={model}");
        sandbox.experiment(&["--seeds", "0", "--quiet", "--set", &set]).says(0, &[]);
        sandbox.run(&["export", RUN, "--out", "network"]).says(0, &[]);

        let inputs = (SIDE * SIDE) as i64;
        let config = sandbox.path(RUN).join("config.yaml");
        let network =
            read::read(&config, &Default::default()).expect("sound").model.build(inputs as usize, 3);
        let like = network.init(&mut stream(0, Purpose::Init, 0));
        let checkpoint = sandbox.path(RUN).join("checkpoint.safetensors");
        let theta = Params::from_checkpoint(&checkpoint, &like).expect("of this model");
        let x = (Tensor::arange(11 * inputs, (Kind::Float, tch::Device::Cpu)) * 12.9898).sin().abs();
        let x = x.reshape([1, 11, inputs]);
        let flat = |tensor: &Tensor| {
            Vec::<f64>::try_from(tensor.to_kind(Kind::Double).flatten(0, -1)).expect("numbers")
        };
        let ours = flat(&network.forward(&theta.tensors, &x));
        sandbox.write("network/inputs.json", json!(flat(&x)).to_string().as_bytes());
        let theirs = sandbox.python(
            "import json, torch\n\
             from load_model import load_model\n\
             x = torch.tensor(json.load(open('inputs.json'))).reshape(11, 1, 8, 8)\n\
             print(json.dumps(load_model().eval()(x).tolist()))",
        );
        close(&ours, &numbers(&theirs));
    }
}

#[test]
#[ignore = "needs PyTorch; .ci/run has it"]
fn adaptation_in_pytorch_ends_where_adapt_does() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--seeds", "0", "--quiet"]).says(0, &[]);
    sandbox.draw_task(|image| image);
    sandbox.run(&["export", RUN, "--out", "network"]).says(0, &[]);
    let steps = ["--steps", "20", "--out", "ours.csv"];
    let folders = ["adapt", RUN, "--support", "support", "--query", "query"];
    sandbox.run(&[&folders[..], &steps].concat()).says(0, &[]);
    let ours = sandbox.read("ours.csv");
    let last = |line: &str| line.rsplit(',').next().and_then(|cell| cell.parse::<f64>().ok());
    let ours: Vec<f64> = ours.lines().skip(1).map(|line| last(line).expect("a probability")).collect();
    let images = |folder: &str, variants: std::ops::Range<usize>| {
        let mut pixels = Vec::new();
        for class in 6..9 {
            for variant in variants.clone() {
                let file = sandbox.path(&format!("{folder}/c{class}/{variant}.png"));
                pixels.push(image::open(file).expect("an image").into_luma8().into_raw());
            }
        }
        pixels
    };
    let task = json!({"support": images("support", 0..4), "query": images("query", 4..9)});
    sandbox.write("network/task.json", task.to_string().as_bytes());
    let theirs = sandbox.python(
        "import json, torch\n\
         from load_model import load_model\n\
         task = json.load(open('task.json'))\n\
         support, query = (torch.tensor(task[part]) / 255 for part in ('support', 'query'))\n\
         labels = torch.arange(3).repeat_interleave(4)\n\
         model = load_model()\n\
         sgd = torch.optim.SGD(model.parameters(), lr=0.1)\n\
         for step in range(20):\n\
         \x20   sgd.zero_grad()\n\
         \x20   torch.nn.functional.cross_entropy(model(support), labels).backward()\n\
         \x20   sgd.step()\n\
         print(json.dumps(model(query).softmax(-1).max(-1).values.tolist()))",
    );
    close(&ours, &numbers(&theirs));
}
