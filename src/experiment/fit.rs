//! Whether an experiment could start, found out without a results folder and without the network.

use anyhow::{Context, Result};
use tch::Device;

use super::{material::Material, spec::Experiment, start::Ready, workplace::Machine};
use crate::{
    chunks::Split,
    data::{DatasetSpec, Source},
    misuse::Misuse,
    models::Params,
};

/// How much of an experiment could be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All.
    All,
    /// All but what depends on images: the data set is not on this computer yet.
    WithoutData,
}

/// Checks an experiment against its data set, where that is at hand, and against the checkpoints that it starts from.
///
/// # Errors
/// What would keep it from being run, but for memory.
pub fn check(experiment: &Experiment, source: &Source) -> Result<Seen> {
    let source = Source { offline: true, ..source.clone() };
    let named = |dataset: &&DatasetSpec| matches!(dataset, DatasetSpec::Named(_));
    let may_be_missing = experiment.task.datasets().iter().any(named) && source.data_dir.is_none();
    let material = match Material::load(experiment, &source, Device::Cpu) {
        Err(error) if may_be_missing && !error.is::<Misuse>() => {
            for path in experiment.runs().iter().filter_map(|run| run.init) {
                Params::read(path).context("train.init")?;
            }
            return Ok(Seen::WithoutData);
        }
        loaded => loaded?,
    };
    material.folds()?;
    let split = Split::whole()?;
    let machine = Machine { device: Device::Cpu, split: &split, budget: u64::MAX };
    for run in experiment.runs() {
        Ready::start(&material, &run, &machine)?;
    }
    Ok(Seen::All)
}
