//! `quickstudy tensorboard`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::say;
use crate::output::note;

/// Write an experiment's runs as event files for TensorBoard
///
/// They are made from the runs' own files: training and validation curves, test measures over
/// adaptation steps, the configuration as text, and the figures. It may be used while the experiment
/// runs, and again later: what is new is added to what is there.
///
/// Example:
///   quickstudy tensorboard results/maml
///   tensorboard --logdir results/maml/tensorboard
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A results folder, for example results/maml
    folder: PathBuf,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let written = crate::tensorboard::write(&self.folder)?;
        if !written.diverged.is_empty() {
            note!(
                "warning: values that are not finite are left out: {} diverged",
                written.diverged.join(", ")
            );
        }
        say(&format!("see them with: tensorboard --logdir {}\n", written.folder.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
