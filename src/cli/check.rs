//! `quickstudy check`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::{DataDir, ExperimentFile, say};
use crate::{
    experiment::{dataset::DatasetSpec, material::Material},
    output::note,
};

/// Check an experiment file without running it
///
/// Prints the resolved experiment, with every default filled in.
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
        if let DatasetSpec::Folder { .. } = &experiment.task.dataset {
            // What lies in a folder is at hand; a registered data set is not fetched only to be checked.
            let fits =
                || Material::load(&experiment, &self.data.source(true), tch::Device::Cpu)?.folds().map(drop);
            fits().with_context(|| path.display().to_string())?;
        }
        say(&serde_saphyr::to_string(&experiment)?)?;
        note!("{} is sound: {} runs", path.display(), experiment.runs().len());
        Ok(ExitCode::SUCCESS)
    }
}
