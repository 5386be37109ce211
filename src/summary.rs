//! From the rows of all runs of an experiment to one line per method, number of shots and adaptation step.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    records::{EvaluationRow, Row, Task},
    stats::{
        comparison::Contestant,
        grid::{Sample, Scored},
        inference::{CONFIDENCE, Inference, mean_and_variance},
    },
};

/// One line of `summary.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// The method's name in the experiment file.
    pub method: String,
    /// What was tested.
    pub task: Task,
    /// Support images per class.
    pub shots: usize,
    /// Adaptation steps taken on the support set.
    pub step: usize,
    /// Mean accuracy, 0 to 1, over episodes, seeds and folds; NaN where no output was finite.
    pub accuracy: f64,
    /// Half-width of its 95 % interval: over folds, else over seeds and test episodes, see [`crate::stats::inference`]; with a single seed
    /// over episodes only. Empty for a single episode.
    pub accuracy_interval: Option<f64>,
    /// Sample standard deviation over the seeds' own means; empty for a single seed.
    pub accuracy_seed_std: Option<f64>,
    /// Mean loss over episodes and seeds.
    pub loss: f64,
    /// Test episodes, over all folds.
    pub episodes: usize,
    /// Seeds.
    pub seeds: usize,
    /// Cross-validation folds, 1 where there is only one split.
    #[serde(default = "single")]
    pub folds: usize,
    /// Scores that are left out of these means: outputs that were not finite, and what can then not be paired with them.
    #[serde(default)]
    pub left_out: usize,
}

fn single() -> usize {
    1
}

impl Row for SummaryRow {}

/// Summarises evaluation rows; methods come in the order of `methods`, those not named there last.
pub fn summarise(rows: &[EvaluationRow], methods: &[String]) -> Vec<SummaryRow> {
    let mut cells: BTreeMap<(usize, &str, Task, usize, usize), Vec<&EvaluationRow>> = BTreeMap::new();
    for row in rows {
        let place = methods.iter().position(|m| *m == row.method).unwrap_or(methods.len());
        cells.entry((place, &row.method, row.task, row.shots, row.step)).or_default().push(row);
    }
    cells
        .into_iter()
        .map(|((_, method, task, shots, step), rows)| {
            let sample = Sample::of(rows.iter().map(|row| Scored {
                fold: row.fold,
                seed: row.seed,
                episode: row.episode,
                score: row.accuracy,
            }));
            let seeds = sample.seed_means();
            let half_width = Inference::of(&sample).map_or(f64::NAN, |of| of.half_width(CONFIDENCE));
            let losses: Vec<f64> = rows.iter().map(|r| r.loss).filter(|loss| loss.is_finite()).collect();
            SummaryRow {
                method: method.to_owned(),
                task,
                shots,
                step,
                accuracy: sample.mean(),
                accuracy_interval: (half_width.is_finite() && task == Task::FewShot).then_some(half_width),
                accuracy_seed_std: (seeds.len() > 1).then(|| mean_and_variance(&seeds).1.sqrt()),
                loss: mean_and_variance(&losses).0,
                episodes: sample.episodes(),
                seeds: seeds.len(),
                folds: sample.folds.len(),
                left_out: rows.len() - sample.folds.values().map(|grid| grid.scores.len()).sum::<usize>(),
            }
        })
        .collect()
}

/// For each method and number of shots the number of adaptation steps that does best on the meta-validation episodes, the
/// fewest of equals: how a method is compared by one number without a look at the test.
///
/// Nothing is chosen in a cross-validation: there every class validates one fold and tests another, so that a choice over all
/// folds would look at the test.
pub fn chosen_steps(validation: &[EvaluationRow]) -> BTreeMap<(String, usize), usize> {
    if validation.iter().any(|row| row.fold > 0) {
        return BTreeMap::new();
    }
    // After steps at which a network diverged, the mean is one of the others only: that comes after any mean of all.
    let mut best: BTreeMap<(String, usize), ((bool, f64), usize)> = BTreeMap::new();
    for row in summarise(validation, &[]) {
        let score = (row.left_out == 0, row.accuracy);
        let chosen = best.entry((row.method, row.shots)).or_insert(((false, f64::NEG_INFINITY), row.step));
        if score > chosen.0 {
            *chosen = (score, row.step);
        }
    }
    best.into_iter().map(|(key, (_, step))| (key, step)).collect()
}

/// Each method of rows of one number of shots, at the number of steps that it is compared at: the one that validation chose, without
/// validation the last. Methods without a finite accuracy there are not among them.
pub fn contestants(
    rows: &[&SummaryRow],
    chosen: &BTreeMap<(String, usize), usize>,
) -> Vec<(Contestant, f64)> {
    let mut compared: Vec<(Contestant, f64)> = Vec::new();
    for methods in rows.chunk_by(|a, b| a.method == b.method) {
        let at = chosen.get(&(methods[0].method.clone(), methods[0].shots));
        let row = at.and_then(|step| methods.iter().find(|row| row.step == *step)).or(methods.last());
        compared.extend(
            row.filter(|row| row.accuracy.is_finite())
                .map(|row| (Contestant { method: row.method.clone(), step: row.step }, row.accuracy)),
        );
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(method: &str, seed: u64, episode: usize, step: usize, accuracy: f64) -> EvaluationRow {
        let method = method.to_owned();
        EvaluationRow {
            method,
            fold: 0,
            seed,
            task: Task::FewShot,
            shots: 1,
            episode,
            step,
            loss: 1.0,
            accuracy,
        }
    }

    #[test]
    fn episodes_and_seeds_are_separate_sources_of_spread() {
        // Episode means are 0.2 and 0.8, seed means 0.4 and 0.6; both average to 0.5.
        let rows =
            [row("m", 0, 0, 5, 0.1), row("m", 0, 1, 5, 0.7), row("m", 1, 0, 5, 0.3), row("m", 1, 1, 5, 0.9)];
        let summary = summarise(&rows, &["m".into()]);
        let [line] = &summary[..] else { panic!("one line: {summary:?}") };
        assert!((line.accuracy - 0.5).abs() < 1e-12);
        assert!((line.accuracy_seed_std.expect("two seeds") - 0.02f64.sqrt()).abs() < 1e-12);
        // t(0.975, 1) times the root of the sum of both variances of the mean, 0.18 / 2 between episodes and 0.02 / 2 between seeds.
        let expected = 12.706_204_736 * 0.1f64.sqrt();
        assert!((line.accuracy_interval.expect("two episodes") - expected).abs() < 1e-6);
        assert_eq!((line.episodes, line.seeds), (2, 2));
    }

    #[test]
    fn methods_keep_the_order_of_the_experiment() {
        let rows = [row("b", 0, 0, 0, 0.5), row("a", 0, 0, 0, 0.5), row("stray", 0, 0, 0, 0.5)];
        let names = |methods: &[&str]| {
            let methods: Vec<String> = methods.iter().map(|m| (*m).to_owned()).collect();
            summarise(&rows, &methods).into_iter().map(|row| row.method).collect::<Vec<_>>()
        };
        assert_eq!(names(&["b", "a"]), ["b", "a", "stray"]);
        assert_eq!(names(&["a", "b"]), ["a", "b", "stray"]);
    }

    #[test]
    fn the_chosen_step_is_the_best_on_validation_and_the_first_of_equals() {
        let rows = [row("m", 0, 0, 0, 0.2), row("m", 0, 0, 5, 0.9), row("m", 0, 0, 10, 0.9)];
        assert_eq!(chosen_steps(&rows)[&("m".to_owned(), 1)], 5);
        let diverged = [row("m", 0, 0, 0, f64::NAN)];
        assert_eq!(chosen_steps(&diverged)[&("m".to_owned(), 1)], 0);
        let partly = [0.8, 0.8, 0.82, f64::NAN];
        let partly = [(0, 50), (1, 50), (0, 100), (1, 100)].into_iter().zip(partly);
        let partly: Vec<_> =
            partly.map(|((seed, step), accuracy)| row("m", seed, 0, step, accuracy)).collect();
        assert_eq!(chosen_steps(&partly)[&("m".to_owned(), 1)], 50, "one of two diverged");
        let [line] = &summarise(&diverged, &[])[..] else { panic!("one line") };
        assert!(line.accuracy.is_nan() && (line.seeds, line.left_out) == (0, 1), "{line:?}");
        let folds = [rows[1].clone(), EvaluationRow { fold: 1, ..rows[1].clone() }];
        assert!(chosen_steps(&folds).is_empty());
    }
}
