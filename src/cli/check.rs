//! `quickstudy check`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::ExperimentFile;
use crate::{
    data::Source,
    experiment::{dataset::DatasetSpec, material::Material},
};

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
        if let DatasetSpec::Folder { .. } = &experiment.task.dataset {
            // What lies in a folder is at hand; a registered data set is not fetched only to be checked.
            let fits =
                || Material::load(&experiment, &Source::default(), tch::Device::Cpu)?.folds().map(drop);
            fits().with_context(|| path.display().to_string())?;
        }
        print!("{}", serde_saphyr::to_string(&experiment)?);
        eprintln!("{} is sound: {} runs", path.display(), experiment.runs().len());
        Ok(ExitCode::SUCCESS)
    }
}
