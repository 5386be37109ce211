//! The first test episode as people look at it: its images, and the labels that a method gives them.

use base64::{Engine, prelude::BASE64_STANDARD};
use tch::Tensor;

use super::FewShot;
use crate::data::Dataset;
use crate::tasks::{
    FreezableSource,
    example::{Example, Image, Images},
    family::Show,
    frozen,
};

/// Queries of a class that are shown.
const QUERIES: usize = 5;

/// What a method makes of the first test episode of a fold.
pub fn of(data: &Dataset, source: &FewShot, show: &Show) -> Example {
    let (size, index) = (source.size, frozen::index(show.fold));
    let (mut classes, mut support, mut queries, mut shown) = (vec![], vec![], vec![], vec![]);
    for (label, rows) in source.rows(index, 0).chunks(size.shots + size.queries).enumerate() {
        let image = |number: &usize| Image { label, pixels: BASE64_STANDARD.encode(data.image(*number)) };
        let (of_support, of_queries) = (&rows[..show.shots], &rows[size.shots..]);
        classes.push(data.classes[usize::from(data.labels[rows[0]])].clone());
        support.extend(of_support.iter().map(image));
        queries.extend(of_queries.iter().take(QUERIES).map(image));
        shown.extend((label * size.queries..).take(size.queries.min(QUERIES)));
    }
    let outputs = (show.answer)(&source.sample_with(index, 0..1, show.shots));
    let answers = |logits: &Tensor| -> Vec<usize> {
        if !bool::try_from(logits.isfinite().all()).unwrap_or(false) {
            return Vec::new(); // a network that diverged answers nothing
        }
        let best = logits.argmax(-1, false); // [1, Q]
        shown.iter().map(|query| best.int64_value(&[0, *query as i64]) as usize).collect()
    };
    Example::Images(Images {
        shots: show.shots,
        height: data.height,
        width: data.width,
        classes,
        support,
        queries,
        answers: outputs.iter().map(answers).collect(),
        steps: show.steps.to_vec(),
    })
}
