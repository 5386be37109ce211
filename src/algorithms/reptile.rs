//! Reptile (Nichol, Achiam & Schulman 2018, https://arxiv.org/abs/1803.02999).
//!
//! ```text
//!     phi_t = adapt(theta, support_t)                                                   inner loop, mini-batches
//!     gradient = theta - 1/T sum_t phi_t                                                algorithm 2, with the outer rate apart
//! ```

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::no_grad;

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use crate::{
    inner::{Adaptation, Answer, Order, RuleSpec},
    models::Params,
    random::{Draws, Stream},
    tasks::{Episode, Extent},
};

/// Reptile with any inner rule. With the outer rule `sgd: {lr: 1, schedule: linear}` it is the paper's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Reptile {
    /// How fast weights move.
    #[garde(dive)]
    pub inner: RuleSpec,
    /// Shots while meta-training, instead of the experiment's: Reptile learns from how the weights move over many images.
    #[garde(inner(range(min = 1, max = 10_000)))]
    #[schemars(range(min = 1, max = 10_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_shots: Option<usize>,
    /// Support images of an inner step while meta-training; each step takes others, until all were seen. All tasks of a meta-batch take
    /// the same places of their support sets, so that a step is one gather for all: their images differ, how many of each label a
    /// step sees does not. Without it every step takes the whole support set.
    #[garde(inner(range(min = 1, max = 100_000)))]
    #[schemars(range(min = 1, max = 100_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
}

impl Algorithm for Reptile {
    fn source(&self) -> &'static str {
        "Nichol et al. 2018, https://arxiv.org/abs/1803.02999"
    }

    fn training(&self) -> Training {
        Training::Episodes { shots: self.train_shots }
    }

    fn training_steps(&self) -> Option<usize> {
        Some(self.inner.steps())
    }

    fn rule(&self) -> Option<&RuleSpec> {
        Some(&self.inner)
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Learner { adaptation: setting.adaptation(&self.inner), batch: self.batch })
    }
}

struct Learner {
    adaptation: Adaptation,
    batch: Option<usize>,
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        self.adaptation.rule.steps()
    }

    fn init(&self, stream: &mut Stream) -> Params {
        self.adaptation.init(stream)
    }

    fn meta_gradient(&self, theta: &Params, episode: &Episode, draws: Draws) -> Option<MetaGradient> {
        let (loss, means) = self.adaptation.mean_weights(theta, episode, self.batch, draws);
        let gradient = no_grad(|| theta.tensors.iter().zip(means).map(|(t, mean)| t - mean).collect());
        Some(MetaGradient { loss, gradient, weight: episode.tasks() as f64 })
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        self.adaptation.task_bytes(rows, Order::Zero, None)
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        self.adaptation.predict(theta, episode, steps, draws)
    }
}
