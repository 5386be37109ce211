//! What a run leaves, and what must not change it.

use crate::sandbox::{Sandbox, csv_files};

const RUN_FILES: [&str; 8] = [
    "config.yaml",
    "environment.json",
    "train.csv",
    "evaluation.csv",
    "validation.csv",
    "cost.csv",
    "checkpoint.safetensors",
    "log.jsonl",
];

#[test]
fn an_experiment_leaves_its_files_and_a_table() {
    let sandbox = Sandbox::new();
    let ended = sandbox.experiment(&[]);
    ended.says(0, &["maml: 2 runs done", "adam: 2 runs done"]);
    assert!(
        ended.stdout.contains("1-shot test episodes") && ended.stdout.contains("maml"),
        "{}",
        ended.stdout
    );
    assert!(!ended.stderr.contains('\u{1b}'), "no terminal, no escapes: {:?}", ended.stderr);
    for file in RUN_FILES {
        assert!(sandbox.path("results/small/maml-seed1").join(file).exists(), "{file}");
    }
    for file in ["config.yaml", "summary.csv", "summary.md"] {
        assert!(sandbox.path("results/small").join(file).exists(), "{file}");
    }
    for figure in ["adaptation", "cost-time", "cost-rows", "shots", "validation"] {
        let svg = sandbox.read(&format!("results/small/figures/{figure}.svg"));
        assert!(svg.contains("maml"), "{figure}");
        assert!(sandbox.path(&format!("results/small/figures/{figure}.png")).exists());
    }
    // 10 episodes after 3 numbers of steps with one number of shots, and a header
    assert_eq!(sandbox.read("results/small/maml-seed0/evaluation.csv").lines().count(), 31);
    // The validation before training, 12 iterations, and a header
    assert_eq!(sandbox.read("results/small/maml-seed0/train.csv").lines().count(), 14);
    let hash = |run: &str| {
        let text = sandbox.read(&format!("results/small/{run}/environment.json"));
        let environment: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        environment[0]["test_episodes_sha256"].as_str().expect("a hash").to_owned()
    };
    assert_eq!(hash("maml-seed0").len(), 64);
    assert_eq!(hash("maml-seed0"), hash("adam-seed1"), "all are tested on the same episodes");
}

#[test]
fn what_is_adapted_to_copies_costs_their_rows_and_answers_otherwise() {
    let sandbox = Sandbox::new();
    sandbox.change(
        "  adam: {scratch: {adam: {lr: 0.01}}}",
        "  adam: {scratch: {adam: {lr: 0.01}}}\n  copied: {scratch: {adam: {lr: 0.01}}, adapt: {jitter: {shift: 0.2}, copies: 4}}\n  \
         meta: {maml: {}, adapt: {copies: 2}}",
    );
    sandbox.experiment(&["--seeds", "0", "--out", "a"]).says(0, &["copied: 1 run done", "meta: 1 run done"]);
    let rows = |run: &str| -> Vec<String> {
        let text = sandbox.read(&format!("a/small/{run}-seed0/cost.csv"));
        assert!(text.starts_with("method,fold,seed,shots,step,rows,milliseconds\n"), "{text}");
        text.lines().skip(1).filter_map(|line| line.split(',').nth(5)).map(str::to_owned).collect()
    };
    assert_eq!(rows("adam"), ["0", "6", "15"]);
    assert_eq!(rows("copied"), ["0", "24", "60"]);
    let answers = |run: &str| {
        let text = sandbox.read(&format!("a/small/{run}-seed0/evaluation.csv"));
        text.replace(run, "it")
    };
    assert_ne!(answers("adam"), answers("copied"));
    sandbox.experiment(&["--seeds", "0", "--out", "b"]).says(0, &[]);
    assert_eq!(csv_files(&sandbox.path("a/small")), csv_files(&sandbox.path("b/small")));
}

#[test]
fn the_same_experiment_gives_the_same_bytes_and_another_seed_others() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--out", "a"]).says(0, &[]);
    sandbox.experiment(&["--out", "b"]).says(0, &[]);
    let (a, b) = (csv_files(&sandbox.path("a/small")), csv_files(&sandbox.path("b/small")));
    assert!(a.len() >= 9 && a == b);
    let figure = |out: &str| sandbox.read(&format!("{out}/small/figures/adaptation.svg"));
    assert_eq!(figure("a"), figure("b"));
    let losses = |seed: usize| {
        let text = sandbox.read(&format!("a/small/maml-seed{seed}/train.csv"));
        text.lines().map(|line| line.split(',').nth(4).map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_ne!(losses(0), losses(1));
}

#[test]
fn every_method_and_class_split_runs() {
    let sandbox = Sandbox::new();
    sandbox.change(
        "  maml: {maml: {inner: {sgd: {lr: 0.1, steps: 2}}}}\n",
        "  maml: {maml: {inner: {sgd: {lr: 0.1, steps: 2}}}}\n  \
         fomaml: {fomaml: {}}\n  \
         reptile: {reptile: {train_shots: 4, batch: 3}, train: {outer: {sgd: {lr: 1, schedule: linear}}}}\n  \
         reptile_adam: {reptile: {inner: {adam: {beta1: 0}}}}\n  \
         search: {maml: {inner: {random_search: {candidates: 3, scale: 0.05, steps: 2}}}}\n  \
         pretrained: {pretrained: {adam: {lr: 0.01}}}\n  \
         nearest: {nearest_neighbour: {}}\n  \
         plain: {plain: {adam: {lr: 0.01}}}\n",
    );
    let splits = ["{train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}"];
    let all = ["{split: [3, 3, 3], seed: 4}", "{folds: 3}", "shared"];
    for (i, split) in splits.iter().chain(&all).enumerate() {
        if i > 0 {
            let before = if i == 1 { splits[0] } else { all[i - 2] };
            sandbox.change(before, split);
        }
        let augment = "task.augment={rotations: true, affine: {degrees: 10, mirror: 0.5}}";
        let out = format!("out{i}");
        sandbox.experiment(&["--out", &out, "--seeds", "0", "--set", augment]).says(0, &[]);
    }
    let folds: Vec<_> =
        (0..3).map(|fold| format!("out2/small/maml-fold{fold}-seed0/evaluation.csv")).collect();
    assert!(folds.iter().all(|file| sandbox.path(file).exists()));
    let plain = sandbox.read("out0/small/plain-seed0/evaluation.csv");
    assert!(plain.contains("whole_dataset"), "{plain}");
}

#[test]
fn a_checkpoint_is_where_another_experiment_starts() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&[]).says(0, &[]);
    let init = "train.init={checkpoint: results/small/maml-seed0/checkpoint.safetensors}";
    sandbox.experiment(&["--set", init, "--set", "name=again"]).says(0, &[]);
    let first = |run: &str| {
        let text = sandbox.read(&format!("results/{run}/maml-seed0/train.csv"));
        text.lines().nth(1).expect("a validation before training").to_owned()
    };
    assert_ne!(first("small"), first("again"));
    let baseline = |run: &str| sandbox.read(&format!("results/{run}/adam-seed0/evaluation.csv"));
    assert_eq!(baseline("small"), baseline("again"), "from scratch is from scratch");
    let missing = "train.init={checkpoint: nowhere.safetensors}";
    sandbox
        .experiment(&["--set", missing, "--set", "name=third"])
        .says(2, &["train.init", "nowhere.safetensors"]);
    let wider = "model={mlp: {hidden: [9]}}";
    sandbox
        .experiment(&["--set", init, "--set", wider, "--set", "name=fourth"])
        .says(2, &["train.init", "layer0.weight", "[8, 64]", "[9, 64]"]);
}

#[test]
fn quick_is_a_rehearsal_in_a_folder_of_its_own() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--quick", "--quiet"]).says(0, &[]);
    let config = sandbox.read("results/small-quick/config.yaml");
    assert!(config.contains("maml") && config.contains("adam"), "{config}");
    assert!(!sandbox.path("results/small").exists());
    assert!(!sandbox.path("results/small-quick/maml-seed1").exists(), "one seed");
}

#[test]
fn quiet_says_nothing() {
    let ended = Sandbox::new().experiment(&["--quiet"]);
    ended.says(0, &[]);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
}

#[test]
fn a_method_changes_its_own_training_only() {
    let sandbox = Sandbox::new();
    sandbox.change(
        "  adam: {scratch",
        "  longer: {fomaml: {}, train: {iterations: 20, validate: null}}\n  adam: {scratch",
    );
    sandbox.experiment(&["--seeds", "0"]).says(0, &[]);
    let train = |method: &str| sandbox.read(&format!("results/small/{method}-seed0/train.csv"));
    assert_eq!(train("longer").lines().count(), 21, "20 iterations and a header, no validation");
    assert!(train("longer").lines().skip(1).all(|line| line.ends_with(",,")), "{}", train("longer"));
    assert_eq!(train("maml").lines().count(), 14);
}
