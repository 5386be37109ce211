//! The rows of a run's CSV files, as written by training and evaluation and read by statistics and figures.
//!
//! Every row names its method, fold and seed, so that files of many runs can be concatenated as they are (tidy data). What was measured has
//! a column for each measure, by its name.

use std::{fs, io::Cursor, path::Path};

use anyhow::{Context, Result, anyhow};
use csv::StringRecord;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::measures;

/// Measured values by the names of their measures, in the order of the columns; empty where nothing was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Vec<(&'static str, Option<f64>)>);

impl Values {
    /// The value of a measure, if it was measured.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| *known == name)?.1
    }

    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Option<f64>)> + '_ {
        self.0.iter().copied()
    }

    /// One more.
    pub fn push(&mut self, name: &'static str, value: Option<f64>) {
        self.0.push((name, value));
    }

    /// One more, or another one in its place.
    pub fn set(&mut self, name: &'static str, value: Option<f64>) {
        self.0.retain(|(known, _)| *known != name);
        self.push(name, value);
    }

    /// Takes up a cell if its column is named after a measure.
    fn take(&mut self, column: &str, cell: &str) -> Result<()> {
        if let Some(measure) = measures::find(column) {
            self.push(measure.name(), number(column, cell)?);
        }
        Ok(())
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    fn cells(&self) -> Vec<Option<f64>> {
        self.0.iter().map(|(_, value)| *value).collect()
    }
}

impl FromIterator<(&'static str, f64)> for Values {
    fn from_iter<T: IntoIterator<Item = (&'static str, f64)>>(values: T) -> Self {
        Self(values.into_iter().map(|(name, value)| (name, Some(value))).collect())
    }
}

/// A cell that holds a number or nothing.
pub(crate) fn number(column: &str, cell: &str) -> Result<Option<f64>> {
    if cell.is_empty() {
        return Ok(None);
    }
    cell.parse().map(Some).map_err(|_| anyhow!("{column}: {cell:?} is no number"))
}

/// One outer iteration of training: a line of `train.csv`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
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
    /// Mean values on the meta-validation episodes, where they were evaluated: columns `validation_<measure>`.
    #[serde(skip)]
    pub validation: Values,
}

impl TrainRow {
    /// The value in a column of validation, if there was one: of a measure, or the loss.
    pub fn validated(&self, column: &str) -> Option<f64> {
        if column == measures::LOSS.name { self.validation_loss } else { self.validation.get(column) }
    }
}

/// What a row of `evaluation.csv` was tested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A frozen test episode.
    FewShot,
    /// The whole data set as one task: all training images, all test images.
    WholeDataset,
}

/// One test episode after one number of adaptation steps: a line of `evaluation.csv`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct EvaluationRow {
    /// The method's name in the experiment file.
    pub method: String,
    /// The cross-validation fold, 0 where there is only one split.
    pub fold: usize,
    /// The run's seed.
    pub seed: u64,
    /// What was tested.
    pub task: TaskKind,
    /// Support rows, of a class where there are classes.
    pub shots: usize,
    /// Index of the frozen test episode, the same for every method and seed.
    pub episode: usize,
    /// Adaptation steps taken on the support set.
    pub step: usize,
    /// Mean loss over the episode's queries.
    pub loss: f64,
    /// What was measured on the episode's queries.
    #[serde(skip)]
    pub values: Values,
}

impl EvaluationRow {
    /// The value in a column: of a measure, or the loss.
    pub fn value(&self, column: &str) -> Option<f64> {
        if column == measures::LOSS.name { Some(self.loss) } else { self.values.get(column) }
    }
}

/// What it took to answer the queries of a test episode after one number of adaptation steps: a line of `cost.csv`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CostRow {
    /// The method's name in the experiment file.
    pub method: String,
    /// The cross-validation fold, 0 where there is only one split.
    pub fold: usize,
    /// The run's seed.
    pub seed: u64,
    /// Support rows, of a class where there are classes.
    pub shots: usize,
    /// Adaptation steps taken on the support set.
    pub step: usize,
    /// Support rows that were looked at: steps times the rows of a step, or all neighbours.
    pub rows: usize,
    /// Milliseconds of one thread for each episode, from the episode in memory to the outputs for its queries: all steps, and the
    /// queries once. Another on every run.
    pub milliseconds: f64,
}

/// A row of a CSV file, which may have columns that depend on what was measured.
pub trait Row: DeserializeOwned {
    /// Whether rows are added to its file while others read it: what has no end of line yet is then not there yet.
    const GROWS: bool = false;

    /// The names of its columns.
    fn header(&self) -> Vec<String>;

    /// What stands in them.
    fn cells(&self) -> impl Serialize;

    /// Takes up a cell of a column that is not one of every such file.
    ///
    /// # Errors
    /// It is no number.
    fn take(&mut self, _column: &str, _cell: &str) -> Result<()> {
        Ok(())
    }
}

/// What columns of validation are called before the measure's name.
const VALIDATION: &str = "validation_";

impl Row for TrainRow {
    const GROWS: bool = true;

    fn header(&self) -> Vec<String> {
        let mut header =
            owned(&["method", "fold", "seed", "iteration", "loss", "learning_rate", "validation_loss"]);
        header.extend(self.validation.names().map(|name| format!("{VALIDATION}{name}")));
        header
    }

    fn cells(&self) -> impl Serialize {
        let Self { method, fold, seed, iteration, loss, learning_rate, validation_loss, validation } = self;
        (method, fold, seed, iteration, loss, learning_rate, validation_loss, validation.cells())
    }

    fn take(&mut self, column: &str, cell: &str) -> Result<()> {
        match column.strip_prefix(VALIDATION) {
            Some(measure) => self.validation.take(measure, cell),
            None => Ok(()),
        }
    }
}

impl Row for EvaluationRow {
    fn header(&self) -> Vec<String> {
        let mut header = owned(&["method", "fold", "seed", "task", "shots", "episode", "step", "loss"]);
        header.extend(self.values.names().map(str::to_owned));
        header
    }

    fn cells(&self) -> impl Serialize {
        let Self { method, fold, seed, task, shots, episode, step, loss, values } = self;
        (method, fold, seed, task, shots, episode, step, loss, values.cells())
    }

    fn take(&mut self, column: &str, cell: &str) -> Result<()> {
        self.values.take(column, cell)
    }
}

impl Row for CostRow {
    fn header(&self) -> Vec<String> {
        owned(&["method", "fold", "seed", "shots", "step", "rows", "milliseconds"])
    }

    fn cells(&self) -> impl Serialize {
        let Self { method, fold, seed, shots, step, rows, milliseconds } = self;
        (method, fold, seed, shots, step, rows, milliseconds)
    }
}

/// Names of columns.
pub(crate) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The row in a line of a file with this header.
///
/// # Errors
/// Says in which line and column something else stands than should.
pub fn parse<R: Row>(header: &StringRecord, line: &StringRecord) -> Result<R> {
    let mut row: R = line.deserialize(Some(header))?;
    for (column, cell) in header.iter().zip(line) {
        row.take(column, cell).with_context(|| {
            line.position().map_or_else(String::new, |position| format!("line: {}", position.line()))
        })?;
    }
    Ok(row)
}

/// The header and the lines of a file.
fn lines<R: Row>(path: &Path) -> Result<(StringRecord, csv::Reader<Cursor<Vec<u8>>>)> {
    let mut bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if R::GROWS {
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    }
    let mut reader = csv::Reader::from_reader(Cursor::new(bytes));
    Ok((reader.headers()?.clone(), reader))
}

/// Every row of a file, or what is wrong with it.
fn rows<R: Row>(path: &Path) -> Result<impl Iterator<Item = Result<R>>> {
    let (header, reader) = lines::<R>(path)?;
    Ok(reader.into_records().map(move |line| parse(&header, &line?)))
}

/// Reads every row of a CSV file.
///
/// # Errors
/// Names the file, and the line where a row does not parse.
pub fn read<R: Row>(path: &Path) -> Result<Vec<R>> {
    rows(path)?.collect::<Result<_>>().with_context(|| {
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
        let mut sound = Vec::new();
        for row in rows(path)? {
            match row {
                Ok(row) => sound.push(row),
                Err(error) => named.push(format!("left out of {}: {error:#}", path.display())),
            }
        }
        Ok(sound)
    }
}

/// The rows as CSV text with a header line, that of the first.
///
/// # Errors
/// Only if a row cannot be represented, or has other columns than the first.
pub fn to_csv<R: Row>(rows: &[R]) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    if let Some(first) = rows.first() {
        writer.write_record(first.header())?;
    }
    for row in rows {
        writer.serialize(row.cells())?;
    }
    writer.into_inner().context("cannot format CSV")
}

#[cfg(test)]
mod tests;
