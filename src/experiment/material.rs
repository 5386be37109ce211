//! What the runs of an experiment are made of: tasks, and frozen episodes of them.

use anyhow::{Context, Result};
use tch::Device;

use super::{check::asks, fold::Fold, plan::Run, spec::Experiment};
use crate::{
    algorithms::Training,
    data::Source,
    misuse::misuse,
    tasks::{Interface, Part, TaskSource, Tasks, family::Retest, frozen::FrozenEpisodes, same::SameTasks},
};

/// The tasks of an experiment.
pub struct Material<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its tasks.
    pub tasks: Box<dyn Tasks>,
}

impl<'a> Material<'a> {
    /// Loads the tasks, fetching their data on first use, and checks that there is as much as the experiment asks for.
    ///
    /// # Errors
    /// The data cannot be had or read; a `Misuse` where the experiment asks for more than they hold.
    pub fn load(experiment: &'a Experiment, source: &Source, device: Device) -> Result<Self> {
        let tasks = experiment.task.load(&asks(experiment), source, device)?;
        Ok(Self { experiment, tasks })
    }

    /// Loads the tasks for another test on a fold, whether or not there is enough to train on; and a warning, if there is cause for one.
    ///
    /// # Errors
    /// The data cannot be had or read; a `Misuse` where there are no such tasks.
    pub fn load_for_retest(
        experiment: &'a Experiment,
        fold: usize,
        retest: &Retest,
        source: &Source,
        device: Device,
    ) -> Result<(Self, Option<String>)> {
        let asks = asks(experiment);
        let (tasks, warning) = experiment.task.load_for_retest(fold, retest, &asks, source, device)?;
        Ok((Self { experiment, tasks }, warning))
    }

    /// What a network and a test must know of the tasks.
    pub fn interface(&self) -> Interface {
        self.tasks.interface()
    }

    /// Every fold with its test episodes.
    ///
    /// # Errors
    /// There are no test tasks, which the family's checks see to.
    pub fn folds(&self) -> Result<Vec<Fold>> {
        (0..self.experiment.task.folds()).map(|number| self.fold(number)).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// There are no test tasks, which the family's checks see to.
    pub fn fold(&self, number: usize) -> Result<Fold> {
        let test = self.frozen(number, Part::Test, self.experiment.evaluate.episodes);
        let test = test.context("there are no test tasks")?;
        Ok(Fold { number, hash: test.hash(), parts: self.tasks.parts(number), test })
    }

    /// So many frozen validation episodes; `None` where there is not enough for any.
    pub fn validation(&self, fold: &Fold, episodes: usize) -> Option<FrozenEpisodes> {
        self.frozen(fold.number, Part::Validation, episodes)
    }

    /// Refuses an experiment that is to be judged by validation tasks and has none.
    ///
    /// # Errors
    /// A `Misuse` that says what it lacks.
    pub fn require_validation(&self, folds: &[Fold]) -> Result<()> {
        if folds.iter().any(|fold| self.validation(fold, 1).is_none()) {
            misuse!(
                "there are no validation tasks to judge by: give validation at least as many classes as a task has"
            );
        }
        Ok(())
    }

    /// What a run is trained on; `None` if that is nothing.
    ///
    /// # Errors
    /// There are no training tasks, which the family's checks see to.
    pub fn training(&self, run: &Run) -> Result<Option<Box<dyn TaskSource>>> {
        let (fold, shots, seed) = (run.fold, run.training_shots, run.seed);
        let episodes = || -> Result<Box<dyn TaskSource>> {
            let source = self.tasks.source(fold, Part::Train, shots, seed);
            Ok(source.context("there are no training tasks")?)
        };
        Ok(match run.method.algorithm.training() {
            Training::Nothing | Training::Fit => None,
            Training::Episodes { .. } => Some(episodes()?),
            Training::SameTasks { .. } => Some(Box::new(SameTasks(episodes()?))),
            Training::Pooled(pool) => Some(self.tasks.pooled(fold, pool, shots, seed)),
        })
    }

    fn frozen(&self, fold: usize, part: Part, count: usize) -> Option<FrozenEpisodes> {
        let experiment = self.experiment;
        let source = self.tasks.source(fold, part, experiment.largest_shots(), experiment.evaluate.seed)?;
        let count = self.tasks.count(fold, part).map_or(count, |most| count.min(most));
        Some(FrozenEpisodes::new(source, count, fold).drawn(self.tasks.draws()))
    }
}
