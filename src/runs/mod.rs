//! What lies in results folders, as far as it has come: experiments with their runs, studies with their trials.
//!
//! Everything is read from files that others may be writing at this moment. What is damaged is listed with the reason, and nothing is
//! changed.

mod experiment;
mod log;
mod run;
mod scan;
mod study;

use std::{
    cmp::Ordering,
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use clap::ValueEnum;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    experiment::folder::is_at_work,
    measures::{Better, Quantity},
};
pub use log::{Log, Validated};
pub use scan::scan;

/// How a run, or a folder of runs, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A process is at work on it.
    Running,
    /// Planned, but not begun.
    Waiting,
    /// Begun and left; it can be resumed.
    Unfinished,
    /// Trained and validated, not tested.
    Validated,
    /// A trial that was left behind at a rung.
    Pruned,
    /// Tested; or, of a trial, trained to its end.
    Done,
    /// It ended with an error.
    Failed,
    /// A file of it cannot be read.
    Damaged,
}

impl Status {
    /// As tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Unfinished => "unfinished",
            Self::Validated => "validated",
            Self::Pruned => "pruned",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Damaged => "damaged",
        }
    }
}

/// Where a [`BestValue`] was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasuredOn {
    /// On validation episodes.
    Validation,
    /// On test episodes.
    Test,
}

/// The best that was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestValue {
    /// Where.
    pub part: MeasuredOn,
    /// What.
    pub quantity: Quantity,
    /// The value; shares from 0 to 1.
    pub value: f64,
}

impl Serialize for BestValue {
    /// As `{"measure": "validation_mse", "value": 0.5}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let part = match self.part {
            MeasuredOn::Validation => "validation",
            MeasuredOn::Test => "test",
        };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("measure", &format!("{part}_{}", self.quantity.name))?;
        map.serialize_entry("value", &self.value)?;
        map.end()
    }
}

impl BestValue {
    /// The best first; of different quantities those first of which more is better, otherwise by name.
    pub fn order(&self, other: &Self) -> Ordering {
        let kind = |best: &Self| (best.quantity.better == Better::Lower, best.quantity.name);
        kind(self).cmp(&kind(other)).then(self.quantity.better.best_first(self.value, other.value))
    }
}

/// One run of an experiment, or one trial of a study.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunStatus {
    /// Its folder's name, or the trial's number.
    pub name: String,
    /// How it stands.
    pub state: Status,
    /// Why it failed or cannot be read.
    pub reason: Option<String>,
    /// Outer iterations done.
    pub iterations: usize,
    /// Outer iterations at most; unknown of a trial that is not at work.
    pub planned: Option<usize>,
    /// The best validation while training.
    pub best: Option<BestValue>,
    /// Time spent on it.
    pub seconds: f64,
    /// When it last gave a sign of life, in seconds since 1970.
    pub time: Option<f64>,
    /// Iterations per second since it was last started, from what it has saved.
    pub speed: Option<f64>,
    /// Seconds of training left, of a run at work.
    pub left: Option<f64>,
    /// Iterations and what it is judged by on validation episodes; of a trial, what its study looks at.
    #[serde(skip)]
    pub curve: Vec<(usize, f64)>,
}

/// What a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The runs of an experiment.
    Experiment,
    /// The trials of a sweep.
    Study,
}

/// A results folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// What it holds.
    pub kind: Kind,
    /// Its path below the folder that was scanned.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// What its runs are judged by; unknown where it cannot be read.
    #[serde(skip)]
    pub judge: Option<Quantity>,
    /// How it stands.
    pub state: Status,
    /// Why it cannot be read.
    pub reason: Option<String>,
    /// The best validation of its runs; the best test where none was validated.
    pub best: Option<BestValue>,
    /// Time spent on all of its runs.
    pub seconds: f64,
    /// When a run last gave a sign of life, in seconds since 1970.
    pub time: Option<f64>,
    /// Its runs or trials, in the order they run in.
    pub runs: Vec<RunStatus>,
}

impl Listed {
    fn new(kind: Kind, path: &Path, state: Status, runs: Vec<RunStatus>) -> Self {
        let best = runs.iter().filter_map(|run| run.best).min_by(BestValue::order);
        Self {
            kind,
            name: String::new(),
            judge: None,
            path: path.to_owned(),
            state,
            reason: None,
            best,
            seconds: runs.iter().map(|run| run.seconds).sum(),
            time: runs.iter().filter_map(|run| run.time).max_by(f64::total_cmp),
            runs,
        }
    }

    fn damaged(kind: Kind, path: &Path, reason: String) -> Self {
        let time = modified(path);
        Self { reason: Some(reason), time, ..Self::new(kind, path, Status::Damaged, Vec::new()) }
    }

    /// Runs that need no more work.
    pub fn done(&self) -> usize {
        let over = |run: &&RunStatus| matches!(run.state, Status::Done | Status::Validated | Status::Pruned);
        self.runs.iter().filter(over).count()
    }
}

/// How a folder stands with such runs in it, if nobody is at work there.
fn together(runs: &[RunStatus]) -> Status {
    let any = |state| runs.iter().any(|run| run.state == state);
    let all = |states: &[Status]| runs.iter().all(|run| states.contains(&run.state));
    match () {
        () if any(Status::Running) => Status::Running,
        () if any(Status::Damaged) => Status::Damaged,
        () if any(Status::Failed) => Status::Failed,
        () if all(&[Status::Done]) => Status::Done,
        () if all(&[Status::Done, Status::Validated]) => Status::Validated,
        () => Status::Unfinished,
    }
}

/// When a file was written, in seconds since 1970.
fn modified(path: &Path) -> Option<f64> {
    seconds(fs::metadata(path).ok()?.modified().ok()?)
}

fn seconds(time: SystemTime) -> Option<f64> {
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}

/// The first line of a text; of an error with a snippet, what it says.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
