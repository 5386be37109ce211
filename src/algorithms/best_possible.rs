//! The best possible prediction where tasks are simulated: that of the model they were drawn from, by Bayes' rule. Nobody can do better but
//! by luck; how far others are from it is what is left to learn.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Testing, Training};
use crate::{
    inner::Answer,
    models::Params,
    random::{Draws, Stream},
    tasks::{Episode, Need},
};

/// It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct BestPossible {}

impl Algorithm for BestPossible {
    fn source(&self) -> &'static str {
        "the model that tasks are simulated from"
    }

    fn training(&self) -> Training {
        Training::Nothing
    }

    fn testing(&self) -> Testing {
        Testing::Truth
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Truth]
    }

    fn build(&self, _: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Nothing)
    }
}

/// What is known already needs no learner.
struct Nothing;

impl MetaLearner for Nothing {
    fn validation_steps(&self) -> usize {
        0
    }

    fn init(&self, _: &mut Stream) -> Params {
        Params::default()
    }

    fn meta_gradient(&self, _: &Params, _: &Episode, _: Draws) -> Option<MetaGradient> {
        None
    }

    fn predict(&self, _: &Params, _: &Episode, _: &[usize], _: Draws) -> Vec<Answer> {
        Vec::new()
    }
}
