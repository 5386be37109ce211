//! Looking at runs from outside: `runs`, `watch` and `tensorboard`.

use serde_json::Value;

use crate::{
    sandbox::{Sandbox, wait_for},
    sweeps,
};

fn json(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Value> {
    let ended = sandbox.run(&[&["runs", "--json"], arguments].concat());
    ended.says(0, &[]);
    serde_json::from_str(&ended.stdout).expect("a JSON list")
}

fn names(listed: &Value) -> Vec<&str> {
    let runs = listed["runs"].as_array().expect("runs");
    runs.iter().map(|run| run["name"].as_str().expect("a name")).collect()
}

#[test]
fn runs_lists_experiments_studies_and_what_is_damaged() {
    let sandbox = Sandbox::new();
    sandbox.run(&["runs"]).says(2, &["results", "no folder"]);
    sandbox.experiment(&["--quiet"]).says(0, &[]);
    sandbox.experiment(&["--quiet", "--no-test", "--until", "4", "--set", "name=paused"]).says(0, &[]);
    sandbox.experiment(&["--quiet", "--out", "results/deeper", "--seeds", "3"]).says(0, &[]);
    sandbox.write("rate.yaml", sweeps::SWEEP.replace("trials: 5", "trials: 2").as_bytes());
    sandbox.run(&["sweep", "rate.yaml", "--jobs", "2"]).says(0, &[]);
    sandbox.write("results/other/notes.txt", b"no results");
    sandbox.write("results/torn/config.yaml", b"name: to");
    sandbox.write("results/paused/adam-seed1/log.jsonl", b"{\"event\n{}\n");

    let listed = json(&sandbox, &[]);
    let states: Vec<_> = listed
        .iter()
        .map(|l| [&l["name"], &l["kind"], &l["state"]].map(|v| v.as_str().expect("text")))
        .collect();
    assert_eq!(
        states,
        [
            ["deeper/small", "experiment", "done"],
            ["paused", "experiment", "unfinished"],
            ["rate", "study", "done"],
            ["small", "experiment", "done"],
            ["torn", "experiment", "damaged"],
        ]
    );
    let small = &listed[3];
    assert_eq!(names(small), ["maml-seed0", "maml-seed1", "adam-seed0", "adam-seed1"]);
    let maml = &small["runs"][0];
    assert_eq!(
        (&maml["state"], &maml["iterations"], &maml["planned"]),
        (&"done".into(), &12.into(), &12.into())
    );
    let log = sandbox.read("results/small/maml-seed0/log.jsonl");
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let best = events.filter_map(|event| event["accuracy"].as_f64()).fold(0.0, f64::max);
    assert_eq!(maml["best"]["value"].as_f64(), Some(best));
    assert_eq!((&small["runs"][2]["best"], &small["runs"][2]["planned"]), (&Value::Null, &0.into()));
    let paused = |run: usize| [&listed[1]["runs"][run]["state"], &listed[1]["runs"][run]["iterations"]];
    assert_eq!(paused(0), [&Value::from("unfinished"), &4.into()]);
    assert_eq!(paused(3)[0], "validated");
    assert_eq!(names(&listed[2]), ["0000", "0001"]);
    assert_eq!(listed[2]["runs"][0]["best"]["measure"], "validation_accuracy");

    let ended = sandbox.run(&["runs"]);
    ended.says(0, &[]);
    for part in
        ["4/4 runs", "2/2 trials", "  maml-seed1", "torn: results/torn/config.yaml", "adam-seed1: 2 lines of"]
    {
        assert!(ended.stdout.contains(part), "no {part:?} in:\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("other"), "{}", ended.stdout);
}

#[test]
fn runs_are_filtered_and_sorted() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--quiet"]).says(0, &[]);
    sandbox.experiment(&["--quiet", "--set", "name=aaa", "--no-test", "--seeds", "7"]).says(0, &[]);
    let validated = json(&sandbox, &["--state", "validated,running"]);
    assert_eq!(validated.iter().map(names).collect::<Vec<_>>(), [["maml-seed7", "adam-seed7"]]);
    let named = json(&sandbox, &["--name", "seed1"]);
    assert_eq!(named.iter().map(names).collect::<Vec<_>>(), [["maml-seed1", "adam-seed1"]]);
    assert!(json(&sandbox, &["--name", "nothing"]).is_empty());
    sandbox.run(&["runs", "--state", "dead"]).says(2, &["dead", "running"]);
    let key = |listed: &Value, key: &str| listed[key].as_f64().expect("a number");
    for (sort, field) in [("duration", "seconds"), ("time", "time")] {
        let listed = json(&sandbox, &["--sort", sort]);
        assert!(key(&listed[0], field) >= key(&listed[1], field), "{sort}: {listed:?}");
    }
    let best = json(&sandbox, &["--sort", "best", "results/small"]);
    let values: Vec<_> =
        best[0]["runs"].as_array().expect("runs").iter().map(|run| run["best"]["value"].as_f64()).collect();
    assert!(values[0] >= values[1] && values[1].is_some() && values[2].is_none(), "{values:?}");
}

#[test]
fn a_run_at_work_is_followed_and_what_is_watched_goes_on() {
    let sandbox = Sandbox::new();
    let long = "train.iterations=1000000";
    let arguments = ["experiment", "small.yaml", "--threads", "1", "--quiet", "--set", long];
    let mut child = sandbox.start(&arguments);
    wait_for(&sandbox, "results/small/maml-seed0/train.csv");
    let listed = json(&sandbox, &["--state", "running"]);
    let snapshot = sandbox.run(&["watch", "results/small"]);
    let narrow = sandbox.command(&["watch", "results/small", "--once"]).env("COLUMNS", "40").output();
    let events = sandbox.run(&["tensorboard", "results/small"]);
    let ended = child.try_wait().expect("asked");
    child.kill().expect("killed");
    child.wait().expect("ended");

    assert!(ended.is_none(), "it was left alone");
    assert_eq!(listed.iter().map(names).collect::<Vec<_>>(), [["maml-seed0"]]);
    snapshot.says(0, &[]);
    assert!(
        snapshot.stdout.contains("maml-seed0") && snapshot.stdout.contains("waiting"),
        "{}",
        snapshot.stdout
    );
    assert!(snapshot.stdout.contains("validation accuracy"), "{}", snapshot.stdout);
    assert!(!snapshot.stdout.contains('\u{1b}'), "no terminal, no escapes: {:?}", snapshot.stdout);
    let narrow = crate::sandbox::Ended::from(narrow.expect("run"));
    narrow.says(0, &[]);
    assert!(narrow.stdout.lines().all(|line| line.chars().count() <= 40), "{}", narrow.stdout);
    events.says(0, &[]);
    assert_eq!(json(&sandbox, &[])[0]["state"], "unfinished", "nobody is at work there now");
}

#[test]
fn watch_needs_one_results_folder() {
    let sandbox = Sandbox::new();
    sandbox.run(&["watch", "nowhere"]).says(2, &["nowhere", "no folder"]);
    sandbox.run(&["watch", "digits"]).says(2, &["digits", "no results"]);
    for name in ["name=a", "name=b"] {
        sandbox.experiment(&["--quiet", "--quick", "--set", name]).says(0, &[]);
    }
    sandbox.run(&["watch", "results"]).says(2, &["several results", "results/b"]);
}

#[test]
fn tensorboard_events_are_the_same_each_time_and_only_grow() {
    let sandbox = Sandbox::new();
    sandbox.run(&["tensorboard", "digits"]).says(2, &["digits", "no results folder"]);
    let bytes = |run: &str| {
        let file = format!("results/small/tensorboard/{run}/events.out.tfevents.0.quickstudy");
        std::fs::read(sandbox.path(&file)).unwrap_or_default()
    };
    let write = || {
        sandbox.run(&["tensorboard", "results/small"]).says(0, &[]);
        (bytes("maml-seed0"), bytes("experiment"))
    };
    sandbox.experiment(&["--quiet", "--no-test"]).says(0, &[]);
    let (trained, no_figures) = write();
    sandbox.experiment(&["--quiet", "--resume"]).says(0, &[]);
    let (tested, figures) = write();
    assert!(trained.len() > 1000 && tested.len() > trained.len() && tested.starts_with(&trained));
    assert!(no_figures.is_empty() && figures.windows(4).any(|part| part == b"\x89PNG"));
    assert_eq!(write(), (tested.clone(), figures), "nothing is added twice");
    for tag in ["train/loss", "validation/accuracy", "test/accuracy/1_shot", "config"] {
        assert!(tested.windows(tag.len()).any(|part| part == tag.as_bytes()), "{tag}");
    }
    assert!(!trained.windows(5).any(|part| part == b"test/"));
}
