//! The runs of an experiment, from its results folder.

use std::path::Path;

use super::{Best, Kind, Listed, Measure, State, first_line, is_at_work, run, together};
use crate::{experiment::folder, records, summary::SummaryRow};

/// Reads an experiment's folder at a time in seconds since 1970.
pub(super) fn read(path: &Path, now: f64) -> Listed {
    let experiment = match folder::config(path) {
        Ok(experiment) => experiment,
        Err(error) => {
            let listed = Listed::damaged(Kind::Experiment, path, first_line(&format!("{error:#}")));
            // The first thing an experiment does is to take the lock; it may not have come further.
            let state = if is_at_work(path) { State::Running } else { State::Damaged };
            return Listed { state, ..listed };
        }
    };
    let planned = |run: &crate::experiment::plan::Run| match run.method.algorithm.training() {
        crate::algorithms::Training::Nothing => 0,
        _ => run.method.train(&experiment.train).iterations,
    };
    let runs = experiment.runs();
    let mut found: Vec<run::Found> = runs.iter().map(|run| run::read(path, run, planned(run))).collect();
    let at_work = is_at_work(path);
    // Runs come one after the other, so that the one of the last sign of life is at work.
    let open = found.iter_mut().filter(|found| found.open.is_some());
    if at_work
        && let Some(running) =
            open.max_by(|a, b| a.open.partial_cmp(&b.open).unwrap_or(std::cmp::Ordering::Equal))
    {
        running.runs(now);
    }
    let runs: Vec<_> = found.into_iter().map(|found| found.status).collect();
    let state = if at_work { State::Running } else { together(&runs) };
    let mut listed = Listed::new(Kind::Experiment, path, state, runs);
    if listed.best.is_none() {
        listed.best = best_test(path);
    }
    listed
}

/// The best mean accuracy of `summary.csv`.
fn best_test(path: &Path) -> Option<Best> {
    let rows: Vec<SummaryRow> = records::read(&path.join("summary.csv")).ok()?;
    let accuracies = rows.into_iter().map(|row| row.accuracy).filter(|accuracy| accuracy.is_finite());
    accuracies.max_by(f64::total_cmp).map(|value| Best { measure: Measure::TestAccuracy, value })
}
