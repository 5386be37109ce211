//! `quickstudy figures`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::say;
use crate::{experiment::files::FIGURES, output::note};

/// Draw the figures and tables of a results folder again, from its CSV files
///
/// Example:
///   quickstudy figures results/maml
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A results folder, for example results/maml
    folder: PathBuf,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let (table, unfinished) = crate::experiment::results::redraw(&self.folder)?;
        if let Some(unfinished) = unfinished {
            note!("warning: {unfinished}");
        }
        say(&format!("{table}\nFigures: {}\n", self.folder.join(FIGURES).display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
