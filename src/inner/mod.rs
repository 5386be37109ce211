//! The inner loop: how fast weights phi of all tasks move from theta, and the rules that move them.

pub mod adam;
pub mod adaptation;
pub mod adjoint;
pub mod compact;
pub mod cost;
pub mod graph;
pub mod map;
pub mod meta_sgd;
mod network;
pub mod objective;
mod order;
pub mod random_search;
pub mod rates;
pub mod rows;
pub mod sgd;
mod sight;

use serde::{Deserialize, Serialize};
use tch::Tensor;

pub use adaptation::{Adaptation, Answer, Differentiation};
pub use network::Network;
pub use objective::Objective;
pub use order::Order;
pub use rates::{Adapts, Grain, Rate, Rates};
pub use rows::{Form, Rows};

use crate::{models::Parameter, registry::registry};

/// How fast weights move.
pub trait InnerRule {
    /// Adaptation steps while meta-training.
    fn steps(&self) -> usize;

    /// Whether it moves context parameters and nothing else.
    fn moves_contexts_only(&self) -> bool {
        false
    }

    /// What the rule learns beside the parameters of a `model`: it becomes a part of theta.
    fn parameters(&self, _model: &[Parameter]) -> Vec<Parameter> {
        Vec::new()
    }

    /// For a rule whose every step is gradient descent, `phi - rate * gradient`: how fine its rates are.
    ///
    /// Only such a rule commutes with linear maps of the weights: the input layer may be adapted in implicit form, and meta-gradients
    /// go back through the adaptation without a graph. Other rules need explicit weights.
    fn descent(&self) -> Option<Grain> {
        None
    }

    /// The rates of a rule of gradient descent at a step (from 0), for a model with so many `parameters`; `own` is what the rule learns.
    fn rates(&self, _step: usize, _parameters: usize, _own: &[Tensor]) -> Option<Rates> {
        None
    }

    /// Fast weights and rule state after step number `step` (from 0). `fast` is as [`Objective::start`] gives it; `own` is what the rule
    /// learns; `state` is empty before the first step and after it whatever the rule needs (moments, for example). Fast weights that
    /// [`Objective::moves`] denies stay as they are.
    fn step(
        &self,
        objective: &Objective,
        step: usize,
        own: &[Tensor],
        fast: Vec<Tensor>,
        state: Vec<Tensor>,
    ) -> (Vec<Tensor>, Vec<Tensor>);
}

registry! {
    /// The inner rules an experiment file can name.
    pub enum RuleSpec: InnerRule {
        /// Gradient descent: `phi <- phi - lr * gradient`. Adapts the first layer in implicit form.
        "sgd" => Sgd(sgd::Sgd),
        /// Gradient descent with learned rates (Meta-SGD): for each element, output unit, or layer, and for each step.
        "meta_sgd" => MetaSgd(meta_sgd::MetaSgd),
        /// Steps towards the context that is most probable after the support set, with a learned prior.
        "map" => Map(map::Map),
        /// Adam (Kingma & Ba 2015), started anew on every task; `beta1: 0` is Reptile's choice.
        "adam" => Adam(adam::Adam),
        /// Gradient-free: at each step keep the best of n random perturbations, if it is better.
        "random_search" => RandomSearch(random_search::RandomSearch),
    }
}

impl Default for RuleSpec {
    fn default() -> Self {
        Self::Sgd(sgd::Sgd::default())
    }
}

impl RuleSpec {
    /// Adam with its defaults, the rule of ordinary training.
    pub fn adam() -> Self {
        Self::Adam(adam::Adam::default())
    }
}

/// Adapts all tasks from theta, with what the rule has learned, calling `visit(step, phi)` before the first and after each of the `steps` steps.
pub fn adapt(
    rule: &dyn InnerRule,
    objective: &Objective,
    own: &[Tensor],
    steps: usize,
    mut visit: impl FnMut(usize, &[Tensor]),
) -> Vec<Tensor> {
    let mut fast = objective.start();
    let mut state = Vec::new();
    visit(0, &fast);
    for step in 0..steps {
        (fast, state) = rule.step(objective, step, own, fast, state);
        visit(step + 1, &fast);
    }
    fast
}
