//! One MAML meta-training step of workload w1: 5-way 1-shot, 15 queries, 784-64-64-5, 32 tasks, 5 second-order inner steps
//! at rate 0.4, then an outer Adam step at 0.001. Drawing the episodes is counted.
//!
//!     cargo bench --bench meta_step                            # one JSON line: median milliseconds of 100 steps
//!     cargo bench --bench meta_step -- w1.safetensors          # also the initial loss on what scripts/w1_inputs.py writes
//!
//! The file holds the tensors `layer0.weight`, `layer0.bias`, ... and `support_x` `[T, S, D]`, `support_y`, `query_x`, `query_y`.

use std::time::Instant;

use quickstudy::{
    algorithms::{AlgorithmSpec, MetaLearner, Setting, maml::Maml},
    data::Dataset,
    inner::{Order, RuleSpec, sgd::Sgd},
    models::{ModelSpec, Params, mlp::Mlp},
    outer::Outer,
    random::{Draws, Purpose, stream},
    shards,
    tasks::{
        Episode,
        few_shot::{FewShot, ImageBank, TaskSize},
    },
};
use rand::Rng;
use tch::{Device, Kind, Tensor};

const TASKS: usize = 32;

fn draws(iteration: u64) -> Draws {
    Draws { seed: 0, purpose: Purpose::Inner, occasion: iteration }
}

/// 70,000 random images of ten classes: as much memory as MNIST takes.
fn images() -> Dataset {
    let mut pixels = vec![0; 70_000 * 784];
    stream(0, Purpose::Train, 0).fill_bytes(&mut pixels);
    Dataset {
        name: "noise".into(),
        height: 28,
        width: 28,
        pixels: pixels.into(),
        labels: (0..70_000).map(|i| (i % 10) as u8).collect(),
        classes: (0..10).map(|class| class.to_string()).collect(),
        training: 60_000,
    }
}

/// The loss of the first step on weights and episodes from a file.
fn initial_loss(learner: &dyn MetaLearner, theta: &Params, path: &str) -> f64 {
    let file = Tensor::read_safetensors(path).expect("a safetensors file");
    let get = |name: &str| {
        let (_, tensor) = file.iter().find(|(n, _)| n == name).expect(name);
        tensor.shallow_clone()
    };
    let both = |a, b| Tensor::cat(&[get(a), get(b)], 1);
    let episode = Episode {
        x: both("support_x", "query_x"),
        y: both("support_y", "query_y").to_kind(Kind::Int64),
        support: get("support_y").size()[1],
    };
    let tensors = theta.names.iter().map(|name| get(name)).collect();
    let theta = Params { names: theta.names.clone(), tensors };
    let step = learner.meta_gradient(&theta, &episode, draws(0)).expect("MAML trains");
    step.loss.double_value(&[])
}

fn main() {
    quickstudy::memory::keep_freed();
    let maml =
        AlgorithmSpec::Maml(Maml { inner: RuleSpec::Sgd(Sgd { lr: 0.4, steps: 5 }), order: Order::Second });
    let learner = maml.build(&Setting {
        model: ModelSpec::Mlp(Mlp::default()),
        inputs: 784,
        ways: 5,
        training_classes: 10,
        classes: 10,
    });
    let mut theta = learner.init(&mut stream(0, Purpose::Init, 0));
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let loss = file.map(|path| initial_loss(&*learner, &theta, &path));

    let data = images();
    let pools = (0..10).map(|class| (class..data.len()).step_by(10).collect()).collect();
    let size = TaskSize { ways: 5, shots: 1, queries: 15 };
    let bank = ImageBank::new(&data, Device::Cpu);
    let source = FewShot::new(bank, pools, size, 0, Purpose::Train);
    let outer = Outer::default();
    let mut state = outer.start(&theta.tensors);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mut times = Vec::new();
    for i in 0..110 {
        let start = Instant::now();
        let step = shards::meta_gradient(&*learner, &theta, &source, i, TASKS, draws(i), threads);
        let step = step.expect("MAML trains");
        (theta.tensors, state) = outer.step(theta.tensors, &step.gradient, state, i as usize, 110);
        assert!(step.loss.double_value(&[]).is_finite());
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.drain(..10);
    times.sort_by(f64::total_cmp);
    let ms = times[times.len() / 2];
    let line = serde_json::json!({
        "peer": "quickstudy", "workload": "w1", "order": 2, "ms": ms,
        "tasks_per_s": TASKS as f64 / ms * 1e3, "initial_loss": loss,
    });
    println!("{line}");
}
