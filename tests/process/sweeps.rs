//! `quickstudy sweep`.

use std::{fs, path::PathBuf};

use crate::sandbox::{Sandbox, csv_files, wait_for};

pub const SWEEP: &str = "\
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

pub fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("rate.yaml", SWEEP.as_bytes());
    sandbox
}

/// `study.csv` without the column of seconds.
pub fn study(sandbox: &Sandbox, folder: &str) -> Vec<Vec<String>> {
    let text = sandbox.read(&format!("{folder}/study.csv"));
    text.lines()
        .map(|line| {
            line.split(',').enumerate().filter(|(i, _)| *i != 5).map(|(_, cell)| cell.to_owned()).collect()
        })
        .collect()
}

#[test]
fn trials_are_validated_never_tested_and_the_best_is_ready_to_be() {
    let sandbox = sandbox();
    let ended = sandbox.run(&["sweep", "rate.yaml", "--jobs", "2"]);
    ended.says(0, &[]);
    for part in ["results/rate/best.yaml", "lr = "] {
        assert!(ended.stdout.contains(part), "{}", ended.stdout);
    }
    let rows = study(&sandbox, "results/rate");
    assert_eq!(rows.len(), 6, "{rows:?}");
    let score = |row: &Vec<String>| row[4].parse::<f64>().expect("a score");
    // The first of equals: max_by gives the last, here of the reversed.
    let best = rows[1..].iter().rev().max_by(|a, b| score(a).total_cmp(&score(b))).expect("a best");
    assert!(rows[1..].iter().all(|row| row[1] == "done" && (0.0..=1.0).contains(&score(row))), "{rows:?}");
    assert!(sandbox.read("results/rate/best.yaml").contains(&best[5]), "the best rate {}", best[5]);
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
    for killed in ["0000.json", "0001.json", "0003.json"] {
        let mut child = sandbox.start(&["sweep", "rate.yaml", "--jobs", "2"]);
        wait_for(&sandbox, &format!("results/rate/trials/{killed}"));
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
    }
    let finished: Vec<(PathBuf, Vec<u8>)> = trial_files(&sandbox, "results/rate");
    assert!(!finished.is_empty(), "two of the first three trials had ended when the fourth began");
    sandbox.run(&["sweep", "rate.yaml", "--jobs", "2"]).says(0, &[]);
    assert_eq!(study(&sandbox, "whole/rate"), study(&sandbox, "results/rate"));
    for (file, before) in finished {
        assert_eq!(before, fs::read(&file).expect("there"), "a finished trial is not repeated");
    }
}

/// The files of trials that have reached a rung.
fn trial_files(sandbox: &Sandbox, folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(sandbox.path(folder).join("trials")).expect("trials").flatten();
    let files =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
    let read = files.map(|path| (path.clone(), fs::read(path).expect("readable")));
    read.filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains("\"score\"")).collect()
}

#[test]
fn a_dry_run_lists_the_trials_that_will_be() {
    let sandbox = sandbox();
    let listed = sandbox.run(&["sweep", "rate.yaml", "--dry-run"]);
    listed.says(0, &[]);
    assert!(!sandbox.path("results").exists());
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    for row in &study(&sandbox, "results/rate")[1..] {
        let line = format!("lr = {}  steps = {}", row[5], row[6]);
        assert!(listed.stdout.contains(&line), "{line} is not in\n{}", listed.stdout);
    }
    assert!(listed.stdout.contains("5 trials to run, each on one core, about 0:0"), "{}", listed.stdout);
    let again = sandbox.run(&["sweep", "rate.yaml", "--dry-run"]);
    assert_eq!(
        again.stdout.lines().filter(|line| line.contains("  done ") && line.contains(" %  ")).count(),
        5
    );
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
    assert_eq!(states, ["done", "failed", "failed", "failed", "done"]);
    // One way is no task at all: such an experiment is refused before it is run.
    let ways =
        grid.replace("task.shots: {choice: [1, 60]}", "task.ways: {choice: [1, 3]}").replace("rate", "ways");
    sandbox.write("rate.yaml", ways.as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &["trial 0 failed", "ways"]);
    let states: Vec<String> = study(&sandbox, "results/ways")[1..].iter().map(|row| row[1].clone()).collect();
    assert_eq!(states, ["failed", "done", "done", "done", "failed"]);
    let all = grid.replace("[1, 60]", "[50, 60]").replace("name: rate", "name: none");
    sandbox.write("rate.yaml", all.as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(1, &["all 5 trials failed", "image"]);
}

#[test]
fn a_second_sweep_on_the_same_study_is_refused() {
    let sandbox = sandbox();
    let mut first = sandbox.start(&["sweep", "rate.yaml"]);
    wait_for(&sandbox, "results/rate/trials/0000.json");
    sandbox.run(&["sweep", "rate.yaml"]).says(2, &["another quickstudy", "results/rate"]);
    first.kill().expect("SIGKILL");
    first.wait().expect("ended");
}

/// Nine trials of eighteen iterations, pruned.
fn pruned(pruner: &str) -> String {
    let text = SWEEP.replace("trials: 5", "trials: 9").replace("set:", "set:\n  train.iterations: 18");
    format!("{text}pruner: {pruner}\n")
}

#[test]
fn the_worse_trials_are_pruned_and_the_best_is_trained_as_if_never_paused() {
    let sandbox = sandbox();
    sandbox.write("rate.yaml", pruned("{asha: {reduction: 3}}").as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    let rows = study(&sandbox, "results/rate");
    let rungs = |rung: &str| rows[1..].iter().filter(|row| row[2] == rung).count();
    assert_eq!(rungs("0"), 9);
    assert!((3..9).contains(&rungs("1")) && (1..=rungs("1")).contains(&rungs("2")), "{rows:?}");
    let done = rows.iter().rev().find(|row| row[1] == "done").expect("one is complete");
    assert_eq!(done[3], "18");
    // One that was left at its first rung; which others go on depends on which trials are ready first.
    let rungs_of = |trial: &str| rows[1..].iter().filter(|row| row[0] == trial).count();
    let left = rows.iter().find(|row| row[1] == "pruned" && rungs_of(&row[0]) == 1).expect("one is pruned");
    assert_eq!(left[3], "2");
    let folder = |row: &Vec<String>| format!("results/rate/trials/{:0>4}/maml-seed0", row[0]);
    assert!(sandbox.path(&folder(left)).join("validation-2.csv").exists());
    assert!(!sandbox.path(&folder(left)).join("validation.csv").exists());

    let file = format!("results/rate/trials/{:0>4}.yaml", done[0]);
    sandbox.run(&["experiment", &file, "--no-test", "--threads", "1", "--out", "straight"]).says(0, &[]);
    let straight = |csv: &str| sandbox.read(&format!("straight/{:0>4}/maml-seed0/{csv}", done[0]));
    let paused = |csv: &str| sandbox.read(&format!("{}/{csv}", folder(done)));
    assert_eq!(straight("validation.csv"), paused("validation.csv"));
    // It was also validated at its rungs, 2 and 6, between the validations of training, 0, 4, 8, ... and 18.
    let validated = |csv: &str| -> Vec<usize> {
        let lines = csv.lines().enumerate().skip(1).filter(|(_, line)| !line.ends_with(",,"));
        lines.map(|(place, _)| place - 1).collect()
    };
    assert_eq!(validated(&straight("train.csv")), [0, 4, 8, 12, 16, 18]);
    assert_eq!(validated(&paused("train.csv")), [0, 2, 4, 6, 8, 12, 16, 18]);
    for (straight, paused) in straight("train.csv").lines().zip(paused("train.csv").lines()) {
        assert!(paused.starts_with(straight.trim_end_matches(',')), "{straight} {paused}");
    }
    let shown = |number: usize| -> Vec<serde_json::Value> {
        let text = sandbox.read(&format!("results/rate/trials/{number:04}.json"));
        let trial: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        trial["curve"].as_array().expect("a curve").clone()
    };
    assert_eq!(shown(left[0].parse().expect("a number")).len(), 2, "before training and at its rung");
    // More trials: more of the old ones are worth going on with.
    sandbox
        .write("rate.yaml", pruned("{asha: {reduction: 3}}").replace("trials: 9", "trials: 18").as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    let more = study(&sandbox, "results/rate");
    assert!(more[1..].iter().filter(|row| row[2] == "1").count() >= 6, "{more:?}");
}

#[test]
fn a_pruned_sweep_that_is_killed_ends_as_one_never_killed() {
    let sandbox = sandbox();
    sandbox.write("rate.yaml", pruned("{hyperband: {}}").as_bytes());
    sandbox.run(&["sweep", "rate.yaml", "--jobs", "1", "--out", "whole"]).says(0, &[]);
    for killed in ["0001/maml-seed0/train.csv", "0004.json"] {
        let mut child = sandbox.start(&["sweep", "rate.yaml", "--jobs", "1"]);
        wait_for(&sandbox, &format!("results/rate/trials/{killed}"));
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
    }
    sandbox.run(&["sweep", "rate.yaml", "--jobs", "1"]).says(0, &[]);
    assert_eq!(study(&sandbox, "whole/rate"), study(&sandbox, "results/rate"));
}

#[test]
fn every_pruner_leaves_one_trial_that_is_complete() {
    for pruner in ["{median: {startup: 2}}", "{racing: {rungs: 3}}", "{asha: {rungs: 4}}"] {
        let sandbox = sandbox();
        sandbox.write("rate.yaml", pruned(pruner).replace("trials: 9", "trials: 4").as_bytes());
        sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
        let rows = study(&sandbox, "results/rate");
        assert!(rows.iter().any(|row| row[1] == "done" && row[3] == "18"), "{pruner}: {rows:?}");
    }
    let sandbox = sandbox();
    let shots = "  task.shots: {int: [1, 3]}\n  methods.maml.maml.inner.sgd.steps";
    let text = pruned("{racing: {}}").replace("  methods.maml.maml.inner.sgd.steps", shots);
    sandbox.write("rate.yaml", text.as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(2, &["racing", "same validation episodes", "task.shots"]);
}

#[test]
fn what_is_wrong_in_a_trials_folder_is_said_and_can_be_mended() {
    let sandbox = sandbox();
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    let whole = study(&sandbox, "results/rate");
    let trials = sandbox.path("results/rate/trials");
    // A trial that was interrupted, and whose state the disk has lost since.
    let record = fs::read_to_string(trials.join("0002.json")).expect("there");
    let begun = record.split(",\n  \"rungs\"").next().expect("rungs come after the values");
    fs::write(trials.join("0002.json"), format!("{begun}\n}}")).expect("written");
    fs::remove_file(trials.join("0002/maml-seed0/validation.csv")).expect("there");
    fs::write(trials.join("0002/maml-seed0/state.safetensors"), b"half").expect("written");
    sandbox
        .run(&["sweep", "rate.yaml"])
        .says(0, &["trial 2 failed", "state.safetensors is damaged", "delete it"]);
    assert_eq!(study(&sandbox, "results/rate")[3][1], "failed");
    fs::remove_dir_all(trials.join("0002")).expect("removed");
    sandbox.run(&["sweep", "rate.yaml", "--retry-failed"]).says(0, &[]);
    assert_eq!(study(&sandbox, "results/rate"), whole);

    fs::write(trials.join("0001.json"), b"{\"number\": 1").expect("written");
    sandbox.run(&["sweep", "rate.yaml"]).says(1, &["0001.json is damaged", "remove it"]);
    fs::remove_file(trials.join("0001.json")).expect("removed");
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    assert_eq!(study(&sandbox, "results/rate"), whole);
}

#[test]
fn a_full_disk_stops_the_sweep_and_with_room_it_goes_on() {
    let sandbox = sandbox();
    let part = sandbox.path("results/rate/trials/0001.part");
    fs::create_dir_all(part.parent().expect("a folder")).expect("made");
    // The kernel's full device: every write to it fails for want of space.
    std::os::unix::fs::symlink("/dev/full", &part).expect("a link");
    sandbox.run(&["sweep", "rate.yaml", "--jobs", "1"]).says(1, &["0001", "is the disk full"]);
    fs::remove_file(&part).expect("room again");
    sandbox.run(&["sweep", "rate.yaml"]).says(0, &[]);
    assert_eq!(study(&sandbox, "results/rate").len(), 6);
}

#[test]
fn a_trial_that_is_ended_from_outside_goes_on() {
    let sandbox = sandbox();
    sandbox.write("rate.yaml", SWEEP.replace("set:", "set:\n  train.iterations: 3000").as_bytes());
    let mut sweep = sandbox.start(&["sweep", "rate.yaml", "--jobs", "1"]);
    wait_for(&sandbox, "results/rate/trials/0000/maml-seed0/state.safetensors");
    let children = format!("/proc/{0}/task/{0}/children", sweep.id());
    let child = fs::read_to_string(children).expect("children").trim().to_owned();
    assert!(std::process::Command::new("kill").args(["-TERM", &child]).status().expect("kill").success());
    wait_for(&sandbox, "results/rate/trials/0001.json");
    assert!(sandbox.read("results/rate/trials/0000.json").contains("score"));
    assert!(sandbox.read("results/rate/trials/0000/maml-seed0/log.jsonl").contains("resumed"));
    sweep.kill().expect("SIGKILL");
    let said = sweep.wait_with_output().expect("ended");
    assert!(String::from_utf8_lossy(&said.stderr).contains("trial 0: stopped from outside; it goes on"));
}

#[test]
fn ctrl_c_saves_running_trials() {
    let sandbox = sandbox();
    sandbox.write("rate.yaml", SWEEP.replace("set:", "set:\n  train.iterations: 3000").as_bytes());
    let sweep = sandbox.start(&["sweep", "rate.yaml", "--jobs", "2"]);
    wait_for(&sandbox, "results/rate/trials/0001/maml-seed0/state.safetensors");
    let id = sweep.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let ended: crate::sandbox::Ended = sweep.wait_with_output().expect("ended").into();
    ended.says(130, &["start the sweep again"]);
    let csvs = csv_files(&sandbox.path("results/rate/trials"));
    assert!(csvs.iter().any(|(file, _)| file.ends_with("0001/maml-seed0/train.csv")), "saved");
}
