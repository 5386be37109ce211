//! The surprise at the right answer.

use super::{
    Better, Measure, Predictions, Unit,
    link::{log_logistic, log_softmax},
};

/// Mean over queries of minus the logarithm of the probability of the right answer, by softmax over classes or by the logistic function.
#[derive(Clone, Copy, Debug)]
pub struct LogLoss;

impl Measure for LogLoss {
    fn name(&self) -> &'static str {
        "log_loss"
    }

    fn title(&self) -> &'static str {
        "log loss"
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn unit(&self) -> Unit {
        Unit::Plain
    }

    /// Of numbers none: there is no right and wrong.
    fn of_each(&self, predictions: &Predictions) -> Vec<f64> {
        if !predictions.are_choices() {
            return vec![f64::NAN; predictions.episodes];
        }
        if predictions.are_labelled() {
            return predictions.means(|row| -log_softmax(row.outputs, row.targets[0] as usize));
        }
        predictions.means(|row| {
            let of = |(z, target): (&f32, &f32)| {
                let z = f64::from(*z);
                -log_logistic(if *target > 0.5 { z } else { -z })
            };
            row.outputs.iter().zip(row.targets).map(of).sum::<f64>() / row.outputs.len() as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected by Python for `softplus = lambda z: log1p(exp(z))`: `(log(e**1 + e**2 + e**0) - 1 + log(e**0 + e**-1 + e**3) - 3) / 2`,
    /// `(softplus(-1) + softplus(2)) / 2`.
    #[test]
    fn it_is_the_cross_entropy() {
        let predictions = Predictions {
            outputs: vec![1.0, 2.0, 0.0, 0.0, -1.0, 3.0],
            targets: vec![0.0, 2.0],
            weights: None,
            bins: None,
            episodes: 1,
            queries: 2,
        };
        assert!((LogLoss.of_each(&predictions)[0] - 0.736_745).abs() < 1e-6);
        let predictions = Predictions { outputs: vec![1.0, -2.0], targets: vec![1.0, 1.0], ..predictions };
        assert!((LogLoss.of_each(&predictions)[0] - 1.220_095).abs() < 1e-6);
    }
}
