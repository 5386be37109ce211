//! Random search (Bergstra & Bengio 2012, https://jmlr.org/papers/v13/bergstra12a.html).

use garde::Validate;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Sampler, Told};
use crate::{
    random::{Purpose, stream},
    sweep::space::Space,
};

/// Independent, uniform points.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Random {
    /// Another seed, other trials.
    #[garde(skip)]
    pub seed: u64,
}

impl Sampler for Random {
    fn point(&self, space: &Space, number: usize, _: &[Told]) -> Option<Vec<f64>> {
        let mut stream = stream(self.seed, Purpose::Sweep, number as u64);
        Some(space.parameters().iter().map(|_| stream.random()).collect())
    }
}
