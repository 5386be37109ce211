//! What editors and shells are given: schemas, files to start from, completions, manual pages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use jsonschema::Validator;
use serde_json::Value;

use crate::sandbox::{EXPERIMENT, Sandbox};

const SWEEP: &str = "\
name: search
base: small.yaml
set: {methods: {maml: {maml: {}}}, train.iterations: 5}
space: {methods.maml.maml.inner.sgd.lr: {log_uniform: [0.01, 1]}}
budget: {trials: 2}
";

fn shipped(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments").join(folder)
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("YAML")
}

fn schema(file: &Path) -> Validator {
    let text = fs::read_to_string(file).expect("a schema");
    jsonschema::validator_for(&serde_json::from_str(&text).expect("JSON")).expect("a sound schema")
}

/// Every YAML file of a folder is valid, and says which schema it has.
fn all_are_valid(folder: &Path, schema_file: &str) {
    let (schema, mut checked) = (schema(&folder.join(schema_file)), 0);
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = fs::read_to_string(&path).expect("readable");
            let header = format!("# yaml-language-server: $schema={schema_file}\n");
            assert!(text.starts_with(&header), "{} lacks {header}", path.display());
            if let Err(error) = schema.validate(&yaml(&text)) {
                panic!("{}: {error} at {}", path.display(), error.instance_path());
            }
            checked += 1;
        }
    }
    assert!(checked >= 3, "{checked} files in {}", folder.display());
}

#[test]
fn shipped_schemas_are_current() {
    let sandbox = Sandbox::new();
    for (kind, file) in [("experiment", "experiment.schema.json"), ("sweep", "sweeps/sweep.schema.json")] {
        let now = sandbox.run(&["schema", kind]).stdout;
        let shipped = fs::read_to_string(shipped(file)).expect("shipped");
        assert!(now == shipped, "make it anew: quickstudy schema {kind} > experiments/{file}");
    }
}

#[test]
fn shipped_files_are_valid() {
    all_are_valid(&shipped(""), "experiment.schema.json");
    all_are_valid(&shipped("paper"), "../experiment.schema.json");
    all_are_valid(&shipped("sweeps"), "sweep.schema.json");
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let schema = schema(&shipped("experiment.schema.json"));
    assert!(schema.is_valid(&yaml(EXPERIMENT)));
    for (from, to) in [
        ("meta_batch", "meta_bacth"),
        ("ways: 3", "ways: three"),
        ("ways: 3", "ways: 1"),
        ("  ways: 3\n", ""),
        ("lr: 0.1", "lr: 0"),
        ("lr: 0.1", "lr: -0.1"),
        ("{scratch:", "{scrath:"),
        ("{sgd:", "{sgdd:"),
        ("adam: {lr: 0.01}", "adam: {lr: 0.01, beta1: 1.0}"),
        ("{idx: digits}", "mnits"),
        ("test: [6, 7, 8]", "tset: [6, 7, 8]"),
        ("model: {mlp: {hidden: [8]}}", "model: {mlp: {hidden: [0]}}"),
        ("every: 4, episodes: 6", "every: 4, episodes: 6, patience: 0"),
        ("steps: 2}}}", "steps: 2}}, recompute: 0}"),
        ("name: small", "name: ../up"),
        ("  adam: {scratch", "  a/b: {scratch"),
        ("seeds: [0, 1]", "seeds: []"),
    ] {
        let text = EXPERIMENT.replacen(from, to, 1);
        assert_ne!(text, EXPERIMENT, "{from}");
        assert!(!schema.is_valid(&yaml(&text)), "{to} is taken for valid");
        let sandbox = Sandbox::new();
        sandbox.write("small.yaml", text.as_bytes());
        sandbox.run(&["check", "small.yaml"]).says(2, &[]);
    }
}

#[test]
fn a_method_may_change_its_training() {
    let schema = schema(&shipped("experiment.schema.json"));
    let method = |text: &str| yaml(&EXPERIMENT.replacen("adam: {scratch: {adam: {lr: 0.01}}}", text, 1));
    assert!(
        schema.is_valid(&method("own: {reptile: {train_shots: 5}, train: {validate: null, meta_batch: 2}}"))
    );
    assert!(!schema.is_valid(&method("own: {reptile: {}, train: {meta_bach: 2}}")));
    assert!(!schema.is_valid(&method("own: {reptile: {}, maml: {}}")));
    assert!(!schema.is_valid(&method("own: {train: {meta_batch: 2}}")));
}

#[test]
fn paths_of_a_sweep_are_free_and_its_own_keys_are_not() {
    let schema = schema(&shipped("sweeps/sweep.schema.json"));
    assert!(schema.is_valid(&yaml(SWEEP)));
    for (from, to) in [
        ("log_uniform", "log_unifrom"),
        ("[0.01, 1]", "[0.01]"),
        ("budget: {trials: 2}", "budget: {trials: 0}"),
        ("budget: {trials: 2}", "budget: {trials: 2}\nsampler: {tpee: {}}"),
        ("budget: {trials: 2}", "budget: {trials: 2}\npruner: {asha: {reduction: 1}}"),
        ("base: small.yaml\n", ""),
        ("space", "spaces"),
    ] {
        let text = SWEEP.replacen(from, to, 1);
        assert!(text != SWEEP && !schema.is_valid(&yaml(&text)), "{to} is taken for valid");
    }
}

#[test]
fn a_new_experiment_is_sound_valid_and_says_every_key() {
    let sandbox = Sandbox::new();
    sandbox.run(&["new", "mine.yaml"]).says(0, &[]);
    sandbox.run(&["check", "mine.yaml"]).says(0, &["mine.yaml is sound"]);
    let text = sandbox.read("mine.yaml");
    assert!(schema(&shipped("experiment.schema.json")).is_valid(&yaml(&text)));
    let shipped = fs::read_to_string(shipped("experiment.schema.json")).expect("shipped");
    let shipped: Value = serde_json::from_str(&shipped).expect("JSON");
    let definitions = &shipped["definitions"];
    let parts = [
        "FewShotSpec",
        "Augmentation",
        "Affine",
        "Mlp",
        "Train",
        "Validation",
        "Evaluate",
        "Maml",
        "Reptile",
    ];
    for part in parts.iter().map(|part| &definitions[part]).chain([&shipped]) {
        for key in part["properties"].as_object().expect("properties").keys() {
            assert!(text.contains(&format!("{key}:")), "{key} is not explained");
        }
    }
    let ended = sandbox.run(&[
        "experiment",
        "mine.yaml",
        "--quick",
        "--threads",
        "1",
        "--set",
        "task.dataset={idx: digits}",
        "--set",
        "task.classes={train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}",
        "--set",
        "task.queries=4",
        "--set",
        "train.meta_batch=2",
        "--set",
        "model.mlp.hidden=[8]",
    ]);
    ended.says(0, &["reptile: 1 run done"]);
}

#[test]
fn new_never_overwrites() {
    let sandbox = Sandbox::new();
    sandbox.run(&["new", "small.yaml"]).says(2, &["small.yaml is there already"]);
    assert_eq!(sandbox.read("small.yaml"), EXPERIMENT);
    sandbox.run(&["new", "nowhere/mine.yaml"]).says(1, &["nowhere/mine.yaml"]);
}

#[test]
fn a_new_sweep_is_valid_and_fits_a_new_experiment() {
    let sandbox = Sandbox::new();
    sandbox.run(&["new"]).says(0, &[]);
    sandbox.run(&["new", "--sweep"]).says(0, &[]);
    assert!(schema(&shipped("sweeps/sweep.schema.json")).is_valid(&yaml(&sandbox.read("sweep.yaml"))));
    let trials = sandbox.run(&["sweep", "sweep.yaml", "--dry-run", "--quiet"]);
    trials.says(0, &[]);
    assert_eq!(trials.stdout.lines().count(), 20, "{}", trials.stdout);
}

#[test]
fn completions_know_every_command_and_bash_reads_them() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = sandbox.run(&["completions", shell]).stdout;
        for command in ["experiment", "sweep", "completions", "--dry-run"] {
            let command = if shell == "fish" { command.trim_start_matches('-') } else { command };
            assert!(text.contains(command), "{shell} does not know {command}");
        }
        sandbox.write(&format!("completions.{shell}"), text.as_bytes());
    }
    let bash = Command::new("bash").arg("-n").arg(sandbox.path("completions.bash")).output().expect("bash");
    assert!(bash.status.success(), "{}", String::from_utf8_lossy(&bash.stderr));
    sandbox.run(&["completions", "bsh"]).says(2, &["bsh", "bash"]);
}

#[test]
fn every_command_has_a_manual_page() {
    let sandbox = Sandbox::new();
    let main = sandbox.run(&["man"]).stdout;
    sandbox.run(&["man", "pages"]).says(0, &[]);
    for page in ["quickstudy", "quickstudy-experiment", "quickstudy-data-show", "quickstudy-man"] {
        let text = sandbox.read(&format!("pages/{page}.1"));
        for part in [".TH", ".SH NAME", ".SH SYNOPSIS"] {
            assert!(text.contains(part), "{page}: no {part}");
        }
    }
    assert!(main.contains(".TH") && main.contains("quickstudy\\-experiment(1)"), "{main}");
    sandbox.run(&["man", "small.yaml"]).says(1, &["small.yaml"]);
}
