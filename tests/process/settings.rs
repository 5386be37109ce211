//! What the command line and a sweep change in an experiment: only what is there, and explicit words win.

use crate::{
    sandbox::Sandbox,
    sweeps::{SWEEP, sandbox as sweep_sandbox, study},
};

#[test]
fn a_misspelt_method_is_no_new_one() {
    let sandbox = Sandbox::new();
    let set = |change: &str| sandbox.run(&["check", "small.yaml", "--set", change]);
    set("methods.mamll.maml.inner.sgd.lr=0.2")
        .says(2, &["no method mamll", "maml, adam", "did you mean maml?"]);
    set("methods.maml.maml.inner.sgd.rate=0.2").says(2, &["--set", "inner.sgd.rate", "unknown field"]);
    set("trian.iterations=5").says(2, &["trian", "did you mean train?"]);
    // The outer rule is Adam by default; a setting of another rule does not choose that one.
    set("train.outer.sgd.lr=0.5").says(2, &["train.outer.sgd.lr"]);
    let known = set("methods.maml.maml.recompute=2");
    known.says(0, &["4 runs"]);
    assert!(known.stdout.contains("recompute: 2"), "{}", known.stdout);
    // A whole method may be new, and that is said.
    set("methods.other={fomaml: {}}").says(0, &["adds a method, other", "6 runs"]);
}

#[test]
fn networks_of_their_own_task_have_a_meta_batch_of_their_own() {
    let sandbox = Sandbox::new();
    let set = |change: &str| sandbox.run(&["check", "small.yaml", "--set", change]);
    set("methods.mean={mean_of_networks: {networks: 7}, train: {meta_batch: 3}}")
        .says(2, &["methods.mean.train.meta_batch", "7 tasks"]);
    set("methods.mean={mean_of_networks: {networks: 7, penalty: {l2: -1}}}")
        .says(2, &["penalty.l2", "above 0"]);
    set("methods.mean={mean_of_networks: {networks: 7, train_shots: 500}}").says(2, &["500 shots"]);
    set("methods.mean={mean_of_networks: {networks: 7}}").says(0, &["6 runs"]);
}

#[test]
fn explicit_words_win_over_a_rehearsal() {
    let sandbox = Sandbox::new();
    let arguments = ["check", "small.yaml", "--quick", "--seeds", "0,1,2", "--set", "train.iterations=100"];
    let checked = sandbox.run(&[&arguments[..], &["--set", "evaluate.steps=[0, 20]"]].concat());
    checked.says(0, &["6 runs"]);
    for part in ["iterations: 100", "name: small-quick", "episodes: 30"] {
        assert!(checked.stdout.contains(part), "no {part} in {}", checked.stdout);
    }
    assert!(checked.stdout.contains("- 20"), "{}", checked.stdout);
}

#[test]
fn a_sweep_changes_only_what_is_there_and_says_where_not() {
    for (from, to, parts) in [
        (
            "methods.maml.maml.inner.sgd.lr:",
            "methods.mamll.maml.inner.sgd.lr:",
            &["rate.yaml", "space", "no method mamll", "did you mean maml?"][..],
        ),
        (
            "set:",
            "set:\n  train.iteration: 5",
            &["rate.yaml", "set", "train.iteration", "did you mean iterations?"],
        ),
        ("set:", "set:\n  methods.mam.maml.order: first", &["rate.yaml", "set", "no method mam"]),
        ("base: small.yaml", "base: smell.yaml", &["rate.yaml", "base", "smell.yaml"]),
    ] {
        let sandbox = Sandbox::new();
        assert!(SWEEP.contains(from), "{from}");
        sandbox.write("rate.yaml", SWEEP.replace(from, to).as_bytes());
        sandbox.run(&["sweep", "rate.yaml", "--dry-run", "--quiet"]).says(2, parts);
    }
    let sandbox = Sandbox::new();
    sandbox.change("  ways: 3\n", "");
    sandbox.write("rate.yaml", SWEEP.as_bytes());
    sandbox
        .run(&["sweep", "rate.yaml"])
        .says(2, &["rate.yaml", "base", "small.yaml", "missing field `ways`"]);
}

#[test]
fn a_trial_has_one_method_and_a_choice_may_say_which() {
    let sandbox = sweep_sandbox();
    let space = "\
space:
  methods.maml:
    choice:
      maml:
        value: {maml: {inner: {sgd: {lr: 0.1, steps: 2}}}}
        space: {methods.maml.maml.inner.sgd.lr: {log_uniform: [0.01, 1]}}
      reptile:
        value: {reptile: {batch: 2}, train: {outer: {sgd: {lr: 1}}}}
        space: {methods.maml.train.outer.sgd.lr: {log_uniform: [0.1, 1]}}
";
    let begin = SWEEP.find("space:").expect("a space");
    let end = SWEEP.find("sampler:").expect("a sampler");
    sandbox.write("rate.yaml", [&SWEEP[..begin], space, &SWEEP[end..]].concat().as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    assert!(study(&sandbox, "results/rate")[1..].iter().all(|row| row[1] == "done"));
    // A choice that adds a method beside the one that is tuned.
    let two = "space:\n  methods.other: {choice: [{fomaml: {}}, {reptile: {}}]}\n";
    sandbox.write("two.yaml", [&SWEEP[..begin], two, &SWEEP[end..]].concat().as_bytes());
    sandbox.run(&["sweep", "two.yaml"]).says(2, &["two.yaml", "methods.other", "one method", "maml, other"]);
}

/// Rates with which weights stop being finite within a few steps.
const DIVERGED: &str = "methods.maml.maml.inner.sgd={lr: 1e30, steps: 3}";

#[test]
fn a_network_that_diverged_scores_nothing() {
    let sandbox = Sandbox::new();
    let set = ["--set", "methods.adam={scratch: {sgd: {lr: 1e30}}}", "--seeds", "0", "--quiet"];
    sandbox.experiment(&set).says(0, &[]);
    let rows = sandbox.read("results/small/adam-seed0/evaluation.csv");
    let accuracies = |step: &str| -> Vec<f64> {
        let cells = rows.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        cells.filter(|cells| cells[6] == step).map(|cells| cells[8].parse().expect("a number")).collect()
    };
    assert!(accuracies("0").iter().all(|accuracy| accuracy.is_finite()));
    assert!(accuracies("5").iter().all(|accuracy| accuracy.is_nan()), "{rows}");
    sandbox
        .run(&["evaluate", "results/small/adam-seed0", "--threads", "1"])
        .says(0, &["are not finite", "diverged", "left out"]);
    sandbox.run(&["tensorboard", "results/small"]).says(0, &["not finite are left out", "adam-seed0"]);
}

#[test]
fn trials_that_diverge_have_no_score_and_the_study_can_be_read_again() {
    let sandbox = sweep_sandbox();
    let sweep = SWEEP.replace("log_uniform: [0.01, 1]", "choice: [0.1, 1e30]");
    let sweep = sweep.replace("sobol: {seed: 3}", "grid: {}").replace("trials: 5", "trials: 6");
    let sweep = sweep.replace("set:", "set:\n  evaluate.steps: [3]");
    sandbox.write("rate.yaml", sweep.as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &["failed"]);
    let rows = study(&sandbox, "results/rate");
    for row in &rows[1..] {
        let diverges = row.iter().any(|cell| cell == "1e30" || cell == "1e+30");
        assert_eq!(row[1], if diverges { "failed" } else { "done" }, "{rows:?}");
    }
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    let one = sandbox.experiment(&["--set", DIVERGED, "--seeds", "0", "--quiet", "--no-test"]);
    one.says(1, &["loss became"]);
}

#[test]
fn a_damaged_study_is_listed_as_that_beside_the_others() {
    let sandbox = sweep_sandbox();
    sandbox.experiment(&["--quick", "--quiet"]).says(0, &[]);
    sandbox.run(&["sweep", "rate.yaml", "--quiet"]).says(0, &[]);
    let sound = sandbox.read("results/rate/sweep.yaml");
    for damage in [
        "pruner: {median: {rungs: 100000000000}}\n",
        "pruner: {asha: {rungs: 0}}\n",
        "pruner: {hyperband: {brackets: 0}}\n",
    ] {
        sandbox.write("results/rate/sweep.yaml", format!("{sound}{damage}").as_bytes());
        let listed = sandbox.run(&["runs"]);
        listed.says(0, &[]);
        assert!(listed.stdout.contains("sweep.yaml is damaged"), "{damage}: {}", listed.stdout);
        assert!(listed.stdout.contains("maml-seed0  done"), "{}", listed.stdout);
        let watched = sandbox.run(&["watch", "results/rate"]);
        watched.says(0, &[]);
        assert!(watched.stdout.contains("sweep.yaml is damaged"), "{}", watched.stdout);
    }
}

#[test]
fn check_says_what_an_experiment_would_refuse() {
    let sandbox = Sandbox::new();
    let check = |changes: &[&str]| {
        let set: Vec<&str> = changes.iter().flat_map(|change| ["--set", change]).collect();
        sandbox.run(&[&["check", "small.yaml"], &set[..]].concat())
    };
    check(&[]).says(0, &["is sound"]);
    check(&["task.queries=9000"]).says(2, &["9000 queries"]);
    let missing = "train.init={checkpoint: nowhere.safetensors}";
    check(&[missing]).says(2, &["train.init", "nowhere.safetensors"]);
    // A data set that is not here is not fetched for it.
    let digits = "task.dataset=mnist";
    check(&[digits]).says(0, &["not here yet", "is sound"]);
    check(&[digits, missing]).says(2, &["train.init", "nowhere.safetensors"]);
    assert!(!sandbox.path("cache").exists() && !sandbox.path("results").exists());
}

#[test]
fn pretraining_goes_on_from_a_pretrained_checkpoint() {
    let sandbox = Sandbox::new();
    // The last theta counts, not one that validated best before any training.
    sandbox.change("validate: {every: 4, episodes: 6}", "validate: null");
    sandbox.change("adam: {scratch: {adam: {lr: 0.01}}}", "base: {pretrained: {adam: {lr: 0.01}}}");
    sandbox.experiment(&["--quiet", "--seeds", "0"]).says(0, &[]);
    let init = "train={init: {checkpoint: results/small/base-seed0/checkpoint.safetensors}}";
    let method = format!("methods.base.{init}");
    let again = ["--quiet", "--seeds", "0", "--set", &method, "--set", "name=again"];
    sandbox.experiment(&again).says(0, &[]);
    let losses = |run: &str| -> Vec<f64> {
        let text = sandbox.read(&format!("results/{run}/base-seed0/train.csv"));
        let cells = text.lines().skip(2).map(|line| line.split(',').nth(4).unwrap_or_default().to_owned());
        cells.map(|cell| cell.parse().expect("a loss")).collect()
    };
    assert_ne!(losses("small"), losses("again"));
    // Another width does not fit.
    let wider = ["--set", "model={mlp: {hidden: [9]}}", "--set", "name=wide"];
    sandbox.experiment(&[&again[..5], &wider].concat()).says(2, &["train.init", "layer0.weight"]);
}
