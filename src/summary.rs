//! From the rows of all runs of an experiment to one line per method, number of shots and adaptation step.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::{
    measures::{self, Quantity},
    records::{EvaluationRow, Row, TaskKind, number, owned},
    stats::{
        grid::{Sample, Scored},
        inference::{CONFIDENCE, Inference, mean_and_variance},
        pairing::Contestant,
    },
};

/// One line of `summary.csv`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SummaryRow {
    /// The method's name in the experiment file.
    pub method: String,
    /// What was tested.
    pub task: TaskKind,
    /// Support rows, of a class where there are classes.
    pub shots: usize,
    /// Adaptation steps taken on the support set.
    pub step: usize,
    /// What was measured, the judge first: three columns each.
    #[serde(skip)]
    pub measured: Vec<Measured>,
    /// Mean loss over episodes and seeds.
    pub loss: f64,
    /// Test episodes, over all folds.
    pub episodes: usize,
    /// Seeds.
    pub seeds: usize,
    /// Cross-validation folds, 1 where there is only one split.
    #[serde(default = "single")]
    pub folds: usize,
    /// Scores of the judge that are left out of these means: outputs that were not finite, and what can then not be paired with them.
    #[serde(default)]
    pub left_out: usize,
}

fn single() -> usize {
    1
}

/// A measure over all episodes, seeds and folds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The measure's name.
    pub name: &'static str,
    /// The mean over episodes, seeds and folds; NaN where no output was finite.
    pub mean: f64,
    /// Half-width of its 95 % interval: over folds, else over seeds and test episodes, see [`crate::stats::inference`]; with a single seed
    /// over episodes only. None for a single episode.
    pub interval: Option<f64>,
    /// Sample standard deviation over the seeds' own means; none for a single seed.
    pub seed_std: Option<f64>,
}

const INTERVAL: &str = "_interval";
const SEED_STD: &str = "_seed_std";

impl SummaryRow {
    /// What was measured by this name.
    pub fn measured(&self, name: &str) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.name == name)
    }

    /// The mean of a measure; NaN if it was not measured.
    pub fn mean(&self, name: &str) -> f64 {
        self.measured(name).map_or(f64::NAN, |measured| measured.mean)
    }
}

impl Row for SummaryRow {
    fn header(&self) -> Vec<String> {
        let mut header = owned(&["method", "task", "shots", "step"]);
        for Measured { name, .. } in &self.measured {
            header.extend([(*name).to_owned(), format!("{name}{INTERVAL}"), format!("{name}{SEED_STD}")]);
        }
        header.extend(owned(&["loss", "episodes", "seeds", "folds", "left_out"]));
        header
    }

    fn cells(&self) -> impl Serialize {
        let Self { method, task, shots, step, loss, episodes, seeds, folds, left_out, .. } = self;
        let cells = |of: &Measured| (of.mean, of.interval, of.seed_std);
        let measured: Vec<_> = self.measured.iter().map(cells).collect();
        (method, task, shots, step, measured, loss, episodes, seeds, folds, left_out)
    }

    fn take(&mut self, column: &str, cell: &str) -> Result<()> {
        if let Some(measure) = measures::find(column) {
            let mean = number(column, cell)?.unwrap_or(f64::NAN);
            self.measured.push(Measured { name: measure.name(), mean, interval: None, seed_std: None });
        } else if let Some(last) = self.measured.last_mut() {
            match column.strip_prefix(last.name) {
                Some(INTERVAL) => last.interval = number(column, cell)?,
                Some(SEED_STD) => last.seed_std = number(column, cell)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Summarises evaluation rows by these columns, the judge first; methods come in the order of `methods`, those not named there last.
pub fn summarise(rows: &[EvaluationRow], methods: &[String], columns: &[Quantity]) -> Vec<SummaryRow> {
    let mut cells: BTreeMap<(usize, &str, TaskKind, usize, usize), Vec<&EvaluationRow>> = BTreeMap::new();
    for row in rows {
        let place = methods.iter().position(|m| *m == row.method).unwrap_or(methods.len());
        cells.entry((place, &row.method, row.task, row.shots, row.step)).or_default().push(row);
    }
    let samples = |rows: &[&EvaluationRow]| -> Vec<Sample> {
        columns.iter().map(|column| sample(rows, column.name)).collect()
    };
    cells
        .into_iter()
        .map(|((_, method, task, shots, step), rows)| {
            let samples = samples(&rows);
            let measured =
                columns.iter().zip(&samples).map(|(column, sample)| measured(column.name, task, sample));
            let losses: Vec<f64> = rows.iter().map(|r| r.loss).filter(|loss| loss.is_finite()).collect();
            let judged = samples.first();
            SummaryRow {
                method: method.to_owned(),
                task,
                shots,
                step,
                measured: measured.collect(),
                loss: mean_and_variance(&losses).0,
                episodes: judged.map_or(0, Sample::episodes),
                seeds: judged.map_or(0, |sample| sample.seed_means().len()),
                folds: judged.map_or(0, |sample| sample.folds.len()),
                left_out: rows.len() - judged.map_or(0, scores),
            }
        })
        .collect()
}

/// The values in a column, by fold, seed and episode.
fn sample(rows: &[&EvaluationRow], column: &str) -> Sample {
    Sample::of(rows.iter().map(|row| Scored {
        fold: row.fold,
        seed: row.seed,
        episode: row.episode,
        score: row.value(column).unwrap_or(f64::NAN),
    }))
}

fn scores(sample: &Sample) -> usize {
    sample.folds.values().map(|grid| grid.scores.len()).sum()
}

fn measured(name: &'static str, task: TaskKind, sample: &Sample) -> Measured {
    let seeds = sample.seed_means();
    let half_width = Inference::of(sample).map_or(f64::NAN, |of| of.half_width(CONFIDENCE));
    Measured {
        name,
        mean: sample.mean(),
        interval: (half_width.is_finite() && task == TaskKind::FewShot).then_some(half_width),
        seed_std: (seeds.len() > 1).then(|| mean_and_variance(&seeds).1.sqrt()),
    }
}

/// Numbers of adaptation steps, by method and number of shots.
pub type Chosen = BTreeMap<(String, usize), usize>;

/// For each method and number of shots the number of adaptation steps that does best on the meta-validation episodes, the
/// fewest of equals: how a method is compared by one number without a look at the test.
///
/// Nothing is chosen in a cross-validation: there every class validates one fold and tests another, so that a choice over all
/// folds would look at the test.
pub fn chosen_steps(validation: &[EvaluationRow], judge: Quantity) -> Chosen {
    if validation.iter().any(|row| row.fold > 0) {
        return BTreeMap::new();
    }
    // After steps at which a network diverged, the mean is one of the others only: that comes after any mean of all.
    let mut best: BTreeMap<(String, usize), ((bool, f64), usize)> = BTreeMap::new();
    for row in summarise(validation, &[], &[judge]) {
        let score = (row.left_out == 0, judge.better.goodness(row.mean(judge.name)));
        let chosen = best.entry((row.method, row.shots)).or_insert(((false, f64::NEG_INFINITY), row.step));
        if score > chosen.0 {
            *chosen = (score, row.step);
        }
    }
    best.into_iter().map(|(key, (_, step))| (key, step)).collect()
}

/// Each method of rows of one number of shots, at the number of steps that it is compared at: the one that validation chose, without
/// validation the last; with its mean. Methods without a finite one there are not among them.
pub fn contestants(rows: &[&SummaryRow], chosen: &Chosen, judge: Quantity) -> Vec<(Contestant, f64)> {
    let mut compared: Vec<(Contestant, f64)> = Vec::new();
    for methods in rows.chunk_by(|a, b| a.method == b.method) {
        let at = chosen.get(&(methods[0].method.clone(), methods[0].shots));
        let row = at.and_then(|step| methods.iter().find(|row| row.step == *step)).or(methods.last());
        let judged =
            row.map(|row| (Contestant { method: row.method.clone(), step: row.step }, row.mean(judge.name)));
        compared.extend(judged.filter(|(_, mean)| mean.is_finite()));
    }
    compared
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::measures::{Better, Unit};

    const JUDGE: Quantity =
        Quantity { name: "accuracy", title: "hits", better: Better::Higher, unit: Unit::Percent };

    fn row(method: &str, seed: u64, episode: usize, step: usize, score: f64) -> EvaluationRow {
        let method = method.to_owned();
        EvaluationRow {
            method,
            fold: 0,
            seed,
            task: TaskKind::FewShot,
            shots: 1,
            episode,
            step,
            loss: 1.0,
            values: [(JUDGE.name, score)].into_iter().collect(),
        }
    }

    #[test]
    fn episodes_and_seeds_are_separate_sources_of_spread() {
        // Episode means are 0.2 and 0.8, seed means 0.4 and 0.6; both average to 0.5.
        let rows =
            [row("m", 0, 0, 5, 0.1), row("m", 0, 1, 5, 0.7), row("m", 1, 0, 5, 0.3), row("m", 1, 1, 5, 0.9)];
        let summary = summarise(&rows, &["m".into()], &[JUDGE]);
        let [line] = &summary[..] else { panic!("one line: {summary:?}") };
        let [measured] = &line.measured[..] else { panic!("one measure: {line:?}") };
        assert!((measured.mean - 0.5).abs() < 1e-12);
        assert!((measured.seed_std.expect("two seeds") - 0.02f64.sqrt()).abs() < 1e-12);
        // t(0.975, 1) times the root of the sum of both variances of the mean, 0.18 / 2 between episodes and 0.02 / 2 between seeds.
        let expected = 12.706_204_736 * 0.1f64.sqrt();
        assert!((measured.interval.expect("two episodes") - expected).abs() < 1e-6);
        assert_eq!((line.episodes, line.seeds), (2, 2));
    }

    #[test]
    fn methods_keep_the_order_of_the_experiment() {
        let rows = [row("b", 0, 0, 0, 0.5), row("a", 0, 0, 0, 0.5), row("stray", 0, 0, 0, 0.5)];
        let names = |methods: &[&str]| {
            let methods: Vec<String> = methods.iter().map(|m| (*m).to_owned()).collect();
            summarise(&rows, &methods, &[JUDGE]).into_iter().map(|row| row.method).collect::<Vec<_>>()
        };
        assert_eq!(names(&["b", "a"]), ["b", "a", "stray"]);
        assert_eq!(names(&["a", "b"]), ["a", "b", "stray"]);
    }

    #[test]
    fn the_chosen_step_is_the_best_on_validation_and_the_first_of_equals() {
        let rows = [row("m", 0, 0, 0, 0.2), row("m", 0, 0, 5, 0.9), row("m", 0, 0, 10, 0.9)];
        assert_eq!(chosen_steps(&rows, JUDGE)[&("m".to_owned(), 1)], 5);
        let diverged = [row("m", 0, 0, 0, f64::NAN)];
        assert_eq!(chosen_steps(&diverged, JUDGE)[&("m".to_owned(), 1)], 0);
        let partly = [0.8, 0.8, 0.82, f64::NAN];
        let partly = [(0, 50), (1, 50), (0, 100), (1, 100)].into_iter().zip(partly);
        let partly: Vec<_> = partly.map(|((seed, step), score)| row("m", seed, 0, step, score)).collect();
        assert_eq!(chosen_steps(&partly, JUDGE)[&("m".to_owned(), 1)], 50, "one of two diverged");
        let [line] = &summarise(&diverged, &[], &[JUDGE])[..] else { panic!("one line") };
        assert!(line.mean(JUDGE.name).is_nan() && (line.seeds, line.left_out) == (0, 1), "{line:?}");
        let folds = [rows[1].clone(), EvaluationRow { fold: 1, ..rows[1].clone() }];
        assert!(chosen_steps(&folds, JUDGE).is_empty());
    }

    #[test]
    fn where_less_is_better_the_step_with_the_least_is_chosen() {
        let judge = Quantity { better: Better::Lower, ..JUDGE };
        let rows = [row("m", 0, 0, 0, 0.2), row("m", 0, 0, 5, 0.1), row("m", 0, 0, 10, 0.1)];
        assert_eq!(chosen_steps(&rows, judge)[&("m".to_owned(), 1)], 5);
    }

    #[test]
    fn lines_come_back_with_three_columns_for_each_measure() {
        let rows = [row("m", 0, 0, 5, 0.1), row("m", 0, 1, 5, 0.7)];
        let summary = summarise(&rows, &[], &[JUDGE, LOSS_TOO]);
        let text = crate::records::to_csv(&summary).expect("CSV");
        let header = "method,task,shots,step,accuracy,accuracy_interval,accuracy_seed_std,mse,mse_interval,mse_seed_std,loss,";
        assert!(text.starts_with(header.as_bytes()), "{}", String::from_utf8_lossy(&text));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("summary.csv");
        std::fs::write(&file, &text).expect("written");
        let back: Vec<SummaryRow> = crate::records::read(&file).expect("sound");
        assert_eq!(back[0].measured[0], summary[0].measured[0]);
        assert_eq!(back[0].measured(LOSS_TOO.name).map(|of| of.interval), Some(None), "no row has it");
        assert!(back[0].mean(LOSS_TOO.name).is_nan());
    }

    const LOSS_TOO: Quantity = Quantity { name: "mse", ..measures::LOSS };
}
