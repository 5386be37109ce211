//! Checks that need more than one key: whether the parts of an experiment fit each other and the data set.

use garde::{Path, Report, Validate, util::nested_path};
use serde::Deserialize;

use super::{dataset::DatasetSpec, spec::Experiment};
use crate::{
    algorithms::{AlgorithmSpec, Training},
    data,
    tasks::class_split::{Part, Parts},
};

/// An experiment that was checked as a whole.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Checked(pub Experiment);

impl Validate for Checked {
    type Context = ();

    fn validate_into(&self, context: &(), mut parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        self.0.validate_into(context, parent, report);
        for (name, method) in &self.0.methods {
            let mut methods = nested_path!(parent, "methods");
            method.validate_into(context, &mut nested_path!(methods, name.as_str()), report);
        }
        if !report.is_empty() {
            return; // one mistake at a time: these checks rely on sound values
        }
        for (keys, message) in problems(&self.0, known_classes(&self.0).as_deref()) {
            let mut path = nested_path!(parent, keys[0]);
            let path = keys[1..].iter().fold(path(), |path, key| path.join(*key));
            report.append(path, garde::Error::new(message));
        }
    }
}

/// The names of the classes of a registered data set, known without loading it.
fn known_classes(experiment: &Experiment) -> Option<Vec<String>> {
    let DatasetSpec::Named(name) = &experiment.task.dataset else { return None };
    let entry = data::find(name)?;
    Some((0..entry.classes).map(|class| class.to_string()).collect())
}

/// A key by its path, and what is wrong with its value.
pub type Problem = (&'static [&'static str], String);

/// What is wrong with an experiment on a data set with these classes.
pub fn problems(experiment: &Experiment, classes: Option<&[String]>) -> Vec<Problem> {
    let Some(classes) = classes else { return Vec::new() };
    let split = &experiment.task.classes.0;
    let mut problems = Vec::new();
    for fold in 0..split.folds() {
        match split.parts(fold, classes) {
            Ok(parts) => problems.extend(too_few_classes(experiment, &parts)),
            Err(message) => problems.push((&["task", "classes"][..], message)),
        }
        if !problems.is_empty() {
            break;
        }
    }
    problems
}

/// More ways than classes in a part that episodes are drawn from.
fn too_few_classes(experiment: &Experiment, parts: &Parts) -> Option<Problem> {
    let ways = experiment.task.ways;
    let turns = experiment.task.augment.turns();
    let on_episodes = trains(experiment, |training| matches!(training, Training::Episodes { .. }));
    let on_classes = trains(experiment, |training| training == Training::AllClasses);
    if on_classes && parts.classes[Part::Train as usize].is_empty() {
        let message = "there are no meta-training classes, but a method is trained on them".to_owned();
        return Some((&["task", "classes"][..], message));
    }
    let needed = [
        (Part::Train, "meta-training", turns, on_episodes),
        (Part::Validation, "meta-validation", 1, validates(experiment)),
        (Part::Test, "meta-test", 1, true),
    ];
    needed.into_iter().filter(|(.., needed)| *needed).find_map(|(part, name, turns, _)| {
        let available = parts.classes[part as usize].len() * turns;
        (available < ways).then(|| {
            let hint = match part {
                Part::Validation => "; give validation more classes, or set train.validate to null",
                _ => "; lower ways or give it more classes",
            };
            (&["task", "ways"][..], format!("{ways} ways, but {name} has {available} classes{hint}"))
        })
    })
}

fn trains(experiment: &Experiment, on: impl Fn(Training) -> bool) -> bool {
    experiment.methods.values().any(|method| on(training(&method.algorithm)))
}

/// Whether any method that trains is validated.
fn validates(experiment: &Experiment) -> bool {
    let trains = |training| training != Training::Nothing;
    let mut methods = experiment.methods.values();
    methods.any(|m| trains(training(&m.algorithm)) && m.train(&experiment.train).validate.is_some())
}

fn training(algorithm: &AlgorithmSpec) -> Training {
    algorithm.training()
}

/// Classes with fewer images than episodes need: known only once the data are loaded.
pub fn too_few_images(experiment: &Experiment, parts: &Parts, data: &data::Dataset) -> Option<String> {
    let task = &experiment.task;
    let train_shots = experiment.methods.values().filter_map(|m| match training(&m.algorithm) {
        Training::Episodes { shots } => Some(shots.unwrap_or(task.shots)),
        Training::AllClasses => Some(task.shots),
        Training::Nothing => None,
    });
    let test_shots = Some(experiment.largest_shots());
    let needs = [(Part::Train, train_shots.max()), (Part::Validation, test_shots), (Part::Test, test_shots)];
    needs.into_iter().find_map(|(part, shots)| {
        let (shots, queries) = (shots?, task.queries);
        let images = parts.images(part, data);
        let classes = parts.classes[part as usize].iter().zip(&images);
        let (class, images) = classes.min_by_key(|(_, images)| images.len())?;
        (images.len() < shots + queries).then(|| {
            format!(
                "task.shots: {shots} shots + {queries} queries = {} images of each class, but class {} of {} has {} \
                 for this part: lower shots, train_shots, evaluate.shots or queries",
                shots + queries,
                data.classes[*class],
                data.name,
                images.len()
            )
        })
    })
}
