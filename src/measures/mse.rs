//! The mean squared error.

use super::{Better, Measure, Predictions, Unit};

/// Mean over queries and outputs of the squared distance to the target.
#[derive(Clone, Copy, Debug)]
pub struct MeanSquaredError;

impl Measure for MeanSquaredError {
    fn name(&self) -> &'static str {
        "mse"
    }

    fn title(&self) -> &'static str {
        "mean squared error"
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn unit(&self) -> Unit {
        Unit::Plain
    }

    /// Of labels none: a class is no number.
    fn of_each(&self, predictions: &Predictions) -> Vec<f64> {
        if predictions.are_labelled() {
            return vec![f64::NAN; predictions.episodes];
        }
        predictions.means(|row| {
            let pairs = row.outputs.iter().zip(row.targets);
            let squares = pairs.map(|(output, target)| (f64::from(*output) - f64::from(*target)).powi(2));
            squares.sum::<f64>() / row.outputs.len() as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_averaged_over_queries_and_outputs() {
        let outputs = vec![1.0, 2.0, 3.0, 5.0];
        let predictions = Predictions {
            outputs,
            targets: vec![0.0; 4],
            weights: None,
            bins: None,
            episodes: 1,
            queries: 2,
        };
        assert_eq!(MeanSquaredError.of_each(&predictions), [39.0 / 4.0]);
        let labelled = Predictions { targets: vec![0.0; 2], ..predictions };
        assert!(MeanSquaredError.of_each(&labelled)[0].is_nan());
    }
}
