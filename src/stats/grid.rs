//! The scores of one method, arranged as they were taken: in every fold each seed's network is tested on the same episodes.

use std::collections::{BTreeMap, BTreeSet};

/// A score by the fold, the seed and the episode that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The cross-validation fold, 0 where there is only one split.
    pub fold: usize,
    /// The run's seed.
    pub seed: u64,
    /// The frozen test episode.
    pub episode: usize,
    /// The score; NaN where the network's outputs were not finite.
    pub score: f64,
}

/// Scores of every seed on every episode of a fold.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreGrid {
    /// The seeds, ascending.
    pub seeds: Vec<u64>,
    /// The episodes, ascending.
    pub episodes: Vec<usize>,
    /// `[E, S]`, row by row; all finite.
    pub scores: Vec<f64>,
}

/// The grids of a method, one for each fold, and what is not in them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// By fold.
    pub folds: BTreeMap<usize, ScoreGrid>,
    /// Seeds, with their folds, without a single finite score: networks that diverged.
    pub diverged: Vec<(usize, u64)>,
    /// Episodes, with their folds, on which another seed's score was not finite or is missing.
    pub undefined: Vec<(usize, usize)>,
}

impl Sample {
    /// Arranges scores; the order they come in does not matter, and of two for one test the later counts.
    ///
    /// What is left must be complete, so that seeds and episodes can be told apart as sources of spread: first seeds without any
    /// finite score are left out, then episodes on which one of the other seeds has none.
    pub fn of(scores: impl IntoIterator<Item = Scored>) -> Self {
        let mut folds: BTreeMap<usize, BTreeMap<(usize, u64), f64>> = BTreeMap::new();
        for Scored { fold, seed, episode, score } in scores {
            folds.entry(fold).or_default().insert((episode, seed), score);
        }
        let mut sample = Self::default();
        for (fold, scores) in folds {
            let seeds: BTreeSet<u64> = scores.keys().map(|(_, seed)| *seed).collect();
            let alive: BTreeSet<u64> =
                scores.iter().filter(|(_, score)| score.is_finite()).map(|((_, seed), _)| *seed).collect();
            sample.diverged.extend(seeds.difference(&alive).map(|seed| (fold, *seed)));
            let mut grid = ScoreGrid {
                seeds: alive.iter().copied().collect(),
                episodes: Vec::new(),
                scores: Vec::with_capacity(scores.len()),
            };
            if grid.seeds.is_empty() {
                continue;
            }
            let episodes: BTreeSet<usize> = scores.keys().map(|(episode, _)| *episode).collect();
            for episode in episodes {
                let of_seed = |seed: &u64| scores.get(&(episode, *seed)).copied().filter(|s| s.is_finite());
                match grid.seeds.iter().map(of_seed).collect::<Option<Vec<f64>>>() {
                    Some(row) => {
                        grid.episodes.push(episode);
                        grid.scores.extend(row);
                    }
                    None => sample.undefined.push((fold, episode)),
                }
            }
            if !grid.episodes.is_empty() {
                sample.folds.insert(fold, grid);
            }
        }
        sample
    }

    /// The mean over folds of their means; NaN without scores.
    pub fn mean(&self) -> f64 {
        self.folds.values().map(ScoreGrid::mean).sum::<f64>() / self.folds.len() as f64
    }

    /// Episodes of all folds together.
    pub fn episodes(&self) -> usize {
        self.folds.values().map(|grid| grid.episodes.len()).sum()
    }

    /// Whether it was tested in several folds, whatever became of it there.
    pub fn spans_folds(&self) -> bool {
        let left_out =
            self.diverged.iter().map(|(fold, _)| fold).chain(self.undefined.iter().map(|(fold, _)| fold));
        self.folds.keys().chain(left_out).any(|fold| *fold > 0)
    }

    /// The mean of each seed over the folds that it has scores in, by seed.
    pub fn seed_means(&self) -> Vec<f64> {
        let mut of_seed: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for grid in self.folds.values() {
            for (seed, mean) in grid.seeds.iter().zip(grid.seed_means()) {
                of_seed.entry(*seed).or_default().push(mean);
            }
        }
        of_seed.into_values().map(|means| means.iter().sum::<f64>() / means.len() as f64).collect()
    }
}

impl ScoreGrid {
    /// The mean score.
    pub fn mean(&self) -> f64 {
        self.scores.iter().sum::<f64>() / self.scores.len() as f64
    }

    /// The mean score of each episode, over seeds.
    pub fn episode_means(&self) -> Vec<f64> {
        let seeds = self.seeds.len();
        self.scores.chunks_exact(seeds).map(|row| row.iter().sum::<f64>() / seeds as f64).collect()
    }

    /// The mean score of each seed, over episodes.
    pub fn seed_means(&self) -> Vec<f64> {
        let seeds = self.seeds.len();
        let mut sums = vec![0.0; seeds];
        for row in self.scores.chunks_exact(seeds) {
            sums.iter_mut().zip(row).for_each(|(sum, score)| *sum += score);
        }
        sums.iter().map(|sum| sum / self.episodes.len() as f64).collect()
    }

    /// The same with only some of the episodes.
    pub fn on(&self, episodes: &BTreeSet<usize>) -> Self {
        let rows = self.scores.chunks_exact(self.seeds.len()).zip(&self.episodes);
        let kept: Vec<_> = rows.filter(|(_, episode)| episodes.contains(episode)).collect();
        Self {
            seeds: self.seeds.clone(),
            episodes: kept.iter().map(|(_, episode)| **episode).collect(),
            scores: kept.iter().flat_map(|(row, _)| row.iter().copied()).collect(),
        }
    }

    /// This grid minus another with the same seeds and episodes, score by score.
    pub fn minus(&self, other: &Self) -> Self {
        let scores = self.scores.iter().zip(&other.scores).map(|(a, b)| a - b).collect();
        Self { scores, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(fold: usize, seed: u64, episode: usize, score: f64) -> Scored {
        Scored { fold, seed, episode, score }
    }

    #[test]
    fn scores_are_arranged_by_fold_episode_and_seed() {
        let scores = [(0, 3, 0, 0.1), (0, 1, 0, 0.2), (0, 1, 7, 0.4), (0, 3, 7, 0.3), (2, 1, 0, 0.9)];
        let sample =
            Sample::of(scores.map(|(fold, seed, episode, score)| scored(fold, seed, episode, score)));
        let grid = &sample.folds[&0];
        assert_eq!((&grid.seeds[..], &grid.episodes[..]), (&[1, 3][..], &[0, 7][..]));
        assert_eq!(grid.scores, [0.2, 0.1, 0.4, 0.3]);
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near(&grid.episode_means(), &[0.15, 0.35]) && near(&grid.seed_means(), &[0.3, 0.2]));
        assert!((sample.mean() - (0.25 + 0.9) / 2.0).abs() < 1e-12);
        assert_eq!(sample.episodes(), 3);
        assert!(sample.spans_folds());
        assert!(near(&sample.seed_means(), &[0.6, 0.2]));
    }

    #[test]
    fn what_is_not_finite_is_left_out_and_named() {
        let nan = f64::NAN;
        let scores = [
            (0, 0, 0.5),
            (0, 1, nan),
            (0, 2, 0.7),
            (1, 0, nan),
            (1, 1, nan),
            (1, 2, nan),
            (2, 0, 0.1),
            (2, 1, 0.2),
        ];
        let sample = Sample::of(scores.map(|(seed, episode, score)| scored(0, seed, episode, score)));
        assert_eq!(sample.diverged, [(0, 1)]);
        assert_eq!(sample.undefined, [(0, 1), (0, 2)], "one is NaN, one is missing");
        assert_eq!(sample.folds[&0].scores, [0.5, 0.1]);
        assert!(Sample::of([scored(0, 0, 0, nan)]).folds.is_empty());
    }

    #[test]
    fn grids_are_cut_and_subtracted() {
        let grid = ScoreGrid { seeds: vec![0, 1], episodes: vec![4, 5], scores: vec![0.5, 0.25, 1.0, 0.0] };
        let cut = grid.on(&BTreeSet::from([5, 9]));
        assert_eq!((&cut.episodes[..], &cut.scores[..]), (&[5][..], &[1.0, 0.0][..]));
        assert_eq!(grid.minus(&grid).scores, [0.0; 4]);
    }
}
