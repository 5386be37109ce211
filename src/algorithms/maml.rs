//! Model-agnostic meta-learning (Finn, Abbeel & Levine 2017, https://arxiv.org/abs/1703.03400).
//!
//! ```text
//!     phi_t = adapt(theta, support_t)                                                   inner loop
//!     gradient = d/d theta  1/T sum_t L(phi_t, query_t)                                 algorithm 2, line 10
//! ```

use garde::Validate;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training, predict_adapted};
use crate::{
    inner::{Objective, Order, Rows, RuleSpec, adapt, adjoint},
    models::{Model, Params},
    random::{Draws, Stream},
    tasks::Episode,
};

/// MAML with any inner rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Maml {
    /// How fast weights move.
    #[garde(dive)]
    pub inner: RuleSpec,
    /// Whether the meta-gradient goes through the inner gradients (second) or takes them as constants (first).
    #[garde(skip)]
    pub order: Order,
}

impl Default for Maml {
    fn default() -> Self {
        Self { inner: RuleSpec::default(), order: Order::Second }
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
            rule: self.inner.clone(),
            order: self.order,
            model: setting.model.build(setting.inputs, setting.ways),
        })
    }
}

struct Learner {
    rule: RuleSpec,
    order: Order,
    model: Box<dyn Model>,
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        self.rule.steps()
    }

    fn init(&self, stream: &mut Stream) -> Params {
        self.model.init(stream)
    }

    fn meta_gradient(&self, theta: &Params, episode: &Episode, draws: Draws) -> Option<MetaGradient> {
        let theta = theta.leaves();
        let form = Objective::best_form(&*self.rule, &*self.model, episode);
        let objective = Objective::new(&*self.model, &theta, episode, form, self.order, draws);
        if let Some(rate) = self.rule.descent()
            && let Some((loss, gradient)) = adjoint::meta_gradient(&objective, rate, self.rule.steps())
        {
            return Some(MetaGradient { loss, gradient });
        }
        let phi = adapt(&*self.rule, &objective, self.rule.steps(), |_, _| {});
        let loss = objective.losses(&phi, Rows::Query).mean(None::<Kind>);
        let gradient = Tensor::run_backward(&[&loss], &theta, false, false);
        Some(MetaGradient { loss: loss.detach(), gradient })
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Tensor> {
        predict_adapted(&*self.rule, &*self.model, theta, episode, steps, draws)
    }
}
