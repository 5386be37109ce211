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
//! episodes, folds are nested. A bootstrap that draws the seeds as well is too short where there are few: with three seeds its 95 %
//! intervals hold the truth in little more than three cases of four, see `docs/inference.md`.

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
