//! What each adaptation step sees of the support set: all of it, a mini-batch, or jittered copies.

use rand::seq::index::sample;
use tch::{Device, Tensor};

use super::rows::RowSet;
use crate::{random::Draws, tasks::copies::Originals};

/// What each step sees of the support set.
pub(super) enum Sight<'a> {
    /// All of it.
    Whole,
    /// So many rows, others in each step.
    Batches(usize),
    /// Copies of these images, drawn when a step needs them; of a batch of them, if given.
    Copies(Originals<'a>, Option<usize>),
    /// So many rows after those of the step before: the copies of all steps, drawn at once.
    Blocks(i64),
}

impl Sight<'_> {
    /// What step number `step` sees of the support rows `[T, S, ...]`; the same rows for every task, whose images are random anyway.
    pub fn of(&self, support: &RowSet, step: usize, draws: Draws) -> RowSet {
        let count = support.x.size()[1] as usize;
        match self {
            Self::Whole => support.share(),
            Self::Batches(size) => {
                let rows = rows_of(step, count, Some(*size), draws);
                support.pick(&numbers(&rows, support.x.device())).normalised()
            }
            Self::Copies(originals, batch) => {
                let rows = rows_of(step, count, *batch, draws);
                let picked = support.pick(&numbers(&rows, support.x.device()));
                let repeated = |t: &Tensor| originals.repeated(t);
                RowSet {
                    x: originals.copies(&rows, &draws, step),
                    y: repeated(&picked.y),
                    expected: repeated(&picked.expected),
                    weight: picked.weight.as_ref().map(repeated),
                    input: picked.input,
                }
                .normalised()
            }
            Self::Blocks(rows) => support.block(step as i64 * rows, *rows).normalised(),
        }
    }
}

/// The support rows of a step's mini-batch, or all; the same for every task. A task's images are drawn in random order within each
/// class, so that this leaves the images as random as rows of its own would; only how many of each class a batch has is then the
/// same for all tasks of a meta-batch, which [`crate::algorithms::reptile`] says.
///
/// Batches follow one another through a sequence of permutations of the support set; one that closes a permutation and opens the next
/// may hold a row twice.
pub(super) fn rows_of(step: usize, support: usize, batch: Option<usize>, draws: Draws) -> Vec<usize> {
    let Some(size) = batch.map(|size| size.min(support)) else { return (0..support).collect() };
    let row = |position: usize| {
        sample(&mut draws.stream(position / support), support, support).index(position % support)
    };
    (step * size..(step + 1) * size).map(row).collect()
}

/// Numbers of rows, i64.
pub(super) fn numbers(rows: &[usize], device: Device) -> Tensor {
    let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
    Tensor::from_slice(&rows).to_device(device)
}
