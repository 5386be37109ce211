//! A tutor: a run on students that knows each student after a few answers, asks what is worth asking, and says when it knows enough.

pub mod asking;
pub mod demo;
pub mod journal;
pub mod rehearsal;
pub mod request;
pub mod service;
pub mod state;

use std::{cell::Cell, collections::HashMap};

use anyhow::{Context, Result};
use tch::Kind;

use super::Learned;
use crate::{
    algorithms::MetaLearner,
    data::Source,
    experiment::{material::Material, plan::Run, start::learner, workplace::Machine},
    misuse::misuse,
    models::Params,
    random::{Purpose, stream},
    tasks::{
        Need,
        cohort::{Cohort, Given, Skills},
    },
};

/// Students who are adapted to at once.
const AT_ONCE: usize = 512;

/// What a run has learned of students, ready for new ones.
pub struct Tutor<'a> {
    /// The run.
    pub learned: &'a Learned,
    run: Run<'a>,
    material: Material<'a>,
    learner: Box<dyn MetaLearner>,
    theta: Params,
    /// Adaptation steps.
    pub steps: usize,
    /// What success is told for.
    pub skills: Skills,
    number_of: HashMap<String, u32>,
    adapted: Cell<u64>,
}

impl<'a> Tutor<'a> {
    /// Opens a run of students.
    ///
    /// # Errors
    /// A `Misuse` for a run on other tasks; the data cannot be had, or the checkpoint is of another model.
    pub fn open(
        learned: &'a Learned,
        steps: Option<usize>,
        source: &Source,
        machine: &Machine,
    ) -> Result<Self> {
        let experiment = &learned.experiment;
        if !experiment.task.offers().contains(&Need::Items) {
            misuse!(
                "{} learned tasks of {}: a tutor is for runs on students; name a run of an experiment with task: {{students: ...}}",
                learned.folder.display(),
                experiment.task.name()
            );
        }
        let run = learned.few_shot_run(experiment)?;
        let material = Material::load(experiment, source, machine.device)?;
        let learner = learner(&material, &run, machine.budget);
        let like = learner.checkpoint(&learner.init(&mut stream(run.seed, Purpose::Init, 0)));
        let theta = learned
            .initialisation(&like, machine.device)
            .context("the answers have other items than those that the run was trained on")?;
        let chosen = learned.chosen_steps()?.into_iter().map(|(_, step)| step).max();
        let last = run.steps.last().copied().unwrap_or(0);
        let steps = steps.or(chosen).unwrap_or(last);
        let cohort = material.tasks.cohort().context("these tasks have items, but no students")?;
        let skills = cohort.skills();
        let number_of = (0..).zip(&cohort.answers().problems).map(|(number, name)| (name.clone(), number));
        let number_of = number_of.collect();
        Ok(Self { learned, run, material, learner, theta, steps, skills, number_of, adapted: Cell::new(0) })
    }

    /// The students and problems of the run.
    ///
    /// # Errors
    /// There are none; `open` has looked.
    pub fn cohort(&self) -> Result<&dyn Cohort> {
        self.material.tasks.cohort().context("these tasks have items, but no students")
    }

    /// The fold of the run.
    pub fn fold(&self) -> usize {
        self.run.fold
    }

    /// The run's seed.
    pub fn seed(&self) -> u64 {
        self.run.seed
    }

    /// The most answers of a student that meta-training let it see.
    pub fn trained_shots(&self) -> usize {
        self.run.training_shots
    }

    /// How often it has adapted to a student so far.
    pub fn adapted(&self) -> u64 {
        self.adapted.get()
    }

    /// Names of the problems, by their numbers.
    ///
    /// # Errors
    /// There are none; `open` has looked.
    pub fn problems(&self) -> Result<&[String]> {
        Ok(&self.cohort()?.answers().problems)
    }

    /// The number of the problem of this name.
    pub fn problem(&self, name: &str) -> Option<u32> {
        self.number_of.get(name).copied()
    }

    /// The predicted success with every problem of each of some students who gave these answers: `[students][problems]`. They may
    /// differ by one answer in number.
    ///
    /// # Errors
    /// The network's output is none.
    pub fn success(&self, given: &[Vec<Given>]) -> Result<Vec<Vec<f32>>> {
        let cohort = self.cohort()?;
        let after = given.iter().map(Vec::len).max().unwrap_or(0);
        let questions = cohort.problems(self.run.fold, after);
        let mut all = Vec::with_capacity(given.len());
        for given in given.chunks(AT_ONCE) {
            self.adapted.set(self.adapted.get() + given.len() as u64);
            let seen = cohort.seen(self.run.fold, given);
            let outputs =
                self.learner.predict_same(&self.theta, &seen, &questions, self.steps, self.run.draws()); // [T, P, 1]
            let success = outputs.squeeze_dim(-1).sigmoid().to_kind(Kind::Float).contiguous(); // [T, P]
            let values =
                Vec::<f32>::try_from(success.flatten(0, -1)).context("an answer for each problem")?;
            all.extend(values.chunks(questions.size()[0].max(1) as usize).map(<[f32]>::to_vec));
        }
        Ok(all)
    }

    /// The mean over each skill's problems.
    pub fn by_skill(&self, success: &[f32]) -> Vec<f32> {
        let mean = |problems: &Vec<usize>| {
            problems.iter().map(|problem| success[*problem]).sum::<f32>() / problems.len().max(1) as f32
        };
        self.skills.problems.iter().map(mean).collect()
    }
}
