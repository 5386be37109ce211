//! `quickstudy new`.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Args;

use super::say;
use crate::misuse::misuse;

/// Write an experiment file to start from, with every key explained
///
/// Examples:
///   quickstudy new mine.yaml
///   quickstudy experiment mine.yaml --quick
///   quickstudy new --sweep search.yaml
///
/// A file that is there is never overwritten.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The file to write; experiment.yaml or sweep.yaml unless said otherwise
    file: Option<PathBuf>,
    /// A sweep file instead; it searches around an experiment.yaml beside it
    #[arg(long)]
    sweep: bool,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let (default, text) = match self.sweep {
            false => ("experiment.yaml", include_str!("experiment.yaml")),
            true => ("sweep.yaml", include_str!("sweep.yaml")),
        };
        let file = self.file.unwrap_or_else(|| default.into());
        match File::create_new(&file) {
            Ok(mut created) => created.write_all(text.as_bytes()).with_context(|| cannot(&file))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                misuse!("{} is there already: name another file", file.display())
            }
            Err(error) => return Err(error).with_context(|| cannot(&file)),
        }
        let next = match self.sweep {
            false => format!("quickstudy experiment {} --quick", file.display()),
            true => format!("quickstudy sweep {} --dry-run", file.display()),
        };
        say(&format!("{}\nTry it: {next}\n", file.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn cannot(file: &Path) -> String {
    format!("cannot write {}", file.display())
}
