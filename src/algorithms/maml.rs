//! Model-agnostic meta-learning (Finn, Abbeel & Levine 2017, https://arxiv.org/abs/1703.03400).
//!
//! ```text
//!     phi_t = adapt(theta, support_t)                                                   inner loop
//!     gradient = d/d theta  1/T sum_t L(phi_t, query_t)                                 algorithm 2, line 10
//! ```

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use tch::Tensor;

use crate::{
    inner::{Adaptation, Answer, Differentiation, Order, RuleSpec},
    models::Params,
    random::{Draws, Stream},
    tasks::{Episode, Extent},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// MAML with any inner rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Maml {
    /// How fast weights move.
    #[garde(dive)]
    pub inner: RuleSpec,
    /// Whether the meta-gradient goes through the inner gradients (second) or takes them as constants (first).
    #[garde(skip)]
    pub order: Order,
    /// Keep the fast weights before every so many inner steps only and recompute the others for the meta-gradient: the same numbers
    /// in less memory. The square root of the number of steps takes the least. Without it all are kept.
    #[garde(inner(range(min = 1, max = 10_000)))]
    #[schemars(range(min = 1, max = 10_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recompute: Option<usize>,
}

impl Default for Maml {
    fn default() -> Self {
        Self { inner: RuleSpec::default(), order: Order::Second, recompute: None }
    }
}

impl Algorithm for Maml {
    fn source(&self) -> &'static str {
        "Finn et al. 2017, https://arxiv.org/abs/1703.03400"
    }

    fn training(&self) -> Training {
        Training::Episodes { shots: None }
    }

    fn training_steps(&self) -> Option<usize> {
        Some(self.inner.steps())
    }

    fn rule(&self) -> Option<&RuleSpec> {
        Some(&self.inner)
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        let mut shares = vec![0.0; self.inner.steps()];
        if let Some(last) = shares.last_mut() {
            *last = 1.0; // the loss after all steps alone
        }
        let (adaptation, order, recompute) = (setting.adaptation(&self.inner), self.order, self.recompute);
        Box::new(Learner { adaptation, order, shares, recompute })
    }
}

struct Learner {
    adaptation: Adaptation,
    order: Order,
    /// What the query loss after each step counts.
    shares: Vec<f64>,
    recompute: Option<usize>,
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        self.adaptation.rule.steps()
    }

    fn init(&self, stream: &mut Stream) -> Params {
        self.adaptation.init(stream)
    }

    fn meta_gradient(&self, theta: &Params, episode: &Episode, draws: Draws) -> Option<MetaGradient> {
        let how = Differentiation { order: self.order, shares: &self.shares, recompute: self.recompute };
        let (loss, gradient) = self.adaptation.meta_gradient(theta, episode, &how, draws);
        Some(MetaGradient { loss, gradient, weight: episode.asked_tasks() })
    }

    fn training_bytes(&self, rows: Extent) -> usize {
        self.adaptation.task_bytes(rows, self.order, self.recompute)
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        self.adaptation.task_bytes(rows, Order::Zero, None)
    }

    fn contexts(&self, theta: &Params, episode: &Episode, steps: usize, draws: Draws) -> Option<Tensor> {
        self.adaptation.contexts(theta, episode, steps, draws)
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        self.adaptation.predict(theta, episode, steps, draws)
    }
}
