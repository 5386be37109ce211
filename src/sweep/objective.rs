//! What makes a trial better, from its validation episodes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::records::EvaluationRow;

/// What makes a trial better, on the validation episodes, at the number of adaptation steps that does best there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// Higher mean accuracy.
    #[default]
    Accuracy,
    /// Lower mean loss.
    Loss,
}

impl Objective {
    /// One number of which more is better.
    pub fn score(self, accuracy: f64, loss: f64) -> f64 {
        match self {
            Self::Accuracy => accuracy,
            Self::Loss => -loss,
        }
    }

    /// What the shown numbers are.
    pub fn label(self) -> &'static str {
        match self {
            Self::Accuracy => "validation accuracy (%)",
            Self::Loss => "validation loss",
        }
    }

    /// A score as a reader knows it: per cent, or the loss itself.
    pub fn shown(self, score: f64) -> f64 {
        match self {
            Self::Accuracy => 100.0 * score,
            Self::Loss => -score,
        }
    }

    /// The score on each episode, in order, the mean over seeds; with several numbers of shots all episodes of each, and for each
    /// the number of steps that does best. Empty where a number of shots has no finite score: what is left is no fair judgement.
    pub fn episodes(self, rows: &[EvaluationRow]) -> Vec<f64> {
        // Cells by shots and step; in each the sum and the number of seeds by fold and episode.
        type Cell = BTreeMap<(usize, usize), (f64, f64)>;
        let mut cells: BTreeMap<usize, BTreeMap<usize, Cell>> = BTreeMap::new();
        for row in rows {
            let cell = cells.entry(row.shots).or_default().entry(row.step).or_default();
            let (sum, count) = cell.entry((row.fold, row.episode)).or_default();
            *sum += self.score(row.accuracy, row.loss);
            *count += 1.0;
        }
        let mut episodes = Vec::new();
        for steps in cells.into_values() {
            let scores = steps
                .into_values()
                .map(|cell| -> Vec<f64> { cell.into_values().map(|(sum, count)| sum / count).collect() });
            let finite = scores.filter(|scores| mean(scores).is_finite());
            let best = finite.reduce(|best, next| if mean(&next) > mean(&best) { next } else { best });
            let Some(best) = best else { return Vec::new() };
            episodes.extend(best);
        }
        episodes
    }
}

/// The mean of the scores on episodes; not a number without any.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Task;

    #[test]
    fn seeds_are_averaged_and_each_number_of_shots_takes_its_best_step() {
        let row = |seed, shots, episode, step, accuracy| EvaluationRow {
            method: "m".into(),
            fold: 0,
            seed,
            task: Task::FewShot,
            shots,
            episode,
            step,
            loss: 1.0 - accuracy,
            accuracy,
        };
        let rows = [
            row(0, 1, 0, 0, 0.2),
            row(0, 1, 1, 0, 0.3),
            row(0, 1, 0, 5, 0.5),
            row(0, 1, 1, 5, 0.7),
            row(1, 1, 0, 5, 0.6),
            row(1, 1, 1, 5, 0.7),
            row(0, 5, 0, 0, 0.9),
            row(0, 5, 0, 5, 0.8),
            row(0, 5, 0, 9, f64::NAN),
        ];
        let episodes = Objective::Accuracy.episodes(&rows);
        assert_eq!(episodes, [0.55, 0.7, 0.9]);
        let losses = Objective::Loss.episodes(&rows);
        assert!(losses.iter().zip([-0.45, -0.3, -0.1]).all(|(a, b)| (a - b).abs() < 1e-12), "{losses:?}");
        assert!(mean(&Objective::Loss.episodes(&[])).is_nan());
        // At ten shots it diverged: what it reaches with fewer is not its score.
        let diverged = [&rows[..], &[row(0, 10, 0, 5, f64::NAN)]].concat();
        assert!(mean(&Objective::Accuracy.episodes(&diverged)).is_nan());
    }
}
