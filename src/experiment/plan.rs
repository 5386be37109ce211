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
pub const VALIDATION: &str = "validation.csv";

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

    /// Whether every run has done in this folder what is asked for, see [`Run::is_done`].
    pub fn is_finished(&self, results: &Path, test: bool) -> bool {
        self.runs().iter().all(|run| run.is_done(results, test))
    }
}

impl Run<'_> {
    /// Whether the run has done in the experiment's folder what is asked for: with `test` its test, otherwise its validation.
    pub fn is_done(&self, results: &Path, test: bool) -> bool {
        results.join(self.file(if test { EVALUATION } else { VALIDATION })).exists()
    }

    /// A file of the run, relative to the experiment's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join(name)
    }
}
