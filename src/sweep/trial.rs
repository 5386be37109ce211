//! A trial: where it looks, how far it has come, and how good that was.

use serde::{Deserialize, Serialize};

use super::space::Assigned;

/// A trial as its file `trials/0007.json` has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// From 0.
    pub number: usize,
    /// Where it looks in the unit cube.
    pub point: Vec<f64>,
    /// As values.
    pub values: Vec<Assigned>,
    /// How it did at each rung it has reached, in order.
    #[serde(default)]
    pub rungs: Vec<Rung>,
    /// Iterations and scores of the validations while it trained.
    #[serde(default)]
    pub curve: Vec<(usize, f64)>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The score on each validation episode at each rung, for pruners that look at it.
    #[serde(skip)]
    pub episodes: Vec<Vec<f64>>,
}

/// How a trial did at a rung.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// Iterations it was trained.
    pub iterations: usize,
    /// The objective, more is better.
    pub score: f64,
    /// How long it took from the rung before.
    pub seconds: f64,
}

impl Trial {
    /// Its value of a key, if it has one.
    pub fn value(&self, path: &str) -> Option<&Assigned> {
        self.values.iter().find(|assigned| assigned.path == path)
    }

    /// The score at the last rung it has reached.
    pub fn score(&self) -> Option<f64> {
        self.rungs.last().map(|rung| rung.score)
    }

    /// How long it has run.
    pub fn seconds(&self) -> f64 {
        self.rungs.iter().map(|rung| rung.seconds).sum()
    }
}

/// One stretch of a trial: its training up to a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The trial's number.
    pub trial: usize,
    /// The rung's place among those of the trial.
    pub rung: usize,
}
