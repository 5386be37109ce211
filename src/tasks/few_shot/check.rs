//! Whether a data set has as many classes, and those as many images, as an experiment asks for.

use super::{FewShotSpec, class_split::Parts};
use crate::{
    data::Dataset,
    tasks::family::{Asks, Part, Problem},
};

/// What is wrong with a task on a data set with classes of these names.
pub fn problems(task: &FewShotSpec, asks: &Asks, classes: &[String]) -> Vec<Problem> {
    let split = &task.classes.0;
    let mut problems = Vec::new();
    for fold in 0..split.folds() {
        match split.parts(fold, classes) {
            Ok(parts) => problems.extend(too_few_classes(task, asks, &parts)),
            Err(message) => problems.push((&["classes"][..], message)),
        }
        if !problems.is_empty() {
            break;
        }
    }
    problems
}

/// More ways than classes in a part that episodes are drawn from.
fn too_few_classes(task: &FewShotSpec, asks: &Asks, parts: &Parts) -> Option<Problem> {
    let (ways, turns) = (task.ways, task.augment.turns());
    if asks.pools && parts.classes[Part::Train as usize].is_empty() {
        let message = "there are no meta-training classes, but a method is trained on them".to_owned();
        return Some((&["classes"][..], message));
    }
    let needed = [
        (Part::Train, "meta-training", turns, asks.training_shots.is_some()),
        (Part::Validation, "meta-validation", 1, asks.validates),
        (Part::Test, "meta-test", 1, true),
    ];
    needed.into_iter().filter(|(.., needed)| *needed).find_map(|(part, name, turns, _)| {
        let available = parts.classes[part as usize].len() * turns;
        (available < ways).then(|| {
            let hint = match part {
                Part::Validation => "; give validation more classes, or set train.validate to null",
                _ => "; lower ways or give it more classes",
            };
            (&["ways"][..], format!("{ways} ways, but {name} has {available} classes{hint}"))
        })
    })
}

/// Classes with fewer images than episodes need: known only once the data are loaded.
pub fn too_few_images(task: &FewShotSpec, asks: &Asks, parts: &Parts, data: &Dataset) -> Option<String> {
    let pooled = asks.pools.then_some(task.shots);
    let test_shots = Some(asks.test_shots);
    let needs = [
        (Part::Train, asks.training_shots.max(pooled)),
        (Part::Validation, test_shots),
        (Part::Test, test_shots),
    ];
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
