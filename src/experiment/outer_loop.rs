//! The outer loop as the experiment file sets it.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::outer::OuterSpec;

/// The outer loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    /// Outer iterations.
    #[garde(range(min = 1, max = 100_000_000))]
    pub iterations: usize,
    /// T, tasks per iteration.
    #[garde(range(min = 1, max = 100_000))]
    pub meta_batch: usize,
    /// How theta moves.
    #[garde(dive)]
    pub outer: OuterSpec,
    /// Where theta starts.
    #[garde(skip)]
    pub init: Initialisation,
    /// Validation on meta-validation tasks; `null` for none, then the last theta counts.
    #[garde(dive)]
    pub validate: Option<Validation>,
}

impl Default for Train {
    fn default() -> Self {
        Self {
            iterations: 2000,
            meta_batch: 32,
            outer: OuterSpec::default(),
            init: Initialisation::Random,
            validate: Some(Validation::default()),
        }
    }
}

/// Where theta starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Initialisation {
    /// Drawn by the run's seed.
    Random,
    /// From a run's `checkpoint.safetensors`. A `pretrained` method takes all but the output layer: that of its classifier, which no
    /// checkpoint has, and the one for new tasks start at random.
    Checkpoint(PathBuf),
}

/// Validation while training; the theta that does best there is the one that is tested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Validation {
    /// Iterations between validations.
    #[garde(range(min = 1))]
    pub every: usize,
    /// Frozen meta-validation episodes.
    #[garde(range(min = 1, max = 1_000_000))]
    pub episodes: usize,
    /// Training stops after so many validations without a better one; without it, never early.
    #[garde(inner(range(min = 1)))]
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
}

impl Default for Validation {
    fn default() -> Self {
        Self { every: 100, episodes: 200, patience: None }
    }
}
