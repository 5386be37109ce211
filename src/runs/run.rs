//! One run of an experiment, from the files in its folder.

use std::{
    fs::File,
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

use anyhow::{Context, Result};

use super::{
    BestValue, MeasuredOn, RunStatus, Status,
    log::{Ending, Log},
    modified,
};
use crate::{
    experiment::{
        files::{ENVIRONMENT, LOG, TRAIN},
        plan::{Goal, Run},
    },
    measures::Quantity,
};

/// A run, and what tells whether it is the one that is worked on.
pub(super) struct Found {
    /// As far as its files tell.
    pub status: RunStatus,
    /// When its last session began or gave a sign of life, if nothing says that it has ended.
    pub open: Option<f64>,
    log: Log,
    /// Iterations of which `train.csv` tells, and when it was written.
    saved: Option<(usize, f64)>,
}

/// Reads a run that is planned for so many iterations, as it is judged.
pub(super) fn read(results: &Path, run: &Run, planned: usize, judge: Quantity) -> Found {
    let file = |name| results.join(run.file(name));
    let environment = modified(&file(ENVIRONMENT));
    let mut reason = None; // for which it cannot be read
    let log_file = file(LOG);
    let log = Log::read(&log_file).unwrap_or_else(|error| {
        reason = Some(format!("{error:#}"));
        Log::default()
    });
    let train = file(TRAIN);
    let iterations = last_iteration(&train).unwrap_or_else(|error| {
        reason = Some(format!("{error:#}"));
        None
    });
    let saved = iterations.zip(modified(&train));
    let validated = log.validations.last().map_or(0, |validated| validated.iteration);
    let curve: Vec<(usize, f64)> = log.curve(judge.name).collect();
    let best =
        curve.iter().map(|point| BestValue { part: MeasuredOn::Validation, quantity: judge, value: point.1 });
    let state = match &log.ending {
        _ if reason.is_some() => Status::Damaged,
        _ if run.is_done(results, Goal::Test) => Status::Done,
        Ending::Failed(_) => Status::Failed,
        _ if run.is_done(results, Goal::Validate { until: None }) => Status::Validated,
        _ if environment.is_some() || log.time.is_some() => Status::Unfinished,
        _ => Status::Waiting,
    };
    if let (Status::Failed, Ending::Failed(why)) = (state, &log.ending) {
        reason = Some(why.clone());
    }
    let reason = reason.or(log.damage(&log_file));
    let began_again = environment.is_some() && environment > log.time;
    let is_open = state != Status::Done && (began_again || log.ending == Ending::None);
    let time = log.time.into_iter().chain(environment).max_by(f64::total_cmp);
    let status = RunStatus {
        name: run.folder.clone(),
        state,
        reason,
        iterations: iterations.unwrap_or(0).max(validated),
        planned: Some(planned),
        best: best.min_by(BestValue::order),
        seconds: log.seconds,
        time,
        speed: None,
        left: None,
        curve,
    };
    Found { status, open: time.filter(|_| is_open), log, saved }
}

impl Found {
    /// Somebody is at work on it at this time.
    pub fn runs(&mut self, now: f64) {
        let status = &mut self.status;
        status.state = Status::Running;
        status.reason = None;
        let Some((begun, from)) = self.log.begun.filter(|_| self.log.ending == Ending::None) else { return };
        status.seconds += (now - self.log.time.unwrap_or(begun)).max(0.0);
        let validated = self.log.validations.last().map(|validated| (validated.iteration, validated.time));
        let points = [self.saved, validated].into_iter().flatten();
        let Some((iteration, time)) = points.max_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1))) else {
            return;
        };
        if iteration > from && time > begun {
            let speed = (iteration - from) as f64 / (time - begun);
            let rest = status.planned.unwrap_or(iteration).saturating_sub(iteration) as f64 / speed;
            status.speed = Some(speed);
            status.left = Some((rest - (now - time)).max(0.0));
        }
    }
}

/// The iteration of the last row of a `train.csv`; none where there is no row yet.
///
/// # Errors
/// The row is damaged, or the file cannot be read.
fn last_iteration(file: &Path) -> Result<Option<usize>> {
    const ROW: i64 = 1024; // more than a row ever has
    const ITERATION: usize = 3; // the column, after method, fold and seed
    let mut tail = Vec::new();
    let mut read = || -> std::io::Result<()> {
        let mut file = File::open(file)?;
        if file.metadata()?.len() > ROW as u64 {
            file.seek(SeekFrom::End(-ROW))?;
        }
        file.read_to_end(&mut tail).map(|_| ())
    };
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read {}", file.display()))?,
    }
    let text = String::from_utf8_lossy(&tail);
    let whole = text.rfind('\n').map_or("", |end| &text[..end]); // another row may be under way
    let line = whole.lines().next_back().unwrap_or_default();
    if line.is_empty() || line.starts_with("method,") && whole.lines().count() == 1 {
        return Ok(None);
    }
    let iteration = line.split(',').nth(ITERATION).and_then(|cell| cell.parse().ok());
    iteration.map(Some).with_context(|| format!("{} is damaged", file.display()))
}
