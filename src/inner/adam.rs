//! Adam as an inner rule.

use garde::Validate;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{InnerRule, Objective};
use crate::validity::{decay, positive};

/// Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1), started anew on every task.
///
/// Its steps are elementwise, so every task needs explicit weights. Differentiable, for second-order methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Step size.
    #[garde(custom(positive))]
    pub lr: f64,
    /// Decay of the first moment; 0 is Reptile's choice.
    #[garde(custom(decay))]
    pub beta1: f64,
    /// Decay of the second moment.
    #[garde(custom(decay))]
    pub beta2: f64,
    /// Keeps the division finite.
    #[garde(custom(positive))]
    pub epsilon: f64,
    /// Adaptation steps while meta-training.
    #[garde(range(min = 1, max = 10_000))]
    pub steps: usize,
}

impl Default for Adam {
    fn default() -> Self {
        Self { lr: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, steps: 5 }
    }
}

impl InnerRule for Adam {
    fn steps(&self) -> usize {
        self.steps
    }

    fn is_linear(&self) -> bool {
        false
    }

    fn step(
        &self,
        objective: &Objective,
        step: usize,
        fast: Vec<Tensor>,
        state: Vec<Tensor>,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        let gradient = objective.gradient(step, &fast);
        let t = step as i32 + 1;
        let (correction1, correction2) = (1.0 - self.beta1.powi(t), 1.0 - self.beta2.powi(t));
        let (mut moved, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
        for (i, (phi, g)) in fast.iter().zip(&gradient).enumerate() {
            // m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
            let m = match state.get(i) {
                Some(m) => m.lerp(g, 1.0 - self.beta1),
                None => g * (1.0 - self.beta1),
            };
            let v = match state.get(fast.len() + i) {
                Some(v) => v.lerp(&g.square(), 1.0 - self.beta2),
                None => g.square() * (1.0 - self.beta2),
            };
            // phi <- phi - lr m^ / (sqrt(v^) + epsilon), with the corrections drawn out of the tensors. The square root's
            // slope at 0 is infinite and would make a NaN of 0 * infinity; the tiny offset keeps it finite.
            let v_safe = if v.requires_grad() { &v + 1e-30 } else { v.shallow_clone() };
            let root = v_safe.sqrt() + self.epsilon * correction2.sqrt();
            moved.push(phi - &m * (self.lr * correction2.sqrt() / correction1) / root);
            first.push(m);
            second.push(v);
        }
        first.append(&mut second);
        (moved, first)
    }
}
