//! Random search: adaptation without gradients.

use garde::Validate;
use rand::RngExt;
use rand_distr::StandardNormal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{InnerRule, Objective};
use crate::validity::positive;

/// At each step draws perturbations of the weights and keeps, for each task, the one with the lowest support loss, if that is
/// lower than without (Rastrigin 1963, random search with a fixed radius, here normal and with the best of several).
///
/// The perturbations of a step are the same for every task: common random numbers make tasks comparable and let a task's
/// result not depend on the tasks beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct RandomSearch {
    /// Perturbations tried at each step.
    #[garde(range(min = 1, max = 10_000))]
    pub candidates: usize,
    /// Standard deviation of a perturbation.
    #[garde(custom(positive))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub scale: f64,
    /// Adaptation steps while meta-training.
    #[garde(range(min = 1, max = 10_000))]
    pub steps: usize,
}

impl Default for RandomSearch {
    fn default() -> Self {
        Self { candidates: 16, scale: 0.02, steps: 5 }
    }
}

impl InnerRule for RandomSearch {
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
        let mut stream = objective.stream(step);
        let mut best_loss = objective.support_losses(step, &fast).detach(); // [T]
        let mut best: Vec<Tensor> = fast.iter().map(Tensor::shallow_clone).collect();
        for _ in 0..self.candidates {
            let candidate: Vec<Tensor> = fast
                .iter()
                .enumerate()
                .map(|(i, phi)| {
                    if !objective.moves(i) {
                        return phi.shallow_clone();
                    }
                    let shape = &phi.size()[1..];
                    let noise: Vec<f32> = (0..shape.iter().product::<i64>())
                        .map(|_| stream.sample::<f32, _>(StandardNormal) * self.scale as f32)
                        .collect();
                    let noise = Tensor::from_slice(&noise).reshape(shape);
                    phi + noise.to_kind(phi.kind()).to_device(phi.device()) // [T, ...]
                })
                .collect();
            let loss = objective.support_losses(step, &candidate).detach(); // [T]
            let better = loss.lt_tensor(&best_loss); // [T]
            best_loss = loss.minimum(&best_loss);
            best = candidate
                .iter()
                .zip(&best)
                .enumerate()
                .map(|(i, (new, old))| {
                    if !objective.moves(i) {
                        return old.shallow_clone();
                    }
                    let mut shape = vec![1; new.dim()];
                    shape[0] = -1;
                    new.where_self(&better.reshape(shape), old)
                })
                .collect();
        }
        (best, state)
    }
}
