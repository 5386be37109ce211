//! The outer optimiser: how theta moves against the meta-gradient. State goes in and comes out.

use garde::{Path, Report, Validate, util::nested_path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Tensor, no_grad};

use crate::validity::{decay, positive};

/// An outer optimiser as the experiment file names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outer {
    /// Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980).
    Adam(Adam),
    /// Gradient descent; with `lr: 1, schedule: linear` Reptile's own.
    Sgd(Sgd),
}

// By hand, so that paths in errors have the names in YAML.
impl Validate for Outer {
    type Context = ();

    fn validate_into(&self, context: &(), mut parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        match self {
            Self::Adam(adam) => adam.validate_into(context, &mut nested_path!(parent, "adam"), report),
            Self::Sgd(sgd) => sgd.validate_into(context, &mut nested_path!(parent, "sgd"), report),
        }
    }
}

impl Default for Outer {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

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
    #[garde(skip)]
    pub schedule: Schedule,
}

impl Default for Adam {
    fn default() -> Self {
        Self { lr: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, schedule: Schedule::Constant }
    }
}

/// Gradient descent's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Step size.
    #[garde(custom(positive))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub lr: f64,
    /// How the step size changes over training.
    #[garde(skip)]
    pub schedule: Schedule,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { lr: 1.0, schedule: Schedule::Constant }
    }
}

/// How the step size changes over training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// In a straight line to zero.
    Linear,
    /// Along half a cosine to zero (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5).
    Cosine,
}

impl Schedule {
    /// The factor on the step size at `iteration` (from 0) of `iterations`.
    pub fn factor(self, iteration: usize, iterations: usize) -> f64 {
        let done = iteration as f64 / iterations.max(1) as f64;
        match self {
            Self::Constant => 1.0,
            Self::Linear => 1.0 - done,
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
        }
    }
}

impl Outer {
    /// The step size at `iteration` (from 0) of `iterations`.
    pub fn rate(&self, iteration: usize, iterations: usize) -> f64 {
        let (lr, schedule) = match self {
            Self::Adam(adam) => (adam.lr, adam.schedule),
            Self::Sgd(sgd) => (sgd.lr, sgd.schedule),
        };
        lr * schedule.factor(iteration, iterations)
    }

    /// The state before the first step: for Adam first and second moments, each shaped as theta.
    pub fn start(&self, theta: &[Tensor]) -> Vec<Tensor> {
        match self {
            Self::Adam(_) => theta.iter().chain(theta).map(Tensor::zeros_like).collect(),
            Self::Sgd(_) => Vec::new(),
        }
    }

    /// Theta and state after step number `iteration` (from 0) of `iterations`; both are moved in place.
    pub fn step(
        &self,
        mut theta: Vec<Tensor>,
        gradient: &[Tensor],
        mut state: Vec<Tensor>,
        iteration: usize,
        iterations: usize,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        let rate = self.rate(iteration, iterations);
        no_grad(|| match self {
            Self::Sgd(_) => {
                // theta <- theta - lr g
                for (parameter, g) in theta.iter_mut().zip(gradient) {
                    *parameter -= g * rate;
                }
            }
            Self::Adam(Adam { beta1, beta2, epsilon, .. }) => {
                let t = iteration as i32 + 1;
                let (correction1, correction2) = (1.0 - beta1.powi(t), 1.0 - beta2.powi(t));
                let (first, second) = state.split_at_mut(theta.len());
                let moments = first.iter_mut().zip(second);
                for ((parameter, g), (m, v)) in theta.iter_mut().zip(gradient).zip(moments) {
                    // m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
                    let _ = m.lerp_(g, 1.0 - beta1);
                    let _ = v.lerp_(&g.square(), 1.0 - beta2);
                    // theta <- theta - lr m^ / (sqrt(v^) + epsilon)
                    let root = v.sqrt() / correction2.sqrt() + *epsilon;
                    *parameter -= &*m * (rate / correction1) / root;
                }
            }
        });
        (theta, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trajectory(outer: &Outer, steps: usize) -> Vec<f64> {
        // minimise (x - 3)^2 / 2 from x = 1: the gradient is x - 3
        let mut theta = vec![Tensor::from_slice(&[1.0])];
        let mut state = outer.start(&theta);
        (0..steps)
            .map(|i| {
                let gradient = [&theta[0] - 3.0];
                (theta, state) =
                    outer.step(std::mem::take(&mut theta), &gradient, std::mem::take(&mut state), i, steps);
                theta[0].double_value(&[0])
            })
            .collect()
    }

    fn close(a: &[f64], b: &[f64]) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9), "{a:?} {b:?}");
    }

    #[test]
    fn gradient_descent_by_hand() {
        // lr 0.5 constant: 1 -> 2 -> 2.5; linear over 2 steps: 0.5 then 0.25: 1 -> 2 -> 2.25
        let sgd = |schedule| Outer::Sgd(Sgd { lr: 0.5, schedule });
        close(&trajectory(&sgd(Schedule::Constant), 2), &[2.0, 2.5]);
        close(&trajectory(&sgd(Schedule::Linear), 2), &[2.0, 2.25]);
    }

    /// Expected by the paper's algorithm 1 in Python floats, with rate 0.1.
    #[test]
    fn adam_agrees_with_the_paper() {
        let adam = Outer::Adam(Adam { lr: 0.1, ..Adam::default() });
        close(&trajectory(&adam, 3), &[1.0999999995, 1.1998335133789073, 1.2993766071878863]);
    }

    #[test]
    fn schedules_start_at_one_and_fall_to_zero() {
        for schedule in [Schedule::Linear, Schedule::Cosine] {
            assert_eq!(schedule.factor(0, 10), 1.0);
            assert!((schedule.factor(5, 10) - 0.5).abs() < 1e-12);
            assert!(schedule.factor(10, 10).abs() < 1e-12);
        }
    }
}
