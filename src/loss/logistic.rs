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

    fn slope(&self, linked: &Tensor, expected: &Tensor) -> Tensor {
        (linked - expected) / linked.size()[2] as f64
    }

    /// `p (1 - p) v`.
    fn curvature(&self, linked: &Tensor, direction: &Tensor) -> Tensor {
        Tensor::sigmoid_backward(direction, linked) / linked.size()[2] as f64
    }
}
