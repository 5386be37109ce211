//! What methods are judged by: other measures than accuracy, later ones, and results from when there was no other.

use std::fs;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// A results folder as it was written when accuracy was all that was measured. Of each run `hits[episode]` of 12 queries without adaptation
/// and after five steps.
fn old_results() -> Sandbox {
    let sandbox = Sandbox::new();
    let config = "\
name: old
task: {dataset: mnist, ways: 3, shots: 1, queries: 4, classes: {train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}}
train: {iterations: 2, validate: {every: 1, episodes: 2}}
methods:
  maml: {maml: {}}
  adam: {scratch: {adam: {lr: 0.01}}}
evaluate: {episodes: 3, steps: [0, 5]}
seeds: [0, 1]
";
    sandbox.write("results/old/config.yaml", config.as_bytes());
    let runs = [
        ("maml", 0, [[4, 7], [4, 9], [5, 6]]),
        ("maml", 1, [[4, 8], [5, 9], [4, 8]]),
        ("adam", 0, [[4, 6], [4, 5], [5, 6]]),
        ("adam", 1, [[4, 5], [5, 6], [4, 7]]),
    ];
    for (method, seed, hits) in runs {
        let write = |file: &str, text: &str| {
            sandbox.write(&format!("results/old/{method}-seed{seed}/{file}"), text.as_bytes());
        };
        write("config.yaml", config);
        write("environment.json", "[]");
        write("checkpoint.safetensors", "");
        let mut rows = "method,fold,seed,task,shots,episode,step,loss,accuracy\n".to_owned();
        for (episode, [before, after]) in hits.into_iter().enumerate() {
            for (step, loss, hits) in [(0, "1.5", before), (5, "1.0", after)] {
                rows += &format!(
                    "{method},0,{seed},few_shot,1,{episode},{step},{loss},{}\n",
                    f64::from(hits) / 12.0
                );
            }
        }
        write("evaluation.csv", &rows);
        if method == "maml" {
            let header =
                "method,fold,seed,iteration,loss,learning_rate,validation_loss,validation_accuracy\n";
            let row = |iteration: usize, rest: &str| format!("maml,0,{seed},{iteration},{rest}\n");
            let rows = [row(0, ",,1.5,0.25"), row(1, "1.25,0.001,1.0,0.5"), row(2, "1.0,0.001,0.75,0.625")];
            write("train.csv", &format!("{header}{}", rows.concat()));
            let line = |rest: &str| format!("{{\"event\":\"validated\",{rest}}}\n");
            let validated = [
                line("\"iteration\":0,\"loss\":1.5,\"accuracy\":0.25,\"time\":101.0"),
                line("\"iteration\":2,\"loss\":0.75,\"accuracy\":0.625,\"time\":102.0"),
            ];
            write("log.jsonl", &validated.concat());
        }
    }
    sandbox
}

/// Expected by the version before this one, commit c0524a6, on the same folder.
#[test]
fn old_results_say_what_they_said() {
    let sandbox = old_results();
    sandbox.run(&["figures", "results/old"]).says(0, &[]);
    let summary = "\
                   method,task,shots,step,accuracy,accuracy_interval,accuracy_seed_std,loss,episodes,seeds,folds,left_out\n\
                   maml,few_shot,1,0,0.36111111111111116,0.0,0.0,1.5,3,2,1,0\n\
                   maml,few_shot,1,5,0.6527777777777778,0.5621409955711426,0.05892556509887883,1.0,3,2,1,0\n\
                   adam,few_shot,1,0,0.36111111111111116,0.0,0.0,1.5,3,2,1,0\n\
                   adam,few_shot,1,5,0.48611111111111116,0.17647506578020378,0.01964185503295962,1.0,3,2,1,0\n\
                   ";
    assert_eq!(sandbox.read("results/old/summary.csv"), summary);
    sandbox.run(&["report", "results/old"]).says(0, &[]);
    let report = sandbox.read("results/old/report.md");
    for part in [
        "1-shot: maml and adam cannot be told apart after 5 steps: maml is 16.7 points ahead (95 % interval -27.6 to 60.9); to confirm a difference of that size, about 33 episodes (with as many seeds) would be needed; two seeds hardly show how far trainings differ: five or more would",
        "| maml   | 36.1 ± 0.0 (0.0) | 65.3 ± 56.2 (5.9) |",
        "Accuracy in % on 1-shot test episodes after so many adaptation steps",
    ] {
        assert!(report.contains(part), "no {part} in {report}");
    }
    let pairs =
        "maml - adam,16.7,-27.6 to 60.9,0.1685,0.1685,about 33 episodes (with as many seeds),0.2500,1.00";
    assert_eq!(sandbox.read("results/old/tables/comparison-1-shot.csv").lines().nth(1), Some(pairs));
    assert!(sandbox.path("results/old/tables/accuracy-1-shot.csv").exists());
    assert!(sandbox.path("results/old/figures/validation.svg").exists());
    let listed: Value = serde_json::from_str(&sandbox.run(&["runs", "--json"]).stdout).expect("JSON");
    assert_eq!(listed[0]["best"]["measure"], "validation_accuracy");
    assert_eq!(listed[0]["best"]["value"], 0.625);
}

/// The values in a column of `summary.csv`.
fn column(sandbox: &Sandbox, file: &str, name: &str) -> Vec<f64> {
    let text = sandbox.read(file);
    let mut lines = text.lines().map(|line| line.split(','));
    let place = lines.next().and_then(|mut header| header.position(|column| column == name));
    let place = place.unwrap_or_else(|| panic!("no {name} in {text}"));
    lines.map(|mut line| line.nth(place).expect("a cell").parse().unwrap_or(f64::NAN)).collect()
}

#[test]
fn more_is_measured_at_once_or_read_again_later() {
    let sandbox = Sandbox::new();
    let measures = "evaluate.measures=[log_loss, ece, auc]";
    sandbox.experiment(&["--quiet", "--set", "evaluate.predictions=true"]).says(0, &[]);
    let before = fs::read(sandbox.path("results/small/maml-seed0/evaluation.csv")).expect("there");
    assert!(!sandbox.read("results/small/summary.csv").contains("ece"));
    sandbox.experiment(&["--quiet", "--resume", "--set", measures]).says(0, &[]);
    let after = fs::read(sandbox.path("results/small/maml-seed0/evaluation.csv")).expect("there");
    assert_eq!(before, after, "nothing is run again");
    sandbox.experiment(&["--quiet", "--set", "name=fresh", "--set", measures]).says(0, &[]);
    let header = "method,task,shots,step,accuracy,accuracy_interval,accuracy_seed_std,log_loss,log_loss_interval,log_loss_seed_std,ece,";
    assert!(sandbox.read("results/fresh/summary.csv").starts_with(header));
    for name in ["log_loss", "ece", "auc", "ece_interval"] {
        let [again, fresh] =
            ["small", "fresh"].map(|of| column(&sandbox, &format!("results/{of}/summary.csv"), name));
        assert!(fresh.len() == 6 && fresh.iter().all(|value| value.is_finite()), "{name}: {fresh:?}");
        // What was kept has half precision.
        assert!(again.iter().zip(&fresh).all(|(a, b)| (a - b).abs() < 2e-3), "{name}: {again:?} {fresh:?}");
    }
    let losses = column(&sandbox, "results/fresh/summary.csv", "loss");
    let log_losses = column(&sandbox, "results/fresh/summary.csv", "log_loss");
    assert!(
        losses.iter().zip(log_losses).all(|(a, b)| (a - b).abs() < 1e-5),
        "the loss is the log loss here"
    );
    sandbox.run(&["report", "results/fresh"]).says(0, &[]);
    let table = sandbox.read("results/fresh/tables/ece-1-shot.csv");
    assert!(table.starts_with("method,0 steps,2 steps,5 steps\nmaml,"), "{table}");
    assert!(
        sandbox.path("results/fresh/maml-seed0/predictions.safetensors").exists(),
        "pooled measures keep it"
    );
}

#[test]
fn what_was_not_kept_cannot_be_measured_later() {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--quiet"]).says(0, &[]);
    assert!(!sandbox.path("results/small/maml-seed0/predictions.safetensors").exists());
    let ended = sandbox.experiment(&["--quiet", "--resume", "--set", "evaluate.measures=[ece]"]);
    ended.says(0, &["ece of maml-seed0", "--fresh"]);
    sandbox.run(&["report", "results/small"]).says(0, &["ece of maml-seed0"]);
    sandbox
        .experiment(&["--quiet", "--resume", "--set", "evaluate.measures=[f1]"])
        .says(2, &["evaluate.measures", "there is no measure \"f1\"", "log_loss"]);
}

#[test]
fn a_family_of_numbers_is_judged_by_its_error_everywhere() {
    let sandbox = Sandbox::new();
    let text = "\
name: waves
task: {sinusoid: {shots: 5}}
model: {mlp: {hidden: [8]}}
train: {iterations: 12, meta_batch: 4, validate: {every: 4, episodes: 6}}
methods:
  maml: {maml: {inner: {sgd: {lr: 0.01, steps: 1}}}}
  adam: {scratch: {adam: {lr: 0.01}}}
evaluate: {episodes: 10, steps: [0, 1, 5]}
seeds: [0, 1]
";
    sandbox.write("waves.yaml", text.as_bytes());
    sandbox.run(&["experiment", "waves.yaml", "--threads", "1", "--quiet"]).says(0, &[]);
    let errors = column(&sandbox, "results/waves/maml-seed0/train.csv", "validation_mse");
    let least = errors.iter().copied().filter(|error| error.is_finite()).fold(f64::INFINITY, f64::min);
    let listed: Value = serde_json::from_str(&sandbox.run(&["runs", "--json"]).stdout).expect("JSON");
    let best = &listed[0]["runs"][0]["best"];
    assert_eq!((&best["measure"], best["value"].as_f64()), (&"validation_mse".into(), Some(least)));
    assert!(sandbox.path("results/waves/maml-seed0/predictions.safetensors").exists(), "answers are numbers");
    sandbox.run(&["report", "results/waves"]).says(0, &[]);
    sandbox.run(&["tensorboard", "results/waves"]).says(0, &[]);
    let shown = sandbox.run(&["watch", "results/waves", "--once"]).stdout;
    assert!(shown.contains("validation mean squared error over iterations"), "{shown}");
    let page = sandbox.read("results/waves/report.html") + &sandbox.read("results/waves/summary.md") + &shown;
    assert!(page.contains("5-point, mean squared error: ") && page.contains("of which lower is better"));
    for word in ["ccuracy", "mages", "-way", "chance", "in %", "percentage"] {
        let found = page.find(word).map(|at| page[..at].chars().rev().take(60).collect::<String>());
        assert_eq!(found.map(|before| before.chars().rev().collect::<String>()), None, "{word}");
    }
}

#[test]
fn a_sweep_looks_for_the_least_error() {
    let sandbox = Sandbox::new();
    let base = "\
name: waves
task: {sinusoid: {shots: 5}}
model: {mlp: {hidden: [8]}}
train: {iterations: 12, meta_batch: 4, validate: {every: 4, episodes: 6}}
methods: {maml: {maml: {inner: {sgd: {lr: 0.01, steps: 1}}}}}
evaluate: {episodes: 10, steps: [0, 1]}
";
    sandbox.write("waves.yaml", base.as_bytes());
    let sweep = "\
name: rate
base: waves.yaml
space: {methods.maml.maml.inner.sgd.lr: {choice: [0.01, 10]}}
sampler: {grid: {}}
budget: {trials: 2}
";
    sandbox.write("rate.yaml", sweep.as_bytes());
    sandbox.run(&["sweep", "rate.yaml", "--jobs", "1", "--quiet"]).says(0, &[]);
    assert!(sandbox.read("results/rate/sweep.yaml").contains("objective: mse"));
    let best = sandbox.read("results/rate/best.yaml");
    assert!(best.contains("trial 0, mean squared error ") && best.contains("lr: 0.01"), "{best}");
    let listed: Value = serde_json::from_str(&sandbox.run(&["runs", "--json"]).stdout).expect("JSON");
    assert_eq!(listed[0]["best"]["measure"], "validation_mse");
    assert!(listed[0]["best"]["value"].as_f64() > Some(0.0), "an error, not its score");
    sandbox.write(
        "other.yaml",
        (sweep.replace("name: rate", "name: other") + "objective: accuracy\n").as_bytes(),
    );
    sandbox
        .run(&["sweep", "other.yaml"])
        .says(2, &["objective: accuracy is not measured", "there is mse, loss"]);
    sandbox.write("other.yaml", (sweep.replace("name: rate", "name: other") + "objective: f1\n").as_bytes());
    sandbox.run(&["sweep", "other.yaml"]).says(2, &["other.yaml", "there is no objective \"f1\""]);
}
