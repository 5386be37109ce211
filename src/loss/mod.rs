//! What training lowers: losses of a network's outputs, each with what the closed form of its gradient needs.
//!
//! A family of tasks chooses the loss. Shapes: T tasks, R rows, O outputs of the network.

mod cross_entropy;
mod logistic;
mod squared_error;

use std::fmt::Debug;

use tch::Tensor;

pub use cross_entropy::CrossEntropy;
pub use logistic::Logistic;
pub use squared_error::SquaredError;

/// A loss of the rows of a task.
///
/// With the link `m = link(z)` of the outputs z, the slope `dL/dz` and the curvature `d2L/dz2 v` of a row's loss are functions of m
/// and of what was expected: that is all that backpropagation by hand must know of a loss.
pub trait Loss: Debug + Send + Sync {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// The loss of each row, `[T, R]`, for outputs `[T, R, O]` and targets as the family gives them.
    fn of_rows(&self, outputs: &Tensor, targets: &Tensor) -> Tensor;

    /// The targets as numbers of the kind of `like`, `[T, R, O]`.
    fn expected(&self, targets: &Tensor, outputs: i64, like: &Tensor) -> Tensor;

    /// The network's outputs `[T, R, O]` as what the targets are expected to be.
    fn link(&self, outputs: &Tensor) -> Tensor;

    /// Outputs of which these values are the link, the other way round.
    fn unlink(&self, linked: &Tensor) -> Tensor;

    /// The gradient of each row's loss with respect to its outputs.
    fn slope(&self, linked: &Tensor, expected: &Tensor) -> Tensor;

    /// The Hessian of each row's loss with respect to its outputs, times `direction` `[T, R, O]`.
    fn curvature(&self, linked: &Tensor, direction: &Tensor) -> Tensor;

    /// The loss of one row's outputs `[O]`, and their link.
    fn of_row(&self, outputs: &[f32], expected: &[f32], linked: &mut [f32]) -> f32;

    /// As [`Loss::slope`], for one row.
    fn slope_of_row(&self, linked: &[f32], expected: &[f32], slope: &mut [f32]);

    /// As [`Loss::curvature`], for one row.
    fn curvature_of_row(&self, linked: &[f32], direction: &[f32], out: &mut [f32]);
}

/// Every loss.
pub static ALL: [&dyn Loss; 3] = [&CrossEntropy, &SquaredError, &Logistic];

/// The mean loss of each task, `[T]`; with `weight` `[T, R]`, whose sum is 1 for each task, the weighted mean.
pub fn per_task(loss: &dyn Loss, outputs: &Tensor, targets: &Tensor, weight: Option<&Tensor>) -> Tensor {
    let of_rows = loss.of_rows(outputs, targets); // [T, R]
    match weight {
        None => of_rows.mean_dim(1, false, None),
        Some(weight) => (of_rows * weight).sum_dim_intlist(1, false, None),
    }
}
