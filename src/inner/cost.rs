//! How much memory the adaptation of a task takes.

use super::{InnerRule, Order};
use crate::{models::Model, tasks::Extent};

/// About how many bytes a task of a meta-batch takes while its meta-gradient of this order is computed; `recompute` as in
/// [`super::adjoint::meta_gradient`].
///
/// Counted are the images and what they are made from, activations and their gradients on all rows, and of every inner step that is
/// kept the fast weights and the activations on the support rows; with `copies` of each support image in each step also these. The
/// factors are upper bounds of what was measured.
pub fn task_bytes(
    rule: &dyn InnerRule,
    model: &dyn Model,
    rows: Extent,
    copies: Option<usize>,
    order: Order,
    recompute: Option<usize>,
) -> usize {
    let Extent { support: originals, queries, inputs } = rows;
    let seen = originals * copies.unwrap_or(1); // support rows of a step
    let parameters = model.parameters();
    let values = |of: &[crate::models::Parameter]| -> usize {
        of.iter().map(|p| p.shape.iter().product::<i64>() as usize).sum()
    };
    let implicit = rule.descent().is_some() && model.has_linear_input() && seen <= inputs;
    // In implicit form the copies of all steps are there at once, if they are no more than the inputs.
    let support = if copies.is_some() && implicit { inputs } else { seen };
    let fast = values(if implicit { &parameters[2..] } else { &parameters });
    // Outputs of all layers, per row.
    let widths: usize = parameters.iter().filter(|p| p.shape.len() == 2).map(|p| p.shape[0] as usize).sum();
    let by_hand = rule.descent().is_some() && model.closed_form().is_some();
    // A recorded graph keeps every intermediate result of a step and of its differentiation.
    let per_step = if by_hand { 1 } else { 12 };
    let kept = match (order, recompute) {
        (Order::Second, None) => rule.steps(),
        (Order::Second, Some(every)) => {
            let every = every.min(rule.steps());
            rule.steps().div_ceil(every) + every
        }
        _ => 0,
    };
    let all = support + queries;
    let images = 3 * all * inputs + if copies.is_some() { kept * seen * inputs } else { 0 };
    let gram = if implicit { 3 * all * support } else { 0 };
    let passes = 8 * all * widths + gram;
    let steps = (kept * per_step + 6) * (fast + 6 * support * widths);
    (images + passes + steps) * size_of::<f32>()
}
