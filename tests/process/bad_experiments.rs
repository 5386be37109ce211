//! Mistakes in experiment files and on the command line: each one clear message, exit code 2, nothing run.

use crate::sandbox::{EXPERIMENT, Sandbox};

/// With `from` replaced by `to` in the file, the program says all of `parts` and runs nothing.
#[track_caller]
fn refuses(from: &str, to: &str, parts: &[&str]) {
    let sandbox = Sandbox::new();
    sandbox.change(from, to);
    let ended = sandbox.experiment(&[]);
    ended.says(2, &[&["small.yaml"], parts].concat());
    assert!(!sandbox.path("results/small/config.yaml").exists(), "checked before anything is written");
    sandbox.run(&["check", "small.yaml"]).says(2, parts);
}

#[test]
fn a_missing_file_is_said_with_what_is_there() {
    let sandbox = Sandbox::new();
    sandbox.write("experiments/maml.yaml", EXPERIMENT.as_bytes());
    sandbox.run(&["experiment", "mamml.yaml"]).says(2, &["mamml.yaml", "did you mean maml.yaml?"]);
    sandbox.run(&["check", "maml.yaml"]).says(0, &["experiments/maml.yaml"]);
}

#[test]
fn a_typo_gets_line_column_and_a_suggestion() {
    refuses("meta_batch", "meta_bacth", &["line 11 column 3", "meta_bacth", "did you mean meta_batch?"]);
    refuses("{scratch:", "{scrath:", &["line 15 column", "scrath", "did you mean scratch?"]);
    refuses("{inner: {sgd: {lr: 0.1, steps: 2}}}", "{inner: {sgdd: {}}}", &["sgdd", "did you mean sgd?"]);
}

#[test]
fn copies_are_refused_where_they_make_no_sense() {
    let adam = "{scratch: {adam: {lr: 0.01}}}";
    let with = |adapt: &str| format!("{{scratch: {{adam: {{lr: 0.01}}}}, adapt: {adapt}}}");
    refuses(adam, &with("{copies: 0}"), &["line 15", "copies"]);
    refuses(adam, &with("{jitter: {degrees: -1}}"), &["line 15", "degrees"]);
    refuses(adam, &with("{jiter: {}}"), &["jiter", "did you mean jitter?"]);
    refuses(
        adam,
        "{plain: {adam: {lr: 0.01}}, adapt: {}}",
        &["line 15", "plain adapts to no support set", "leave adapt out"],
    );
}

#[test]
fn duplicate_missing_and_mistyped_keys() {
    refuses("  shots: 1\n", "  shots: 1\n  shots: 2\n", &["line 6", "shots"]);
    refuses("  ways: 3\n", "", &["missing field `ways`", "line 6"]);
    refuses("ways: 3", "ways: three", &["line 4 column 9", "three"]);
    refuses("seeds: [0, 1]", "seeds: [0, 0]", &["seeds", "twice"]);
    refuses("steps: [0, 2, 5]", "steps: [0, 5, 2]", &["steps", "ascend"]);
}

#[test]
fn tasks_that_cannot_be() {
    refuses("ways: 3", "ways: 4", &["4 ways", "3 classes", "task.ways"]);
    refuses("ways: 3", "ways: 1", &["task.ways"]);
    refuses("test: [6, 7, 8]", "test: [6, 7, 2]", &["class 2", "train", "test"]);
    refuses("test: [6, 7, 8]", "test: [6, 7, 12]", &["class 12"]);
    refuses("{train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}", "{folds: 30}", &["folds", "30"]);
    refuses("{train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}", "{splitt: [3, 3, 3]}", &["splitt"]);
    refuses(
        "{train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}",
        "{split: [8, 3, 3]}",
        &["14 classes"],
    );
    refuses(
        "{train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}",
        "{split: [18446744073709551615, 2, 3]}",
        &["split asks for"],
    );
    let untrained = Sandbox::new();
    untrained.change("train: [0, 1, 2]", "train: []");
    untrained
        .change("maml: {maml: {inner: {sgd: {lr: 0.1, steps: 2}}}}", "pretrained: {pretrained: {adam: {}}}");
    untrained.experiment(&[]).says(2, &["no meta-training classes"]);
    refuses("queries: 4", "queries: 42", &["1 shots + 42 queries", "class", "images"]);
}

#[test]
fn rates_must_be_positive_numbers() {
    for rate in ["-0.1", "0", "0.0", ".nan", ".inf"] {
        refuses("{sgd: {lr: 0.1", &format!("{{sgd: {{lr: {rate}"), &["line 14"]);
    }
    refuses(
        "  iterations: 12",
        "  iterations: 12\n  outer: {adam: {lr: -1}}",
        &["train.outer.adam.lr", "above 0"],
    );
    refuses("adam: {lr: 0.01}", "adam: {lr: 0.01, beta1: 1.0}", &["beta1", "below 1"]);
}

#[test]
fn names_must_be_known_or_fit_a_folder() {
    refuses("{idx: digits}", "mnits", &["mnits", "mnist"]);
    refuses("name: small", "name: ../up", &["../up", "folder"]);
    refuses("  adam: {scratch", "  a/b: {scratch", &["a/b", "folder"]);
    refuses("model: {mlp: {hidden: [8]}}", "model: {cnn: {}}", &["cnn", "mlp"]);
}

#[test]
fn changes_on_the_command_line_are_checked_alike() {
    let sandbox = Sandbox::new();
    let set = |change: &str| sandbox.experiment(&["--set", change]);
    set("train.iteration=3").says(2, &["--set train.iteration=3", "did you mean iterations?"]);
    set("train.iterations").says(2, &["--set train.iterations", "key.path=value"]);
    set("name.first=x").says(2, &["name.first", "not a map"]);
    set("train.iterations=0").says(2, &["train.iterations"]);
    sandbox.experiment(&["--seeds", "1,x"]).says(2, &["--seeds"]);
    sandbox.experiment(&["--seeds", "1,1"]).says(2, &["seeds", "twice"]);
    sandbox.experiment(&["--resume", "--fresh"]).says(2, &["--fresh"]);
    sandbox.experiment(&["--threads", "0"]).says(2, &["--threads"]);
}

#[test]
fn cuda_without_cuda_is_refused() {
    if tch::Cuda::is_available() {
        return;
    }
    Sandbox::new().experiment(&["--device", "cuda"]).says(2, &["CUDA", "--device cpu"]);
}
