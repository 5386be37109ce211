//! How often answers are right that are given so probable: what a reliability diagram shows.

use super::{Predictions, link::log_logistic};

/// Bins of equal width.
pub const BINS: usize = 10;

/// Answers whose predicted probability of a yes lies in a part of the range from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// How many there are.
    pub answers: usize,
    /// The sum of their predicted probabilities.
    pub predicted: f64,
    /// How many of them are a yes.
    pub yes: usize,
}

impl Bin {
    /// The mean predicted probability, and the share of yeses; `None` without answers.
    pub fn means(&self) -> Option<(f64, f64)> {
        let count = self.answers as f64;
        (self.answers > 0).then(|| (self.predicted / count, self.yes as f64 / count))
    }
}

/// Answers that are a yes or a no by what was predicted (DeGroot & Fienberg 1983, https://doi.org/10.2307/2987588).
pub type Reliability = [Bin; BINS];

/// Adds answers to bins; rows that do not count and outputs that are not finite are left out.
pub fn add(bins: &mut Reliability, predictions: &Predictions) {
    for row in predictions.of_episodes().flatten().filter(|row| row.is_finite()) {
        for (output, target) in row.outputs.iter().zip(row.targets) {
            let probability = log_logistic(f64::from(*output)).exp();
            let bin = &mut bins[((probability * BINS as f64) as usize).min(BINS - 1)];
            bin.answers += 1;
            bin.predicted += probability;
            bin.yes += usize::from(*target > 0.5);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_fall_into_the_bin_of_their_probability() {
        let logit = |p: f32| (p / (1.0 - p)).ln();
        let predictions = Predictions {
            outputs: vec![logit(0.05), logit(0.72), logit(0.78), f32::NAN, 100.0, -100.0],
            targets: vec![0.0, 1.0, 0.0, 1.0, 1.0, 0.0],
            weights: Some(vec![1.0, 1.0, 1.0, 1.0, 1.0, 0.0]),
            bins: None,
            episodes: 2,
            queries: 3,
        };
        let mut bins = Reliability::default();
        add(&mut bins, &predictions);
        assert_eq!(bins.map(|bin| bin.answers), [1, 0, 0, 0, 0, 0, 0, 2, 0, 1]);
        let (predicted, right) = bins[7].means().expect("answers");
        assert!((predicted - 0.75).abs() < 1e-6 && right == 0.5, "{predicted} {right}");
        assert_eq!((bins[9].means(), bins[1].means()), (Some((1.0, 1.0)), None));
    }
}
