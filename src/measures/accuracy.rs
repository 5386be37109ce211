//! The share of hits.

use super::{Better, Measure, Predictions, Unit};

/// Share of queries whose largest output is the label's, or whose sign is that of a yes or no; 0 to 1.
///
/// Not a number for an episode with an output that is not finite: a network that diverged chooses no class, and the first one would be
/// right as often as chance is.
#[derive(Clone, Copy, Debug)]
pub struct Accuracy;

impl Measure for Accuracy {
    fn name(&self) -> &'static str {
        "accuracy"
    }

    fn title(&self) -> &'static str {
        "accuracy"
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn unit(&self) -> Unit {
        Unit::Percent
    }

    /// Of numbers none: there is no right and wrong.
    fn of_each(&self, predictions: &Predictions) -> Vec<f64> {
        if !predictions.are_choices() {
            return vec![f64::NAN; predictions.episodes];
        }
        if predictions.are_labelled() {
            let is_hit = |hit: bool| f64::from(u8::from(hit));
            return predictions.means(|row| is_hit(row.largest() == row.targets[0] as usize));
        }
        predictions.means(|row| {
            let pairs = row.outputs.iter().zip(row.targets);
            let hits = pairs.filter(|(z, target)| (**z > 0.0) == (**target > 0.5)).count();
            hits as f64 / row.outputs.len() as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_counted_by_episode() {
        let mut predictions = Predictions {
            outputs: vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0],
            targets: vec![0.0, 1.0, 1.0, 0.0],
            weights: None,
            bins: None,
            episodes: 2,
            queries: 2,
        };
        assert_eq!(Accuracy.of_each(&predictions), [1.0, 0.5]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            predictions.outputs[6] = bad;
            let accuracies = Accuracy.of_each(&predictions);
            assert!(accuracies[0] == 1.0 && accuracies[1].is_nan(), "{bad}: {accuracies:?}");
        }
    }

    #[test]
    fn a_single_output_says_yes_or_no() {
        let outputs = vec![0.2, -3.0, 1.0, -0.1];
        let predictions = Predictions {
            outputs,
            targets: vec![1.0, 0.0, 0.0, 1.0],
            weights: None,
            bins: None,
            episodes: 1,
            queries: 4,
        };
        assert_eq!(Accuracy.of_each(&predictions), [0.5]);
    }
}
