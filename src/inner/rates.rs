//! How fast the parameters of a network move in a step of gradient descent, and which of them do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::models::{Parameter, Role, closed_form::Factors, layers};

/// The rate of one parameter.
#[derive(Debug)]
pub enum Rate {
    /// It stays where it is.
    Frozen,
    /// A number.
    Fixed(f64),
    /// A part of theta: one number `[]`, one for each output unit `[O]`, or one for each element.
    Learned(Tensor),
}

/// The rate of each parameter of a model, in its order.
pub type Rates = Vec<Rate>;

/// What a rate is for, at most: for the whole tensor, or finer. The finer ones rule out the implicit form of the input layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// The same fixed rate for every parameter.
    One,
    /// A tensor, or an output unit of it.
    Unit,
    /// An element.
    Element,
}

impl Rate {
    /// A parameter `[T, ...]` after a step along its gradient.
    pub fn descend(&self, parameter: &Tensor, gradient: &Tensor) -> Tensor {
        match self {
            Self::Frozen => parameter.shallow_clone(),
            Self::Fixed(rate) => parameter - gradient * *rate,
            Self::Learned(rate) => parameter - gradient * by_unit(rate, gradient.dim()),
        }
    }

    /// The coefficients C `[T, S, H]` of an input layer in implicit form after a step along the gradient with respect to its outputs.
    pub fn descend_coefficients(&self, coefficients: &Tensor, gradient: &Tensor) -> Tensor {
        match self {
            Self::Learned(rate) => coefficients - gradient * rate, // [] or [H]
            _ => self.descend(coefficients, gradient),
        }
    }

    /// A weight `[T, O, I]` after a step along the gradient in these factors.
    pub fn descend_weight(&self, weight: &Tensor, along: &Factors) -> Tensor {
        match self {
            Self::Frozen => weight.shallow_clone(),
            Self::Fixed(rate) => layers::descend_weight(weight, &along.g, &along.a, *rate),
            Self::Learned(rate) if rate.dim() == 2 => {
                weight - layers::weight_gradient(&along.g, &along.a) * rate
            }
            Self::Learned(rate) => layers::descend_weight(weight, &(&along.g * rate), &along.a, 1.0),
        }
    }

    /// A direction `[T, ...]` along which a step's gradient changes, times the rate.
    pub fn times(&self, direction: &Tensor) -> Tensor {
        match self {
            Self::Frozen => direction.zeros_like(),
            Self::Fixed(rate) => direction * *rate,
            Self::Learned(rate) => direction * by_unit(rate, direction.dim()),
        }
    }

    /// The same for coefficients of the implicit form, whose units come last.
    pub fn times_coefficients(&self, direction: &Tensor) -> Tensor {
        match self {
            Self::Learned(rate) => direction * rate,
            _ => self.times(direction),
        }
    }

    /// The gradient of a loss, the mean over tasks, with respect to a learned rate: minus the mean of the step's gradient times that of
    /// the loss with respect to what came out of the step, both `[T, ...]`, with units in the dimension `unit`.
    pub fn gradient(&self, gradient: &Tensor, lambda: &Tensor, unit: i64) -> Option<Tensor> {
        let Self::Learned(rate) = self else { return None };
        let each = gradient * lambda;
        let tasks = each.size()[0] as f64;
        let others: Vec<i64> = match rate.dim() {
            0 => (0..each.dim() as i64).collect(),
            1 => (0..each.dim() as i64).filter(|dim| *dim != unit).collect(),
            _ => vec![0],
        };
        Some(each.sum_dim_intlist(others, false, None) / -tasks)
    }
}

/// A rate in a shape that multiplies `[T, O, ...]` of so many dimensions: one for each output unit multiplies its row.
fn by_unit(rate: &Tensor, dimensions: usize) -> Tensor {
    if rate.dim() != 1 {
        return rate.shallow_clone();
    }
    let mut shape = vec![1; dimensions - 1];
    shape[0] = -1;
    rate.reshape(shape)
}

/// The rate of all parameters, if they share a fixed one.
pub fn shared(rates: &[Rate]) -> Option<f64> {
    let mut all = rates.iter().map(|rate| if let Rate::Fixed(rate) = rate { Some(*rate) } else { None });
    let first = all.next()??;
    all.all(|rate| rate == Some(first)).then_some(first)
}

/// Which parameters of a network an adaptation moves; the others are learned, and stay where theta has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Adapts {
    /// All.
    #[default]
    All,
    /// The output layer alone (ANIL, Raghu et al. 2020, https://arxiv.org/abs/1909.09157).
    Head,
    /// All but the output layer (BOIL, Oh et al. 2021, https://arxiv.org/abs/2008.08882).
    Body,
    /// Context parameters alone, of a model that has them (CAVIA, Zintgraf et al. 2019, https://arxiv.org/abs/1810.03642).
    Context,
}

impl Adapts {
    /// Whether each of a model's parameters moves.
    pub fn of(self, parameters: &[Parameter]) -> Vec<bool> {
        let head = parameters.iter().map(|p| p.layer).max();
        let moves = |p: &Parameter| match self {
            Self::All => true,
            Self::Head => Some(p.layer) == head,
            Self::Body => Some(p.layer) != head,
            Self::Context => p.role == Role::Context,
        };
        parameters.iter().map(moves).collect()
    }
}
