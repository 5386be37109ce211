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

    fn predict_at_once(
        &self,
        theta: &Params,
        seen: &Episode,
        questions: &Tensor,
        steps: usize,
        draws: Draws,
    ) -> Option<Tensor> {
        self.adaptation.predict_same(theta, seen, questions, steps, draws)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::{
        inner::{Adapts, map::Map},
        loss::Logistic,
        models::{ModelSpec, decoder::Decoder, mlp::Mlp},
        random::{Purpose, stream},
        tasks::Interface,
    };

    /// Whether the context or all weights adapt: the way that asks all tasks the same questions at once, and the one that asks each.
    #[test]
    fn questions_that_are_the_same_for_all_are_answered_as_each_tasks_own() {
        const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Adapt, occasion: 0, first_task: 0 };
        let tensor = |size: &[i64]| Tensor::randn(size, (Kind::Float, Device::Cpu));
        let seen = Episode {
            x: tensor(&[3, 4, 5]),
            y: tensor(&[3, 4, 1]).gt(0.0).to_kind(Kind::Float),
            weight: Some(Tensor::from_slice(&[1f32, 1.0, 1.0, 0.0]).expand([3, 4], true)),
            support: 4,
        };
        let questions = tensor(&[7, 5]);
        for (model, adapts, inner) in [
            (ModelSpec::Decoder(Decoder::default()), Adapts::Context, RuleSpec::Map(Map::default())),
            (ModelSpec::Mlp(Mlp::default()), Adapts::All, RuleSpec::default()),
        ] {
            let setting = Setting {
                model,
                interface: Interface {
                    inputs: 5,
                    outputs: 1,
                    items: 5,
                    bins: None,
                    loss: &Logistic,
                    measures: vec![],
                },
                pooled_outputs: None,
                whole_outputs: 1,
                memory: u64::MAX,
                adapts,
                copier: None,
            };
            let learner = Maml { inner, ..Maml::default() }.build(&setting);
            let theta = learner.init(&mut stream(0, Purpose::Init, 0));
            let same = learner.predict_same(&theta, &seen, &questions, 3, DRAWS);
            let own = &learner.predict(&theta, &seen.asked(&questions), &[3], DRAWS)[0].outputs;
            assert_eq!(same.size(), [3, 7, 1]);
            assert!(same.allclose(own, 1e-5, 1e-6, false));
            assert!(!same.get(0).allclose(&same.get(1), 1e-5, 1e-6, false), "tasks differ");
        }
    }
}
