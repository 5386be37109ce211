//! Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1).

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Tensor, no_grad};

use super::{OuterOptimiser, Pace, schedule::Schedule};
use crate::{
    floats::is_plain,
    inner::{self, compact::WEIGHTS},
    validity::{decay, positive},
};

/// Adam's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
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
    /// How the step size changes over training.
    #[garde(dive)]
    pub schedule: Schedule,
    /// The longest gradient; longer ones are shortened to it.
    #[garde(inner(custom(positive)))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
}

impl Default for Adam {
    fn default() -> Self {
        Self { lr: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, schedule: Schedule::default(), clip: None }
    }
}

impl OuterOptimiser for Adam {
    fn pace(&self) -> Pace {
        Pace { lr: self.lr, schedule: self.schedule, clip: self.clip }
    }

    /// First moments, then second moments.
    fn start(&self, theta: &[Tensor]) -> Vec<Tensor> {
        theta.iter().chain(theta).map(Tensor::zeros_like).collect()
    }

    fn step(
        &self,
        mut theta: Vec<Tensor>,
        gradient: &[Tensor],
        mut state: Vec<Tensor>,
        rate: f64,
        iteration: usize,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        let Self { beta1, beta2, epsilon, .. } = *self;
        if is_small(&theta) && theta.iter().chain(gradient).chain(&state).all(is_plain) {
            self.step_on_numbers(&mut theta, gradient, &mut state, rate, iteration);
            return (theta, state);
        }
        no_grad(|| {
            let t = iteration as i32 + 1;
            let (correction1, correction2) = (1.0 - beta1.powi(t), 1.0 - beta2.powi(t));
            let (first, second) = state.split_at_mut(theta.len());
            let moments = first.iter_mut().zip(second);
            for ((parameter, g), (m, v)) in theta.iter_mut().zip(gradient).zip(moments) {
                // m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
                let _ = m.lerp_(g, 1.0 - beta1);
                let _ = v.lerp_(&g.square(), 1.0 - beta2);
                // theta <- theta - lr m^ / (sqrt(v^) + epsilon)
                let root = v.sqrt() / correction2.sqrt() + epsilon;
                *parameter -= &*m * (rate / correction1) / root;
            }
        });
        (theta, state)
    }
}

impl Adam {
    /// The same on the numbers of small tensors, whose operations take longer to begin than to do.
    fn step_on_numbers(
        &self,
        theta: &mut [Tensor],
        gradient: &[Tensor],
        state: &mut [Tensor],
        rate: f64,
        iteration: usize,
    ) {
        let Self { beta1, beta2, epsilon, .. } = *self;
        let t = iteration as i32 + 1;
        let (correction1, correction2) = (1.0 - beta1.powi(t), 1.0 - beta2.powi(t));
        let rate = rate * correction2.sqrt() / correction1;
        let rule = inner::adam::Adam { lr: rate, beta1, beta2, epsilon, steps: 1 };
        let (first, second) = state.split_at_mut(theta.len());
        let moments = first.iter_mut().zip(second);
        for ((parameter, g), (m, v)) in theta.iter_mut().zip(gradient).zip(moments) {
            rule.step_in_place(parameter, g, m, v, rate, epsilon * correction2.sqrt());
        }
    }
}

/// Whether the tensors are those of a small network.
fn is_small(theta: &[Tensor]) -> bool {
    theta.iter().map(Tensor::numel).sum::<usize>() <= WEIGHTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outer::{OuterSpec, trajectory};

    /// Expected by the paper's algorithm 1 in Python floats, with rate 0.1.
    #[test]
    fn it_agrees_with_the_paper() {
        let adam = OuterSpec::Adam(Adam { lr: 0.1, ..Adam::default() });
        trajectory(&adam, &[1.0999999995, 1.1998335133789073, 1.2993766071878863]);
    }
}
