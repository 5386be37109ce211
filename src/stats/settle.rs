//! What would settle a comparison: how many seeds, episodes or folds, from what the difference varies with.

use statrs::distribution::{ContinuousCDF, Normal};

use super::{
    grid::ScoreGrid,
    inference::{MeanSquares, mean_and_variance, quantile},
};

/// How often a real difference of the size in question is to be found.
pub const POWER: f64 = 0.8;

/// More than anybody will run.
const MOST_SEEDS: usize = 1000;
const MOST_EPISODES: usize = 100_000;
const MOST_FOLDS: usize = 1000;

/// What the difference of two methods varies with; variances of a single fold, seed, episode, and of what is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Components {
    /// Between folds, beyond what seeds and episodes make of them.
    pub fold: f64,
    /// Between seeds, of both methods together.
    pub seed: f64,
    /// Between episodes.
    pub episode: f64,
    /// Of a seed on an episode.
    pub rest: f64,
}

/// A size of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Cross-validation folds, 1 for a single split.
    pub folds: usize,
    /// Seeds of each method.
    pub seeds: usize,
    /// Test episodes of each fold.
    pub episodes: usize,
}

/// A larger size that would be enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settling {
    /// So many seeds, on as many episodes as there are.
    Seeds(usize),
    /// So many episodes, with as many seeds as there are.
    Episodes(usize),
    /// So many seeds and episodes.
    Both {
        /// Seeds.
        seeds: usize,
        /// Episodes of each fold.
        episodes: usize,
    },
    /// So many folds.
    Folds(usize),
}

impl Components {
    /// Of the differences of two methods in the folds that they share; `None` with a single seed or episode, from which no spread is seen.
    pub fn of(pairs: &[(ScoreGrid, ScoreGrid)]) -> Option<Self> {
        let within: Vec<Self> = pairs.iter().map(|(a, b)| Self::within(a, b)).collect::<Option<_>>()?;
        let count = within.len() as f64;
        let mean = |part: fn(&Self) -> f64| within.iter().map(part).sum::<f64>() / count;
        let mut components =
            Self { fold: 0.0, seed: mean(|c| c.seed), episode: mean(|c| c.episode), rest: mean(|c| c.rest) };
        if pairs.len() > 1 {
            let differences: Vec<f64> = pairs.iter().map(|(a, b)| a.mean() - b.mean()).collect();
            let size = Size {
                folds: 1,
                seeds: pairs[0].0.seeds.len().min(pairs[0].1.seeds.len()),
                episodes: pairs[0].0.episodes.len(),
            };
            let explained = components.by_source(size).iter().sum::<f64>();
            components.fold = (mean_and_variance(&differences).1 - explained).max(0.0);
        }
        Some(components)
    }

    /// Of a single fold.
    fn within(a: &ScoreGrid, b: &ScoreGrid) -> Option<Self> {
        let alone = |s: &MeanSquares| s.s < 2.0 || s.e < 2.0;
        if a.seeds == b.seeds {
            let squares = MeanSquares::of(&a.minus(b));
            return (!alone(&squares)).then(|| Self {
                fold: 0.0,
                seed: ((squares.seeds - squares.rest) / squares.e).max(0.0),
                episode: ((squares.episodes - squares.rest) / squares.s).max(0.0),
                rest: squares.rest,
            });
        }
        let squares = [a, b].map(MeanSquares::of);
        let averages: Vec<f64> =
            a.episode_means().iter().zip(b.episode_means()).map(|(a, b)| a - b).collect();
        let counted: f64 = squares.iter().map(|of| of.rest / of.s).sum();
        (!squares.iter().any(alone)).then(|| Self {
            fold: 0.0,
            seed: squares.iter().map(|of| ((of.seeds - of.rest) / of.e).max(0.0)).sum(),
            episode: (mean_and_variance(&averages).1 - counted).max(0.0),
            rest: squares.iter().map(|of| of.rest).sum(),
        })
    }

    /// The variance of the mean difference of one fold of this size, by seeds and by episodes.
    fn by_source(&self, size: Size) -> [f64; 2] {
        let (s, e) = (size.seeds as f64, size.episodes as f64);
        [self.seed / s + self.rest / (s * e), self.episode / e]
    }

    /// Whether an experiment of this size would find a true difference this large in four cases of five, at a level of significance.
    pub fn finds(&self, difference: f64, size: Size, level: f64) -> bool {
        let quantile = |freedom| quantile(freedom, 1.0 - level);
        let sources = self.by_source(size);
        let (half, variance) = if size.folds > 1 {
            let variance = (self.fold + sources.iter().sum::<f64>()) / size.folds as f64;
            (quantile(size.folds - 1) * variance.sqrt(), variance)
        } else {
            let freedom = [size.seeds - 1, size.episodes - 1];
            let squares = sources.iter().zip(freedom).map(|(v, df)| quantile(df).powi(2) * v);
            (squares.sum::<f64>().sqrt(), sources.iter().sum())
        };
        difference.abs() >= half + Normal::standard().inverse_cdf(POWER) * variance.sqrt()
    }

    /// What would be enough to find a difference this large at a level: more seeds or more episodes alone, else both, else more folds. Empty where
    /// nothing within reach would be.
    pub fn settling(&self, difference: f64, now: Size, level: f64) -> Vec<Settling> {
        let finds = |size| self.finds(difference, size, level);
        let seeds = smallest(now.seeds + 1, MOST_SEEDS, |seeds| finds(Size { seeds, ..now }));
        let episodes = smallest(now.episodes + 1, MOST_EPISODES, |episodes| finds(Size { episodes, ..now }));
        let mut ways: Vec<Settling> = seeds.map(Settling::Seeds).into_iter().collect();
        ways.extend(episodes.map(Settling::Episodes));
        if !ways.is_empty() {
            return ways;
        }
        let times =
            |factor: usize| Size { seeds: now.seeds * factor, episodes: now.episodes * factor, ..now };
        let most = (MOST_SEEDS / now.seeds).min(MOST_EPISODES / now.episodes);
        if let Some(factor) = smallest(2, most, |factor| finds(times(factor))) {
            let Size { seeds, episodes, .. } = times(factor);
            return vec![Settling::Both { seeds, episodes }];
        }
        let folds = (now.folds > 1)
            .then_some(())
            .and_then(|()| smallest(now.folds + 1, MOST_FOLDS, |folds| finds(Size { folds, ..now })));
        folds.map(Settling::Folds).into_iter().collect()
    }
}

/// The smallest number from `least` to `most` that is enough, where every larger one is as well.
fn smallest(least: usize, most: usize, enough: impl Fn(usize) -> bool) -> Option<usize> {
    if most < least || !enough(most) {
        return None;
    }
    let (mut low, mut high) = (least, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if enough(middle) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Size = Size { folds: 1, seeds: 3, episodes: 300 };

    /// With nothing but seeds it is the sample size of a t-test. Expected by statsmodels 0.15:
    /// `TTestPower().solve_power(effect_size=d, alpha=0.05, power=0.8)`: 33.4, 9.9 and 198.2.
    #[test]
    fn seeds_alone_need_what_a_t_test_needs() {
        for (effect, expected) in [(0.5, 33.4), (1.0, 9.9), (0.2, 198.2)] {
            let only_seeds = Components { fold: 0.0, seed: 1.0, episode: 0.0, rest: 0.0 };
            let [Settling::Seeds(seeds)] = only_seeds.settling(effect, NOW, 0.05)[..] else {
                panic!("seeds")
            };
            assert!((seeds as f64 - expected).abs() <= 1.0, "{seeds}, expected {expected}");
        }
    }

    #[test]
    fn each_way_is_named_where_it_is_enough() {
        let of = |seed: f64, episode: f64, rest: f64| Components { fold: 0.0, seed, episode, rest };
        // Only episodes vary: more seeds would not help.
        assert!(
            matches!(of(0.0, 1.0, 0.0).settling(0.1, NOW, 0.05)[..], [Settling::Episodes(e)] if (700..900).contains(&e))
        );
        // What is left falls with either.
        assert!(matches!(
            of(0.0, 0.0, 1.0).settling(0.1, NOW, 0.05)[..],
            [Settling::Seeds(_), Settling::Episodes(_)]
        ));
        // Neither alone.
        assert!(
            matches!(of(1.0, 100.0, 0.0).settling(0.5, NOW, 0.05)[..], [Settling::Both { seeds, .. }] if seeds > 3)
        );
        assert_eq!(of(1.0, 1.0, 1.0).settling(1e-6, NOW, 0.05), []);
        let folds = Components { fold: 1.0, seed: 0.0, episode: 0.0, rest: 0.0 };
        let five = Size { folds: 5, ..NOW };
        assert!(matches!(folds.settling(0.5, five, 0.05)[..], [Settling::Folds(f)] if (32..36).contains(&f)));
    }

    #[test]
    fn components_are_those_of_the_differences() {
        let grid = |seeds: &[u64], y: fn(usize, u64) -> f64| ScoreGrid {
            seeds: seeds.to_vec(),
            episodes: (0..40).collect(),
            scores: (0..40).flat_map(|e| seeds.iter().map(move |s| y(e, *s))).collect(),
        };
        let wave = |e: usize, s: u64| (e as f64).sin() + 0.3 * ((7 * s + 1) as f64).sin();
        let paired =
            Components::of(&[(grid(&[0, 1, 2], wave), grid(&[0, 1, 2], |_, _| 0.0))]).expect("seeds");
        assert!(paired.rest < 1e-12 && paired.episode > 0.4 && paired.seed > 0.002, "{paired:?}");
        let apart = Components::of(&[(grid(&[0, 1, 2], wave), grid(&[5, 6], |_, _| 0.0))]).expect("seeds");
        assert!((apart.seed - paired.seed).abs() < 1e-9 && (apart.episode - paired.episode).abs() < 1e-9);
        assert_eq!(Components::of(&[(grid(&[0], wave), grid(&[0], wave))]), None);
        let folds = [0.0, 4.0, 8.0].map(|shift| {
            let mut a = grid(&[0, 1], wave);
            a.scores.iter_mut().for_each(|score| *score += shift);
            (a, grid(&[0, 1], |_, _| 0.0))
        });
        let of_folds = Components::of(&folds).expect("seeds");
        assert!((of_folds.fold - 16.0).abs() < 0.1, "{of_folds:?}");
    }
}
