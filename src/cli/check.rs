//! `quickstudy check`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::ExperimentFile;

/// Check an experiment file without running it
///
/// Prints the resolved experiment, with every default filled in. Exit codes: 0 sound, 2 not.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    file: ExperimentFile,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let (path, experiment) = self.file.read()?;
        print!("{}", serde_saphyr::to_string(&experiment)?);
        eprintln!("{} is sound: {} runs", path.display(), experiment.runs().len());
        Ok(ExitCode::SUCCESS)
    }
}
