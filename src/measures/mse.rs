//! The mean squared error.

use super::{Better, Measure, Predictions};

/// Mean over queries and outputs of the squared distance to the target.
#[derive(Clone, Copy, Debug)]
pub struct MeanSquaredError;

impl Measure for MeanSquaredError {
    fn name(&self) -> &'static str {
        "mse"
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn of_each(&self, predictions: &Predictions) -> Vec<f64> {
        let of = |(outputs, targets): (&[f32], &[f32])| {
            let squares = outputs.iter().zip(targets).map(|(z, y)| f64::from(z - y).powi(2));
            let mean = squares.sum::<f64>() / outputs.len() as f64;
            if mean.is_finite() { mean } else { f64::NAN }
        };
        predictions.of_episodes().map(of).collect()
    }
}
