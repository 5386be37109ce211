//! From a measure of all test rows together (an AUC, a calibration error) to a table of seeds and episodes, so that intervals, p-values,
//! comparisons and sentences are those of every other measure.
//!
//! Such a measure is no mean over episodes. What episode e contributes to theta_s, the statistic of the network of seed s, is seen by leaving
//! it out:
//!
//! ```text
//!     y_es = theta_s + (E - 1) (mean_i theta_s(-i) - theta_s(-e))
//! ```
//!
//! Tukey's pseudo-values of the delete-one jackknife, centred so that their mean over episodes is theta_s itself. Their spread over episodes
//! is the jackknife's variance of theta_s, which is that of a bootstrap that resamples episodes to first order, and on average not below the
//! truth (Efron and Stein 1981, The jackknife estimate of variance, https://doi.org/10.1214/aos/1176345462). Of a mean over episodes they
//! are the scores themselves.
//!
//! The y_es go into the model of [`super::inference`] as scores do: seeds are crossed with episodes, differences are taken on the same
//! episodes, folds are nested. A plain bootstrap that draws seeds and episodes is too short where few seeds differ much, and too long where they
//! hardly do, since what is neither seed nor episode is drawn twice; `docs/inference.md` has simulations of both.

use super::grid::{Sample, Scored};

/// A trained network, and a statistic of its predictions for all test rows.
pub struct Network<'a> {
    /// The cross-validation fold, 0 where there is only one split.
    pub fold: usize,
    /// The run's seed.
    pub seed: u64,
    /// The frozen test episodes, E of them, ascending.
    pub episodes: Vec<usize>,
    /// `[E]`, whether the network's outputs were finite there.
    pub finite: Vec<bool>,
    /// The statistic of all rows, where the rows of an episode count as often as `counts`, `[E]`, says; NaN where it is not defined. It is
    /// called E + 1 times: what need be done once, such as sorting the rows, is better done before.
    pub of: Box<dyn Fn(&[u32]) -> f64 + 'a>,
}

/// The networks of one method, arranged for [`super::inference::Inference::of`] and for comparisons with other methods.
///
/// The mean of a fold is the mean over seeds of the statistic of all its episodes. Seeds without any finite output are left out, then episodes
/// on which another seed's outputs are not finite, as [`Sample::of`] leaves them out. Where a comparison leaves out further episodes, which
/// the other method lacks, the mean is that of the statistic without them to first order. A fold in which the statistic is not defined, or
/// would not be without one of the episodes (an AUC whose positive rows are all in one of them), is not in the sample.
pub fn sample(networks: &[Network]) -> Sample {
    let tests = networks.iter().flat_map(|network| {
        let Network { fold, seed, .. } = *network;
        let of_episodes = network.episodes.iter().zip(&network.finite);
        of_episodes.map(move |(episode, finite)| Scored {
            fold,
            seed,
            episode: *episode,
            score: if *finite { 0.0 } else { f64::NAN },
        })
    });
    let mut sample = Sample::of(tests);
    for (fold, grid) in &mut sample.folds {
        let of_seed = |seed: &u64| networks.iter().rfind(|of| of.fold == *fold && of.seed == *seed);
        let seeds: Vec<Vec<f64>> = grid
            .seeds
            .iter()
            .filter_map(of_seed)
            .map(|network| network.pseudo_values(&grid.episodes))
            .collect();
        let episodes = 0..grid.episodes.len();
        grid.scores =
            episodes.flat_map(|episode| seeds.iter().map(move |of_seed| of_seed[episode])).collect();
    }
    sample.folds.retain(|_, grid| grid.scores.iter().all(|score| score.is_finite()));
    sample
}

impl Network<'_> {
    /// What each of the episodes `kept` contributes to the statistic of all of these; their mean is the statistic.
    fn pseudo_values(&self, kept: &[usize]) -> Vec<f64> {
        let mut counts: Vec<u32> =
            self.episodes.iter().map(|episode| u32::from(kept.binary_search(episode).is_ok())).collect();
        let all = (self.of)(&counts);
        if kept.len() < 2 {
            return vec![all; kept.len()]; // nothing is left without it
        }
        let places: Vec<usize> = (0..counts.len()).filter(|place| counts[*place] > 0).collect();
        let without: Vec<f64> = places
            .into_iter()
            .map(|place| {
                counts[place] = 0;
                let without = (self.of)(&counts);
                counts[place] = 1;
                without
            })
            .collect();
        let episodes = without.len() as f64;
        let mean = without.iter().sum::<f64>() / episodes;
        without.into_iter().map(|without| all + (episodes - 1.0) * (mean - without)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;
    use crate::{
        random::{Purpose, stream},
        stats::inference::{Inference, MeanSquares, mean_and_variance},
    };

    /// A network of `episodes` whose outputs are all finite.
    fn network<'a>(seed: u64, episodes: usize, of: impl Fn(&[u32]) -> f64 + 'a) -> Network<'a> {
        let finite = vec![true; episodes];
        Network { fold: 0, seed, episodes: (0..episodes).collect(), finite, of: Box::new(of) }
    }

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
        let sample = sample(&[network(0, 12, |counts| auc(0, counts))]);
        let (mean, variance) = mean_and_variance(&sample.folds[&0].scores);
        assert!((mean - 0.7433035714285714).abs() < 1e-12, "{mean}");
        assert!(((variance / 12.0).sqrt() - 0.09256507558009028).abs() < 1e-12, "{variance}");
    }

    proptest! {
        /// The mean over episodes has the episodes' own scores, so that this model and that of all other measures are one.
        #[test]
        fn of_a_mean_they_are_the_scores(
            scores in prop::collection::vec(prop::array::uniform2(-1.0..1.0f64), 1..20),
        ) {
            let of = |seed: usize| {
                let scores = &scores;
                network(seed as u64, scores.len(), move |counts: &[u32]| {
                    let sum: f64 = scores.iter().zip(counts).map(|(of, count)| of[seed] * f64::from(*count)).sum();
                    sum / f64::from(counts.iter().sum::<u32>())
                })
            };
            let grid = sample(&[of(1), of(0)]).folds.remove(&0).expect("scores");
            prop_assert_eq!(&grid.seeds, &[0, 1]);
            let scores: Vec<f64> = scores.into_iter().flatten().collect();
            prop_assert!(grid.scores.iter().zip(&scores).all(|(a, b)| (a - b).abs() < 1e-12), "{:?} {:?}", grid, scores);
        }
    }

    /// Drawing episodes again and again, the same for all seeds, the mean over seeds varies as the table says it does with the episodes, and the
    /// seeds vary about it by what the table says is neither.
    #[test]
    fn a_bootstrap_over_episodes_finds_the_same_variances() {
        const RESAMPLES: usize = 2000;
        let (episodes, seeds) = (40, 4);
        let networks: Vec<Network> =
            (0..seeds).map(|seed| network(seed, episodes, move |counts| auc(seed, counts))).collect();
        let mut stream = stream(11, Purpose::Test, 0);
        let mut resamples = vec![Vec::with_capacity(RESAMPLES); networks.len()];
        for _ in 0..RESAMPLES {
            let mut counts = vec![0; episodes];
            (0..episodes).for_each(|_| counts[stream.random_range(0..episodes)] += 1);
            resamples.iter_mut().zip(&networks).for_each(|(all, network)| all.push((network.of)(&counts)));
        }
        let mean = |draw: usize| resamples.iter().map(|all| all[draw]).sum::<f64>() / seeds as f64;
        let means: Vec<f64> = (0..RESAMPLES).map(mean).collect();
        let squares = MeanSquares::of(&sample(&networks).folds[&0]);
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
    fn what_is_not_finite_is_left_out_of_the_statistic() {
        let with = |seed: u64, finite: &[bool]| Network {
            finite: finite.to_vec(),
            ..network(seed, 12, move |c| auc(seed, c))
        };
        let mut one_gap = vec![true; 12];
        one_gap[4] = false;
        let networks = [with(0, &[true; 12]), with(1, &[false; 12]), with(2, &one_gap)];
        let sample = sample(&networks);
        assert_eq!((&sample.diverged[..], &sample.undefined[..]), (&[(0, 1)][..], &[(0, 4)][..]));
        let grid = &sample.folds[&0];
        assert_eq!((grid.seeds.len(), grid.episodes.len()), (2, 11));
        let counts: Vec<u32> = one_gap.iter().map(|finite| u32::from(*finite)).collect();
        assert!((grid.mean() - (auc(0, &counts) + auc(2, &counts)) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_defined_is_not_in_the_sample() {
        let never = |seed| network(seed, 3, |_| f64::NAN);
        assert!(sample(&[never(0), never(1)]).folds.is_empty());
        let only_with_the_first = network(0, 3, |counts| if counts[0] > 0 { 0.5 } else { f64::NAN });
        assert!(sample(&[only_with_the_first]).folds.is_empty());
        let single = sample(&[0, 1].map(|seed| network(seed, 1, move |_| seed as f64)));
        assert_eq!(single.folds[&0].scores, [0.0, 1.0]);
        assert!(
            Inference::of(&single).expect("scores").half_width(0.95).is_nan(),
            "one episode shows no spread"
        );
    }

    #[test]
    fn folds_are_apart() {
        let of = |fold: usize, value: f64| Network { fold, ..network(0, 2, move |_| value) };
        let sample = sample(&[of(1, 0.25), of(0, 0.5)]);
        assert_eq!(
            (&sample.folds[&0].scores[..], &sample.folds[&1].scores[..]),
            (&[0.5; 2][..], &[0.25; 2][..])
        );
        assert_eq!(sample.mean(), 0.375);
    }
}
