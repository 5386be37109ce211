//! `quickstudy adapt`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use comfy_table::{Table, presets};

use super::{DataDir, Machine, say};
use crate::{
    experiment::{folder::write_whole, workplace},
    learned::{
        Learned,
        adapt::{Adapted, OwnTask, adapt},
    },
    output::note,
};

/// Adapt what a run has learned to a few images of your own, and classify others
///
/// The support folder has a folder for each class with its images; the query folder has images,
/// or such folders too, and then the accuracy is told. Images are PNG, JPEG, WebP or BMP files;
/// they are made grey and brought to the size of those of the run's data set.
///
/// Examples:
///   quickstudy adapt results/maml/maml-seed0 --support letters --query unknown
///   quickstudy adapt results/maml/maml-seed0 --support letters --query more --invert
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A run's folder, for example results/maml/maml-seed0
    run: PathBuf,
    /// A folder with a folder of images for each class, as many as the run's tasks have
    #[arg(long, value_name = "FOLDER")]
    support: PathBuf,
    /// A folder with the images to classify
    #[arg(long, value_name = "FOLDER")]
    query: PathBuf,
    /// Adaptation steps; those that did best on the run's validation tasks unless said otherwise, else the most of evaluate.steps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100_000))]
    steps: Option<u32>,
    /// Swap black and white, for dark ink on light paper where the data set has the opposite
    #[arg(long)]
    invert: bool,
    /// Write the table as a CSV file too
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
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
        let task = OwnTask {
            support: &self.support,
            query: &self.query,
            steps: self.steps.map(|steps| steps as usize),
            invert: self.invert,
        };
        let device = self.machine.device()?;
        let split = self.machine.split(device)?;
        let machine = workplace::Machine { device, split: &split, budget: self.machine.budget(device) };
        let adapted = adapt(&learned, &task, &self.data.source(false), &machine)?;
        for warning in &adapted.warnings {
            note!("warning: {warning}");
        }
        if let Some(file) = &self.out {
            let mut writer = csv::Writer::from_writer(Vec::new());
            adapted.predictions.iter().try_for_each(|prediction| writer.serialize(prediction))?;
            write_whole(file, &writer.into_inner()?)?;
        }
        say(&text(&adapted))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn text(adapted: &Adapted) -> String {
    let (right, known) = adapted.hits();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    let header = ["image", "class", "predicted", "probability"].into_iter();
    table.set_header(header.filter(|column| *column != "class" || known > 0));
    for prediction in &adapted.predictions {
        let mut cells = vec![prediction.image.clone()];
        cells.extend((known > 0).then(|| prediction.class.clone().unwrap_or_default()));
        cells.extend([prediction.predicted.clone(), format!("{:.1} %", prediction.probability * 100.0)]);
        table.add_row(cells);
    }
    let mut text = format!("{table}\n\nafter {} adaptation steps", adapted.steps);
    if known > 0 {
        text += &format!(": {right} of {known} right, {:.1} %", 100.0 * right as f64 / known as f64);
    }
    text + "\n"
}
