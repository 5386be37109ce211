//! Before a run: what it starts with, and whether it can.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tch::Device;

use super::{
    environment::{differences, environment},
    material::{Fold, Material},
    plan::Run,
    run::{ENVIRONMENT, Workplace},
    spec::{Initialisation, Task},
};
use crate::{
    algorithms::{MetaLearner, Setting, Training},
    chunks::Split,
    misuse::misuse,
    models::Params,
    random::{Purpose, stream},
    tasks::{copies::Copier, few_shot::TaskSize},
};

/// What of the machine is used.
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
        copier: run.method.adapt.clone().map(|settings| {
            let (height, width) = (material.dataset.height, material.dataset.width);
            Copier { settings, height, width }
        }),
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
            let file = self.folder.path.join(run.file(ENVIRONMENT));
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let left: Value = serde_json::from_str(&text).unwrap_or_default();
            if !self.replaces && left["test_episodes_sha256"] != json!(fold.hash) {
                misuse!(
                    "{} was made with other test episodes: the data set has changed. Replace the results with --fresh, \
                     or choose another folder with --out",
                    file.display()
                );
            }
            if !self.replaces && !run.is_done(&self.folder.path, self.goal) {
                changes
                    .extend(differences(&left, &environment(self.machine.device, &ready.split, &fold.hash)));
            }
        }
        changes.sort();
        changes.dedup();
        Ok(changes)
    }

    /// The method, the theta it starts from, and how its tasks are split. The experiment's `train.init` is for methods that
    /// meta-learn; baselines start from a checkpoint only where their own `train` says so.
    pub(super) fn start(&self, run: &Run, fold: &Fold) -> Result<Ready> {
        let mut ready = Ready::new(self.material, run, fold, &self.machine)?;
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
