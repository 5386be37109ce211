//! Model-agnostic meta-learning (Finn, Abbeel & Levine 2017, https://arxiv.org/abs/1703.03400).
//!
//! ```text
//!     phi_t = adapt(theta, support_t)                                                   inner loop
//!     gradient = d/d theta  1/T sum_t L(phi_t, query_t)                                 algorithm 2, line 10
//! ```

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use crate::{
    inner::{Adaptation, Answer, Order, RuleSpec, adjoint, graph},
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

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Learner {
            adaptation: setting.adaptation(&self.inner),
            order: self.order,
            recompute: self.recompute,
        })
    }
}

struct Learner {
    adaptation: Adaptation,
    order: Order,
    recompute: Option<usize>,
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        self.adaptation.rule.steps()
    }

    fn init(&self, stream: &mut Stream) -> Params {
        self.adaptation.model.init(stream)
    }

    fn meta_gradient(&self, theta: &Params, episode: &Episode, draws: Draws) -> Option<MetaGradient> {
        let theta = theta.leaves();
        let rule = &*self.adaptation.rule;
        let steps = rule.steps();
        let objective = self.adaptation.objective(&theta, episode, None, steps, self.order, draws);
        let by_hand =
            rule.descent().and_then(|rate| adjoint::meta_gradient(&objective, rate, steps, self.recompute));
        let (loss, gradient) =
            by_hand.unwrap_or_else(|| graph::meta_gradient(rule, &objective, &theta, steps, self.recompute));
        Some(MetaGradient { loss, gradient })
    }

    fn training_bytes(&self, rows: Extent) -> usize {
        self.adaptation.task_bytes(rows, self.order, self.recompute)
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        self.adaptation.task_bytes(rows, Order::Zero, None)
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        self.adaptation.predict(theta, episode, steps, draws)
    }
}
