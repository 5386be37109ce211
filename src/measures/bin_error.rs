//! Whether probabilities are right on average, where reviews are alike.

use std::collections::BTreeMap;

use super::{Better, Measure, Predictions, Resampled, Unit, link::log_logistic};

/// The root of the mean squared difference, over bins of rows that are alike, between the mean probability of a yes and how often it was one;
/// a bin counts by its rows. The bins of reviews are those of the public benchmark of spaced repetition
/// (https://github.com/open-spaced-repetition/fsrs4anki/wiki/The-Metric); the reviews of all learners are pooled.
#[derive(Clone, Copy, Debug)]
pub struct BinError;

/// What an episode puts into a bin: the bin's place, weight, sum of probabilities, weight of yes.
type Share = (usize, [f64; 3]);

impl Measure for BinError {
    fn name(&self) -> &'static str {
        "rmse_bins"
    }

    fn title(&self) -> &'static str {
        "root mean square error over bins"
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn unit(&self) -> Unit {
        Unit::Plain
    }

    fn pooled(&self) -> bool {
        true
    }

    /// Of rows without bins none, and of what is no yes or no.
    fn of_all(&self, predictions: &Predictions) -> Resampled {
        let Some(bins) = predictions.bins.as_ref().filter(|_| predictions.width() == 1) else {
            return Box::new(|_| f64::NAN);
        };
        let mut places = BTreeMap::new();
        let mut shares: Vec<Vec<Share>> = Vec::with_capacity(predictions.episodes);
        for (rows, finite) in predictions.of_episodes().zip(predictions.finite()) {
            let mut mine: BTreeMap<usize, [f64; 3]> = BTreeMap::new();
            for row in rows.filter(|_| finite) {
                let next = places.len();
                let place = *places.entry(bins[row.place]).or_insert(next);
                let [weight, sum, yes] = mine.entry(place).or_default();
                *weight += row.weight;
                *sum += row.weight * log_logistic(f64::from(row.outputs[0])).exp();
                *yes += row.weight * f64::from(row.targets[0]);
            }
            shares.push(mine.into_iter().collect());
        }
        let count = places.len();
        Box::new(move |counts| error(&shares, count, counts))
    }
}

/// The error over episodes, each so often.
fn error(episodes: &[Vec<Share>], bins: usize, counts: &[u32]) -> f64 {
    let mut all = vec![[0.0; 3]; bins];
    for (shares, times) in episodes.iter().zip(counts) {
        for (place, share) in shares {
            all[*place].iter_mut().zip(share).for_each(|(sum, value)| *sum += f64::from(*times) * value);
        }
    }
    let (mut squares, mut total) = (0.0, 0.0);
    for [weight, sum, yes] in all.into_iter().filter(|bin| bin[0] > 0.0) {
        squares += (sum - yes) * (sum - yes) / weight;
        total += weight;
    }
    (squares / total).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bin of three rows where 0.6 is said and two of three are yes, one of a row where 0.5 is said and it is no; an episode of padding.
    #[test]
    fn bins_weigh_by_their_rows() {
        let logit = |p: f32| (p / (1.0 - p)).ln();
        let predictions = Predictions {
            outputs: vec![logit(0.6), logit(0.6), logit(0.6), logit(0.5), 9.0, 9.0],
            targets: vec![1.0, 1.0, 0.0, 0.0, 0.0, 0.0],
            weights: Some(vec![1.0, 1.0, 1.0, 1.0, 0.0, 0.0]),
            bins: Some(vec![7, 7, 7, 3, 7, 3]),
            episodes: 3,
            queries: 2,
        };
        let expected = ((3.0 * (2.0 / 3.0 - 0.6f64).powi(2) + 0.25) / 4.0).sqrt();
        let of_all = BinError.of_all(&predictions);
        assert!((of_all(&[1, 1, 1]) - expected).abs() < 1e-6);
        assert!(
            (of_all(&[1, 0, 0]) - 0.4).abs() < 1e-6,
            "the first episode alone is sure by 0.6 where all are yes"
        );
        assert!(BinError.of_all(&Predictions { bins: None, ..predictions })(&[1, 1, 1]).is_nan());
    }
}
