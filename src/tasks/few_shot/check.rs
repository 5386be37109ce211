//! Whether data sets have as many classes, and those as many images, as an experiment asks for.

use super::{
    FewShotSpec,
    class_split::{NamedClasses, Parts},
};
use crate::{
    data::Dataset,
    tasks::family::{Asks, Part, Problem},
};

/// What is wrong with a task whose parts are chosen from these classes.
pub fn problems(task: &FewShotSpec, asks: &Asks, of: &[NamedClasses; 3]) -> Vec<Problem> {
    let split = &task.classes.0;
    let mut problems: Vec<Problem> = other_ways(task, asks).into_iter().collect();
    for fold in 0..split.folds() {
        if !problems.is_empty() {
            break;
        }
        match split.parts(fold, of) {
            Ok(parts) => problems.extend(too_few_classes(task, asks, &parts)),
            Err(message) => problems.push((&["classes"][..], message)),
        }
    }
    problems
}

/// Other ways in meta-training than in the test, with a method that has an output for each.
pub fn other_ways(task: &FewShotSpec, asks: &Asks) -> Option<Problem> {
    let ways = task.training.ways.filter(|ways| *ways != task.ways)?;
    let method = asks.fixed_ways?;
    Some((
        &["training", "ways"][..],
        format!(
            "the network of {method} has an output for each class of a task, so it cannot be trained on {ways} ways and tested on {}: \
             leave it out",
            task.ways
        ),
    ))
}

/// More ways than classes in a part that episodes are drawn from.
fn too_few_classes(task: &FewShotSpec, asks: &Asks, parts: &Parts) -> Option<Problem> {
    let turns = task.augment.turns();
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
        let (ways, available) = (task.size(part, 0).ways, parts.classes[part as usize].len() * turns);
        let key =
            if part == Part::Train && ways != task.ways { &["training", "ways"][..] } else { &["ways"] };
        (available < ways).then(|| {
            let hint = match part {
                Part::Validation => "; give validation more classes, or set train.validate to null",
                _ => "; lower ways or give it more classes",
            };
            (key, format!("{ways} ways, but {name} has {available} classes{hint}"))
        })
    })
}

/// Classes with fewer images than episodes need: known only once the data are loaded. `data` are those of each part.
pub fn too_few_images(task: &FewShotSpec, asks: &Asks, parts: &Parts, data: [&Dataset; 3]) -> Option<String> {
    let pooled = asks.pools.then(|| task.training.shots.unwrap_or(task.shots));
    let test_shots = Some(asks.test_shots);
    let needs = [
        (Part::Train, asks.training_shots.max(pooled)),
        (Part::Validation, test_shots),
        (Part::Test, test_shots),
    ];
    needs.into_iter().find_map(|(part, shots)| {
        let (shots, data) = (shots?, data[part as usize]);
        let queries = task.size(part, shots).queries;
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
