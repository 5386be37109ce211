//! Event files for TensorBoard, from the files of an experiment's runs.
//!
//! The same files give the same bytes. While a run trains, its events only become more, and they are added to the end of its event file, so
//! that a TensorBoard that has the file open sees them.

mod event;

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    experiment::{
        files::{CONFIG, EVALUATION, FIGURES, LOG, TRAIN},
        folder::{self, Folder, write_whole},
        plan::Run,
    },
    output::note,
    records::{self, EvaluationRow, Row, TaskKind, TrainRow},
    runs::Log,
    summary::summarise,
};
use event::{Event, Value};

/// The name of every event file; TensorBoard looks for the first part.
const FILE: &str = "events.out.tfevents.0.quickstudy";
/// Where the figures are, beside the runs.
const EXPERIMENT: &str = "experiment";

/// What was written.
pub struct Written {
    /// The folder of the event files.
    pub folder: PathBuf,
    /// The runs of which values were left out because they are not finite.
    pub diverged: Vec<String>,
}

/// Writes `tensorboard/<run>/` for every run that has begun, and `tensorboard/experiment/` with the figures.
///
/// # Errors
/// The folder is none of results, a file of a run is damaged, or nothing can be written.
pub fn write(results: &Path) -> Result<Written> {
    let experiment = folder::config(results)?;
    let path = results.join("tensorboard");
    fs::create_dir_all(&path).with_context(|| format!("cannot write to {}", path.display()))?;
    let _lock = Folder::at(&path)?; // another one would add the same events again
    let mut diverged = Vec::new();
    for run in experiment.runs() {
        if results.join(&run.folder).exists() {
            let (events, left_out) = of_run(results, &run)?;
            extend(&path.join(&run.folder).join(FILE), &events)?;
            diverged.extend((left_out > 0).then_some(run.folder));
        }
    }
    if let Some(events) = of_figures(&results.join(FIGURES))? {
        extend(&path.join(EXPERIMENT).join(FILE), &events)?;
    }
    Ok(Written { folder: path, diverged })
}

/// A run's configuration, curves and test, and how many values were left out because they are not finite.
fn of_run(results: &Path, run: &Run) -> Result<(Vec<u8>, usize)> {
    let file = |name| results.join(run.file(name));
    let log = Log::read(&file(LOG))?;
    if let Some(damage) = log.damage(&file(LOG)) {
        note!("warning: {damage}");
    }
    let started = log.time_of(0);
    let mut bytes = Event::first(started).record();
    let mut add = |time, step, value| bytes.extend(Event::of(time, step, value).record());
    let mut left_out = 0;
    if let Some(config) = read(&file(CONFIG))? {
        let text = String::from_utf8_lossy(&config);
        add(started, 0, Value::text("config", &format!("```yaml\n{text}```\n")));
    }
    let train: Vec<TrainRow> = rows(&file(TRAIN))?;
    for row in &train {
        let losses = [
            ("train/loss".to_owned(), row.loss),
            ("train/learning_rate".to_owned(), row.learning_rate),
            ("validation/loss".to_owned(), row.validation_loss),
        ];
        let measured = row.validation.iter().map(|(name, value)| (format!("validation/{name}"), value));
        for (tag, value) in losses.into_iter().chain(measured) {
            match value {
                Some(value) if value.is_finite() => {
                    add(log.time_of(row.iteration), row.iteration, Value::scalar(&tag, value));
                }
                Some(_) => left_out += 1,
                None => {}
            }
        }
    }
    let evaluation: Vec<EvaluationRow> = rows(&file(EVALUATION))?;
    let mut quantities = run.experiment.quantities();
    quantities.retain(|quantity| evaluation.iter().any(|row| row.value(quantity.name).is_some()));
    for row in summarise(&evaluation, &[], &quantities) {
        let task = match row.task {
            TaskKind::FewShot => format!("{}_shot", row.shots),
            TaskKind::WholeDataset => "whole_dataset".to_owned(),
        };
        // The steps of these curves are adaptation steps.
        let measured = row.measured.iter().map(|measured| (measured.name, measured.mean));
        for (measure, value) in measured.chain([("loss", row.loss)]) {
            if !value.is_finite() {
                left_out += 1;
                continue;
            }
            add(
                log.time.unwrap_or(started),
                row.step,
                Value::scalar(&format!("test/{measure}/{task}"), value),
            );
        }
    }
    Ok((bytes, left_out))
}

/// The experiment's figures; none where there are none yet.
fn of_figures(folder: &Path) -> Result<Option<Vec<u8>>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "png"));
    files.sort();
    let mut bytes = Event::first(0.0).record();
    for file in &files {
        let png = read(file)?.unwrap_or_default();
        let size = |from: usize| png.get(from..from + 4)?.try_into().map(u32::from_be_bytes).ok();
        // Width and height begin the header chunk, after signature, length and type.
        let (Some(width), Some(height)) = (size(16), size(20)) else { continue };
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        bytes.extend(Event::of(0.0, 0, Value::png(&format!("figures/{name}"), png, width, height)).record());
    }
    Ok((!files.is_empty()).then_some(bytes))
}

fn rows<R: Row>(file: &Path) -> Result<Vec<R>> {
    if file.exists() { records::read(file) } else { Ok(Vec::new()) }
}

/// A file's content, if it is there.
fn read(file: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Adds to a file what it lacks at its end; writes it anew where it begins otherwise.
fn extend(file: &Path, bytes: &[u8]) -> Result<()> {
    match read(file)?.and_then(|old| bytes.strip_prefix(old.as_slice())) {
        None => write_whole(file, bytes),
        Some(rest) => {
            let append = || File::options().append(true).open(file)?.write_all(rest);
            append()
                .with_context(|| format!("cannot write {}: is the disk full or read-only?", file.display()))
        }
    }
}
