//! Per-task losses and accuracies of a meta-batch.

use tch::{Kind, Tensor};

/// Mean loss of each task: `[T]`.
///
/// The kind of the targets decides: integer labels `[T, R]` give cross-entropy of the logits `[T, R, N]`, real values
/// `[T, R, N]` the mean squared error.
pub fn per_task(outputs: &Tensor, targets: &Tensor) -> Tensor {
    if targets.kind() == Kind::Int64 {
        let (tasks, rows, ways) = outputs.size3().unwrap_or_default();
        outputs
            .reshape([tasks * rows, ways])
            .cross_entropy_loss::<Tensor>(
                &targets.reshape([tasks * rows]),
                None,
                tch::Reduction::None,
                -100,
                0.0,
            )
            .reshape([tasks, rows])
            .mean_dim(1, false, None) // [T]
    } else {
        (outputs - targets).square().mean_dim([1i64, 2].as_slice(), false, None) // [T]
    }
}

/// Share of rows whose largest logit is the label's, for each task: `[T]`, 0 to 1.
///
/// Not a number for a task with a logit `[T, R, N]` that is not finite: a network that diverged chooses no class, and the first one,
/// which `argmax` names then, would be right as often as chance is.
pub fn accuracy(logits: &Tensor, labels: &Tensor) -> Tensor {
    let hits = logits.argmax(-1, false).eq_tensor(labels); // [T, R]
    let finite = logits.isfinite().flatten(1, -1).all_dim(1, false); // [T]
    hits.to_kind(Kind::Double).mean_dim(1, false, None).where_scalarother(&finite, f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_of_uniform_logits_is_log_of_the_ways() {
        let loss = per_task(
            &Tensor::zeros([2, 3, 5], (Kind::Double, tch::Device::Cpu)),
            &Tensor::zeros([2, 3], (Kind::Int64, tch::Device::Cpu)),
        );
        assert_eq!(loss.size(), [2]);
        assert!((loss.double_value(&[1]) - 5f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn real_targets_give_the_squared_error_of_each_task() {
        let outputs = Tensor::from_slice(&[1.0, 2.0, 3.0, 5.0]).reshape([2, 2, 1]);
        let loss = per_task(&outputs, &Tensor::zeros([2, 2, 1], (Kind::Double, tch::Device::Cpu)));
        assert_eq!(Vec::<f64>::try_from(loss).expect("two"), [2.5, 17.0]);
    }

    #[test]
    fn accuracy_counts_hits_per_task() {
        let logits = Tensor::from_slice(&[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]).reshape([2, 2, 2]);
        let labels = Tensor::from_slice(&[0i64, 1, 1, 0]).reshape([2, 2]);
        assert_eq!(Vec::<f64>::try_from(accuracy(&logits, &labels)).expect("two"), [1.0, 0.5]);
    }

    #[test]
    fn outputs_that_are_no_numbers_have_no_accuracy() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let logits = Tensor::from_slice(&[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, bad, 0.0]).reshape([2, 2, 2]);
            let labels = Tensor::from_slice(&[0i64, 1, 0, 0]).reshape([2, 2]);
            let accuracy = Vec::<f64>::try_from(accuracy(&logits, &labels)).expect("two");
            assert!(accuracy[0] == 1.0 && accuracy[1].is_nan(), "{bad}: {accuracy:?}");
        }
    }
}
