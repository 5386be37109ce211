//! Results that could be lost in silence: what is missing, torn or half removed is noticed and made again.

use std::{
    fs::{self, File},
    time::Duration,
};

use serde_json::Value;

use crate::sandbox::{Sandbox, csv_files, wait_for};

fn entries(sandbox: &Sandbox, run: &str) -> Vec<Value> {
    serde_json::from_str(&sandbox.read(&format!("results/small/{run}/environment.json"))).expect("a list")
}

#[test]
fn killed_while_old_results_are_removed_the_next_start_goes_on_with_it() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&[]).says(0, &[]);
    let whole = csv_files(&sandbox.path("results/small"));
    let seed = std::time::UNIX_EPOCH.elapsed().expect("after 1970").subsec_nanos();
    println!("seed {seed}");
    for moment in 0..6u32 {
        let mut child = sandbox.start(&["experiment", "small.yaml", "--threads", "1", "--fresh"]);
        // The first sign that it removes anything; then a moment between none and a few milliseconds.
        while sandbox.path("results/small/summary.csv").exists()
            && sandbox.path("results/small/adam-seed1/evaluation.csv").exists()
            && sandbox.path("results/small/maml-seed0/checkpoint.safetensors").exists()
            && child.try_wait().expect("asked").is_none()
        {}
        std::thread::sleep(Duration::from_micros(u64::from(seed.wrapping_mul(moment + 1) % 3000)));
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
        sandbox.experiment(&["--resume"]).says(0, &[]);
        assert_eq!(whole, csv_files(&sandbox.path("results/small")), "moment {moment}");
        assert!(sandbox.path("results/small/maml-seed0/checkpoint.safetensors").exists());
    }
}

#[test]
fn a_run_is_done_only_with_all_its_files() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&[]).says(0, &[]);
    let whole = csv_files(&sandbox.path("results/small"));
    let run = sandbox.path("results/small/maml-seed1");
    let files = ["checkpoint.safetensors", "validation.csv", "train.csv", "config.yaml", "environment.json"];
    for file in files {
        fs::remove_file(run.join(file)).expect("there");
        sandbox.experiment(&["--resume"]).says(0, &[]);
        assert!(run.join(file).exists(), "{file} is not made again");
        assert_eq!(whole, csv_files(&sandbox.path("results/small")), "{file}");
    }
    let evaluation = fs::read(run.join("evaluation.csv")).expect("there");
    let line = |count: usize| {
        let lines = evaluation.split_inclusive(|byte| *byte == b'\n');
        lines.take(count).flatten().copied().collect::<Vec<u8>>()
    };
    for shortened in [vec![], line(1), line(30), evaluation[..evaluation.len() - 3].to_vec()] {
        fs::write(run.join("evaluation.csv"), &shortened).expect("written");
        sandbox.experiment(&[]).says(2, &["unfinished", "--resume"]);
        sandbox.experiment(&["--resume"]).says(0, &[]);
        assert_eq!(whole, csv_files(&sandbox.path("results/small")), "{} bytes", shortened.len());
    }
}

#[test]
fn a_torn_log_is_mended_and_damaged_lines_are_counted() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--quiet", "--no-test", "--until", "4"]).says(0, &[]);
    let log = "results/small/maml-seed0/log.jsonl";
    let torn = sandbox.read(log) + "{\"event\":\"valid";
    sandbox.write(log, torn.as_bytes());
    sandbox.experiment(&["--quiet", "--resume"]).says(0, &[]);
    let parsed = |line: &str| serde_json::from_str::<Value>(line).is_ok();
    assert!(sandbox.read(log).lines().all(parsed), "{}", sandbox.read(log));
    sandbox.write(log, format!("{{\"event\n{}", sandbox.read(log)).as_bytes());
    let told = "1 line of results/small/maml-seed0/log.jsonl is damaged and left out";
    let listed = sandbox.run(&["runs"]);
    listed.says(0, &[]);
    assert!(listed.stdout.contains(told) && !listed.stdout.contains(" damaged  "), "{}", listed.stdout);
    sandbox.run(&["report", "results/small"]).says(0, &[told]);
    sandbox.run(&["tensorboard", "results/small"]).says(0, &[told]);
}

#[test]
fn every_start_that_worked_on_a_run_is_recorded() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--no-test", "--until", "4"]).says(0, &[]);
    // As older versions wrote it, on another processor.
    let first = entries(&sandbox, "maml-seed0").remove(0);
    let old = first.to_string().replacen("\"processor\":", "\"processor\":\"abacus\",\"was\":", 1);
    sandbox.write("results/small/maml-seed0/environment.json", old.as_bytes());
    sandbox.experiment(&["--resume"]).says(0, &["processor: \"abacus\", now"]);
    let two = entries(&sandbox, "maml-seed0");
    assert_eq!((two.len(), &two[0]["processor"]), (2, &"abacus".into()));
    assert!(two[1]["command"].to_string().contains("--resume") && two[1]["uncommitted_changes"].is_boolean());
    sandbox.run(&["report", "results/small"]).says(0, &["different values of processor", "abacus"]);
    let page = sandbox.read("results/small/report.md");
    assert!(page.contains("--no-test --until 4") && page.contains("--resume"), "{page}");
}

#[test]
fn a_run_that_goes_on_keeps_the_size_of_its_chunks() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--no-test", "--until", "4", "--memory", "200kB"]).says(0, &[]);
    let ended = sandbox.experiment(&["--resume"]);
    ended.says(0, &[]);
    assert!(!ended.stderr.contains("tasks_at_once"), "{}", ended.stderr);
    let sizes: Vec<_> = entries(&sandbox, "maml-seed0").iter().map(|e| e["tasks_at_once"].clone()).collect();
    assert!(sizes.len() == 2 && sizes[0] == sizes[1] && sizes[0].as_u64() < Some(16), "{sizes:?}");
}

#[test]
fn a_first_validation_that_was_no_number_is_not_made_twice() {
    let sandbox = Sandbox::new();
    let huge = ["--set", "methods.maml.maml.inner.sgd.lr=1e30", "--set", "train.validate.patience=3"];
    let run = |more: &[&str]| sandbox.experiment(&[&huge[..], &["--seeds", "0"], more].concat());
    run(&[]).says(1, &["maml-seed0"]);
    run(&["--resume"]).says(1, &["maml-seed0"]);
    let log = sandbox.read("results/small/maml-seed0/log.jsonl");
    assert_eq!(log.matches("\"iteration\":0,\"loss\"").count(), 1, "{log}");
}

#[test]
fn a_configuration_that_lacks_a_newer_key_is_still_the_same() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--no-test"]).says(0, &[]);
    let config = sandbox.read("results/small/config.yaml");
    let without: String =
        config.lines().filter(|line| !line.contains("batch_norm")).map(|l| format!("{l}\n")).collect();
    assert_ne!(config, without);
    sandbox.write("results/small/config.yaml", without.as_bytes());
    sandbox.experiment(&["--resume"]).says(0, &[]);
    assert_eq!(config, sandbox.read("results/small/config.yaml"));
}

#[test]
fn a_refused_experiment_leaves_nothing() {
    let sandbox = Sandbox::new();
    assert_ne!(sandbox.experiment(&["--set", "task.dataset={idx: nowhere}"]).code, Some(0));
    sandbox.experiment(&["--memory", "1kB"]).says(2, &["--memory"]);
    assert!(!sandbox.path("results/small").exists());
    // What one leaves that is killed at that moment is no results either.
    sandbox.write("results/small/.lock", b"");
    let listed = sandbox.run(&["runs"]);
    assert!(listed.stdout.contains("has no results"), "{}", listed.stdout);
}

#[test]
fn who_only_looks_does_not_keep_a_run_from_starting() {
    let sandbox = Sandbox::new();
    sandbox.write("results/small/.lock", b"");
    // As those hold it for an instant who look whether somebody is at work.
    let glance = File::open(sandbox.path("results/small/.lock")).expect("there");
    glance.try_lock_shared().expect("free");
    let mut child = sandbox.start(&["experiment", "small.yaml", "--threads", "1", "--seeds", "0"]);
    let tries = |id: u32| {
        let files = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
        files.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| file.ends_with("small/.lock"))
    };
    while !tries(child.id()) && child.try_wait().expect("asked").is_none() {}
    drop(glance);
    let ended: crate::sandbox::Ended = child.wait_with_output().expect("ended").into();
    ended.says(0, &[]);
}

#[test]
fn a_trial_that_another_process_works_on_is_waited_for() {
    let sandbox = crate::sweeps::sandbox();
    sandbox.write("results/rate/trials/0001/.lock", b"");
    let orphan = File::open(sandbox.path("results/rate/trials/0001/.lock")).expect("there");
    orphan.try_lock().expect("free");
    let sweep = sandbox.start(&["sweep", "rate.yaml", "--jobs", "2"]);
    wait_for(&sandbox, "results/rate/trials/0004/maml-seed0/validation.csv");
    drop(orphan);
    let ended: crate::sandbox::Ended = sweep.wait_with_output().expect("ended").into();
    ended.says(0, &[]);
    let rows = crate::sweeps::study(&sandbox, "results/rate");
    assert!(rows.len() == 6 && rows[1..].iter().all(|row| row[1] == "done"), "{rows:?}");
}
