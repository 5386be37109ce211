//! Adaptation of a task's context towards its most probable value.
//!
//! ```text
//!     c <- c - rate_k (n g + precision o (c - c_0)) / (precision + n curvature)          elementwise; k = 1, 2, ...
//! ```
//!
//! where n g is the gradient of the summed loss of the n support rows, and c_0 the context of theta. The fixed points are those of maximum a
//! posteriori estimation with a normal prior (Mislevy 1986, https://doi.org/10.1007/BF02293979); the denominator stands for the curvature of
//! that problem, so that many support rows move a context further than few, and not too far. What is learned: the prior's precision, the
//! curvature of a row, and a rate for each number of the context in each step.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{InnerRule, Objective};
use crate::{
    models::{Initial, Parameter, Role},
    validity::positive,
};

/// Steps towards the most probable context. Only context parameters move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Map {
    /// Adaptation steps while meta-training; those beyond it at test have the rate of the last one.
    #[garde(range(min = 1, max = 10_000))]
    pub steps: usize,
    /// Where the rates start.
    #[garde(custom(positive))]
    pub rate: f64,
    /// Where the precision of the prior starts, the same for each number of the context.
    #[garde(custom(positive))]
    pub precision: f64,
    /// Where the curvature of a row's loss starts.
    #[garde(custom(positive))]
    pub curvature: f64,
}

impl Default for Map {
    fn default() -> Self {
        Self { steps: 5, rate: 1.0, precision: 1.0, curvature: 0.1 }
    }
}

/// Tensors learned for each context: the rates, the logarithms of precision and curvature.
const LEARNED: usize = 3;

impl InnerRule for Map {
    fn steps(&self) -> usize {
        self.steps
    }

    fn moves_contexts_only(&self) -> bool {
        true
    }

    fn parameters(&self, model: &[Parameter]) -> Vec<Parameter> {
        let learned = |name: String, shape, value| Parameter {
            name,
            shape,
            initial: Initial::Constant(value),
            layer: 0,
            role: Role::Rate,
        };
        let contexts = model.iter().filter(|parameter| parameter.role == Role::Context);
        let of_context = contexts.flat_map(|Parameter { name, shape, .. }| {
            let of_steps = [&[self.steps as i64], &shape[..]].concat();
            [
                learned(format!("rate.{name}"), of_steps, self.rate),
                learned(format!("log_precision.{name}"), shape.clone(), self.precision.ln()),
                learned(format!("log_curvature.{name}"), shape.clone(), self.curvature.ln()),
            ]
        });
        of_context.collect()
    }

    fn step(
        &self,
        objective: &Objective,
        step: usize,
        own: &[Tensor],
        fast: Vec<Tensor>,
        mut state: Vec<Tensor>,
    ) -> (Vec<Tensor>, Vec<Tensor>) {
        let contexts: Vec<usize> = (0..fast.len())
            .filter(|place| objective.role(*place) == Some(Role::Context) && objective.moves(*place))
            .collect();
        if state.is_empty() {
            state = contexts.iter().map(|place| fast[*place].shallow_clone()).collect(); // c_0
        }
        let gradient = objective.gradient(step, &fast);
        let rows = objective.shots().unsqueeze(-1); // [T, 1]
        let mut moved: Vec<Tensor> = fast.iter().map(Tensor::shallow_clone).collect();
        for ((place, start), learned) in contexts.iter().zip(&state).zip(own.chunks_exact(LEARNED)) {
            let rate = learned[0].get(step.min(self.steps - 1) as i64); // [C]
            let [precision, curvature] = [1, 2].map(|i| learned[i].exp()); // [C]
            let pull = &gradient[*place] * &rows + &precision * (&fast[*place] - start); // [T, C]
            moved[*place] = &fast[*place] - rate * pull / (&precision + &rows * &curvature);
        }
        (moved, state)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::{
        inner::{Adapts, Form, Network, Order, Rows},
        loss::Logistic,
        models::{Architecture, decoder::Decoder},
        random::{Draws, Purpose, stream},
        tasks::Episode,
    };

    const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: 0, first_task: 0 };

    /// Two students: one with five answers to items 0 to 4, one with two answers and padding.
    fn episode() -> Episode {
        let x = Tensor::eye(5, (Kind::Float, Device::Cpu)).repeat([2, 2, 1]); // support, then the same as queries
        let y = Tensor::from_slice(&[1f32, 0.0, 1.0, 1.0, 0.0].repeat(4)).reshape([2, 10, 1]);
        let weight = Tensor::ones([2, 10], (Kind::Float, Device::Cpu));
        let _ = weight.get(1).narrow(0, 2, 3).fill_(0.0);
        Episode { x, y, weight: Some(weight), support: 5 }
    }

    /// After many steps the gradient of summed loss and prior is zero: the context is the most probable one, whatever the curvature is taken
    /// to be. With no answers it would be theta's; with two it moves less than with five.
    #[test]
    fn it_ends_at_the_most_probable_context() {
        let model = Decoder { context: 2, hidden: vec![], ..Decoder::default() }.build(5, 1);
        let rule = Map { steps: 400, precision: 0.7, curvature: 0.6, ..Map::default() };
        let mut parameters = model.parameters();
        let moves = Adapts::Context.of(&parameters);
        let own = rule.parameters(&parameters);
        parameters
            .iter_mut()
            .filter(|p| p.name == "layer0.weight")
            .for_each(|p| p.initial = Initial::Normal { std: 1.0 });
        let draw =
            |of: &[Parameter]| crate::models::Params::init(of, &mut stream(0, Purpose::Init, 0)).tensors;
        let (theta, own) = (draw(&parameters), draw(&own));
        let network = Network { model: &*model, outputs: 1, loss: &Logistic, moves: &moves, grain: None };
        let episode = episode();
        let objective = Objective::new(network, &theta, &episode, Form::Explicit, Order::Zero, DRAWS);
        assert_eq!(Vec::<f32>::try_from(objective.shots()).expect("two"), [5.0, 2.0]);
        let phi = crate::inner::adapt(&rule, &objective, &own, 400, |_, _| {});
        let gradient = objective.gradient(0, &phi);
        let pull = &gradient[0] * objective.shots().unsqueeze(-1) + (&phi[0] - &theta[0]) * 0.7;
        assert!(pull.abs().max().double_value(&[]) < 1e-5, "{pull:?}");
        assert!(phi[1..].iter().zip(&theta[1..]).all(|(phi, theta)| phi.equal(theta)), "nothing else moves");
        let losses = objective.losses(&phi, Rows::Support);
        assert!(losses.double_value(&[0]).is_finite() && losses.double_value(&[1]).is_finite());
        let way: Vec<f64> = (0..2).map(|task| phi[0].get(task).norm().double_value(&[])).collect();
        assert!(way.iter().all(|way| *way > 0.05), "{way:?}");
    }
}
