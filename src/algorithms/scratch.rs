//! Training on each test task from a random initialisation: what meta-learning must beat.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use crate::{
    inner::{Adaptation, Answer, Order, RuleSpec},
    models::Params,
    random::{Draws, Stream},
    tasks::{Episode, Extent},
};

/// The rule that trains on the support set, usually Adam. The initialisation is drawn once per seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(transparent)]
#[serde(transparent)]
pub struct Scratch(#[garde(dive)] pub RuleSpec);

impl Default for Scratch {
    fn default() -> Self {
        Self(RuleSpec::adam())
    }
}

impl Algorithm for Scratch {
    fn source(&self) -> &'static str {
        "the usual baseline"
    }

    fn training(&self) -> Training {
        Training::Nothing
    }

    fn rule(&self) -> Option<&RuleSpec> {
        Some(&self.0)
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Learner(setting.adaptation(&self.0)))
    }
}

/// Adapts a random initialisation.
pub(super) struct Learner(pub Adaptation);

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        self.0.rule.steps()
    }

    fn init(&self, stream: &mut Stream) -> Params {
        self.0.init(stream)
    }

    fn meta_gradient(&self, _: &Params, _: &Episode, _: Draws) -> Option<MetaGradient> {
        None
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        self.0.task_bytes(rows, Order::Zero, None)
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        self.0.predict(theta, episode, steps, draws)
    }
}
