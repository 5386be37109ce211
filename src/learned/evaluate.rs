//! A learned initialisation, tested on other tasks.

use std::{path::PathBuf, sync::atomic::AtomicBool};

use anyhow::{Context, Result};

use super::Learned;
use crate::{
    data::{DatasetSpec, Source},
    experiment::{
        environment,
        files::{CONFIG, ENVIRONMENT},
        material::Material,
        progress::MethodLine,
        read::{self, Changes},
        spec::Experiment,
        start::Ready,
        table::{Style, tables},
        test::{Test, TestOutcome},
        workplace::Machine,
    },
    measures::Quantity,
    records::EvaluationRow,
    summary::summarise,
    tasks::{Interface, family::Retest},
};

/// What is to be other than in the run's own test.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// Numbers of support images per class.
    pub shots: Option<Vec<usize>>,
    /// Numbers of adaptation steps.
    pub steps: Option<Vec<usize>>,
    /// Test episodes.
    pub episodes: Option<usize>,
    /// Where the images come from.
    pub dataset: Option<DatasetSpec>,
    /// Names of the test classes.
    pub classes: Option<Vec<String>>,
    /// A file of reviews.
    pub reviews: Option<PathBuf>,
}

impl Changed {
    /// Whether other episodes are drawn than in the run's own test.
    fn changes_episodes(&self, learned: &Learned) -> bool {
        let largest = self.shots.iter().flatten().max();
        largest.is_some_and(|largest| *largest > learned.experiment.largest_shots())
            || self.episodes.is_some_and(|episodes| episodes != learned.experiment.evaluate.episodes)
            || self.dataset.is_some()
            || self.classes.is_some()
            || self.reviews.is_some()
    }
}

/// What a test gave.
pub struct Retested {
    /// A row for every number of shots, episode and number of steps.
    pub rows: Vec<EvaluationRow>,
    /// Means and intervals, for a terminal.
    pub table: String,
    /// Whether the episodes are those of the run's own test.
    pub own_episodes: bool,
    /// What is to be said about them.
    pub warnings: Vec<String>,
}

/// Tests a run; with nothing changed it gives the rows of the run's `evaluation.csv`. `None` when the user stops it.
///
/// Fewer episodes are the first of the same, and shots that the run was tested with have its episodes.
///
/// # Errors
/// The data do not have such tasks, or cannot be had.
pub fn evaluate(
    learned: &Learned,
    changed: &Changed,
    source: &Source,
    machine: &Machine,
    stop: &AtomicBool,
    quiet: bool,
) -> Result<Option<Retested>> {
    let (experiment, shots) = settings(learned, changed)?;
    let run = learned.few_shot_run(&experiment)?;
    let retest = Retest {
        dataset: changed.dataset.clone(),
        classes: changed.classes.clone(),
        reviews: changed.reviews.clone(),
    };
    let (material, trained) =
        Material::load_for_retest(&experiment, run.fold, &retest, source, machine.device)?;
    let fold = material.fold(run.fold)?;
    let ready = Ready::new(&material, &run, machine)?;
    let theta = learned
        .initialisation(&ready.learner.checkpoint(&ready.theta), machine.device)
        .with_context(|| match material.tasks.images() {
            Some(data) => format!("the images of {} are {} x {}", data.name, data.height, data.width),
            None => format!("the run's tasks are {}", experiment.task.name()),
        })?;
    let mut line = MethodLine::new(run.name, 0, quiet);
    let test = Test {
        run: &run,
        interface: Interface { measures: experiment.measures(), ..material.interface() },
        ready: &ready,
        shots: &shots,
        steps: run.steps,
        keeps: Some(false),
        stop,
    };
    let Some(TestOutcome { rows, .. }) = test.outcome(&theta, &fold.test, &mut line) else { return Ok(None) };
    line.finish(&format!("{} episodes tested", fold.test.len() * shots.len()));
    let chosen = learned.chosen_steps()?;
    let summary = summarise(&rows, &[run.name.to_owned()], &experiment.quantities());
    let style =
        Style { words: &experiment.task.words(), judge: experiment.judge(), published: &[], markdown: false };
    let table = tables(&summary, 1, |row| chosen.contains(&(row.shots, row.step)), style);
    let entries = environment::read(&learned.folder.join(ENVIRONMENT)).unwrap_or_default();
    let own_episodes =
        entries.last().is_some_and(|entry| entry["test_episodes_sha256"] == fold.hash.as_str());
    let mut warnings: Vec<String> = trained.into_iter().collect();
    if !own_episodes && !changed.changes_episodes(learned) {
        let name = material.tasks.images().map_or(experiment.task.name(), |data| &data.name);
        warnings.push(format!("these are not the episodes of the run's own test: {name} has changed since"));
    }
    warnings.extend(without_numbers(&rows, experiment.judge()));
    Ok(Some(Retested { rows, table, own_episodes, warnings }))
}

/// What is to be said where the network diverged while it adapted.
fn without_numbers(rows: &[EvaluationRow], judge: Quantity) -> Option<String> {
    let diverged = |row: &&EvaluationRow| !row.value(judge.name).is_some_and(f64::is_finite);
    let first = rows.iter().filter(diverged).min_by_key(|row| row.step)?;
    Some(format!(
        "{} of {} measurements are not finite, the first after {} steps: the network diverged while it adapted. They are left out of \
         the means; take fewer --steps, or train with a lower inner lr",
        rows.iter().filter(diverged).count(),
        rows.len(),
        first.step
    ))
}

/// The experiment with the changes, and the numbers of shots to test.
///
/// Its own numbers of shots stay beside those asked for: episodes are drawn for the largest.
fn settings(learned: &Learned, changed: &Changed) -> Result<(Experiment, Vec<usize>)> {
    let shots = changed.shots.clone().unwrap_or_else(|| learned.experiment.test_shots());
    let mut set = vec!["expect={}".to_owned()]; // of the run's own test
    if changed.shots.is_some() {
        // Of other reviews there is no test of the run's own to be in line with.
        let own = if changed.reviews.is_some() { Vec::new() } else { learned.experiment.test_shots() };
        let mut all = [own, shots.clone()].concat();
        all.sort_unstable();
        all.dedup();
        set.push(format!("evaluate.shots={all:?}"));
    }
    set.extend(changed.steps.iter().map(|steps| format!("evaluate.steps={steps:?}")));
    set.extend(changed.episodes.iter().map(|episodes| format!("evaluate.episodes={episodes}")));
    let experiment = read::read(&learned.folder.join(CONFIG), &Changes { set, ..Changes::default() })?;
    Ok((experiment, shots))
}
