//! Output that cannot be written does not end the work.

use std::{
    fs::File,
    process::{Command, Stdio},
};

use crate::sandbox::Sandbox;

/// Runs a command with stderr, or both outputs, going where nothing can be written; its exit code.
fn mute(mut command: Command, both: bool, full: bool) -> Option<i32> {
    let sink = || -> Stdio {
        if full {
            return File::options().write(true).open("/dev/full").expect("the kernel's full device").into();
        }
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        writer.into()
    };
    command.stderr(sink());
    if both {
        command.stdout(sink());
    }
    command.output().expect("run").status.code()
}

#[test]
fn an_experiment_goes_on_without_anybody_to_hear() {
    for (both, full) in [(false, false), (false, true), (true, false), (true, true)] {
        let sandbox = Sandbox::new();
        let command = sandbox.command(&["experiment", "small.yaml", "--threads", "1", "--seeds", "0"]);
        assert_eq!(mute(command, both, full), Some(0), "both {both}, full {full}");
        assert!(sandbox.path("results/small/adam-seed0/evaluation.csv").exists());
        assert!(sandbox.path("results/small/report.html").exists());
    }
}

#[test]
fn a_sweep_goes_on_without_anybody_to_hear() {
    for full in [false, true] {
        let sandbox = crate::sweeps::sandbox();
        assert_eq!(mute(sandbox.command(&["sweep", "rate.yaml"]), true, full), Some(0), "full {full}");
        assert!(sandbox.path("results/rate/best.yaml").exists());
    }
}

#[test]
fn an_error_that_cannot_be_said_keeps_its_exit_code() {
    let sandbox = Sandbox::new();
    for full in [false, true] {
        let command = sandbox.command(&["experiment", "nowhere.yaml"]);
        assert_eq!(mute(command, true, full), Some(2));
        // What is asked for goes to stdout alone: a reader that has seen enough is no error, a full disk is one.
        assert_eq!(mute(sandbox.command(&["list"]), true, full), Some(i32::from(full)));
    }
}
