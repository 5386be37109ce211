//! How far probabilities are from what came true.

use super::{Better, Measure, Predictions, Unit, link::yes_or_no};

/// The mean over queries of `(p - y)^2`: p the probability of a yes, y 1 if it is one and else 0; of a label the sum over its classes (Brier
/// 1950, https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2).
#[derive(Clone, Copy, Debug)]
pub struct Brier;

impl Measure for Brier {
    fn name(&self) -> &'static str {
        "brier"
    }

    fn title(&self) -> &'static str {
        "mean squared error of probabilities"
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
        let labelled = predictions.are_labelled();
        predictions.means(|row| {
            let squares =
                yes_or_no(row, labelled).map(|(p, is_yes)| (p - f64::from(u8::from(is_yes))).powi(2));
            squares.sum::<f64>() / if labelled { 1.0 } else { row.outputs.len() as f64 }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A yes of probability 0.9, a no of 0.2 in the first episode; a yes of 0.25, one of 1 (as good as) in the second.
    #[test]
    fn squares_are_averaged() {
        let logit = |p: f32| (p / (1.0 - p)).ln();
        let mut predictions = Predictions {
            outputs: [0.9, 0.2, 0.25].map(logit).into_iter().chain([60.0]).collect(),
            targets: vec![1.0, 0.0, 1.0, 1.0],
            weights: None,
            bins: None,
            episodes: 2,
            queries: 2,
        };
        let scores = Brier.of_each(&predictions);
        assert!((scores[0] - 0.025).abs() < 1e-6 && (scores[1] - 0.28125).abs() < 1e-6, "{scores:?}");
        predictions.weights = Some(vec![1.0, 3.0, 1.0, 0.0]);
        let scores = Brier.of_each(&predictions);
        assert!((scores[0] - 0.0325).abs() < 1e-6 && (scores[1] - 0.5625).abs() < 1e-6, "{scores:?}");
    }

    #[test]
    fn of_labels_it_is_the_sum_over_classes() {
        let predictions = Predictions {
            outputs: [0.5f32, 0.3, 0.2].map(f32::ln).to_vec(),
            targets: vec![1.0],
            weights: None,
            bins: None,
            episodes: 1,
            queries: 1,
        };
        assert!((Brier.of_each(&predictions)[0] - (0.25 + 0.49 + 0.04)).abs() < 1e-6);
    }
}
