//! `quickstudy man`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};

use super::{Cli, say};

/// Print the manual page, or write one for every command
///
/// Examples:
///   quickstudy man | man -l -
///   quickstudy man ~/.local/share/man/man1     # then: man quickstudy-experiment
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The folder to write all pages into
    folder: Option<PathBuf>,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let command = Cli::command();
        let Some(folder) = self.folder else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).context("cannot make the manual page")?;
            say(&String::from_utf8_lossy(&page))?;
            return Ok(ExitCode::SUCCESS);
        };
        let written =
            std::fs::create_dir_all(&folder).and_then(|()| clap_mangen::generate_to(command, &folder));
        written.with_context(|| format!("cannot write manual pages into {}", folder.display()))?;
        say(&format!("{}\n", folder.join("quickstudy.1").display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
