//! What was done, in a table, and where two experiments did not do the same.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{surroundings::Surroundings, table::Table};
use crate::{experiment::spec::Experiment, models::ModelSpec, tasks::class_split::NamedParts};

/// One line of the protocol: what, and its value.
pub type Fact = (&'static str, String);

/// The protocol of an experiment, with what its runs recorded.
pub fn facts(experiment: &Experiment, surroundings: &Surroundings) -> Vec<Fact> {
    let episodes = &surroundings.episodes;
    let classes = |part: fn(&NamedParts) -> &[(usize, String)]| classes(&surroundings.classes, part);
    let (task, evaluate) = (&experiment.task, &experiment.evaluate);
    let list = |values: &[usize]| values.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let validation = match &experiment.train.validate {
        Some(v) => format!("{} episodes every {} iterations", v.episodes, v.every),
        None => "none".into(),
    };
    let seeds = experiment.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    vec![
        ("data set", yaml(&task.dataset)),
        ("classes", yaml(&task.classes)),
        ("training classes", classes(|parts| &parts.train)),
        ("validation classes", classes(|parts| &parts.validation)),
        ("test classes", classes(|parts| &parts.test)),
        ("ways (classes per task)", task.ways.to_string()),
        ("shots while training", task.shots.to_string()),
        ("shots in the test", list(&experiment.test_shots())),
        ("queries per class", task.queries.to_string()),
        ("rotated classes", if task.augment.rotations { "yes".into() } else { "no".into() }),
        ("augmentation", yaml(&task.augment)),
        ("batch normalisation", batch_norm(&experiment.model).into()),
        ("model", yaml(&experiment.model)),
        ("meta-iterations", experiment.train.iterations.to_string()),
        ("tasks per iteration", experiment.train.meta_batch.to_string()),
        ("validation", validation),
        ("test episodes", evaluate.episodes.to_string()),
        ("adaptation steps in the test", list(&evaluate.steps)),
        ("seeds", seeds),
        ("test episodes' SHA-256", if episodes.is_empty() { "unknown".into() } else { episodes.join(", ") }),
    ]
}

/// Said of results from before something was recorded.
const NOT_RECORDED: &str = "not recorded";

/// The classes of a part, fold by fold, with the numbers of those that are not named by them: "fold 0: 3, 7; fold 1: 1, 4".
fn classes(folds: &BTreeMap<usize, NamedParts>, part: impl Fn(&NamedParts) -> &[(usize, String)]) -> String {
    let list = |classes: &[(usize, String)]| {
        let class = |(number, name): &(usize, String)| match name.parse::<usize>() {
            Ok(named) if *number == named => name.clone(),
            _ => format!("{number} ({name})"),
        };
        match classes {
            [] => "none".to_owned(),
            some => some.iter().map(class).collect::<Vec<_>>().join(", "),
        }
    };
    match folds.len() {
        0 => NOT_RECORDED.into(),
        1 => folds.values().map(|parts| list(part(parts))).collect(),
        _ => folds
            .iter()
            .map(|(fold, parts)| format!("fold {fold}: {}", list(part(parts))))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// A value in one line, as an experiment file could have it.
fn yaml(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    text.replace('"', "").replace(':', ": ").replace(',', ", ")
}

fn batch_norm(model: &ModelSpec) -> &'static str {
    match model {
        ModelSpec::Mlp(mlp) if mlp.batch_norm => {
            "statistics of the current batch, in the test too (transductive)"
        }
        ModelSpec::Mlp(_) => "none",
    }
}

/// Experiments side by side; facts in which they differ are marked.
pub fn table(experiments: &[(&str, &[Fact])]) -> Table {
    let mut header = vec!["protocol".to_owned()];
    header.extend(experiments.iter().map(|(name, _)| (*name).to_owned()));
    let line = |place: usize| {
        let mut cells: Vec<String> = experiments.iter().map(|(_, facts)| facts[place].1.clone()).collect();
        let mark = if cells.windows(2).all(|pair| pair[0] == pair[1]) { "" } else { " (differs)" };
        cells.insert(0, format!("{}{mark}", experiments[0].1[place].0));
        cells
    };
    let count = experiments.first().map_or(0, |(_, facts)| facts.len());
    Table {
        name: "protocol".into(),
        caption: "What was done.".into(),
        header,
        rows: (0..count).map(line).collect(),
    }
}

/// The facts in which two experiments differ that make their numbers incomparable.
pub fn differences(one: &[Fact], other: &[Fact]) -> Vec<&'static str> {
    let matters =
        |what: &str| !["seeds", "meta-iterations", "tasks per iteration", "validation"].contains(&what);
    let known = |fact: &Fact| ![NOT_RECORDED, "unknown"].contains(&fact.1.as_str());
    let pairs = one.iter().zip(other).filter(|(one, other)| known(one) && known(other) && one.1 != other.1);
    pairs.map(|(one, _)| one.0).filter(|what| matters(what)).collect()
}
