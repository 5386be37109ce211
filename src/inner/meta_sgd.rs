//! Gradient descent with learned rates.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Grain, InnerRule, Objective, Rate, Rates};
use crate::{
    models::{Initial, Parameter, Role},
    validity::positive,
};

/// Meta-SGD (Li et al. 2017, https://arxiv.org/abs/1707.09835, equation 2): `phi <- phi - alpha o gradient`, where the rates alpha are
/// learned with the initialisation, and may become negative. One for each element is the paper's; coarser ones are fewer, and keep
/// the fast form of the first layer. One for each layer and step is that of MAML++ (Antoniou et al. 2019,
/// https://arxiv.org/abs/1810.09502).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct MetaSgd {
    /// What each rate is for.
    #[garde(skip)]
    pub rates: Granularity,
    /// Each rate starts between these two, all values alike likely; the same number twice starts all alike.
    #[garde(custom(ascending))]
    pub start: [f64; 2],
    /// Adaptation steps while meta-training; those beyond it at test have the rates of the last one.
    #[garde(range(min = 1, max = 10_000))]
    pub steps: usize,
}

/// What a learned rate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// Each element of each parameter.
    Elementwise,
    /// Each output unit of each layer, its weights and its bias apart.
    PerUnit,
    /// Each layer's weight, and its bias.
    PerLayer,
    /// The same, in each step.
    PerLayerAndStep,
}

impl Default for MetaSgd {
    fn default() -> Self {
        Self { rates: Granularity::Elementwise, start: [0.005, 0.1], steps: 5 }
    }
}

fn ascending(range: &[f64; 2], context: &()) -> garde::Result {
    range.iter().try_for_each(|bound| positive(bound, context))?;
    if range[0] <= range[1] {
        return Ok(());
    }
    Err(garde::Error::new(format!(
        "the second must not be below the first, but {} is below {}",
        range[1], range[0]
    )))
}

impl InnerRule for MetaSgd {
    fn steps(&self) -> usize {
        self.steps
    }

    fn parameters(&self, model: &[Parameter]) -> Vec<Parameter> {
        let [low, high] = self.start;
        let shape = |of: &Parameter| match self.rates {
            Granularity::Elementwise => of.shape.clone(),
            Granularity::PerUnit => of.shape[..1].to_vec(),
            Granularity::PerLayer => vec![],
            Granularity::PerLayerAndStep => vec![self.steps as i64],
        };
        let rate = |of: &Parameter| Parameter {
            name: format!("rate.{}", of.name),
            shape: shape(of),
            initial: Initial::Uniform { low, high },
            layer: of.layer,
            role: Role::Rate,
        };
        model.iter().map(rate).collect()
    }

    fn descent(&self) -> Option<Grain> {
        Some(if self.rates == Granularity::Elementwise { Grain::Element } else { Grain::Unit })
    }

    fn rates(&self, step: usize, _: usize, own: &[Tensor]) -> Option<Rates> {
        let at = |rate: &Tensor| match self.rates {
            Granularity::PerLayerAndStep => rate.get(step.min(self.steps - 1) as i64),
            _ => rate.shallow_clone(),
        };
        Some(own.iter().map(|rate| Rate::Learned(at(rate))).collect())
    }

    fn step(
        &self,
        objective: &Objective,
        step: usize,
        own: &[Tensor],
        fast: Vec<Tensor>,
        state: Vec<Tensor>,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        (objective.descend(self, step, own, &fast), state)
    }
}
