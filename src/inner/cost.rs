//! How much memory the adaptation of a task takes.

use super::{Form, InnerRule, Network, Order};
use crate::{models::Model, tasks::Extent};

/// About how many bytes a task of a meta-batch takes while its meta-gradient of this order is computed; `recompute` as in
/// [`super::adjoint::Way`].
///
/// Counted are the images and what they are made from, activations and their gradients on all rows, and of every inner step that is
/// kept the fast weights and the activations on the support rows; with `copies` of each support image in each step also these. The
/// factors are upper bounds of what was measured.
pub fn task_bytes(
    rule: &dyn InnerRule,
    network: &Network,
    rows: Extent,
    copies: Option<usize>,
    order: Order,
    recompute: Option<usize>,
) -> usize {
    let Extent { support: originals, queries, inputs } = rows;
    let seen = originals * copies.unwrap_or(1); // support rows of a step
    let (model, parameters) = (network.model, network.model.parameters());
    let values = |of: &[crate::models::Parameter]| -> usize {
        of.iter().map(|p| p.shape.iter().product::<i64>() as usize).sum()
    };
    let implicit = network.best_form(seen, inputs) == Form::Implicit;
    // In implicit form the copies of all steps are there at once, if they are no more than the inputs.
    let support = if copies.is_some() && implicit { inputs } else { seen };
    let fast = values(if implicit { &parameters[2..] } else { &parameters });
    let widths = model.activations_per_row();
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

/// About how many bytes a row of a large set takes while it goes through the network and back: its input, and the outputs of all layers.
pub fn row_bytes(model: &dyn Model, inputs: usize) -> u64 {
    ((3 * inputs + 8 * model.activations_per_row()) * size_of::<f32>()) as u64
}

#[cfg(test)]
mod tests {
    use tch::Tensor;

    use super::*;
    use crate::{
        inner::RuleSpec,
        loss::CrossEntropy,
        models::{Initial, Parameter, Role},
    };

    /// A convolution of 28 x 28 images with eight filters, and a linear layer to five classes.
    struct Convolution;

    impl Model for Convolution {
        fn parameters(&self) -> Vec<Parameter> {
            let shapes: [&[i64]; 4] = [&[8, 1, 3, 3], &[8], &[5, 8 * 28 * 28], &[5]];
            let parameter = |(i, shape): (usize, &&[i64])| Parameter {
                name: i.to_string(),
                shape: shape.to_vec(),
                initial: Initial::Constant(0.0),
                layer: i / 2,
                role: Role::Weight,
            };
            shapes.iter().enumerate().map(parameter).collect()
        }

        fn has_linear_input(&self) -> bool {
            false
        }

        fn activations_per_row(&self) -> usize {
            8 * 28 * 28 + 5
        }

        fn body(&self, p: &[Tensor], x: &Tensor, _: Option<&Tensor>) -> Tensor {
            x.matmul(&p[2].tr())
        }
    }

    #[test]
    fn the_maps_of_a_convolution_count() {
        let rows = Extent { support: 50, queries: 150, inputs: 28 * 28 };
        let rule = RuleSpec::adam();
        let network =
            Network { model: &Convolution, outputs: 5, loss: &CrossEntropy, moves: &[true; 4], grain: None };
        let bytes = task_bytes(&*rule, &network, rows, None, Order::Zero, None);
        let maps = 200 * 8 * 28 * 28 * size_of::<f32>();
        assert!(bytes > 2 * maps, "{bytes} bytes, but the maps and their gradients alone take {}", 2 * maps);
    }
}
