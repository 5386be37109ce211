//! Before a run: what it starts with, and whether it can.

use anyhow::{Context, Result};

use super::{
    environment::{differences, environment},
    files::ENVIRONMENT,
    fold::Fold,
    material::Material,
    plan::{Goal, Run},
    workplace::{Machine, Workplace},
};
use crate::{
    algorithms::{MetaLearner, Setting, Training},
    chunks::Split,
    misuse::misuse,
    models::Params,
    output::note,
    random::{Purpose, stream},
    tasks::{Part, copies::Copier},
};

/// What a run starts with.
pub(crate) struct Ready {
    /// The method, built.
    pub learner: Box<dyn MetaLearner>,
    /// Theta before training.
    pub theta: Params,
    /// How its tasks are split.
    pub split: Split,
}

/// The method of a run, built for its tasks, with so many bytes for what is worked on at once.
pub(crate) fn learner(material: &Material, run: &Run, memory: u64) -> Box<dyn MetaLearner> {
    let tasks = &material.tasks;
    let interface = tasks.interface();
    let copier = run.method.adapt.clone().zip(tasks.images());
    run.method.algorithm.build(&Setting {
        model: run.experiment.model.clone(),
        pooled_outputs: tasks.pooled_outputs(run.fold),
        whole_outputs: tasks.whole().map_or(interface.outputs, |whole| whole.outputs),
        interface,
        memory,
        adapts: run.method.adapts,
        copier: copier.map(|(settings, data)| Copier { settings, height: data.height, width: data.width }),
    })
}

impl Ready {
    /// The method with the theta that the run's seed draws.
    ///
    /// # Errors
    /// There is not enough memory for a task.
    pub fn new(material: &Material, run: &Run, machine: &Machine) -> Result<Self> {
        let learner = learner(material, run, machine.budget);
        let theta = learner.init(&mut stream(run.seed, Purpose::Init, 0)).detached(machine.device);
        let training = run.method.algorithm.training();
        let tasks = &material.tasks;
        let to_train = learner.training_bytes(tasks.extent(Part::Train, run.training_shots));
        let to_test =
            learner.testing_bytes(tasks.extent(Part::Test, run.experiment.largest_shots())) * tasks.draws();
        let split = match training {
            // A meta-gradient is as large as all networks, however few tasks it is from.
            Training::SameTasks { tasks, .. } => {
                machine.split.clone().with_largest(machine.split.largest.max(tasks))
            }
            _ => match material.tasks.at_once() {
                // Where it is less, another run's record or the memory says so.
                Some(tasks) if machine.split.largest == Split::LARGEST => {
                    machine.split.clone().with_largest(tasks)
                }
                _ => machine.split.clone(),
            },
        };
        let split = split.within(machine.budget, to_train.max(to_test))?;
        Ok(Self { learner, theta, split })
    }

    /// The method with the theta that training starts from: what the run's seed draws, in place of which comes what `train.init`'s
    /// checkpoint has.
    ///
    /// # Errors
    /// The checkpoint cannot be read or is of another model; there is not enough memory for a task.
    pub fn start(material: &Material, run: &Run, machine: &Machine) -> Result<Self> {
        let mut ready = Self::new(material, run, machine)?;
        let Some(path) = run.init else { return Ok(ready) };
        let names = ready.theta.names.iter();
        let given: Vec<bool> = names.map(|name| ready.learner.starts_from_checkpoint(name)).collect();
        let like = ready.theta.only(&given);
        let read = Params::from_checkpoint(path, &like).context("train.init")?.detached(machine.device);
        let places = given.iter().enumerate().filter(|(_, given)| **given).map(|(place, _)| place);
        for (place, tensor) in places.zip(read.tensors) {
            ready.theta.tensors[place] = tensor;
        }
        Ok(ready)
    }
}

impl Workplace<'_> {
    /// Checks that every run can start, before anything is written: its checkpoint fits, and what it left belongs to these episodes.
    /// Warns where one goes on in other surroundings: its numbers then differ by rounding.
    ///
    /// # Errors
    /// A `Misuse` that names what does not fit.
    pub fn check_starts(&self, folds: &[Fold]) -> Result<()> {
        if self.goal != Goal::Test {
            self.material.require_validation(folds)?;
        }
        let mut changes = Vec::new();
        for run in self.material.experiment.runs() {
            let fold = &folds[run.fold];
            let ready = self.start(&run)?;
            let entries = self.entries(&run)?;
            if entries.iter().any(|entry| entry["test_episodes_sha256"] != fold.hash.as_str()) {
                misuse!(
                    "{} was made with other test episodes: the data set has changed. Replace the results with --fresh, \
                     or choose another folder with --out",
                    self.path(&run, ENVIRONMENT).display()
                );
            }
            if !run.is_done(&self.folder.path, self.goal) {
                let now = environment(self.machine.device, &ready.split, fold, 0);
                changes.extend(entries.iter().flat_map(|entry| differences(entry, &now)));
            }
        }
        changes.sort();
        changes.dedup();
        if !changes.is_empty() {
            note!(
                "warning: an unfinished run was begun in other surroundings ({}); its numbers will differ by rounding from those \
                 of a run in one",
                changes.join("; ")
            );
        }
        Ok(())
    }

    /// What a run starts with. One that goes on keeps the size of its chunks, and so its rounding, however much memory is free now.
    pub(super) fn start(&self, run: &Run) -> Result<Ready> {
        let recorded = self.entries(run)?.last().and_then(|entry| entry["tasks_at_once"].as_u64());
        let recorded = recorded.and_then(|tasks| usize::try_from(tasks).ok()).filter(|tasks| *tasks > 0);
        let largest = self.machine.split.largest.min(recorded.unwrap_or(usize::MAX));
        let split = self.machine.split.clone().with_largest(largest);
        Ready::start(self.material, run, &Machine { split: &split, ..self.machine })
    }
}
