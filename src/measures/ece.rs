//! Whether probabilities are as often right as they say.

use super::{
    Better, Measure, Predictions, Resampled, Unit,
    link::{log_logistic, log_softmax},
    predictions::AnsweredQuery,
};

/// The expected calibration error: the mean distance between how sure answers are and how often they are right, over fifteen bins of equal
/// width (Guo et al. 2017, https://arxiv.org/abs/1706.04599, equation 3); of a yes or no, between its probability of a yes and how often that is
/// so. The answers of all episodes are pooled.
#[derive(Clone, Copy, Debug)]
pub struct CalibrationError;

const BINS: usize = 15;

/// What an episode puts into a bin: weight, sum of confidence, weight of hits.
type Bins = [[f64; 3]; BINS];

impl Measure for CalibrationError {
    fn name(&self) -> &'static str {
        "ece"
    }

    fn title(&self) -> &'static str {
        "expected calibration error"
    }

    fn better(&self) -> Better {
        Better::Lower
    }

    fn unit(&self) -> Unit {
        Unit::Percent
    }

    fn pooled(&self) -> bool {
        true
    }

    /// Of numbers none: there is no right and wrong.
    fn of_all(&self, predictions: &Predictions) -> Resampled {
        if !predictions.are_choices() {
            return Box::new(|_| f64::NAN);
        }
        let binned = binned(predictions);
        Box::new(move |counts| error(&binned, counts))
    }
}

/// The bins of each episode, empty where an output is not finite.
fn binned(predictions: &Predictions) -> Vec<Bins> {
    let labelled = predictions.are_labelled();
    let of_episode = |(rows, finite): (&mut dyn Iterator<Item = AnsweredQuery<'_>>, bool)| {
        let mut bins = [[0.0; 3]; BINS];
        for row in rows.filter(|_| finite) {
            for (confidence, hit) in answers(row, labelled) {
                let bin = &mut bins[((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1];
                bin[0] += row.weight;
                bin[1] += row.weight * confidence;
                bin[2] += if hit { row.weight } else { 0.0 };
            }
        }
        bins
    };
    let episodes = predictions.of_episodes().zip(predictions.finite());
    episodes.map(|(mut rows, finite)| of_episode((&mut rows, finite))).collect()
}

/// How sure a row is of its answers, and whether they are right: one of a label, otherwise the yes of each output.
fn answers(row: AnsweredQuery<'_>, labelled: bool) -> Vec<(f64, bool)> {
    if labelled {
        let answer = row.largest();
        return vec![(log_softmax(row.outputs, answer).exp(), answer == row.targets[0] as usize)];
    }
    let of = |(z, target): (&f32, &f32)| (log_logistic(f64::from(*z)).exp(), *target > 0.5);
    row.outputs.iter().zip(row.targets).map(of).collect()
}

/// The error over episodes, each so often.
fn error(episodes: &[Bins], counts: &[u32]) -> f64 {
    let mut all = [[0.0; 3]; BINS];
    for (bins, times) in episodes.iter().zip(counts) {
        for (sum, bin) in all.iter_mut().flatten().zip(bins.iter().flatten()) {
            *sum += f64::from(*times) * bin;
        }
    }
    let weight: f64 = all.iter().map(|bin| bin[0]).sum();
    all.iter().map(|[_, confidence, hits]| (confidence - hits).abs()).sum::<f64>() / weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_three_quarters_sure_is_to_be_right_three_times_of_four() {
        let sure = (3.0f32).ln();
        let mut predictions = Predictions {
            outputs: vec![sure; 4],
            targets: vec![1.0, 1.0, 1.0, 0.0],
            weights: None,
            bins: None,
            episodes: 1,
            queries: 4,
        };
        assert!(CalibrationError.of_all(&predictions)(&[1]) < 1e-6);
        predictions.targets = vec![1.0; 4];
        assert!((CalibrationError.of_all(&predictions)(&[1]) - 0.25).abs() < 1e-6);
    }

    /// Three of four are right where 0.8 was said, one of four where 0.3 was: both too much, by 0.05.
    #[test]
    fn a_yes_that_is_too_likely_is_not_made_up_for_by_a_no() {
        let logit = |p: f32| (p / (1.0 - p)).ln();
        let predictions = Predictions {
            outputs: [vec![logit(0.8); 4], vec![logit(0.3); 4]].concat(),
            targets: vec![1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0],
            weights: None,
            bins: None,
            episodes: 1,
            queries: 8,
        };
        assert!((CalibrationError.of_all(&predictions)(&[1]) - 0.05).abs() < 1e-6);
    }

    /// Two bins: three queries that are 0.9 sure with two hits, one that is 0.6 sure with none.
    #[test]
    fn bins_weigh_by_their_rows() {
        let two = |p: f32| [p.ln(), (1.0 - p).ln()];
        let predictions = Predictions {
            outputs: [two(0.9), two(0.9), two(0.9), two(0.6)].concat(),
            targets: vec![0.0, 0.0, 1.0, 1.0],
            weights: None,
            bins: None,
            episodes: 2,
            queries: 2,
        };
        let expected = 0.75 * (0.9 - 2.0 / 3.0) + 0.25 * 0.6;
        assert!((CalibrationError.of_all(&predictions)(&[1, 1]) - expected).abs() < 1e-6);
    }
}
