//! The squared error of numbers.

use tch::Tensor;

use super::Loss;

/// `(z - y)^2`, the mean over outputs; targets are numbers `[T, R, O]`.
#[derive(Clone, Copy, Debug)]
pub struct SquaredError;

impl Loss for SquaredError {
    fn name(&self) -> &'static str {
        "squared_error"
    }

    fn of_rows(&self, outputs: &Tensor, targets: &Tensor) -> Tensor {
        (outputs - targets).square().mean_dim(2, false, None)
    }

    fn expected(&self, targets: &Tensor, _: i64, like: &Tensor) -> Tensor {
        targets.to_kind(like.kind())
    }

    /// The outputs themselves.
    fn link(&self, outputs: &Tensor) -> Tensor {
        outputs.shallow_clone()
    }

    fn unlink(&self, linked: &Tensor) -> Tensor {
        linked.shallow_clone()
    }

    fn slope(&self, linked: &Tensor, expected: &Tensor) -> Tensor {
        (linked - expected) * (2.0 / outputs_of(linked))
    }

    fn curvature(&self, linked: &Tensor, direction: &Tensor) -> Tensor {
        direction * (2.0 / outputs_of(linked))
    }

    fn of_row(&self, outputs: &[f32], expected: &[f32], linked: &mut [f32]) -> f32 {
        linked.copy_from_slice(outputs);
        let squares = outputs.iter().zip(expected).map(|(z, y)| (z - y) * (z - y));
        squares.sum::<f32>() / outputs.len() as f32
    }

    fn slope_of_row(&self, linked: &[f32], expected: &[f32], slope: &mut [f32]) {
        let factor = 2.0 / linked.len() as f32;
        slope
            .iter_mut()
            .zip(linked.iter().zip(expected))
            .for_each(|(slope, (m, y))| *slope = (m - y) * factor);
    }

    fn curvature_of_row(&self, linked: &[f32], direction: &[f32], out: &mut [f32]) {
        let factor = 2.0 / linked.len() as f32;
        out.iter_mut().zip(direction).for_each(|(out, v)| *out = v * factor);
    }
}

/// O.
fn outputs_of(linked: &Tensor) -> f64 {
    linked.size()[2] as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::per_task;

    #[test]
    fn each_task_has_the_mean_of_its_rows() {
        let outputs = Tensor::from_slice(&[1.0, 2.0, 3.0, 5.0]).reshape([2, 2, 1]);
        let targets = outputs.zeros_like();
        let loss = per_task(&SquaredError, &outputs, &targets, None);
        assert_eq!(Vec::<f64>::try_from(loss).expect("two"), [2.5, 17.0]);
        let weight = Tensor::from_slice(&[1.0, 0.0, 0.25, 0.75]).reshape([2, 2]);
        let loss = per_task(&SquaredError, &outputs, &targets, Some(&weight));
        assert_eq!(Vec::<f64>::try_from(loss).expect("two"), [1.0, 21.0]);
    }
}
