//! Experiments: the file as written, checked, built and run.

pub mod check;
mod check_expect;
pub(crate) mod environment;
pub mod expect;
pub(crate) mod files;
pub mod fit;
pub(crate) mod fold;
pub mod folder;
mod growing;
pub mod material;
pub mod method;
pub mod outer_loop;
pub mod plan;
pub(crate) mod predictions;
pub(crate) mod progress;
pub mod published;
pub mod read;
pub mod results;
mod run;
pub mod spec;
pub mod start;
pub(crate) mod state;
mod students;
pub mod table;
pub(crate) mod test;
mod training;
mod truth;
mod whole;
pub mod workplace;

use std::{path::Path, sync::atomic::AtomicBool};

use anyhow::Result;
use tch::Device;

use crate::{chunks::Split, data::Source, output::note};
use folder::{Existing, Folder};
use material::Material;
use plan::Goal;
use progress::MethodLine;
use spec::Experiment;
use workplace::{Machine, Workplace};

/// How an experiment is run; none of it changes what it computes, but for rounding.
pub struct Options<'a> {
    /// The folder above the results folder.
    pub out: &'a Path,
    /// What to do with results that are there.
    pub existing: Existing,
    /// Where data sets lie.
    pub source: Source,
    /// Where tensors live.
    pub device: Device,
    /// How meta-batches and tests are split, if memory allows.
    pub split: Split,
    /// Bytes for the tasks worked on at once.
    pub budget: u64,
    /// How far runs go.
    pub goal: Goal,
    /// No progress, no table.
    pub quiet: bool,
    /// Set when the user wants to stop.
    pub stop: &'a AtomicBool,
}

/// Exit code after Ctrl-C or a termination signal.
pub const INTERRUPTED: u8 = 130;

/// How an experiment ended.
#[derive(Debug)]
pub enum Outcome {
    /// Every run is done; the table.
    Done(String),
    /// Some runs failed, for these reasons; the others are done.
    Failed(Vec<String>, String),
    /// The user stopped it.
    Stopped,
}

/// Runs what is left to run of an experiment, and writes its summary and figures after every method.
///
/// # Errors
/// Nothing can be run: the data or the results folder cannot be had.
pub fn run(experiment: &Experiment, options: &Options) -> Result<Outcome> {
    let folder = Folder::open(options.out, experiment, options.existing, options.goal)?;
    let material = Material::load(experiment, &options.source, options.device)?;
    let folds = material.folds()?;
    let workplace = Workplace {
        material: &material,
        folder: &folder,
        stop: options.stop,
        machine: Machine { device: options.device, split: &options.split, budget: options.budget },
        goal: options.goal,
    };
    workplace.check_starts(&folds)?;
    folder.begin(experiment)?;
    if !options.quiet {
        material.tasks.notes().iter().for_each(|said| note!("note: {said}"));
    }
    let (mut failures, mut table) = (Vec::new(), String::new());
    for name in experiment.methods.keys() {
        let mut line = MethodLine::of(experiment, name, options.quiet);
        let Some(runs) = workplace.run_method(name, &folds, &mut line)? else { return Ok(Outcome::Stopped) };
        if options.goal == Goal::Test {
            table = results::summarise_runs(&folder, experiment)?;
        }
        line.finish(&runs.in_words());
        failures.extend(runs.failures);
    }
    Ok(if failures.is_empty() { Outcome::Done(table) } else { Outcome::Failed(failures, table) })
}
