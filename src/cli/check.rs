//! `quickstudy check`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::{DataDir, ExperimentFile, say};
use crate::{
    experiment::fit::{self, Seen},
    output::note,
};

/// Check an experiment file without running it
///
/// Prints the resolved experiment, with every default filled in. What it needs is looked at too: the
/// data set where it is on this computer already, and checkpoints that it starts from.
///
/// Examples:
///   quickstudy check maml.yaml
///   quickstudy check mine.yaml --set train.iterations=200 > resolved.yaml
///
/// Exit codes: 0 sound, 2 not, 1 if files of a data folder that it names are damaged.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    #[command(flatten)]
    file: ExperimentFile,
    #[command(flatten)]
    data: DataDir,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let (path, experiment) = self.file.read()?;
        let source = self.data.source(true);
        let seen = fit::check(&experiment, &source).with_context(|| path.display().to_string())?;
        if seen == Seen::WithoutData {
            note!(
                "note: the data set is not here yet; whether its classes have enough images is not checked"
            );
        }
        say(&serde_saphyr::to_string(&experiment)?)?;
        note!("{} is sound: {} runs", path.display(), experiment.runs().len());
        Ok(ExitCode::SUCCESS)
    }
}
