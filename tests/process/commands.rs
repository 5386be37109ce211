//! The smaller commands, and what is registered.

use quickstudy::{
    algorithms::AlgorithmSpec, data, inner::RuleSpec, models::ModelSpec, sweep::sampler::SamplerSpec,
    tasks::TaskSpec,
};

use crate::sandbox::Sandbox;

#[test]
fn list_names_everything_that_is_registered() {
    let sandbox = Sandbox::new();
    let all = sandbox.run(&["list"]);
    all.says(0, &[]);
    let names =
        [AlgorithmSpec::NAMES, TaskSpec::NAMES, RuleSpec::NAMES, ModelSpec::NAMES, SamplerSpec::NAMES]
            .concat();
    let datasets = data::REGISTRY.iter().map(|entry| entry.name);
    for name in names.into_iter().chain(datasets) {
        assert!(all.stdout.contains(&format!("\n  {name}\n")), "{name} is not listed:\n{}", all.stdout);
    }
    let rules = sandbox.run(&["list", "rules"]).stdout;
    assert!(rules.contains("random_search") && !rules.contains("maml"), "{rules}");
    sandbox.run(&["list", "rulez"]).says(2, &["rulez", "rules"]);
}

#[test]
fn check_prints_the_resolved_experiment_which_is_sound_again() {
    let sandbox = Sandbox::new();
    let first = sandbox.run(&["check", "small.yaml"]);
    first.says(0, &["small.yaml is sound", "4 runs"]);
    sandbox.write("resolved.yaml", first.stdout.as_bytes());
    let second = sandbox.run(&["check", "resolved.yaml"]);
    assert_eq!(first.stdout, second.stdout);
}

#[test]
fn every_shipped_experiment_is_sound() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).expect("experiments/").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let ended = Sandbox::new().run(&["check", &path.to_string_lossy()]);
            let text = std::fs::read_to_string(&path).expect("readable");
            // Those whose data are to be fetched by hand say so.
            if text.contains("dataset: {idx: fashion-mnist}") {
                ended.says(2, &["cannot read the folder fashion-mnist", "four files"]);
            } else if text.contains("dataset: omniglot") {
                ended.says(2, &["no images_background.zip", "--data-dir"]);
            } else if text.contains("file: statscloze.csv.gz") {
                ended.says(2, &["there is no file statscloze.csv.gz", "--data-dir"]);
            } else {
                ended.says(0, &["is sound"]);
            }
            checked += 1;
        }
    }
    assert!(checked >= 5, "{checked}");
}

#[test]
fn data_show_draws_an_episode() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["data", "show", "digits", "--ways", "3", "--shots", "2"]);
    ended.says(0, &[]);
    let png = std::fs::read(sandbox.path(ended.stdout.trim())).expect("the file it names");
    assert!(png.starts_with(b"\x89PNG"));
    sandbox.run(&["data", "show", "digits", "--ways", "30"]).says(2, &["--ways 30", "9 classes"]);
    sandbox.run(&["data", "show", "digits", "--shots", "90"]).says(2, &["--shots 90"]);
    sandbox.run(&["data", "show", "nothing"]).says(2, &["nothing", "mnist"]);
}

#[test]
fn figures_are_drawn_again_from_the_files() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--seeds", "0"]).says(0, &[]);
    let file = "results/small/figures/adaptation.svg";
    let before = sandbox.read(file);
    std::fs::remove_file(sandbox.path(file)).expect("removed");
    sandbox.run(&["figures", "results/small"]).says(0, &[]);
    assert_eq!(before, sandbox.read(file));
    sandbox.run(&["figures", "digits"]).says(2, &["digits", "no results folder"]);
    let rows = "results/small/adam-seed0/evaluation.csv";
    let damaged = sandbox.read(rows).replacen("few_shot,1,3,", "few_shot,1,tree,", 1);
    sandbox.write(rows, damaged.as_bytes());
    sandbox.run(&["figures", "results/small"]).says(1, &["adam-seed0/evaluation.csv", "damaged"]);
    sandbox.write(rows, b"method,fold\nadam,zero\n");
    sandbox.run(&["figures", "results/small"]).says(0, &["1 of 2 runs are not finished", "adam-seed0"]);
}

#[test]
fn help_reads_at_every_level() {
    let sandbox = Sandbox::new();
    for command in [&["--help"][..], &["experiment", "--help"], &["data", "show", "--help"]] {
        let ended = sandbox.run(command);
        ended.says(0, &[]);
        assert!(ended.stdout.contains("Usage:"), "{}", ended.stdout);
    }
    sandbox.run(&[]).says(2, &["Usage:"]);
    sandbox.run(&["experimant"]).says(2, &["experimant", "experiment"]);
}

#[test]
fn a_reader_that_stops_reading_is_no_error_and_a_full_device_is() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["list"]);
    let mut child = command.spawn().expect("started");
    drop(child.stdout.take()); // as `| true` does
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    if let Ok(full) = std::fs::File::options().write(true).open("/dev/full") {
        let ended: crate::sandbox::Ended =
            sandbox.command(&["list"]).stdout(full).output().expect("run").into();
        ended.says(1, &["standard output"]);
    }
}
