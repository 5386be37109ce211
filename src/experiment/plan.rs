//! The runs of an experiment: every method with every fold and seed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    environment,
    files::{CHECKPOINT, CONFIG, ENVIRONMENT, EVALUATION, TRAIN, VALIDATION, validation_at},
    method::Method,
    outer_loop::{Initialisation, Train},
    spec::Experiment,
};
use crate::{
    algorithms::{Testing, Training},
    random::{Draws, Purpose},
};

/// One method with one fold and seed.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// The method's name in the experiment file.
    pub name: &'a str,
    /// The method.
    pub method: &'a Method,
    /// The cross-validation fold, 0 where there is only one split.
    pub fold: usize,
    /// The seed.
    pub seed: u64,
    /// Its folder's name under the experiment's results: `<method>-seed<k>`, or `<method>-fold<f>-seed<k>`.
    pub folder: String,
    /// The outer loop, with what the method changes.
    pub train: Train,
    /// Where theta starts, if not at random.
    pub init: Option<&'a Path>,
    /// Shots of the tasks that it is trained on.
    pub training_shots: usize,
    /// Episodes that it is validated on, if there are enough classes for any.
    pub validation_episodes: usize,
    /// The numbers of shots that it is tested with.
    pub test_shots: Vec<usize>,
    /// The numbers of adaptation steps that it is tested with.
    pub steps: &'a [usize],
}

/// Episodes of `validation.csv` for methods without validation while training.
const VALIDATION_EPISODES: usize = 200;

/// What is asked of an experiment's runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// To be trained, validated and tested.
    Test,
    /// To be trained and validated; nothing looks at the test episodes.
    Validate {
        /// Training pauses at this iteration, is validated there, and can be resumed.
        until: Option<usize>,
    },
}

impl Goal {
    /// Where training pauses, if before its end.
    pub fn until(self) -> Option<usize> {
        match self {
            Self::Test => None,
            Self::Validate { until } => until,
        }
    }
}

impl Experiment {
    /// All runs, method by method.
    pub fn runs(&self) -> Vec<Run<'_>> {
        let folds = self.task.folds();
        let mut runs = Vec::new();
        for (name, method) in &self.methods {
            // The whole data set is the same task in every fold.
            let folds = if method.algorithm.testing() == Testing::WholeDataset { 1 } else { folds };
            for fold in 0..folds {
                for &seed in &self.seeds {
                    let part = if folds > 1 { format!("-fold{fold}") } else { String::new() };
                    let folder = format!("{name}{part}-seed{seed}");
                    runs.push(self.run_of(name, method, fold, seed, folder));
                }
            }
        }
        runs
    }

    /// Decides what the settings of the experiment and of the method mean for one run.
    fn run_of<'a>(
        &'a self,
        name: &'a str,
        method: &'a Method,
        fold: usize,
        seed: u64,
        folder: String,
    ) -> Run<'a> {
        let train = method.train(&self.train);
        let training = method.algorithm.training();
        Run {
            experiment: self,
            name,
            method,
            fold,
            seed,
            folder,
            init: self.checkpoint_of(method),
            training_shots: training.shots().unwrap_or(self.task.training_shots()),
            validation_episodes: train.validate.as_ref().map_or(VALIDATION_EPISODES, |own| own.episodes),
            test_shots: self.test_shots(),
            steps: &self.evaluate.steps,
            train,
        }
    }

    /// The checkpoint that a method starts from, if any. The experiment's `train.init` is for methods that meta-learn; baselines start
    /// from a checkpoint only where their own `train` says so.
    fn checkpoint_of<'a>(&'a self, method: &'a Method) -> Option<&'a Path> {
        let learns = matches!(method.algorithm.training(), Training::Episodes { .. });
        let init = method.own_init().or(learns.then_some(&self.train.init))?;
        match init {
            Initialisation::Checkpoint(path) => Some(path),
            Initialisation::Random => None,
        }
    }

    /// Whether every run has done in this folder what is asked for.
    pub fn is_finished(&self, results: &Path, goal: Goal) -> bool {
        self.runs().iter().all(|run| run.is_done(results, goal))
    }
}

impl Run<'_> {
    /// Whether the run has done in the experiment's folder what is asked for, and all its files are there and whole.
    pub fn is_done(&self, results: &Path, goal: Goal) -> bool {
        let is_there = |file: &&str| results.join(self.file(file)).exists();
        let learned = match self.method.algorithm.training() {
            Training::Nothing | Training::Fit => &[CONFIG, ENVIRONMENT, CHECKPOINT][..],
            _ => &[CONFIG, ENVIRONMENT, CHECKPOINT, TRAIN],
        };
        learned.iter().all(is_there)
            && match goal {
                Goal::Validate { until } => self.validated(results, until).is_some(),
                Goal::Test => {
                    let validation =
                        !self.owes_validation(results) || self.validated(results, None).is_some();
                    validation && has_rows(&results.join(self.file(EVALUATION)), self.test_rows(results))
                }
            }
    }

    /// How it is called in its method's line.
    pub fn label(&self) -> &str {
        self.folder.strip_prefix(self.name).unwrap_or(&self.folder).trim_start_matches('-')
    }

    /// What its method draws from while it adapts to a test task.
    pub fn draws(&self) -> Draws {
        Draws { seed: self.seed, purpose: Purpose::Adapt, occasion: 0, first_task: 0 }
    }

    /// Whether there were classes to validate it on when it was last worked on; runs of older versions do not tell.
    fn owes_validation(&self, results: &Path) -> bool {
        self.recorded(results, "validation_episodes") > Some(0)
    }

    /// A number of episodes as it was recorded when the run was last worked on, which is less than was asked for where a part has fewer tasks.
    fn recorded(&self, results: &Path, key: &str) -> Option<usize> {
        let entries = environment::read(&results.join(self.file(ENVIRONMENT))).unwrap_or_default();
        usize::try_from(entries.last()?[key].as_u64()?).ok()
    }

    /// Rows of a test on so many episodes.
    fn rows(&self, episodes: usize) -> usize {
        episodes * self.steps.len() * self.test_shots.len()
    }

    /// Rows of `evaluation.csv`.
    fn test_rows(&self, results: &Path) -> usize {
        let asked = self.experiment.evaluate.episodes;
        match self.method.algorithm.testing() {
            Testing::Episodes | Testing::Truth => self
                .rows(self.recorded(results, "test_episodes").map_or(asked, |recorded| asked.min(recorded))),
            Testing::WholeDataset => self.steps.len(),
        }
    }

    /// Where the validation of the whole training is, relative to the experiment's folder, or of a training paused at an iteration.
    pub fn validation(&self, paused: Option<usize>) -> PathBuf {
        self.file(&paused.map_or(VALIDATION.to_owned(), validation_at))
    }

    /// The validation that is in the experiment's folder of a training until an iteration: paused there, or complete before it.
    pub fn validated(&self, results: &Path, until: Option<usize>) -> Option<PathBuf> {
        let files = [until, None].map(|paused| results.join(self.validation(paused)));
        let asked = self.validation_episodes;
        let recorded = self.recorded(results, "validation_episodes").filter(|recorded| *recorded > 0);
        let episodes = recorded.map_or(asked, |recorded| asked.min(recorded));
        files.into_iter().find(|file| has_rows(file, self.rows(episodes)))
    }

    /// A file of the run, relative to the experiment's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join(name)
    }
}

/// Whether a CSV file has a header and so many rows, the last of them whole.
fn has_rows(file: &Path, rows: usize) -> bool {
    let bytes = fs::read(file).unwrap_or_default();
    bytes.ends_with(b"\n") && bytes.iter().filter(|byte| **byte == b'\n').count() == rows + 1
}
