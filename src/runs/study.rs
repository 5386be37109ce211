//! The trials of a study, from its folder.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::{
    BestValue, Kind, Listed, MeasuredOn, RunStatus, Status, experiment, first_line, is_at_work, modified,
    together,
};
use crate::{
    measures::Quantity,
    sweep::{report, spec::Sweep, study::sweep, trial::Trial},
};

/// Reads a study's folder at a time in seconds since 1970.
pub(super) fn read(path: &Path, now: f64) -> Listed {
    match trials(path, now) {
        Ok((trials, budget, judge)) => {
            let over = trials.len() >= budget;
            let state = match together(&trials) {
                _ if is_at_work(path) => Status::Running,
                Status::Failed | Status::Unfinished if over && trials.iter().all(is_judged) => Status::Done,
                state => state,
            };
            Listed { judge: Some(judge), ..Listed::new(Kind::Study, path, state, trials) }
        }
        Err(error) => Listed::damaged(Kind::Study, path, first_line(&format!("{error:#}"))),
    }
}

/// A trial that failed or was pruned is a result of the study all the same.
fn is_judged(trial: &RunStatus) -> bool {
    matches!(trial.state, Status::Done | Status::Pruned | Status::Failed)
}

/// The trials that have begun, how many there are to be, and what they are judged by.
fn trials(path: &Path, now: f64) -> Result<(Vec<RunStatus>, usize, Quantity)> {
    let sweep = sweep(path)?;
    let folder = path.join("trials");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let trials = files.iter().map(|file| trial(file, &sweep, now)).collect();
    Ok((trials, sweep.budget.trials, sweep.objective().quantity()))
}

fn trial(file: &Path, sweep: &Sweep, now: f64) -> RunStatus {
    let mut status = RunStatus {
        name: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        state: Status::Damaged,
        reason: None,
        iterations: 0,
        planned: None,
        best: None,
        seconds: 0.0,
        time: modified(file),
        speed: None,
        left: None,
        curve: Vec::new(),
    };
    let read = || -> Result<Trial> { Ok(serde_json::from_str(&fs::read_to_string(file)?)?) };
    let trial = match read() {
        Ok(trial) => trial,
        Err(error) => {
            status.reason = Some(format!("{} is damaged: {error:#}", file.display()));
            return status;
        }
    };
    let objective = sweep.objective();
    status.state = match sweep.state(&trial) {
        report::Standing::Done => Status::Done,
        report::Standing::Failed => Status::Failed,
        report::Standing::Pruned if trial.rungs.is_empty() => Status::Unfinished,
        report::Standing::Pruned => Status::Pruned,
    };
    status.iterations = trial.rungs.last().map_or(0, |rung| rung.iterations);
    status.seconds = trial.seconds();
    let best = |score| BestValue {
        part: MeasuredOn::Validation,
        quantity: objective.quantity(),
        value: objective.value(score),
    };
    status.best = trial.score().filter(|score| score.is_finite()).map(best);
    status.curve = sweep.curve(&trial).into_iter().map(|(at, score)| (at, objective.value(score))).collect();
    status.reason = trial.error;
    let results = file.with_extension("");
    if matches!(status.state, Status::Unfinished | Status::Pruned) && is_at_work(&results) {
        let runs = experiment::read(&results, now, Some(objective.quantity())).runs;
        status.state = Status::Running;
        if let Some(run) = runs.into_iter().find(|run| run.state == Status::Running) {
            let best = status.best;
            let (name, seconds) = (status.name, status.seconds + run.seconds);
            // Until its first rung what is known is how it validates while it trains.
            let judged = sweep.pruner.is_some() && !status.curve.is_empty();
            let curve = if judged { status.curve } else { run.curve };
            status = RunStatus { name, seconds, best: best.or(run.best), curve, ..run };
        }
    }
    status
}
