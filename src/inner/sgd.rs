//! Plain gradient descent on the support loss.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Grain, InnerRule, Objective, Rate, Rates};
use crate::validity::positive;

/// MAML's inner rule (Finn et al. 2017, https://arxiv.org/abs/1703.03400, equation 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Step size on the mean support loss.
    #[garde(custom(positive))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub lr: f64,
    /// Adaptation steps while meta-training.
    #[garde(range(min = 1, max = 10_000))]
    pub steps: usize,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { lr: 0.1, steps: 5 }
    }
}

impl InnerRule for Sgd {
    fn steps(&self) -> usize {
        self.steps
    }

    fn descent(&self) -> Option<Grain> {
        Some(Grain::One)
    }

    fn rates(&self, _: usize, parameters: usize, _: &[Tensor]) -> Option<Rates> {
        Some((0..parameters).map(|_| Rate::Fixed(self.lr)).collect())
    }

    fn step(
        &self,
        objective: &Objective,
        step: usize,
        own: &[Tensor],
        fast: Vec<Tensor>,
        state: Vec<Tensor>,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        (objective.descend(self, step, own, &fast), state) // phi <- phi - lr * dL/dphi
    }
}
