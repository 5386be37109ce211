//! `quickstudy bench`, and memory budgets.

use safetensors::{Dtype, serialize_to_file, tensor::TensorView};
use serde_json::Value;

use crate::sandbox::Sandbox;

/// A measurement of w1 with few tasks and steps.
#[track_caller]
fn measure(sandbox: &Sandbox, more: &[&str]) -> Value {
    let small = ["bench", "w1", "--tasks", "6", "--steps", "2", "--count", "1"];
    let ended = sandbox.run(&[&small[..], more].concat());
    ended.says(0, &[]);
    serde_json::from_str(&ended.stdout).expect("a line of JSON")
}

#[test]
fn a_step_is_measured_on_fixed_and_on_drawn_episodes() {
    let sandbox = Sandbox::new();
    for (more, order, sampling) in [(&[][..], 2, false), (&["--order", "1", "--with-sampling"], 1, true)] {
        let line = measure(&sandbox, more);
        assert_eq!((&line["peer"], &line["workload"]), (&"quickstudy".into(), &"w1".into()));
        assert_eq!((&line["order"], &line["sampling"]), (&order.into(), &sampling.into()));
        let of = |key: &str| line[key].as_f64().unwrap_or_else(|| panic!("{key} in {line}"));
        assert!(of("ms") > 0.0 && of("floor_ms") > 0.0 && of("peak_mb") > 10.0, "{line}");
        assert!((of("tasks_per_s") - 6.0 / of("ms") * 1e3).abs() < 1e-6 * of("tasks_per_s"), "{line}");
        assert!(of("initial_loss").is_finite(), "{line}");
    }
}

#[test]
fn threads_memory_and_recomputation_leave_the_loss_alone() {
    let sandbox = Sandbox::new();
    let loss = |more: &[&str]| measure(&sandbox, more)["initial_loss"].as_f64().expect("a loss");
    let whole = loss(&["--threads", "1"]);
    for more in [&["--threads", "2"][..], &["--threads", "1", "--memory", "2MB"], &["--recompute", "1"]] {
        let other = loss(more);
        assert!((whole - other).abs() < 1e-5 * whole, "{more:?}: {whole} {other}");
    }
    let small = measure(&sandbox, &["--threads", "2", "--memory", "2MB"]);
    assert_eq!(
        (small["chunk"].as_u64(), small["threads"].as_u64()),
        (Some(1), Some(1)),
        "room for one task, not for two"
    );
    assert_eq!(measure(&sandbox, &["--threads", "1"])["chunk"], 6);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let sandbox = Sandbox::new();
    sandbox.run(&["bench", "w9"]).says(2, &["w9", "w1, w2, w3, w4, w5, w6"]);
    sandbox.run(&["bench", "w1", "--memory", "1kB"]).says(2, &["--memory", "1000 B"]);
    sandbox
        .run(&["bench", "w1", "--tasks", "1000000", "--shots", "1000"])
        .says(2, &["--tasks", "--with-sampling"]);
    sandbox.run(&["bench", "w1", "--memory", "much"]).says(2, &["--memory", "much"]);
    sandbox.run(&["bench", "w1", "--tasks", "0"]).says(2, &["--tasks", "0"]);
    sandbox.experiment(&["--memory", "1kB"]).says(2, &["--memory"]);
    assert!(!sandbox.path("results/small/config.yaml").exists(), "nothing is begun");
    if !tch::Cuda::is_available() {
        sandbox.run(&["bench", "w1", "--device", "cuda"]).says(2, &["--device cuda", "--device cpu"]);
    }
}

#[test]
fn weights_and_episodes_from_a_file_must_fit() {
    let sandbox = Sandbox::new();
    sandbox.run(&["bench", "w1", "--inputs", "missing"]).says(2, &["--inputs", "missing"]);
    let small = ["bench", "w1", "--tasks", "2", "--count", "1", "--inputs", "inputs.safetensors"];
    let write = |queries: usize, without: &str, label: f32| {
        let shapes = [
            ("layer0.weight", vec![64, 784]),
            ("layer0.bias", vec![64]),
            ("layer1.weight", vec![64, 64]),
            ("layer1.bias", vec![64]),
            ("layer2.weight", vec![5, 64]),
            ("layer2.bias", vec![5]),
            ("support_x", vec![2, 5, 784]),
            ("support_y", vec![2, 5]),
            ("query_x", vec![2, queries, 784]),
            ("query_y", vec![2, queries]),
        ];
        let mut bytes: Vec<Vec<u8>> =
            shapes.iter().map(|(_, s)| vec![0; s.iter().product::<usize>() * 4]).collect();
        bytes[7][..4].copy_from_slice(&label.to_le_bytes()); // the first of support_y
        let tensors = shapes.iter().zip(&bytes).filter(|((name, _), _)| *name != without);
        let views = tensors.map(|((name, shape), bytes)| {
            (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a view"))
        });
        serialize_to_file(views, None, &sandbox.path("inputs.safetensors")).expect("written");
    };
    write(75, "", 0.0);
    let line: Value = serde_json::from_str(&sandbox.run(&small).stdout).expect("a line of JSON");
    let loss = line["initial_loss"].as_f64().expect("a loss");
    // All weights and images are 0 and all labels the first, so only the output's bias moves: five steps of 0.4 by hand.
    let mut bias = [0.0f64; 5];
    let softmax = |bias: [f64; 5]| bias.map(|b| b.exp() / bias.iter().map(|b| b.exp()).sum::<f64>());
    for _ in 0..5 {
        let p = softmax(bias);
        (0..5).for_each(|i| bias[i] -= 0.4 * (p[i] - if i == 0 { 1.0 } else { 0.0 }));
    }
    assert!((loss + softmax(bias)[0].ln()).abs() < 1e-6, "{loss}");
    write(74, "", 0.0);
    sandbox.run(&small).says(2, &["inputs.safetensors", "query_x", "[2, 74, 784]", "[2, 75, 784]"]);
    write(75, "layer1.bias", 0.0);
    sandbox.run(&small).says(2, &["inputs.safetensors", "layer1.bias"]);
    for label in [5.0, -1.0, 0.5, f32::NAN] {
        write(75, "", label);
        sandbox.run(&small).says(2, &["inputs.safetensors", "support_y", "0 to 4"]);
    }
    sandbox.write("inputs.safetensors", b"not such a file");
    sandbox.run(&small).says(2, &["inputs.safetensors"]);
}
