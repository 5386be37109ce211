//! The runs of an experiment: every method with every fold and seed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    environment,
    files::{CHECKPOINT, CONFIG, ENVIRONMENT, EVALUATION, TRAIN, VALIDATION, validation_at},
    method::Method,
    spec::Experiment,
};
use crate::algorithms::{Testing, Training};

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
                    runs.push(Run { experiment: self, name, method, fold, seed, folder });
                }
            }
        }
        runs
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
            Training::Nothing => &[CONFIG, ENVIRONMENT, CHECKPOINT][..],
            _ => &[CONFIG, ENVIRONMENT, CHECKPOINT, TRAIN],
        };
        learned.iter().all(is_there)
            && match goal {
                Goal::Validate { until } => self.validated(results, until).is_some(),
                Goal::Test => {
                    let validation =
                        !self.owes_validation(results) || self.validated(results, None).is_some();
                    validation && has_rows(&results.join(self.file(EVALUATION)), self.test_rows())
                }
            }
    }

    /// Episodes that it is validated on, if there are classes for any.
    pub fn validation_episodes(&self) -> usize {
        let train = self.method.train(&self.experiment.train);
        train.validate.map_or(VALIDATION_EPISODES, |validation| validation.episodes)
    }

    /// Whether there were classes to validate it on when it was last worked on; runs of older versions do not tell.
    fn owes_validation(&self, results: &Path) -> bool {
        let entries = environment::read(&results.join(self.file(ENVIRONMENT))).unwrap_or_default();
        entries.last().is_some_and(|entry| entry["validation_episodes"].as_u64() > Some(0))
    }

    /// Rows of a test on so many episodes.
    fn rows(&self, episodes: usize) -> usize {
        episodes * self.experiment.evaluate.steps.len() * self.experiment.test_shots().len()
    }

    /// Rows of `evaluation.csv`.
    fn test_rows(&self) -> usize {
        match self.method.algorithm.testing() {
            Testing::Episodes => self.rows(self.experiment.evaluate.episodes),
            Testing::WholeDataset => self.experiment.evaluate.steps.len(),
        }
    }

    /// Where the validation of the whole training is, relative to the experiment's folder, or of a training paused at an iteration.
    pub fn validation(&self, paused: Option<usize>) -> PathBuf {
        self.file(&paused.map_or(VALIDATION.to_owned(), validation_at))
    }

    /// The validation that is in the experiment's folder of a training until an iteration: paused there, or complete before it.
    pub fn validated(&self, results: &Path, until: Option<usize>) -> Option<PathBuf> {
        let files = [until, None].map(|paused| results.join(self.validation(paused)));
        files.into_iter().find(|file| has_rows(file, self.rows(self.validation_episodes())))
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
