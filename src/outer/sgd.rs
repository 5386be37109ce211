//! Gradient descent, with momentum if asked for.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Tensor, no_grad};

use super::{OuterOptimiser, Pace, schedule::Schedule};
use crate::validity::{decay, positive};

/// Gradient descent with momentum (Polyak 1964; as PyTorch writes it, without dampening):
///
/// ```text
///     m <- momentum m + g        theta <- theta - lr m
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Step size.
    #[garde(custom(positive))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub lr: f64,
    /// How the step size changes over training.
    #[garde(dive)]
    pub schedule: Schedule,
    /// How much of the last step goes on.
    #[garde(custom(decay))]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1))]
    #[serde(skip_serializing_if = "is_zero")]
    pub momentum: f64,
    /// The longest gradient; longer ones are shortened to it.
    #[garde(inner(custom(positive)))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
}

fn is_zero(momentum: &f64) -> bool {
    *momentum == 0.0
}

impl Default for Sgd {
    fn default() -> Self {
        Self { lr: 1.0, schedule: Schedule::default(), momentum: 0.0, clip: None }
    }
}

impl OuterOptimiser for Sgd {
    fn pace(&self) -> Pace {
        Pace { lr: self.lr, schedule: self.schedule, clip: self.clip }
    }

    /// With momentum, m.
    fn start(&self, theta: &[Tensor]) -> Vec<Tensor> {
        if self.momentum == 0.0 { Vec::new() } else { theta.iter().map(Tensor::zeros_like).collect() }
    }

    fn step(
        &self,
        mut theta: Vec<Tensor>,
        gradient: &[Tensor],
        mut state: Vec<Tensor>,
        rate: f64,
        _: usize,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        no_grad(|| {
            for (m, g) in state.iter_mut().zip(gradient) {
                *m *= self.momentum;
                *m += g;
            }
            let directions = if state.is_empty() { gradient } else { &state };
            for (parameter, direction) in theta.iter_mut().zip(directions) {
                *parameter -= direction * rate;
            }
        });
        (theta, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outer::{OuterSpec, schedule::Shape, trajectory};

    #[test]
    fn gradient_descent_by_hand() {
        // lr 0.5 constant: 1 -> 2 -> 2.5; linear over 2 steps: 0.5 then 0.25: 1 -> 2 -> 2.25
        let sgd = |shape: Shape| OuterSpec::Sgd(Sgd { lr: 0.5, schedule: shape.into(), ..Sgd::default() });
        trajectory(&sgd(Shape::Constant), &[2.0, 2.5]);
        trajectory(&sgd(Shape::Linear), &[2.0, 2.25]);
    }

    #[test]
    fn momentum_and_clipping_by_hand() {
        // m: -2, -1.8, -0.5; from 1 by 0.5 m: 2, 2.9, 3.15
        let momentum = Sgd { lr: 0.5, momentum: 0.4, ..Sgd::default() };
        // x - 3 = -2; m = -2, x = 2; m = -0.8 - 1 = -1.8, x = 2.9; m = -0.72 - 0.1 = -0.82, x = 3.31
        trajectory(&OuterSpec::Sgd(momentum), &[2.0, 2.9, 3.31]);
        let clipped = Sgd { lr: 0.5, clip: Some(1.0), ..Sgd::default() };
        // gradients -2 -> -1, -1.5 -> -1, -1
        trajectory(&OuterSpec::Sgd(clipped), &[1.5, 2.0, 2.5]);
    }
}
