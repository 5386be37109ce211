//! What all runs of an experiment share, and how the files of one of them are read and written.

use std::{path::PathBuf, sync::atomic::AtomicBool};

use anyhow::Result;
use serde_json::{Value, json};
use tch::Device;
use thiserror::Error;

use super::{
    environment,
    files::{ENVIRONMENT, LOG},
    folder::Folder,
    growing::append,
    material::Material,
    plan::{Goal, Run},
};
use crate::{chunks::Split, train::Halt};

/// What of the machine is used.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// Where tensors live.
    pub device: Device,
    /// How meta-batches and tests are split, if memory allows.
    pub split: &'a Split,
    /// Bytes for the tasks worked on at once.
    pub budget: u64,
}

/// What all runs of an experiment share.
pub struct Workplace<'a> {
    /// Data and episodes.
    pub material: &'a Material<'a>,
    /// Where results go.
    pub folder: &'a Folder,
    /// Set when the user wants to stop.
    pub stop: &'a AtomicBool,
    /// What of the machine is used.
    pub machine: Machine<'a>,
    /// How far runs go.
    pub goal: Goal,
}

/// Why a run has not come to its end.
#[derive(Debug, Error)]
pub enum RunError {
    /// The user stopped it; it can be resumed.
    #[error("stopped")]
    Stopped,
    /// It failed; other runs go on.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<Halt> for RunError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Stopped => Self::Stopped,
            Halt::Observer(error) => Self::Failed(error),
            diverged @ Halt::Diverged { .. } => Self::Failed(diverged.into()),
        }
    }
}

impl Workplace<'_> {
    /// Where a file of a run is.
    pub(super) fn path(&self, run: &Run, name: &str) -> PathBuf {
        self.folder.path.join(run.file(name))
    }

    /// Writes a file of a run as a whole.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&self, run: &Run, name: &str, bytes: &[u8]) -> Result<()> {
        self.folder.write(run.file(name), bytes)
    }

    /// Appends an event to the run's `log.jsonl`, with the time in seconds since 1970.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn log(&self, run: &Run, mut event: Value) -> Result<()> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        event["time"] = json!(now.as_secs_f64());
        append(&self.path(run, LOG), format!("{event}\n").as_bytes())?;
        Ok(())
    }

    /// The entries of a run's `environment.json`; none where it begins anew.
    ///
    /// # Errors
    /// The file is damaged.
    pub(super) fn entries(&self, run: &Run) -> Result<Vec<Value>> {
        match self.folder.replaces {
            true => Ok(Vec::new()),
            false => environment::read(&self.path(run, ENVIRONMENT)),
        }
    }
}
