//! From a measure of all test rows together (an AUC, a calibration error) to a value for each episode, so that intervals, p-values, comparisons
//! and sentences are those of every other measure.
//!
//! Such a measure is no mean over episodes. What episode e contributes to theta, the measure of a network, is seen by leaving it out:
//!
//! ```text
//!     y_e = theta + (E - 1) (mean_i theta(-i) - theta(-e))
//! ```
//!
//! Tukey's pseudo-values of the delete-one jackknife, centred so that their mean over episodes is theta itself. Their spread over episodes
//! is the jackknife's variance of theta, which is that of a bootstrap that resamples episodes to first order, and on average not below the
//! truth (Efron and Stein 1981, The jackknife estimate of variance, https://doi.org/10.1214/aos/1176345462). Of a mean over episodes they
//! are the scores themselves.
//!
//! The y_e of each seed's network go into the model of [`crate::stats::inference`] as scores do: seeds are crossed with episodes, differences are
//! taken on the same episodes, folds are nested. A plain bootstrap that draws seeds and episodes is too short where few seeds differ much, and too
//! long where they hardly do, since what is neither seed nor episode is drawn twice; `docs/inference.md` has simulations of both.

/// What each episode contributes to a measure of all of them, where the rows of an episode count as often as `counts`, `[E]`, says.
///
/// Episodes that are not `finite` are left out, and their value is not a number; nor is any where the measure is not defined, or would not be
/// without one of the episodes (an AUC whose positive rows are all in one of them). A single episode's value is the measure. Where a comparison
/// leaves out further episodes, which another network lacks, the mean is that of the measure without them to first order.
///
/// The measure is asked E + 1 times: what need be done once, such as sorting the rows, is better done before.
pub fn contributions(of: impl Fn(&[u32]) -> f64, finite: &[bool]) -> Vec<f64> {
    let mut counts: Vec<u32> = finite.iter().map(|finite| u32::from(*finite)).collect();
    let places: Vec<usize> = (0..counts.len()).filter(|place| counts[*place] > 0).collect();
    let mut values = vec![f64::NAN; counts.len()];
    let all = of(&counts);
    if let [only] = places[..] {
        values[only] = all; // nothing is left without it
        return values;
    }
    for place in &places {
        counts[*place] = 0;
        values[*place] = of(&counts);
        counts[*place] = 1;
    }
    let episodes = places.len() as f64;
    let mean = places.iter().map(|place| values[*place]).sum::<f64>() / episodes;
    for place in places {
        values[place] = all + (episodes - 1.0) * (mean - values[place]);
    }
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;
    use crate::{
        random::{Purpose, stream},
        stats::{
            grid::ScoreGrid,
            inference::{MeanSquares, mean_and_variance},
        },
    };

    /// The share of pairs of a right and a wrong row in which the right one is the higher. Row q < 5 of episode e is right where
    /// `(7 e + 3 q + e q) % 3 == 0`, its output is `sin(3 e) + cos(5 q + e + seed)`, and 0.8 more where it is right.
    fn auc(seed: u64, counts: &[u32]) -> f64 {
        let mut rows = Vec::new();
        for (e, count) in counts.iter().enumerate() {
            for q in 0..5 {
                let right = (7 * e + 3 * q + e * q).is_multiple_of(3);
                let wave = (3.0 * e as f64).sin() + ((5 * q + e) as f64 + seed as f64).cos();
                rows.push((wave + if right { 0.8 } else { 0.0 }, right, f64::from(*count)));
            }
        }
        let (right, wrong): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, right, _)| *right);
        let (mut higher, mut pairs) = (0.0, 0.0);
        for (of_right, _, count) in &right {
            for (of_wrong, _, other) in &wrong {
                pairs += count * other;
                higher += if of_right > of_wrong { count * other } else { 0.0 };
            }
        }
        higher / pairs
    }

    /// Expected by NumPy 2.4 for the rows of [`auc`] with seed 0, `e` and `q` by `np.meshgrid(np.arange(12), np.arange(5), indexing="ij")`:
    /// `auc = lambda k: (x[k][y[k]][:, None] > x[k][~y[k]]).mean()`, `i = np.arange(12)`, `w = np.array([auc(i[i != j]) for j in i])`,
    /// `auc(i)`, `sqrt(11 / 12 * ((w - w.mean()) ** 2).sum())`.
    #[test]
    fn mean_and_standard_error_are_those_of_the_jackknife() {
        let values = contributions(|counts| auc(0, counts), &[true; 12]);
        let (mean, variance) = mean_and_variance(&values);
        assert!((mean - 0.7433035714285714).abs() < 1e-12, "{mean}");
        assert!(((variance / 12.0).sqrt() - 0.09256507558009028).abs() < 1e-12, "{variance}");
    }

    proptest! {
        /// The mean over episodes has the episodes' own scores, so that this model and that of all other measures are one.
        #[test]
        fn of_a_mean_they_are_the_scores(scores in prop::collection::vec(-1.0..1.0f64, 1..20)) {
            let mean = |counts: &[u32]| {
                let sum: f64 = scores.iter().zip(counts).map(|(score, count)| score * f64::from(*count)).sum();
                sum / f64::from(counts.iter().sum::<u32>())
            };
            let values = contributions(mean, &vec![true; scores.len()]);
            prop_assert!(values.iter().zip(&scores).all(|(a, b)| (a - b).abs() < 1e-12), "{:?} {:?}", values, scores);
        }
    }

    /// Drawing episodes again and again, the same for all seeds, the mean over seeds varies as the table says it does with the episodes, and the
    /// seeds vary about it by what the table says is neither.
    #[test]
    fn a_bootstrap_over_episodes_finds_the_same_variances() {
        const RESAMPLES: usize = 2000;
        let (episodes, seeds) = (40, 4);
        let mut stream = stream(11, Purpose::Test, 0);
        let mut resamples = vec![Vec::with_capacity(RESAMPLES); seeds];
        for _ in 0..RESAMPLES {
            let mut counts = vec![0; episodes];
            (0..episodes).for_each(|_| counts[stream.random_range(0..episodes)] += 1);
            resamples.iter_mut().zip(0..).for_each(|(all, seed)| all.push(auc(seed, &counts)));
        }
        let mean = |draw: usize| resamples.iter().map(|all| all[draw]).sum::<f64>() / seeds as f64;
        let means: Vec<f64> = (0..RESAMPLES).map(mean).collect();
        let of_seed = |seed: u64| contributions(|counts| auc(seed, counts), &vec![true; episodes]);
        let of_seeds: Vec<Vec<f64>> = (0..seeds as u64).map(of_seed).collect();
        let squares = MeanSquares::of(&ScoreGrid {
            seeds: (0..seeds as u64).collect(),
            episodes: (0..episodes).collect(),
            scores: (0..episodes).flat_map(|e| of_seeds.iter().map(move |of| of[e])).collect(),
        });
        let of_means = mean_and_variance(&means).1 * episodes as f64 * seeds as f64;
        assert!((of_means / squares.episodes - 1.0).abs() < 0.1, "{of_means} {squares:?}");
        let about = resamples.iter().map(|all| {
            let apart: Vec<f64> = all.iter().zip(&means).map(|(one, mean)| one - mean).collect();
            mean_and_variance(&apart).1
        });
        let rest = about.sum::<f64>() * episodes as f64 / (seeds - 1) as f64;
        assert!((rest / squares.rest - 1.0).abs() < 0.1, "{rest} {squares:?}");
    }

    #[test]
    fn what_is_not_finite_is_left_out_of_the_measure() {
        let mut finite = [true; 12];
        finite[4] = false;
        let values = contributions(|counts| auc(0, counts), &finite);
        assert!(values[4].is_nan());
        let (mean, _) = mean_and_variance(&[&values[..4], &values[5..]].concat());
        let counts: Vec<u32> = finite.iter().map(|finite| u32::from(*finite)).collect();
        assert!((mean - auc(0, &counts)).abs() < 1e-12, "{mean}");
        assert!(contributions(|counts| auc(0, counts), &[false; 12]).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn what_is_not_defined_is_no_number() {
        assert!(contributions(|_| f64::NAN, &[true; 3]).iter().all(|value| value.is_nan()));
        let only_with_the_first = |counts: &[u32]| if counts[0] > 0 { 0.5 } else { f64::NAN };
        assert!(contributions(only_with_the_first, &[true; 3]).iter().all(|value| value.is_nan()));
        assert_eq!(contributions(|_| 0.25, &[true]), [0.25]);
    }
}
