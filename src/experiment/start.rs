//! Before a run: what it starts with, and whether it can.

use anyhow::{Context, Result};
use serde_json::Value;
use tch::Device;

use super::{
    environment::{self, differences, environment},
    material::{Fold, Material},
    plan::{ENVIRONMENT, Run},
    run::Workplace,
    spec::{Initialisation, Task},
};
use crate::{
    algorithms::{MetaLearner, Setting, Training},
    chunks::Split,
    misuse::misuse,
    models::Params,
    random::{Purpose, stream},
    tasks::few_shot::TaskSize,
};

/// What of the machine is used.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// Where tensors live.
    pub device: Device,
    /// How meta-batches and tests are split, if memory allows.
    pub split: &'a Split,
    /// Bytes for the tasks worked on at once.
    pub budget: u64,
}

/// What a run starts with.
pub(crate) struct Ready {
    /// The method, built.
    pub learner: Box<dyn MetaLearner>,
    /// Theta before training.
    pub theta: Params,
    /// How its tasks are split.
    pub split: Split,
}

/// The method of a run, built for the data, with so many meta-training classes.
pub(crate) fn learner(material: &Material, run: &Run, training_classes: usize) -> Box<dyn MetaLearner> {
    run.method.algorithm.build(&Setting {
        model: material.experiment.model.clone(),
        inputs: material.bank.inputs(),
        ways: material.experiment.task.ways,
        training_classes,
        classes: material.dataset.classes.len(),
    })
}

impl Ready {
    /// The method with the theta that the run's seed draws.
    ///
    /// # Errors
    /// There is not enough memory for a task.
    pub fn new(material: &Material, run: &Run, fold: &Fold, machine: &Machine) -> Result<Self> {
        let experiment = material.experiment;
        let learner = learner(material, run, fold.training_classes(&experiment.task));
        let theta = learner.init(&mut stream(run.seed, Purpose::Init, 0)).detached(machine.device);
        let train_shots = match run.method.algorithm.training() {
            Training::Episodes { shots: Some(shots) } => shots,
            _ => experiment.task.shots,
        };
        let Task { ways, queries, .. } = experiment.task;
        let inputs = material.bank.inputs();
        let extent = |shots| TaskSize { ways, shots, queries }.extent(inputs);
        let training = learner.training_bytes(extent(train_shots));
        let testing = learner.testing_bytes(extent(experiment.largest_shots()));
        let split = machine.split.within(machine.budget, training.max(testing))?;
        Ok(Self { learner, theta, split })
    }
}

impl Workplace<'_> {
    /// Whether every run can start, before anything is written: its checkpoint fits, and what it left belongs to these episodes.
    ///
    /// # Errors
    /// A `Misuse` that names what does not fit.
    ///
    /// Gives in words what else has changed since then, if a run goes on in other surroundings: its numbers differ by rounding.
    pub fn check_starts(&self, folds: &[Fold]) -> Result<Vec<String>> {
        let mut changes = Vec::new();
        for run in self.material.experiment.runs() {
            let fold = &folds[run.fold];
            let ready = self.start(&run, fold)?;
            let entries = self.entries(&run)?;
            if entries.iter().any(|entry| entry["test_episodes_sha256"] != fold.hash.as_str()) {
                misuse!(
                    "{} was made with other test episodes: the data set has changed. Replace the results with --fresh, \
                     or choose another folder with --out",
                    self.folder.path.join(run.file(ENVIRONMENT)).display()
                );
            }
            if !run.is_done(&self.folder.path, self.goal) {
                let now = environment(self.machine.device, &ready.split, &fold.hash, 0);
                changes.extend(entries.iter().flat_map(|entry| differences(entry, &now)));
            }
        }
        changes.sort();
        changes.dedup();
        Ok(changes)
    }

    /// The entries of a run's `environment.json`; none where it begins anew.
    pub(super) fn entries(&self, run: &Run) -> Result<Vec<Value>> {
        match self.folder.replaces {
            true => Ok(Vec::new()),
            false => environment::read(&self.folder.path.join(run.file(ENVIRONMENT))),
        }
    }

    /// The method, the theta it starts from, and how its tasks are split. The experiment's `train.init` is for methods that
    /// meta-learn; baselines start from a checkpoint only where their own `train` says so.
    pub(super) fn start(&self, run: &Run, fold: &Fold) -> Result<Ready> {
        // A run that goes on keeps the size of its chunks, and so its rounding, however much memory is free now.
        let recorded = self.entries(run)?.last().and_then(|entry| entry["tasks_at_once"].as_u64());
        let recorded = recorded.and_then(|tasks| usize::try_from(tasks).ok()).filter(|tasks| *tasks > 0);
        let largest = self.machine.split.largest.min(recorded.unwrap_or(usize::MAX));
        let split = self.machine.split.clone().with_largest(largest);
        let machine = Machine { split: &split, ..self.machine };
        let mut ready = Ready::new(self.material, run, fold, &machine)?;
        let learns = matches!(run.method.algorithm.training(), Training::Episodes { .. });
        if let Initialisation::Checkpoint(path) = run.method.train(&self.material.experiment.train).init
            && (learns || run.method.has_own_init())
        {
            let theta = Params::from_checkpoint(&path, &ready.theta).context("train.init")?;
            ready.theta = theta.detached(self.machine.device);
        }
        Ok(ready)
    }
}
