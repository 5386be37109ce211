//! Cross-entropy of labels.

use tch::{Reduction, Tensor};

use super::Loss;

/// `-log softmax(z)_y` of the label y of each row; targets are labels `[T, R]`, i64.
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy;

impl Loss for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn of_rows(&self, outputs: &Tensor, targets: &Tensor) -> Tensor {
        let (tasks, rows, classes) = outputs.size3().unwrap_or_default();
        outputs
            .reshape([tasks * rows, classes])
            .cross_entropy_loss::<Tensor>(&targets.reshape([tasks * rows]), None, Reduction::None, -100, 0.0)
            .reshape([tasks, rows])
    }

    /// One-hot.
    fn expected(&self, targets: &Tensor, outputs: i64, like: &Tensor) -> Tensor {
        let rows = Tensor::eye(outputs, (like.kind(), like.device())).index_select(0, &targets.reshape([-1]));
        rows.reshape([targets.size()[0], targets.size()[1], outputs])
    }

    /// The probabilities `p = softmax(z)`.
    fn link(&self, outputs: &Tensor) -> Tensor {
        outputs.softmax(-1, None)
    }

    fn unlink(&self, linked: &Tensor) -> Tensor {
        linked.clamp_min(f64::from(f32::MIN_POSITIVE)).log()
    }

    fn slope(&self, linked: &Tensor, expected: &Tensor) -> Tensor {
        linked - expected
    }

    /// `p (v - sum over classes of p v)`, the product of v with the softmax's symmetric Jacobian.
    fn curvature(&self, linked: &Tensor, direction: &Tensor) -> Tensor {
        Tensor::internal_softmax_backward_data(direction, linked, -1, linked.kind())
    }

    fn of_row(&self, outputs: &[f32], expected: &[f32], linked: &mut [f32]) -> f32 {
        let most = outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        linked.iter_mut().zip(outputs).for_each(|(p, z)| *p = (z - most).exp());
        let sum: f32 = linked.iter().sum();
        linked.iter_mut().for_each(|p| *p /= sum);
        let chosen: f32 = outputs.iter().zip(expected).map(|(z, y)| z * y).sum();
        most + sum.ln() - chosen
    }

    fn slope_of_row(&self, linked: &[f32], expected: &[f32], slope: &mut [f32]) {
        slope.iter_mut().zip(linked.iter().zip(expected)).for_each(|(slope, (p, y))| *slope = p - y);
    }

    fn curvature_of_row(&self, linked: &[f32], direction: &[f32], out: &mut [f32]) {
        let along: f32 = linked.iter().zip(direction).map(|(p, v)| p * v).sum();
        out.iter_mut().zip(linked.iter().zip(direction)).for_each(|(out, (p, v))| *out = p * (v - along));
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::loss::per_task;

    #[test]
    fn of_uniform_logits_it_is_the_log_of_the_classes() {
        let loss = per_task(
            &CrossEntropy,
            &Tensor::zeros([2, 3, 5], (Kind::Double, Device::Cpu)),
            &Tensor::zeros([2, 3], (Kind::Int64, Device::Cpu)),
            None,
        );
        assert_eq!(loss.size(), [2]);
        assert!((loss.double_value(&[1]) - 5f64.ln()).abs() < 1e-12);
    }
}
