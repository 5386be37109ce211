//! Launchers: where trials run.

pub mod local;
pub mod slurm;

use std::time::Duration;

use anyhow::Result;

use super::{
    study::Study,
    trial::{Job, Trial},
};
use crate::experiment::folder::AT_WORK;

/// How a job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum JobEnd {
    /// It reached its rung.
    Reached,
    /// The trial cannot be run, for this reason.
    Failed(String),
    /// It was ended from outside, like this; it can go on.
    Lost(String),
    /// Another process, which an earlier sweep left, was at work on the trial; it is no fault of its own, and it goes on.
    Busy,
}

/// How a job ended whose program gave up.
fn gave_up(study: &Study, number: usize) -> JobEnd {
    let words = study.last_words(number);
    if words.contains(AT_WORK) { JobEnd::Busy } else { JobEnd::Failed(words) }
}

/// A job that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The job.
    pub job: Job,
    /// How.
    pub ending: JobEnd,
    /// How long it ran.
    pub seconds: f64,
}

/// Runs jobs, several at once.
pub trait Launcher {
    /// The jobs that are queued or running, among them those that an earlier sweep left.
    fn jobs(&self) -> Vec<Job>;

    /// How many more it takes now.
    fn room(&self) -> usize;

    /// Starts jobs of these trials.
    ///
    /// # Errors
    /// They cannot be started.
    fn start(&mut self, study: &Study, jobs: Vec<(Job, &Trial)>) -> Result<()>;

    /// The jobs that have ended since it was last asked.
    ///
    /// # Errors
    /// Nothing can be known of them.
    fn ended(&mut self, study: &Study) -> Result<Vec<Ended>>;

    /// How long to wait before asking again.
    fn pause(&self) -> Duration;

    /// Stops the jobs, or leaves them to themselves; what has ended is told once more.
    ///
    /// # Errors
    /// They cannot be stopped.
    fn stop(&mut self, study: &Study) -> Result<()>;
}
