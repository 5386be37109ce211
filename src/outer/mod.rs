//! The outer optimiser: how theta moves against the meta-gradient. State goes in and comes out.

pub mod adam;
pub mod adamw;
mod clip;
pub mod schedule;
pub mod sgd;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::registry::registry;
use schedule::Schedule;

/// How theta moves.
pub trait OuterOptimiser {
    /// How large its steps are.
    fn pace(&self) -> Pace;

    /// The state before the first step.
    fn start(&self, theta: &[Tensor]) -> Vec<Tensor>;

    /// Theta and state after a step of size `rate`, number `iteration` (from 0); both are moved in place.
    fn step(
        &self,
        theta: Vec<Tensor>,
        gradient: &[Tensor],
        state: Vec<Tensor>,
        rate: f64,
        iteration: usize,
    ) -> (Vec<Tensor>, Vec<Tensor>);
}

/// What every optimiser has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Step size.
    pub lr: f64,
    /// How it changes over training.
    pub schedule: Schedule,
    /// The longest gradient, if there is a limit.
    pub clip: Option<f64>,
}

registry! {
    /// The outer optimisers an experiment file can name.
    pub enum OuterSpec: OuterOptimiser {
        /// Adam (Kingma & Ba 2015, https://arxiv.org/abs/1412.6980).
        "adam" => Adam(adam::Adam),
        /// Adam with decoupled weight decay (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101).
        "adamw" => AdamW(adamw::AdamW),
        /// Gradient descent, with momentum if asked for; with `lr: 1, schedule: linear` Reptile's own.
        "sgd" => Sgd(sgd::Sgd),
    }
}

impl Default for OuterSpec {
    fn default() -> Self {
        Self::Adam(adam::Adam::default())
    }
}

impl OuterSpec {
    /// The step size at `iteration` (from 0) of `iterations`.
    pub fn rate(&self, iteration: usize, iterations: usize) -> f64 {
        let Pace { lr, schedule, .. } = self.pace();
        lr * schedule.factor(iteration, iterations)
    }

    /// Theta and state after step number `iteration` (from 0) of `iterations`, along a gradient that is no longer than the limit.
    pub fn advance(
        &self,
        theta: Vec<Tensor>,
        gradient: &[Tensor],
        state: Vec<Tensor>,
        iteration: usize,
        iterations: usize,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        let rate = self.rate(iteration, iterations);
        match self.pace().clip {
            Some(longest) => self.step(theta, &clip::clipped(gradient, longest), state, rate, iteration),
            None => self.step(theta, gradient, state, rate, iteration),
        }
    }
}

/// Minimises (x - 3)^2 / 2 from x = 1, whose gradient is x - 3, and meets these values.
#[cfg(test)]
fn trajectory(outer: &OuterSpec, expected: &[f64]) {
    let mut theta = vec![Tensor::from_slice(&[1.0])];
    let mut state = outer.start(&theta);
    for (step, expected) in expected.iter().enumerate() {
        let gradient = [&theta[0] - 3.0];
        (theta, state) = outer.advance(theta, &gradient, state, step, 2);
        let x = theta[0].double_value(&[0]);
        assert!((x - expected).abs() < 1e-9, "step {step}: {x}, expected {expected}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Registering is being tested: each optimiser finds the minimum, and a resumed one goes on as if it had not stopped.
    #[test]
    fn every_optimiser_converges_and_keeps_its_state_apart() {
        for name in OuterSpec::NAMES {
            let spec: OuterSpec = serde_saphyr::from_str(&format!("{{{name}: {{lr: 0.1}}}}")).expect("YAML");
            let run = |from: (Vec<Tensor>, Vec<Tensor>), steps: std::ops::Range<usize>| {
                steps.fold(from, |(theta, state), step| {
                    let gradient = [&theta[0] - 3.0];
                    spec.advance(theta, &gradient, state, step, 1000)
                })
            };
            let start = || {
                let theta = vec![Tensor::from_slice(&[1.0])];
                let state = spec.start(&theta);
                (theta, state)
            };
            let whole = run(start(), 0..400);
            let halves = run(run(start(), 0..200), 200..400);
            let x = |of: &(Vec<Tensor>, Vec<Tensor>)| of.0[0].double_value(&[0]);
            assert!((x(&whole) - 3.0).abs() < 0.1, "{}: {}", spec.name(), x(&whole));
            assert_eq!(x(&whole), x(&halves), "{}", spec.name());
        }
    }
}
