//! Functions of one variable, and published values beside what is measured.

use std::fs;

use crate::sandbox::{Sandbox, csv_files};

const EXPERIMENT: &str = "\
name: waves
task: {sinusoid: {shots: 5}}
model: {mlp: {hidden: [8]}}
train: {iterations: 8, meta_batch: 4, validate: null}
methods:
  maml: {maml: {inner: {sgd: {lr: 0.01, steps: 1}}}}
  adam: {scratch: {adam: {lr: 0.01}}}
evaluate: {episodes: 40, steps: [0, 1, 5]}
seeds: [0]
expect:
  maml: {mse: {1: [1000], 5: [0.0001, 0.00005]}, source: 'Finn et al. 2017, section 5.1'}
  adam: {mse: {5: [1000.5]}, mark: unconfirmed}
";

fn finished() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.write("waves.yaml", EXPERIMENT.as_bytes());
    let ended = sandbox.run(&["experiment", "waves.yaml", "--threads", "1"]);
    ended.says(0, &[]);
    (sandbox, ended.stdout)
}

#[test]
fn published_values_stand_beside_ours() {
    let (sandbox, terminal) = finished();
    let summary = sandbox.read("results/waves/summary.md");
    let report = sandbox.read("results/waves/report.md");
    for text in [&terminal, &summary, &report] {
        for part in [
            "maml, published",
            "1000, ours better",
            "0.0001 ± 0.00005, ours worse",
            "maml: Finn et al. 2017, section 5.1",
            "adam, unconfirmed",
            "1000.5, ours better",
            "may not have been published",
        ] {
            assert!(text.contains(part), "no {part:?} in: {text}");
        }
        assert!(!text.contains("adam, published"), "{text}");
    }
    let table = sandbox.read("results/waves/tables/published.csv");
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert_eq!(lines[1][..7], ["maml", "5", "1", "mse", "1000.0", "", "confirmed"]);
    let place = |name: &str| lines[0].iter().position(|column| *column == name).expect(name);
    assert_eq!(lines[2][place("verdict")], "worse");
    assert_eq!(lines[3][place("mark")], "unconfirmed");
    let ours: f64 = lines[3][place("ours")].parse().expect("a number");
    assert!(ours > 0.0 && ours < 1000.0, "{table}");
}

#[test]
fn other_expectations_do_not_make_another_experiment() {
    let (sandbox, _) = finished();
    let before = csv_files(&sandbox.path("results/waves/maml-seed0"));
    let written = fs::metadata(sandbox.path("results/waves/maml-seed0/evaluation.csv")).expect("there");
    let other = EXPERIMENT.replace("1: [1000], 5: [0.0001, 0.00005]", "1: [0.002]");
    sandbox.write("waves.yaml", other.as_bytes());
    let again = sandbox.run(&["experiment", "waves.yaml"]);
    again.says(0, &[]);
    assert!(
        again.stdout.contains("0.002, ours worse") && !again.stdout.contains("1000,"),
        "{}",
        again.stdout
    );
    assert_eq!(before, csv_files(&sandbox.path("results/waves/maml-seed0")));
    let now = fs::metadata(sandbox.path("results/waves/maml-seed0/evaluation.csv")).expect("there");
    assert_eq!(written.modified().expect("a time"), now.modified().expect("a time"), "it ran again");
    let (without, _) = EXPERIMENT.split_once("expect:").expect("it is there");
    sandbox.write("waves.yaml", without.as_bytes());
    sandbox.run(&["experiment", "waves.yaml", "--resume"]).says(0, &[]);
    assert!(!sandbox.path("results/waves/tables/published.csv").exists(), "values that nobody expects");
    // The tests of other numbers of steps have nothing published.
    sandbox.write("waves.yaml", EXPERIMENT.as_bytes());
    sandbox.run(&["experiment", "waves.yaml"]).says(0, &[]);
    let tested = sandbox.run(&["evaluate", "results/waves/maml-seed0", "--steps", "0,2", "--quiet"]);
    tested.says(0, &[]);
    assert!(!tested.stdout.contains("published"), "{}", tested.stdout);
}

#[test]
fn a_rehearsal_has_nothing_to_compare() {
    let sandbox = Sandbox::new();
    let deep =
        EXPERIMENT.replace("steps: [0, 1, 5]", "steps: [0, 1, 5, 50]").replace("1: [1000]", "50: [1000]");
    sandbox.write("waves.yaml", deep.as_bytes());
    let ended = sandbox.run(&["experiment", "waves.yaml", "--quick", "--threads", "1"]);
    ended.says(0, &[]);
    assert!(!ended.stdout.contains("published"), "{}", ended.stdout);
    let wrong = deep.replace("50: [1000]", "51: [1000]");
    sandbox.write("waves.yaml", wrong.as_bytes());
    sandbox.run(&["check", "waves.yaml"]).says(2, &["waves.yaml", "expect.maml.mse.51", "evaluate.steps"]);
}

#[test]
fn fits_are_drawn_where_tasks_are_functions() {
    let (sandbox, _) = finished();
    for file in ["summary.md", "report.md"] {
        assert!(sandbox.read(&format!("results/waves/{file}")).contains("](figures/fits.svg)"), "{file}");
    }
    let drawn = sandbox.read("results/waves/figures/fits.svg");
    for part in ["support points", "truth", "no steps", "5 steps", "\nmaml\n", "\nadam\n"] {
        assert!(drawn.contains(part), "no {part:?}");
    }
    assert!(sandbox.read("results/waves/report.html").contains("support points"));
    assert!(sandbox.path("results/waves/figures/fits.png").exists());
    sandbox.experiment(&["--quiet"]).says(0, &[]);
    assert!(!sandbox.path("results/small/figures/fits.svg").exists(), "images are no functions");
}
