//! An example of a test episode: its images, and what a method answers before and after it has adapted.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

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
    /// The label given to each query after each number of steps: `[steps][queries]`.
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
        let episode = fold.test.batch(0..1, task.shots);
        let shown: Vec<usize> =
            (0..task.ways * task.queries).filter(|query| query % task.queries < QUERIES).collect();
        let images = |of_task: &Tensor, labels: &Tensor, rows: &[usize]| -> Vec<Image> {
            let image = |row: &usize| {
                let pixels =
                    of_task.get(0).get(*row as i64).g_mul_scalar_(255.0).round().to_kind(Kind::Uint8);
                let bytes = Vec::<u8>::try_from(pixels.flatten(0, -1)).unwrap_or_default(); // a vector, which the conversion takes
                Image {
                    label: labels.int64_value(&[0, *row as i64]) as usize,
                    pixels: BASE64_STANDARD.encode(bytes),
                }
            };
            rows.iter().map(image).collect()
        };
        let support: Vec<usize> = (0..task.ways * task.shots).collect();
        let predicted = learner.predict(theta, &episode, &steps, draws);
        let answers = |logits: &Tensor| -> Vec<usize> {
            let best = logits.argmax(-1, false);
            shown.iter().map(|query| best.int64_value(&[0, *query as i64]) as usize).collect()
        };
        let class = |image: usize| data.classes[usize::from(data.labels[image])].clone();
        Self {
            shots: task.shots,
            height: data.height,
            width: data.width,
            classes: fold.test.first_images(0).map(class).collect(),
            support: images(&episode.support_x(), &episode.support_y(), &support),
            queries: images(&episode.query_x(), &episode.query_y(), &shown),
            answers: predicted.iter().map(|answer| answers(&answer.logits)).collect(),
            steps,
        }
    }
}
