//! The logistic loss of answers that are right or wrong.

use tch::{Reduction, Tensor};

use super::Loss;

/// `-y log p - (1 - y) log(1 - p)` with `p = 1 / (1 + exp(-z))`, the mean over outputs; targets are 0 or 1, `[T, R, O]`.
#[derive(Clone, Copy, Debug)]
pub struct Logistic;

impl Loss for Logistic {
    fn name(&self) -> &'static str {
        "logistic"
    }

    fn of_rows(&self, outputs: &Tensor, targets: &Tensor) -> Tensor {
        let none: Option<&Tensor> = None;
        let targets = targets.to_kind(outputs.kind());
        outputs
            .binary_cross_entropy_with_logits(&targets, none, none, Reduction::None)
            .mean_dim(2, false, None)
    }

    fn expected(&self, targets: &Tensor, _: i64, like: &Tensor) -> Tensor {
        targets.to_kind(like.kind())
    }

    /// The probabilities `p`.
    fn link(&self, outputs: &Tensor) -> Tensor {
        outputs.sigmoid()
    }

    fn unlink(&self, linked: &Tensor) -> Tensor {
        linked.logit(1e-7)
    }

    fn slope(&self, linked: &Tensor, expected: &Tensor) -> Tensor {
        (linked - expected) / linked.size()[2] as f64
    }

    /// `p (1 - p) v`.
    fn curvature(&self, linked: &Tensor, direction: &Tensor) -> Tensor {
        Tensor::sigmoid_backward(direction, linked) / linked.size()[2] as f64
    }

    /// `max(z, 0) - y z + log(1 + exp(-|z|))`, which stays finite.
    fn of_row(&self, outputs: &[f32], expected: &[f32], linked: &mut [f32]) -> f32 {
        let each = outputs.iter().zip(expected).zip(linked);
        let losses = each.map(|((z, y), p)| {
            *p = 1.0 / (1.0 + (-z).exp());
            z.max(0.0) - y * z + (-z.abs()).exp().ln_1p()
        });
        losses.sum::<f32>() / outputs.len() as f32
    }

    fn slope_of_row(&self, linked: &[f32], expected: &[f32], slope: &mut [f32]) {
        let share = 1.0 / linked.len() as f32;
        slope
            .iter_mut()
            .zip(linked.iter().zip(expected))
            .for_each(|(slope, (p, y))| *slope = (p - y) * share);
    }

    fn curvature_of_row(&self, linked: &[f32], direction: &[f32], out: &mut [f32]) {
        let share = 1.0 / linked.len() as f32;
        let each = out.iter_mut().zip(linked.iter().zip(direction));
        each.for_each(|(out, (p, v))| *out = p * (1.0 - p) * v * share);
    }
}
