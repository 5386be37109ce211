//! `quickstudy export`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::say;
use crate::{
    algorithms::Training,
    learned::{
        Learned,
        export::{LOADER, WEIGHTS, export},
    },
    output::note,
};

/// Write what a run has learned for PyTorch: its weights, and the Python that loads them
///
/// Examples:
///   quickstudy export results/maml/maml-seed0
///   quickstudy export results/maml/maml-seed0 --out network
///   python3 -c "from load_model import load_model; print(load_model())"     # in that folder
///
/// The Python needs torch and safetensors; ONNX is one line from there, which the file has.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A run's folder, for example results/maml/maml-seed0
    run: PathBuf,
    /// The folder to write to, where files of the same names are replaced; the run's own, in pytorch/, unless said otherwise
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let learned = Learned::open(&self.run)?;
        let folder = self.out.unwrap_or_else(|| learned.folder.join("pytorch"));
        export(&learned, &folder)?;
        if learned.run(&learned.experiment)?.method.algorithm.training() == Training::Nothing {
            note!(
                "note: this method learns nothing before it meets a task; these are its random initial weights"
            );
        }
        say(&format!("{}\n{}\n", folder.join(WEIGHTS).display(), folder.join(LOADER).display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
