//! `quickstudy data`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{DataDir, say};
use crate::{
    data::{self, Dataset, DatasetSpec},
    experiment::folder::write_whole,
    figures::{ContactRow, contact_sheet},
    misuse::misuse,
    random::Purpose,
    tasks::few_shot::{FewShot, ImageBank, TaskSize},
};

/// Look at data sets
#[derive(Subcommand)]
pub enum Command {
    Show(ShowArguments),
}

impl Command {
    pub fn run(self) -> Result<ExitCode> {
        let Self::Show(show) = self;
        show.run()
    }
}

/// Draw one few-shot episode as a picture
///
/// Examples:
///   quickstudy data show mnist
///   quickstudy data show mnist --ways 3 --shots 5 --seed 7 --output episode.png
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ShowArguments {
    /// A registered data set (see quickstudy list datasets), or a folder with one in IDX form, or with a folder of images for each class
    dataset: PathBuf,
    #[command(flatten)]
    data: DataDir,
    /// Classes of the episode
    #[arg(long, default_value_t = 5)]
    ways: usize,
    /// Support images per class
    #[arg(long, default_value_t = 1)]
    shots: usize,
    /// Queries per class
    #[arg(long, default_value_t = 5)]
    queries: usize,
    /// Draws the episode
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The PNG file to write; `<dataset>-episode.png` unless said otherwise
    #[arg(long, short)]
    output: Option<PathBuf>,
}

impl ShowArguments {
    fn run(self) -> Result<ExitCode> {
        let source = self.data.source(false);
        let name = self.dataset.to_string_lossy();
        let data = match DatasetSpec::meant(&self.dataset, &source) {
            Some(dataset) => dataset.load(&source)?,
            None => {
                let known: Vec<&str> = data::REGISTRY.iter().map(|entry| entry.name).collect();
                misuse!("there is no data set and no folder {name}; there is {}", known.join(", "))
            }
        };
        let rows = self.rows(&data)?;
        let title = format!("{}: a {}-way {}-shot episode", data.name, self.ways, self.shots);
        let png = contact_sheet(&title, &rows, data.height, data.width)?;
        let file = self.output.clone().unwrap_or_else(|| format!("{}-episode.png", data.name).into());
        write_whole(&file, &png)?;
        say(&format!("{}\n", file.display()))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Draws an episode from all classes.
    fn rows(&self, data: &Dataset) -> Result<Vec<ContactRow>> {
        let size = TaskSize { ways: self.ways, shots: self.shots, queries: self.queries };
        let mut pools = vec![Vec::new(); data.classes.len()];
        data.labels.iter().enumerate().for_each(|(image, &label)| pools[usize::from(label)].push(image));
        let fewest = pools.iter().map(Vec::len).min().unwrap_or(0);
        if size.ways == 0 || size.ways > pools.len() {
            misuse!("--ways {}: {} has {} classes", size.ways, data.name, pools.len());
        }
        if size.shots == 0 || size.shots.saturating_add(size.queries) > fewest.min(100) {
            misuse!(
                "--shots {} --queries {}: take at least 1 shot and at most {} images of a class",
                size.shots,
                size.queries,
                fewest.min(100)
            );
        }
        let bank = ImageBank::new(data, tch::Device::Cpu);
        let source = FewShot::new(bank, pools, size, self.seed, Purpose::Train);
        let drawn = source.rows(0, 0);
        let image = |i: &usize| data.image(*i).to_vec();
        let rows = drawn.chunks(size.shots + size.queries).enumerate().map(|(label, images)| {
            let (support, query) = images.split_at(size.shots);
            let class = &data.classes[usize::from(data.labels[images[0]])];
            ContactRow {
                class: format!("label {label}: class {class}"),
                support: support.iter().map(image).collect(),
                query: query.iter().map(image).collect(),
            }
        });
        Ok(rows.collect())
    }
}
