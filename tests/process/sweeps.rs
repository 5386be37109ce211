//! `quickstudy sweep`.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::sandbox::Sandbox;

const SWEEP: &str = "\
name: rate
base: small.yaml
set:
  methods: {maml: {maml: {inner: {sgd: {lr: 0.1, steps: 2}}}}}
space:
  methods.maml.maml.inner.sgd.lr: {log_uniform: [0.01, 1]}
  methods.maml.maml.inner.sgd.steps: {int: [1, 3]}
sampler: {sobol: {seed: 3}}
budget: {trials: 5}
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("rate.yaml", SWEEP.as_bytes());
    sandbox
}

/// `study.csv` without the column of seconds.
fn study(sandbox: &Sandbox, folder: &str) -> Vec<Vec<String>> {
    let text = sandbox.read(&format!("{folder}/study.csv"));
    text.lines()
        .map(|line| {
            line.split(',').enumerate().filter(|(i, _)| *i != 3).map(|(_, cell)| cell.to_owned()).collect()
        })
        .collect()
}

#[test]
fn trials_are_validated_never_tested_and_the_best_is_ready_to_be() {
    let sandbox = sandbox();
    let ended = sandbox.run(&["sweep", "rate.yaml", "--jobs", "2"]);
    ended.says(0, &[]);
    for part in ["results/rate/best.yaml", "methods.maml.maml.inner.sgd.lr = "] {
        assert!(ended.stdout.contains(part), "{}", ended.stdout);
    }
    let rows = study(&sandbox, "results/rate");
    assert_eq!(rows.len(), 6, "{rows:?}");
    let score = |row: &Vec<String>| row[2].parse::<f64>().expect("a score");
    // The first of equals: max_by gives the last, here of the reversed.
    let best = rows[1..].iter().rev().max_by(|a, b| score(a).total_cmp(&score(b))).expect("a best");
    assert!(rows[1..].iter().all(|row| row[1] == "done" && (0.0..=1.0).contains(&score(row))), "{rows:?}");
    assert!(sandbox.read("results/rate/best.yaml").contains(&best[3]), "the best rate {}", best[3]);
    for number in 0..5 {
        let run = format!("results/rate/trials/{number:04}/maml-seed0");
        assert!(sandbox.path(&run).join("validation.csv").exists());
        assert!(!sandbox.path(&run).join("evaluation.csv").exists(), "a trial looked at the test");
    }
    for figure in ["objective.svg", "response-1.png", "response-2.svg"] {
        assert!(sandbox.path("results/rate/figures").join(figure).exists(), "{figure}");
    }
    sandbox.run(&["experiment", "results/rate/best.yaml"]).says(0, &[]);
    assert!(sandbox.path("results/rate-best/maml-seed0/evaluation.csv").exists());
}

#[test]
fn killed_and_started_again_it_ends_as_one_never_killed() {
    let sandbox = sandbox();
    sandbox.run(&["sweep", "rate.yaml", "--jobs", "1", "--out", "whole"]).says(0, &[]);
    let start = Instant::now();
    for killed in ["0000.json", "0002.json", "0003.json"] {
        let mut child = sandbox.start(&["sweep", "rate.yaml", "--jobs", "2"]);
        while !sandbox.path("results/rate/trials").join(killed).exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "{killed} never came");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
    }
    let before = fs::read(sandbox.path("results/rate/trials/0002.json")).expect("done");
    sandbox.run(&["sweep", "rate.yaml", "--jobs", "2"]).says(0, &[]);
    assert_eq!(study(&sandbox, "whole/rate"), study(&sandbox, "results/rate"));
    let after = fs::read(sandbox.path("results/rate/trials/0002.json")).expect("done");
    assert_eq!(before, after, "a finished trial is not repeated");
}

#[test]
fn a_dry_run_lists_the_trials_that_will_be() {
    let sandbox = sandbox();
    let listed = sandbox.run(&["sweep", "rate.yaml", "--dry-run"]);
    listed.says(0, &[]);
    assert!(!sandbox.path("results").exists());
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    for row in &study(&sandbox, "results/rate")[1..] {
        let line = format!("lr = {}  methods.maml.maml.inner.sgd.steps = {}", row[3], row[4]);
        assert!(listed.stdout.contains(&line), "{line} is not in\n{}", listed.stdout);
    }
}

#[test]
fn more_budget_goes_on_and_another_space_is_refused() {
    let sandbox = sandbox();
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    let first = study(&sandbox, "results/rate");
    sandbox.write("rate.yaml", SWEEP.replace("trials: 5", "trials: 7").as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    let second = study(&sandbox, "results/rate");
    assert_eq!((&second[..6], second.len()), (&first[..], 8));
    sandbox.write("rate.yaml", SWEEP.replace("[0.01, 1]", "[0.01, 2]").as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(2, &["another sweep", "results/rate"]);
}

#[test]
fn what_cannot_be_swept_is_said_before_anything_runs() {
    for (from, to, parts) in [
        (
            "  methods.maml.maml.inner.sgd.lr: {log_uniform: [0.01, 1]}\n  methods.maml.maml.inner.sgd.steps: {int: [1, 3]}",
            " {}",
            &["at least one key"][..],
        ),
        ("[0.01, 1]", "[-1, 1]", &["sgd.lr", "logarithm"]),
        ("sgd.lr: {log", "sgd.rate: {log", &["sgd.rate", "unknown field"]),
        ("{int: [1, 3]}", "{int: [3, 1]}", &["steps", "low < high"]),
        ("sobol", "sobel", &["rate.yaml", "did you mean sobol"]),
        ("trials: 5", "trials: 0", &["trials"]),
        ("base: small.yaml", "base: smell.yaml", &["smell.yaml"]),
        (
            "  methods: {maml: {maml: {inner: {sgd: {lr: 0.1, steps: 2}}}}}",
            "  train.iterations: 5",
            &["one method", "maml, adam"],
        ),
        (
            "set:",
            "set:\n  task.classes: {train: [0, 1, 2, 3], test: [6, 7, 8]}\n  train.validate: null",
            &["validation"],
        ),
    ] {
        let sandbox = Sandbox::new();
        assert!(SWEEP.contains(from), "{from}");
        sandbox.write("rate.yaml", SWEEP.replace(from, to).as_bytes());
        sandbox.run(&["sweep", "rate.yaml"]).says(2, parts);
        assert!(!sandbox.path("results").exists(), "{to}: something was begun");
    }
}

#[test]
fn trials_that_cannot_run_are_refused_and_the_rest_goes_on() {
    let sandbox = sandbox();
    // The data set has 42 images of a class: with 4 queries 60 shots are too many.
    let shots = "task.shots: {choice: [1, 60]}";
    let grid = SWEEP.replace("methods.maml.maml.inner.sgd.lr: {log_uniform: [0.01, 1]}", shots);
    let grid = grid.replace("sobol: {seed: 3}", "grid: {}");
    sandbox.write("rate.yaml", grid.as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &["trial 3 failed", "image"]);
    let states: Vec<String> = study(&sandbox, "results/rate")[1..].iter().map(|row| row[1].clone()).collect();
    assert_eq!(states, ["done", "done", "done", "failed", "failed"]);
    let all = grid.replace("[1, 60]", "[50, 60]").replace("name: rate", "name: none");
    sandbox.write("rate.yaml", all.as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(1, &["all 5 trials failed", "image"]);
}

#[test]
fn a_second_sweep_on_the_same_study_is_refused() {
    let sandbox = sandbox();
    let mut first = sandbox.start(&["sweep", "rate.yaml"]);
    let start = Instant::now();
    while !sandbox.path("results/rate/trials/0000.json").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never began");
        std::thread::sleep(Duration::from_millis(2));
    }
    sandbox.run(&["sweep", "rate.yaml"]).says(2, &["another quickstudy", "results/rate"]);
    first.kill().expect("SIGKILL");
    first.wait().expect("ended");
}
