//! Before a run: what it starts with, and whether it can.

use std::fs;

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    environment::{differences, environment},
    material::Fold,
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
    tasks::few_shot::TaskSize,
};

/// What a run starts with.
pub(super) struct Ready {
    /// The method, built.
    pub learner: Box<dyn MetaLearner>,
    /// Theta before training.
    pub theta: Params,
    /// How its tasks are split.
    pub split: Split,
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
                changes.extend(differences(&left, &environment(self.device, &ready.split, &fold.hash)));
            }
        }
        changes.sort();
        changes.dedup();
        Ok(changes)
    }

    /// The method, the theta it starts from, and how its tasks are split. The experiment's `train.init` is for methods that
    /// meta-learn; baselines start from a checkpoint only where their own `train` says so.
    pub(super) fn start(&self, run: &Run, fold: &Fold) -> Result<Ready> {
        let experiment = self.material.experiment;
        let learner = run.method.algorithm.build(&Setting {
            model: experiment.model.clone(),
            inputs: self.material.bank.inputs(),
            ways: experiment.task.ways,
            training_classes: fold.training_classes(&experiment.task),
            classes: self.material.dataset.classes.len(),
        });
        let drawn = learner.init(&mut stream(run.seed, Purpose::Init, 0));
        let learns = matches!(run.method.algorithm.training(), Training::Episodes { .. });
        let theta = match run.method.train(&experiment.train).init {
            Initialisation::Checkpoint(path) if learns || run.method.has_own_init() => {
                Params::from_checkpoint(&path, &drawn)?
            }
            _ => drawn,
        };
        let train_shots = match run.method.algorithm.training() {
            Training::Episodes { shots: Some(shots) } => shots,
            _ => experiment.task.shots,
        };
        let Task { ways, queries, .. } = experiment.task;
        let inputs = self.material.bank.inputs();
        let extent = |shots| TaskSize { ways, shots, queries }.extent(inputs);
        let training = learner.training_bytes(extent(train_shots));
        let testing = learner.testing_bytes(extent(experiment.largest_shots()));
        let split = self.split.within(self.budget, training.max(testing))?;
        Ok(Ready { learner, theta: theta.detached(self.device), split })
    }
}
