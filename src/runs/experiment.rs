//! The runs of an experiment, from its results folder.

use std::path::Path;

use super::{BestValue, Kind, Listed, MeasuredOn, Status, first_line, is_at_work, run, together};
use crate::{
    experiment::{files::SUMMARY, folder},
    measures::Quantity,
    records,
    summary::SummaryRow,
};

/// Reads an experiment's folder at a time in seconds since 1970; its runs are judged by what it says itself, unless told otherwise.
pub(super) fn read(path: &Path, now: f64, judge: Option<Quantity>) -> Listed {
    let experiment = match folder::config(path) {
        Ok(experiment) => experiment,
        Err(error) => {
            let listed = Listed::damaged(Kind::Experiment, path, first_line(&format!("{error:#}")));
            // The first thing an experiment does is to take the lock; it may not have come further.
            let state = if is_at_work(path) { Status::Running } else { Status::Damaged };
            return Listed { state, ..listed };
        }
    };
    let planned = |run: &crate::experiment::plan::Run| match run.method.algorithm.training() {
        crate::algorithms::Training::Nothing | crate::algorithms::Training::Fit => 0,
        _ => run.train.iterations,
    };
    let judge = judge.unwrap_or(experiment.judge());
    let runs = experiment.runs();
    let mut found: Vec<run::Found> =
        runs.iter().map(|run| run::read(path, run, planned(run), judge)).collect();
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
    let state = if at_work { Status::Running } else { together(&runs) };
    let mut listed = Listed { judge: Some(judge), ..Listed::new(Kind::Experiment, path, state, runs) };
    if listed.best.is_none() {
        listed.best = best_test(path, judge);
    }
    listed
}

/// The best mean of `summary.csv`.
fn best_test(path: &Path, judge: Quantity) -> Option<BestValue> {
    let rows: Vec<SummaryRow> = records::read(&path.join(SUMMARY)).ok()?;
    let means = rows.iter().map(|row| row.mean(judge.name)).filter(|mean| mean.is_finite());
    means.map(|value| BestValue { part: MeasuredOn::Test, quantity: judge, value }).min_by(BestValue::order)
}
