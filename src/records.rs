//! The rows of a run's CSV files, as written by training and evaluation and read by statistics and figures.
//!
//! Every row names its method, fold and seed, so that files of many runs can be concatenated as they are (tidy data).

use std::{fs, io::Cursor, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// One outer iteration of training: a line of `train.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainRow {
    /// The method's name in the experiment file.
    pub method: String,
    /// The cross-validation fold, 0 where there is only one split.
    pub fold: usize,
    /// The run's seed.
    pub seed: u64,
    /// Outer iterations done, from 1; row 0 holds the validation before training.
    pub iteration: usize,
    /// Mean training loss over the meta-batch; empty in row 0.
    pub loss: Option<f64>,
    /// Step size of the outer optimiser; empty in row 0.
    pub learning_rate: Option<f64>,
    /// Mean loss on the meta-validation episodes, where they were evaluated: every so many iterations, at the last one, and where training
    /// once paused at a rung of a sweep.
    pub validation_loss: Option<f64>,
    /// Mean accuracy (0 to 1) on the meta-validation episodes, where they were evaluated.
    pub validation_accuracy: Option<f64>,
}

/// What a row of `evaluation.csv` was tested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// A frozen test episode.
    FewShot,
    /// The whole data set as one task: all training images, all test images.
    WholeDataset,
}

/// One test episode after one number of adaptation steps: a line of `evaluation.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRow {
    /// The method's name in the experiment file.
    pub method: String,
    /// The cross-validation fold, 0 where there is only one split.
    pub fold: usize,
    /// The run's seed.
    pub seed: u64,
    /// What was tested.
    pub task: Task,
    /// Support images per class.
    pub shots: usize,
    /// Index of the frozen test episode, the same for every method and seed.
    pub episode: usize,
    /// Adaptation steps taken on the support set.
    pub step: usize,
    /// Mean loss over the episode's queries.
    pub loss: f64,
    /// Share of the episode's queries classified correctly, 0 to 1.
    pub accuracy: f64,
}

/// A row of a CSV file.
pub trait Row: DeserializeOwned {
    /// Whether rows are added to its file while others read it: what has no end of line yet is then not there yet.
    const GROWS: bool = false;
}

impl Row for TrainRow {
    const GROWS: bool = true;
}

impl Row for EvaluationRow {}

impl Row for CostRow {}

/// The file's lines.
fn reader<R: Row>(path: &Path) -> Result<csv::Reader<Cursor<Vec<u8>>>> {
    let mut bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if R::GROWS {
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    }
    Ok(csv::Reader::from_reader(Cursor::new(bytes)))
}

/// What it took to answer the queries of a test episode after one number of adaptation steps: a line of `cost.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CostRow {
    /// The method's name in the experiment file.
    pub method: String,
    /// The cross-validation fold, 0 where there is only one split.
    pub fold: usize,
    /// The run's seed.
    pub seed: u64,
    /// Support images per class.
    pub shots: usize,
    /// Adaptation steps taken on the support set.
    pub step: usize,
    /// Support rows that were looked at: steps times the rows of a step, or all neighbours.
    pub rows: usize,
    /// Milliseconds of one thread for each episode, from the episode in memory to the logits of its queries: all steps, and the
    /// queries once. Another on every run.
    pub milliseconds: f64,
}

/// Reads every row of a CSV file.
///
/// # Errors
/// Names the file, and the line where a row does not parse.
pub fn read<R: Row>(path: &Path) -> Result<Vec<R>> {
    reader::<R>(path)?.deserialize().collect::<Result<_, _>>().with_context(|| {
        format!("{} is damaged: delete its folder and run the experiment again", path.display())
    })
}

/// What becomes of lines that cannot be read.
#[derive(Debug, Default)]
pub enum Damage {
    /// They are an error.
    #[default]
    Refuse,
    /// They are left out, and named here.
    Skip(Vec<String>),
}

impl Damage {
    /// The lines that were left out.
    pub fn named(&self) -> &[String] {
        match self {
            Self::Refuse => &[],
            Self::Skip(lines) => lines,
        }
    }

    /// Reads the rows of a CSV file.
    ///
    /// # Errors
    /// See [`read`]; lines that are to be left out are none.
    pub fn read<R: Row>(&mut self, path: &Path) -> Result<Vec<R>> {
        let Self::Skip(named) = self else { return read(path) };
        let mut rows = Vec::new();
        for row in reader::<R>(path)?.deserialize() {
            match row {
                Ok(row) => rows.push(row),
                Err(error) => named.push(format!("left out of {}: {error}", path.display())),
            }
        }
        Ok(rows)
    }
}

/// The rows as CSV text with a header line.
///
/// # Errors
/// Only if a row cannot be represented, which the types above rule out.
pub fn to_csv<Row: Serialize>(rows: &[Row]) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer.into_inner().context("cannot format CSV")
}
