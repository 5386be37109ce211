//! A fold of a cross-validation, as it is tested.

use serde_json::Value;

use crate::tasks::frozen::FrozenEpisodes;

/// One fold of a cross-validation, or all there is, with its test episodes.
pub struct Fold {
    /// Its number.
    pub number: usize,
    /// What its parts are made of, to be recorded.
    pub parts: Value,
    /// The frozen test episodes.
    pub test: FrozenEpisodes,
    /// Their hash.
    pub hash: String,
}
