//! `quickstudy evaluate`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::{DataDir, Machine, say, stop_flag};
use crate::{
    data::{self, DatasetSpec},
    experiment::{INTERRUPTED, folder::write_whole, workplace},
    learned::{
        Learned,
        evaluate::{Changed, evaluate},
    },
    misuse::misuse,
    output::note,
    records,
};

/// Test what a run has learned on other tasks: other shots, steps, classes or another data set
///
/// What is not said is as in the run's own test. Fewer episodes are the first of the same, and fewer
/// shots have the same episodes.
///
/// Examples:
///   quickstudy evaluate results/maml/maml-seed0                           # its own test again
///   quickstudy evaluate results/maml/maml-seed0 --shots 5,10 --steps 0,1,50
///   quickstudy evaluate results/maml/maml-seed0 --dataset fashion --out fashion.csv
///   quickstudy evaluate results/maml/maml-seed0 --classes 0,1,2           # those of training
///   quickstudy evaluate results/memory/cavia-seed0 --reviews collection.anki2
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A run's folder, for example results/maml/maml-seed0
    run: PathBuf,
    /// Numbers of support images per class
    #[arg(long, value_delimiter = ',', value_name = "SHOTS")]
    shots: Option<Vec<usize>>,
    /// Numbers of adaptation steps
    #[arg(long, value_delimiter = ',', value_name = "STEPS")]
    steps: Option<Vec<usize>>,
    /// Test episodes
    #[arg(long, value_name = "N")]
    episodes: Option<usize>,
    /// A registered data set, or a folder with one in IDX form or with a folder of images for each class; all its classes unless --classes says otherwise
    #[arg(long, value_name = "DATASET")]
    dataset: Option<PathBuf>,
    /// Names of the classes to test on
    #[arg(long, value_delimiter = ',', value_name = "CLASSES")]
    classes: Option<Vec<String>>,
    /// A file of reviews, whose learners are tested: CSV, or a collection of Anki (collection.anki2, .apkg), or a folder of them
    #[arg(long, value_name = "FILE")]
    reviews: Option<PathBuf>,
    /// Write a row for every episode and number of steps to a CSV file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// No progress and no table; errors only
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    machine: Machine,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let learned = Learned::open(&self.run)?;
        if let Some(file) = &self.out {
            learned.check_output("--out", file)?;
        }
        let source = self.data.source(self.quiet);
        let changed = Changed {
            shots: self.shots.map(ascending),
            steps: self.steps.map(ascending),
            episodes: self.episodes,
            dataset: self.dataset.map(|name| dataset(name, &source)).transpose()?,
            classes: self.classes,
            reviews: self.reviews,
        };
        let device = self.machine.device()?;
        let split = self.machine.split(device)?;
        let machine = workplace::Machine { device, split: &split, budget: self.machine.budget(device) };
        let stop = stop_flag()?;
        let Some(tested) = evaluate(&learned, &changed, &source, &machine, &stop, self.quiet)? else {
            return Ok(ExitCode::from(INTERRUPTED));
        };
        for warning in &tested.warnings {
            note!("warning: {warning}");
        }
        if let Some(file) = &self.out {
            write_whole(file, &records::to_csv(&tested.rows)?)?;
        }
        if !self.quiet {
            let own = if tested.own_episodes { "on the episodes of the run's own test\n" } else { "" };
            say(&format!("\n{}{own}", tested.table))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn ascending(mut values: Vec<usize>) -> Vec<usize> {
    values.sort_unstable();
    values.dedup();
    values
}

/// A data set by its name or folder.
fn dataset(name: PathBuf, source: &data::Source) -> Result<DatasetSpec> {
    if let Some(dataset) = DatasetSpec::meant(&name, source) {
        return Ok(dataset);
    }
    let known: Vec<&str> = data::REGISTRY.iter().map(|entry| entry.name).collect();
    misuse!(
        "--dataset {}: there is no data set and no folder of that name; there is {}",
        name.display(),
        known.join(", ")
    )
}
