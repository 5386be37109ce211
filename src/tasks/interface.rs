//! What a network and a test must know of a family's tasks.

use tch::Tensor;

use crate::{
    loss::Loss,
    measures::{LOSS, Measure, Quantity},
};

/// The shapes of a task, how it is learned, and how it is judged.
#[derive(Clone, Debug)]
pub struct Interface {
    /// D, values per row of input.
    pub inputs: usize,
    /// O, values per row of output: classes of a task, or numbers.
    pub outputs: usize,
    /// The first so many values of a row of input are the shares that items have in it; 0 where rows are of no items. A row of a known item
    /// has a 1 there; one of an unknown item has the mean of those that stand for it.
    pub items: usize,
    /// The number of the bin of each row `[..., D]`, `[...]`, i64, where rows are grouped to see whether predictions are right on average.
    pub bins: Option<fn(&Tensor) -> Tensor>,
    /// What training lowers.
    pub loss: &'static dyn Loss,
    /// What is measured on the queries; the first judges.
    pub measures: Vec<&'static dyn Measure>,
}

impl Interface {
    /// What methods are judged by: the first measure, without one the loss.
    pub fn judge(&self) -> Quantity {
        self.measures.first().map_or(LOSS, |judge| judge.quantity())
    }
}
