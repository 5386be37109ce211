//! `quickstudy figures`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::say;

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
        let table = crate::experiment::results::redraw(&self.folder)?;
        say(&format!("{table}\nFigures: {}\n", self.folder.join("figures").display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
