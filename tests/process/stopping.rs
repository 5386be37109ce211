//! Stopping, being killed, going on, and who may write to a results folder.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use crate::sandbox::{Ended, Sandbox, csv_files, wait_for};

/// So many iterations that there is time to stop it, and a validation, which saves, at every second one.
const LONG: [&str; 4] = ["--set", "train.iterations=400", "--set", "train.validate.every=2"];

fn long(more: &[&'static str]) -> Vec<&'static str> {
    [&["experiment", "small.yaml", "--threads", "1"], &LONG[..], more].concat()
}

#[test]
fn after_kill_9_resume_ends_with_the_same_bytes() {
    let sandbox = Sandbox::new();
    sandbox.run(&long(&["--out", "whole"])).says(0, &[]);
    let files = ["maml-seed0/state.safetensors", "maml-seed1/state.safetensors"];
    for (kills, file) in files.into_iter().enumerate() {
        let resume: &[&str] = if kills == 0 { &[] } else { &["--resume"] };
        let mut child = sandbox.start(&long(&[&["--out", "killed"], resume].concat()));
        wait_for(&sandbox, &format!("killed/small/{file}"));
        std::thread::sleep(Duration::from_millis(20));
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
        let unfinished = sandbox.run(&long(&["--out", "killed"]));
        unfinished.says(2, &["unfinished", "--resume", "--fresh"]);
    }
    sandbox.run(&long(&["--out", "killed", "--resume"])).says(0, &[]);
    assert_eq!(csv_files(&sandbox.path("whole/small")), csv_files(&sandbox.path("killed/small")));
}

#[test]
fn ctrl_c_saves_and_exits_130() {
    let sandbox = Sandbox::new();
    sandbox.run(&long(&["--out", "whole"])).says(0, &[]);
    let child = sandbox.start(&long(&["--out", "stopped"]));
    wait_for(&sandbox, "stopped/small/maml-seed0/state.safetensors");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let ended: Ended = child.wait_with_output().expect("ended").into();
    ended.says(130, &["--resume"]);
    assert!(!sandbox.path("stopped/small/maml-seed1").exists(), "it stopped at once");
    sandbox.run(&long(&["--out", "stopped", "--resume"])).says(0, &[]);
    assert_eq!(csv_files(&sandbox.path("whole/small")), csv_files(&sandbox.path("stopped/small")));
}

#[test]
fn under_nohup_a_closed_terminal_does_not_end_it() {
    let sandbox = Sandbox::new();
    let plain = sandbox.command(&long(&[]));
    let mut command = Command::new("nohup");
    command.arg(plain.get_program()).args(plain.get_args()).current_dir(sandbox.path("."));
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("nohup");
    wait_for(&sandbox, "results/small/maml-seed0/state.safetensors");
    assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().expect("kill").success());
    let ended: Ended = child.wait_with_output().expect("ended").into();
    ended.says(0, &[]);
}

#[test]
fn going_on_with_smaller_chunks_warns_of_rounding() {
    let sandbox = Sandbox::new();
    let mut child = sandbox.start(&long(&[]));
    wait_for(&sandbox, "results/small/maml-seed0/state.safetensors");
    child.kill().expect("SIGKILL");
    child.wait().expect("ended");
    sandbox.run(&long(&["--resume", "--memory", "200kB"])).says(0, &["warning", "tasks_at_once: 16, now"]);
}

#[test]
fn a_second_process_on_the_same_folder_is_refused() {
    let sandbox = Sandbox::new();
    let mut first = sandbox.start(&long(&["--set", "train.iterations=1000000"]));
    wait_for(&sandbox, "results/small/maml-seed0/state.safetensors");
    sandbox.run(&long(&["--resume"])).says(2, &["another quickstudy", "results/small", "--out"]);
    first.kill().expect("SIGKILL");
    first.wait().expect("ended");
}

#[test]
fn results_of_another_configuration_are_refused_and_kept() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&[]).says(0, &[]);
    let before = csv_files(&sandbox.path("results/small"));
    let other = ["--set", "train.meta_batch=5"];
    for more in [&other[..], &[&other[..], &["--resume"]].concat()] {
        sandbox.experiment(more).says(2, &["another configuration", "meta_batch", "--fresh"]);
    }
    assert_eq!(before, csv_files(&sandbox.path("results/small")));
    sandbox.experiment(&[&other[..], &["--fresh"]].concat()).says(0, &[]);
    assert_ne!(before, csv_files(&sandbox.path("results/small")));
}

#[test]
fn a_finished_experiment_is_shown_again_without_running() {
    let sandbox = Sandbox::new();
    let first = sandbox.experiment(&[]);
    let log = sandbox.read("results/small/maml-seed0/log.jsonl");
    let second = sandbox.experiment(&[]);
    second.says(0, &[]);
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(log, sandbox.read("results/small/maml-seed0/log.jsonl"));
}

#[test]
fn files_that_are_not_ours_are_neither_mixed_with_nor_removed() {
    let sandbox = Sandbox::new();
    sandbox.write("results/small/thesis.tex", b"years of work");
    for more in [&[][..], &["--fresh"]] {
        sandbox.experiment(more).says(2, &["thesis.tex", "--out"]);
    }
    assert_eq!(sandbox.read("results/small/thesis.tex"), "years of work");
}

#[test]
fn a_diverging_run_is_diagnosed_and_the_others_go_on() {
    let sandbox = Sandbox::new();
    let rate = "methods.maml.maml.inner.sgd.lr=1e30";
    let ended = sandbox.experiment(&["--set", rate, "--seeds", "0"]);
    ended.says(1, &["maml-seed0", "iteration", "inner lr", "adam: 1 run done"]);
    assert!(sandbox.path("results/small/adam-seed0/evaluation.csv").exists());
    assert!(sandbox.read("results/small/maml-seed0/log.jsonl").contains("failed"));
}

#[test]
fn a_read_only_folder_is_named() {
    let sandbox = Sandbox::new();
    // A file where the folder should be: what even an administrator cannot write into.
    sandbox.write("blocked", b"");
    sandbox.experiment(&["--out", "blocked"]).says(1, &["blocked", "--out"]);
}

#[test]
fn a_full_disk_is_said_and_what_was_written_stays() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--seeds", "0"]).says(0, &[]);
    let before = sandbox.read("results/small/adam-seed0/evaluation.csv");
    // The kernel's full device: every write to it fails for want of space.
    let summary = sandbox.path("results/small/figures/shots.part");
    if std::os::unix::fs::symlink("/dev/full", &summary).is_ok() {
        sandbox.run(&["figures", "results/small"]).says(1, &["shots", "full"]);
        assert_eq!(before, sandbox.read("results/small/adam-seed0/evaluation.csv"));
        assert!(
            sandbox.read("results/small/figures/shots.svg").contains("</svg>"),
            "the old figure is whole"
        );
    }
}

#[test]
fn data_that_changed_since_are_noticed() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&[]).says(0, &[]);
    let mut images = std::fs::read(sandbox.path("digits/t10k-images-idx3-ubyte")).expect("there");
    images[100] ^= 1;
    sandbox.write("digits/t10k-images-idx3-ubyte", &images);
    std::fs::remove_file(sandbox.path("results/small/adam-seed1/evaluation.csv")).expect("removed");
    sandbox.experiment(&["--resume"]).says(2, &["other test episodes", "--fresh"]);
    sandbox.experiment(&["--fresh"]).says(0, &[]);
}

#[test]
fn what_a_crash_leaves_does_not_lock_the_user_out() {
    let sandbox = Sandbox::new();
    sandbox.write("results/small/config.part", b"half a confi");
    sandbox.experiment(&[]).says(0, &[]);
}
