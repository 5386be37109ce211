//! The run that is audited, opened.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::{
    chunks::Split,
    data::Source,
    evaluate::{Protocol, Signal},
    experiment::{fold::Fold, material::Material, plan::Run, start::Ready, workplace::Machine},
    learned::Learned,
    measures::{LogLoss, Measure, Predictions},
    misuse::misuse,
    models::Params,
    stats::{grid::ScoreGrid, inference::Inference},
    tasks::{
        FreezableSource, Interface, Need, Part,
        cohort::{Cohort, Sitting},
        frozen::FrozenEpisodes,
    },
};

/// Checks that test the run once more look at so many tasks at most, the first ones.
const TASKS: usize = 2000;

/// A run, with its tasks and what it has learned.
pub struct Subject<'a> {
    pub learned: &'a Learned,
    pub run: Run<'a>,
    pub material: Material<'a>,
    pub ready: Ready,
    pub theta: Params,
    pub fold: Fold,
    /// Numbers of seen answers, each with the number of adaptation steps at which the run is judged.
    pub settings: Vec<(usize, usize)>,
    stop: &'a AtomicBool,
}

/// The run's test with one number of seen answers, done again.
pub struct Tested {
    /// Seen answers.
    pub shots: usize,
    /// Adaptation steps.
    pub step: usize,
    /// Loss of each test student.
    pub losses: Vec<f64>,
    /// What was answered, a student's draws one after the other.
    pub predictions: Predictions,
    /// What each task is made of: those of a student's draws one after the other.
    pub sittings: Vec<Sitting>,
}

impl Tested {
    /// Draws of a student.
    pub fn draws(&self) -> usize {
        self.sittings.len() / self.predictions.episodes.max(1)
    }

    /// The draw that a row of the outputs is of.
    pub fn draw(&self, row: usize) -> usize {
        let (_, each) = self.rows(0);
        row / each.max(1) % self.draws().max(1)
    }

    /// Where the answers to a task begin among the outputs, and how many there are.
    pub fn rows(&self, task: usize) -> (usize, usize) {
        let each = self.predictions.queries / self.draws().max(1);
        (task * each, each)
    }
}

impl<'a> Subject<'a> {
    /// Opens a run of students.
    ///
    /// # Errors
    /// A `Misuse` for a run on other tasks; the data cannot be had, or the checkpoint is of another model.
    pub fn open(
        learned: &'a Learned,
        source: &Source,
        machine: &Machine,
        stop: &'a AtomicBool,
    ) -> Result<Self> {
        let experiment = &learned.experiment;
        if !experiment.task.offers().contains(&Need::Items) {
            misuse!(
                "{} learned tasks of {}: an audit is for runs on students, whose answers may be known before they are asked; name a run of \
                 an experiment with task: {{students: ...}}",
                learned.folder.display(),
                experiment.task.name()
            );
        }
        let run = learned.few_shot_run(experiment)?;
        let material = Material::load(experiment, source, machine.device)?;
        let ready = Ready::new(&material, &run, machine)?;
        let theta = learned
            .initialisation(&ready.learner.checkpoint(&ready.theta), machine.device)
            .context("the answers have other items than those that the run was trained on")?;
        let fold = material.fold(run.fold)?;
        let chosen = learned.chosen_steps()?;
        let last = run.steps.last().copied().unwrap_or(0);
        let step = |shots: usize| chosen.iter().find(|(of, _)| *of == shots).map_or(last, |(_, step)| *step);
        let settings = run.test_shots.iter().map(|shots| (*shots, step(*shots))).collect();
        Ok(Self { learned, run, material, ready, theta, fold, settings, stop })
    }

    /// The students.
    pub fn cohort(&self) -> Result<&dyn Cohort> {
        self.material.tasks.cohort().context("these tasks have items, but no students")
    }

    /// The largest number of seen answers, and what draws the test.
    pub fn drawing(&self) -> (usize, u64) {
        (self.run.experiment.largest_shots(), self.run.experiment.evaluate.seed)
    }

    /// The test tasks of the run's own data.
    pub fn source(&self) -> Result<Box<dyn FreezableSource>> {
        let (largest, seed) = self.drawing();
        let source = self.material.tasks.source(self.run.fold, Part::Test, largest, seed);
        source.context("there are no test tasks")
    }

    /// How many students the checks that test once more look at.
    pub fn some(&self) -> usize {
        self.fold.test.len().min((TASKS / self.fold.test.draws().max(1)).max(1))
    }

    /// Answers to the first `episodes` of the test tasks of a source; `None` when the user stops it.
    pub fn answer(
        &self,
        source: Box<dyn FreezableSource>,
        episodes: usize,
        (shots, step): (usize, usize),
        split: &Split,
    ) -> Option<Predictions> {
        let episodes = FrozenEpisodes::new(source, episodes, self.run.fold).drawn(self.fold.test.draws());
        self.test(&episodes, (shots, step), split).map(|(_, predictions)| predictions)
    }

    /// The run's own test once more; `None` when the user stops it.
    pub fn tests(&self) -> Result<Option<Vec<Tested>>> {
        let cohort = self.cohort()?;
        let (tasks, (_, seed)) = (self.fold.test.len() * self.fold.test.draws(), self.drawing());
        let mut tests = Vec::new();
        for &(shots, step) in &self.settings {
            let tested = self.test(&self.fold.test, (shots, step), &self.ready.split);
            let Some((losses, predictions)) = tested else { return Ok(None) };
            let sittings = cohort.sittings(self.run.fold, Part::Test, shots, seed, 0..tasks);
            tests.push(Tested { shots, step, losses, predictions, sittings });
        }
        Ok(Some(tests))
    }

    fn test(
        &self,
        episodes: &FrozenEpisodes,
        (shots, step): (usize, usize),
        split: &Split,
    ) -> Option<(Vec<f64>, Predictions)> {
        let protocol = Protocol {
            interface: &Interface { measures: Vec::new(), ..self.material.interface() },
            episodes,
            shots,
            steps: &[step],
            draws: self.run.draws(),
            split,
            keeps: &|_| true,
        };
        let observe = |_| if self.stop.load(Ordering::Relaxed) { Signal::Stop } else { Signal::Continue };
        let tested = protocol.evaluate(&*self.ready.learner, &self.theta, &observe)?;
        let losses = tested.scores.iter().flatten().map(|score| score.loss).collect();
        Some((losses, tested.predictions.into_iter().next()?))
    }
}

/// The rows that are asked; what stands in others means nothing.
pub fn asked(predictions: &Predictions) -> impl Iterator<Item = usize> {
    let counts = |row: &usize| predictions.weights.as_ref().is_none_or(|weights| weights[*row] != 0.0);
    (0..predictions.episodes * predictions.queries).filter(counts)
}

/// The first so many episodes.
pub fn first(predictions: &Predictions, episodes: usize) -> Predictions {
    let rows = episodes.min(predictions.episodes) * predictions.queries;
    Predictions {
        outputs: predictions.outputs[..rows * predictions.width()].to_vec(),
        targets: predictions.targets[..rows].to_vec(),
        weights: predictions.weights.as_ref().map(|weights| weights[..rows].to_vec()),
        bins: predictions.bins.as_ref().map(|bins| bins[..rows].to_vec()),
        episodes: episodes.min(predictions.episodes),
        queries: predictions.queries,
    }
}

/// A mean over students of values, with its interval; those that are not finite are left out.
pub fn inference(values: &[f64]) -> Inference {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if finite.is_empty() {
        return Inference { mean: f64::NAN, sources: Vec::new() };
    }
    Inference::crossed(&ScoreGrid { seeds: vec![0], episodes: (0..finite.len()).collect(), scores: finite })
}

/// A measure of all students together, and the mean log loss.
pub fn measured(measure: &dyn Measure, predictions: &Predictions) -> f64 {
    measure.of_all(predictions)(&vec![1; predictions.episodes])
}

/// The log loss of the first predictions less that of the second, for each student.
pub fn difference(a: &Predictions, b: &Predictions) -> Vec<f64> {
    LogLoss.of_each(a).iter().zip(LogLoss.of_each(b)).map(|(a, b)| a - b).collect()
}

/// A logit as a probability.
pub fn probability(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}
