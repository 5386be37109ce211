//! What was done, in a table, and where two experiments did not do the same.

use std::collections::BTreeMap;

use super::{surroundings::Surroundings, table::Table};
use crate::{
    experiment::spec::Experiment,
    models::ModelSpec,
    tasks::{few_shot::class_split::NamedParts, words::in_one_line},
};

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
    let words = task.words();
    let mut facts = words.facts;
    if words.classes.is_some() {
        facts.extend([
            ("training classes", classes(|parts| &parts.train)),
            ("validation classes", classes(|parts| &parts.validation)),
            ("test classes", classes(|parts| &parts.test)),
        ]);
    }
    facts.extend([
        ("shots while training", task.training_shots().to_string()),
        ("shots in the test", list(&experiment.test_shots())),
        ("batch normalisation", batch_norm(&experiment.model).into()),
        ("model", in_one_line(&experiment.model)),
        ("meta-iterations", experiment.train.iterations.to_string()),
        ("tasks per iteration", experiment.train.meta_batch.to_string()),
        ("validation", validation),
        ("test episodes", evaluate.episodes.to_string()),
        ("adaptation steps in the test", list(&evaluate.steps)),
        ("seeds", seeds),
        ("test episodes' SHA-256", if episodes.is_empty() { "unknown".into() } else { episodes.join(", ") }),
    ]);
    facts
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

fn batch_norm(model: &ModelSpec) -> &'static str {
    if model.build(1, 1).mixes_rows() {
        "statistics of the current batch, in the test too (transductive)"
    } else {
        "none"
    }
}

/// Experiments side by side; facts in which they differ are marked.
pub fn table(experiments: &[(&str, &[Fact])]) -> Table {
    let mut header = vec!["protocol".to_owned()];
    header.extend(experiments.iter().map(|(name, _)| (*name).to_owned()));
    let protocols: Vec<&[Fact]> = experiments.iter().map(|(_, facts)| *facts).collect();
    let line = |what: &str| {
        let mut cells: Vec<String> =
            protocols.iter().map(|facts| value(facts, what).unwrap_or("-").to_owned()).collect();
        let mark = if cells.windows(2).all(|pair| pair[0] == pair[1]) { "" } else { " (differs)" };
        cells.insert(0, format!("{what}{mark}"));
        cells
    };
    Table {
        name: "protocol".into(),
        caption: "What was done.".into(),
        header,
        rows: names(&protocols).into_iter().map(line).collect(),
    }
}

/// The facts in which two experiments differ that make their numbers incomparable.
pub fn differences(one: &[Fact], other: &[Fact]) -> Vec<&'static str> {
    let matters =
        |what: &&str| !["seeds", "meta-iterations", "tasks per iteration", "validation"].contains(what);
    let unknown = |value: Option<&str>| value.is_some_and(|value| [NOT_RECORDED, "unknown"].contains(&value));
    let differ = |what: &&str| {
        let [one, other] = [one, other].map(|facts| value(facts, what));
        one != other && !unknown(one) && !unknown(other)
    };
    names(&[one, other]).into_iter().filter(matters).filter(differ).collect()
}

/// What any of the protocols tell, each once.
fn names(protocols: &[&[Fact]]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for (what, _) in protocols.concat() {
        if !names.contains(&what) {
            names.push(what);
        }
    }
    names
}

fn value<'a>(facts: &'a [Fact], what: &str) -> Option<&'a str> {
    facts.iter().find(|(name, _)| *name == what).map(|(_, value)| value.as_str())
}
