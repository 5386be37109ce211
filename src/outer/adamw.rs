//! Adam with decoupled weight decay (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101, algorithm 2).

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Tensor, no_grad};

use super::{OuterOptimiser, Pace, adam::Adam, schedule::Schedule};
use crate::validity::{decay, not_negative, positive};

/// AdamW's settings: `theta <- theta - lr weight_decay theta`, then Adam's step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct AdamW {
    /// Step size.
    #[garde(custom(positive))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub lr: f64,
    /// Decay of the first moment.
    #[garde(custom(decay))]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    pub beta1: f64,
    /// Decay of the second moment.
    #[garde(custom(decay))]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    pub beta2: f64,
    /// Keeps the division finite.
    #[garde(custom(positive))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub epsilon: f64,
    /// How fast weights shrink, per step of size one.
    #[garde(custom(not_negative))]
    #[schemars(extend("minimum" = 0))]
    pub weight_decay: f64,
    /// How the step size changes over training.
    #[garde(dive)]
    pub schedule: Schedule,
    /// The longest gradient; longer ones are shortened to it.
    #[garde(inner(custom(positive)))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
}

impl Default for AdamW {
    fn default() -> Self {
        let Adam { lr, beta1, beta2, epsilon, schedule, clip } = Adam::default();
        Self { lr, beta1, beta2, epsilon, weight_decay: 0.01, schedule, clip }
    }
}

impl AdamW {
    fn adam(&self) -> Adam {
        let Self { lr, beta1, beta2, epsilon, schedule, clip, .. } = *self;
        Adam { lr, beta1, beta2, epsilon, schedule, clip }
    }
}

impl OuterOptimiser for AdamW {
    fn pace(&self) -> Pace {
        self.adam().pace()
    }

    /// As Adam's.
    fn start(&self, theta: &[Tensor]) -> Vec<Tensor> {
        self.adam().start(theta)
    }

    fn step(
        &self,
        mut theta: Vec<Tensor>,
        gradient: &[Tensor],
        state: Vec<Tensor>,
        rate: f64,
        iteration: usize,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        no_grad(|| theta.iter_mut().for_each(|parameter| *parameter *= 1.0 - rate * self.weight_decay));
        self.adam().step(theta, gradient, state, rate, iteration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outer::{OuterSpec, trajectory};

    /// Expected by the paper's algorithm 2 in Python floats, with rate 0.1 and weight decay 0.5; the gradient is taken before the decay.
    #[test]
    fn it_agrees_with_the_paper() {
        let adamw = OuterSpec::AdamW(AdamW { lr: 0.1, weight_decay: 0.5, ..AdamW::default() });
        trajectory(&adamw, &[1.0499999995, 1.0974260041910164, 1.142360634441395]);
    }
}
