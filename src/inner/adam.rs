//! Adam as an inner rule.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::{InnerRule, Objective};
use crate::{
    floats::{floats, floats_mut},
    validity::{decay, positive},
};

/// Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, algorithm 1), started anew on every task.
///
/// Its steps are elementwise, so every task needs explicit weights. Differentiable, for second-order methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Step size.
    #[garde(custom(positive))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub lr: f64,
    /// Decay of the first moment; 0 is Reptile's choice.
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

    fn step(
        &self,
        objective: &Objective,
        step: usize,
        _: &[Tensor],
        fast: Vec<Tensor>,
        state: Vec<Tensor>,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        let gradient = objective.gradient(step, &fast);
        let t = step as i32 + 1;
        let (correction1, correction2) = (1.0 - self.beta1.powi(t), 1.0 - self.beta2.powi(t));
        // phi <- phi - lr m^ / (sqrt(v^) + epsilon), with the bias corrections drawn out of the tensors
        let rate = self.lr * correction2.sqrt() / correction1;
        let epsilon = self.epsilon * correction2.sqrt();
        let tracked = fast.iter().chain(&gradient).any(Tensor::requires_grad);
        let on_cpu = fast.iter().all(|phi| phi.device() == Device::Cpu && phi.kind() == Kind::Float);
        let state = if state.is_empty() {
            gradient.iter().chain(&gradient).map(Tensor::zeros_like).collect()
        } else {
            state
        };
        let (first, second) = state.split_at(fast.len());
        let (mut moved, mut firsts, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
        for (i, ((phi, g), (m, v))) in fast.iter().zip(&gradient).zip(first.iter().zip(second)).enumerate() {
            let (phi, m, v) = if !objective.moves(i) {
                (phi.shallow_clone(), m.shallow_clone(), v.shallow_clone())
            } else if on_cpu && !tracked {
                // Before the first step phi is a view of theta, which must stay as it is.
                let mut phi = if step == 0 { phi.copy() } else { phi.contiguous() };
                let (mut m, mut v) = (m.contiguous(), v.contiguous());
                self.step_in_place(&mut phi, &g.contiguous(), &mut m, &mut v, rate, epsilon);
                (phi, m, v)
            } else {
                self.step_on_tensors(phi, g, m, v, rate, epsilon)
            };
            moved.push(phi);
            firsts.push(m);
            seconds.push(v);
        }
        firsts.append(&mut seconds);
        (moved, firsts)
    }
}

impl Adam {
    /// One step in differentiable tensor operations.
    fn step_on_tensors(
        &self,
        phi: &Tensor,
        g: &Tensor,
        m: &Tensor,
        v: &Tensor,
        rate: f64,
        epsilon: f64,
    ) -> (Tensor, Tensor, Tensor) {
        let m = m.lerp(g, 1.0 - self.beta1); // m <- beta1 m + (1 - beta1) g
        let v = v.lerp(&g.square(), 1.0 - self.beta2); // v <- beta2 v + (1 - beta2) g^2
        // The square root's slope at 0 is infinite and would make a NaN of 0 * infinity; the tiny offset keeps it finite.
        let root = (&v + 1e-30).sqrt() + epsilon;
        (phi - &m * rate / root, m, v)
    }

    /// The same step in one pass over memory: as tensor operations its seven passes are most of plain training's time.
    ///
    /// All four must be contiguous f32 tensors on the CPU.
    pub(crate) fn step_in_place(
        &self,
        phi: &mut Tensor,
        g: &Tensor,
        m: &mut Tensor,
        v: &mut Tensor,
        rate: f64,
        epsilon: f64,
    ) {
        let (beta1, beta2) = (self.beta1 as f32, self.beta2 as f32);
        let (rest1, rest2) = ((1.0 - self.beta1) as f32, (1.0 - self.beta2) as f32);
        let (rate, epsilon) = (rate as f32, epsilon as f32);
        let values = floats_mut(phi).chunks_mut(BLOCK).zip(floats(g).chunks(BLOCK));
        let moments = floats_mut(m).chunks_mut(BLOCK).zip(floats_mut(v).chunks_mut(BLOCK));
        for ((phi, g), (m, v)) in values.zip(moments) {
            // Weights of pixels that are blank in every support image never move: for few images that is most of them.
            if [g, &*m, &*v].iter().all(|block| block.iter().all(|&x| x == 0.0)) {
                continue;
            }
            for (((phi, g), m), v) in phi.iter_mut().zip(g).zip(m).zip(v) {
                *m = beta1 * *m + rest1 * g;
                *v = beta2 * *v + rest2 * g * g;
                *phi -= rate * *m / (v.sqrt() + epsilon);
            }
        }
    }
}

/// Elements that are looked at together.
const BLOCK: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// Three steps on gradients that include 0, where nothing may move.
    fn trajectory(in_place: bool) -> Vec<f32> {
        let adam = Adam { lr: 0.1, ..Adam::default() };
        let mut phi = Tensor::from_slice(&[1.0f32, -2.0, 0.5]);
        let (mut m, mut v) = (phi.zeros_like(), phi.zeros_like());
        for t in 1..=3 {
            let g = &phi * Tensor::from_slice(&[1.0f32, 0.5, 0.0]);
            let (c1, c2) = (1.0 - adam.beta1.powi(t), 1.0 - adam.beta2.powi(t));
            let (rate, epsilon) = (adam.lr * c2.sqrt() / c1, adam.epsilon * c2.sqrt());
            if in_place {
                adam.step_in_place(&mut phi, &g, &mut m, &mut v, rate, epsilon);
            } else {
                (phi, m, v) = adam.step_on_tensors(&phi, &g, &m, &v, rate, epsilon);
            }
        }
        Vec::try_from(phi).expect("three values")
    }

    /// Expected by the paper's algorithm 1 in Python floats: rate 0.1, gradient `phi * mask`, `phi = [1, -2, 0.5]`,
    /// `mask = [1, 0.5, 0]`.
    #[test]
    fn both_forms_agree_with_the_paper() {
        for in_place in [true, false] {
            let phi = trajectory(in_place);
            for (found, expected) in phi.iter().zip([0.701_586_3, -1.700_623_4, 0.5]) {
                assert!((found - expected).abs() < 1e-6, "in place {in_place}: {phi:?}");
            }
        }
    }
}
