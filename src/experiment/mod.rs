//! Experiments: the file as written, checked, built and run.

pub mod check;
pub(crate) mod environment;
pub mod expect;
pub mod fit;
pub mod folder;
mod growing;
pub mod material;
pub mod method;
pub mod plan;
pub(crate) mod predictions;
pub(crate) mod progress;
pub mod published;
pub mod read;
pub mod results;
pub(crate) mod run;
pub mod spec;
pub mod start;
pub(crate) mod state;
pub mod table;
pub(crate) mod test;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Result, anyhow};
use serde_json::json;
use tch::Device;

use crate::{
    chunks::Split,
    data::Source,
    misuse::{Misuse, panic_message},
    output::note,
};
use folder::{Existing, Folder};
use material::Material;
use plan::Goal;
use progress::MethodLine;
use run::{Ended, Workplace};
use spec::Experiment;
use start::Machine;

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
    let workplace = Workplace {
        material: &material,
        folder: &folder,
        stop: options.stop,
        machine: Machine { device: options.device, split: &options.split, budget: options.budget },
        goal: options.goal,
    };
    let folds = material.folds()?;
    if options.goal != Goal::Test {
        material.require_validation(&folds)?;
    }
    let changes = workplace.check_starts(&folds)?;
    if !changes.is_empty() {
        note!(
            "warning: an unfinished run was begun in other surroundings ({}); its numbers will differ by rounding from those \
             of a run in one",
            changes.join("; ")
        );
    }
    folder.begin(experiment)?;
    let width = experiment.methods.keys().map(String::len).max().unwrap_or(0);
    let (mut failures, mut table) = (Vec::new(), String::new());
    for name in experiment.methods.keys() {
        let mut line = MethodLine::new(name, width, options.quiet);
        let (mut done, mut failed) = (0, 0);
        for run in experiment.runs().iter().filter(|run| run.name == name) {
            if run.is_done(&folder.path, options.goal) {
                done += 1;
                continue;
            }
            // libtorch reports what it cannot do, out of memory for example, by a panic of tch.
            let result = catch_unwind(AssertUnwindSafe(|| workplace.run(run, &folds[run.fold], &mut line)))
                .unwrap_or_else(|panic| Err(Ended::Failed(anyhow!(panic_message(&*panic)))));
            match result {
                Ok(()) => done += 1,
                Err(Ended::Stopped) => return Ok(Outcome::Stopped),
                Err(Ended::Failed(error)) if error.is::<Misuse>() => return Err(error),
                Err(Ended::Failed(error)) => {
                    failed += 1;
                    let reason = format!("{}: {error:#}", run.folder);
                    let _ = workplace.log(run, json!({"event": "failed", "reason": reason})); // the disk may be full
                    failures.push(reason);
                }
            }
            if options.stop.load(Ordering::Relaxed) {
                return Ok(Outcome::Stopped);
            }
        }
        if options.goal == Goal::Test {
            table = results::summarise_runs(&folder, experiment)?;
        }
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        line.finish(&format!("{done} run{} done{failed}", if done == 1 { "" } else { "s" }));
    }
    Ok(if failures.is_empty() { Outcome::Done(table) } else { Outcome::Failed(failures, table) })
}
