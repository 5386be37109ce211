//! The runs of an experiment: every method with every fold and seed.

use std::path::{Path, PathBuf};

use super::{method::Method, spec::Experiment};
use crate::algorithms::Testing;

/// One method with one fold and seed.
#[derive(Clone, Debug)]
pub struct Run<'a> {
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

/// Written when a run is done, so that its being there says so.
pub const EVALUATION: &str = "evaluation.csv";
/// Written when a run is trained and validated.
pub(crate) const VALIDATION: &str = "validation.csv";

/// What adaptation took in the test, see [`CostRow`](crate::records::CostRow); apart, since times are others on every run.
pub(crate) const COST: &str = "cost.csv";

/// What the first run of a method answers on an episode, see [`Example`](super::example::Example).
pub const EXAMPLE: &str = "example.json";

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
        let folds = self.task.classes.0.folds();
        let mut runs = Vec::new();
        for (name, method) in &self.methods {
            // The whole data set is the same task in every fold.
            let folds = if method.algorithm.testing() == Testing::WholeDataset { 1 } else { folds };
            for fold in 0..folds {
                for &seed in &self.seeds {
                    let part = if folds > 1 { format!("-fold{fold}") } else { String::new() };
                    let folder = format!("{name}{part}-seed{seed}");
                    runs.push(Run { name, method, fold, seed, folder });
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
    /// Whether the run has done in the experiment's folder what is asked for.
    pub fn is_done(&self, results: &Path, goal: Goal) -> bool {
        match goal {
            Goal::Test => results.join(self.file(EVALUATION)).exists(),
            Goal::Validate { until } => self.validated(results, until).is_some(),
        }
    }

    /// Where the validation of the whole training is, relative to the experiment's folder, or of a training paused at an iteration.
    pub fn validation(&self, paused: Option<usize>) -> PathBuf {
        self.file(&paused.map_or(VALIDATION.to_owned(), |iteration| format!("validation-{iteration}.csv")))
    }

    /// The validation that is in the experiment's folder of a training until an iteration: paused there, or complete before it.
    pub fn validated(&self, results: &Path, until: Option<usize>) -> Option<PathBuf> {
        let files = [until, None].map(|paused| results.join(self.validation(paused)));
        files.into_iter().find(|file| file.exists())
    }

    /// A file of the run, relative to the experiment's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join(name)
    }
}
