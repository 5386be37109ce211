//! An example of a test episode: its images, and what a method answers before and after it has adapted.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::material::{Fold, Material};
use crate::{algorithms::MetaLearner, models::Params, random::Draws};

/// A run's `example.json`: some of the first test episode, for people to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Support images per class.
    pub shots: usize,
    /// Pixels down.
    pub height: usize,
    /// Pixels across.
    pub width: usize,
    /// What each label of the episode stands for.
    pub classes: Vec<String>,
    /// The support set, class by class.
    pub support: Vec<Image>,
    /// Some queries of each class.
    pub queries: Vec<Image>,
    /// Numbers of adaptation steps.
    pub steps: Vec<usize>,
    /// The label given to each query after each number of steps: `[steps][queries]`, none where the network had diverged.
    pub answers: Vec<Vec<usize>>,
}

/// An image with its label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The class's place in the episode.
    pub label: usize,
    /// A byte per pixel, row by row, ink is 255; in base64.
    pub pixels: String,
}

/// Queries of a class that are shown.
const QUERIES: usize = 5;

impl Example {
    /// What `learner` makes of the first test episode of a fold with the experiment's own number of shots.
    pub fn of(
        material: &Material,
        fold: &Fold,
        learner: &dyn MetaLearner,
        theta: &Params,
        draws: Draws,
    ) -> Self {
        let (task, data) = (&material.experiment.task, &material.dataset);
        let steps = material.experiment.evaluate.steps.clone();
        let (mut classes, mut support, mut queries, mut shown) = (vec![], vec![], vec![], vec![]);
        for (label, of_class) in fold.test.images(0, task.shots).enumerate() {
            let image = |number: &usize| Image { label, pixels: BASE64_STANDARD.encode(data.image(*number)) };
            classes.push(data.classes[usize::from(data.labels[of_class.support[0]])].clone());
            support.extend(of_class.support.iter().map(image));
            queries.extend(of_class.queries.iter().take(QUERIES).map(image));
            shown.extend((label * task.queries..).take(task.queries.min(QUERIES)));
        }
        let predicted = learner.predict(theta, &fold.test.batch(0..1, task.shots), &steps, draws);
        let answers = |logits: &Tensor| -> Vec<usize> {
            if !bool::try_from(logits.isfinite().all()).unwrap_or(false) {
                return Vec::new(); // a network that diverged answers nothing
            }
            let best = logits.argmax(-1, false); // [1, Q]
            shown.iter().map(|query| best.int64_value(&[0, *query as i64]) as usize).collect()
        };
        Self {
            shots: task.shots,
            height: data.height,
            width: data.width,
            classes,
            support,
            queries,
            answers: predicted.iter().map(|answer| answers(&answer.outputs)).collect(),
            steps,
        }
    }
}
