//! The gradient of a loss and its curvature by hand, for models in which both can be written down.
//!
//! The gradient of a linear layer `z' = a W^T + b` is a product of two thin matrices, `dL/dW = g^T a` with `g = dL/dz'`. Kept in
//! these factors it costs a hundredth of the memory of the weights, and a step of gradient descent is one fused product.

use tch::Tensor;

use super::layers;
use crate::loss::Loss;

/// A model that knows its own derivatives. Shapes: T tasks, R rows, H values of what goes into the body, O outputs.
pub trait ClosedForm {
    /// The gradient of the mean loss of each task at body parameters `params` (one per task) and input `z` `[T, R, H]`. Made of
    /// differentiable operations.
    fn backpropagate(&self, params: &[Tensor], z: &Tensor, goal: &Expectation) -> Backprop;

    /// The Hessian of the same loss at the point of `at`, times the direction (`dz` `[T, R, H]`, `dparams` as `params`).
    fn hessian_product(
        &self,
        params: &[Tensor],
        at: &Backprop,
        dz: &Tensor,
        dparams: &[Tensor],
        goal: &Expectation,
    ) -> Gradient;
}

/// What outputs are compared with: a loss, and what it expects of T tasks with R rows.
#[derive(Clone, Copy)]
pub struct Expectation<'a> {
    /// The loss.
    pub loss: &'a dyn Loss,
    /// `[T, R, O]`.
    pub expected: &'a Tensor,
    /// The share of each row in its task's loss, `[T, R]`; without it all rows count alike.
    pub weight: Option<&'a Tensor>,
}

impl Expectation<'_> {
    /// The gradient of the mean loss of each task with respect to outputs with these linked values `[T, R, O]`.
    pub fn slope(&self, linked: &Tensor) -> Tensor {
        self.shared_out(&self.loss.slope(linked, self.expected))
    }

    /// The Hessian of the same, times a direction `[T, R, O]`.
    pub fn curvature(&self, linked: &Tensor, direction: &Tensor) -> Tensor {
        self.shared_out(&self.loss.curvature(linked, direction))
    }

    /// Each row's part of what belongs to the mean.
    fn shared_out(&self, of_rows: &Tensor) -> Tensor {
        match self.weight {
            None => of_rows / of_rows.size()[1] as f64,
            Some(weight) => of_rows * weight.unsqueeze(-1),
        }
    }
}

/// One pass forwards and backwards.
pub struct Backprop {
    /// Outputs `[T, R, O]`.
    pub outputs: Tensor,
    /// The loss's link of them.
    pub linked: Tensor,
    /// The gradient.
    pub gradient: Gradient,
}

/// A gradient, or a Hessian times a vector, with respect to a body's input and its layers.
pub struct Gradient {
    /// With respect to the body's input, `[T, R, H]`.
    pub input: Tensor,
    /// With respect to each linear layer, the first first.
    pub layers: Vec<Factors>,
}

impl Gradient {
    /// With respect to the input, then to weight `[T, O, I]` and bias `[T, O]` of each layer.
    pub fn dense(&self) -> Vec<Tensor> {
        let layers = self.layers.iter().flat_map(Factors::dense);
        [self.input.shallow_clone()].into_iter().chain(layers).collect()
    }

    /// The body's parameters minus `rate` times this.
    pub fn descend(&self, params: &[Tensor], rate: f64) -> Vec<Tensor> {
        let layers = self.layers.iter().zip(params.chunks_exact(2));
        layers.flat_map(|(factors, layer)| factors.descend(&layer[0], &layer[1], rate)).collect()
    }
}

/// What moves a linear layer of each task: `g^T a` its weight, `bias` its bias.
pub struct Factors {
    /// `[T, R', O]`, where R' is any number of rows.
    pub g: Tensor,
    /// `[T, R', I]`.
    pub a: Tensor,
    /// `[T, O]`.
    pub bias: Tensor,
}

impl Factors {
    /// The gradient of a layer with inputs `a` `[T, R, I]` whose outputs have the gradient `g` `[T, R, O]`.
    pub fn new(g: Tensor, a: Tensor) -> Self {
        let bias = g.sum_dim_intlist(1, false, None);
        Self { g, a, bias }
    }

    /// Gradients of weight `[T, O, I]` and bias `[T, O]`.
    pub fn dense(&self) -> [Tensor; 2] {
        [layers::weight_gradient(&self.g, &self.a), self.bias.shallow_clone()]
    }

    /// `[weight, bias] - rate * gradient`, for weight `[T, O, I]` and bias `[T, O]`.
    pub fn descend(&self, weight: &Tensor, bias: &Tensor, rate: f64) -> [Tensor; 2] {
        [layers::descend_weight(weight, &self.g, &self.a, rate), bias - &self.bias * rate]
    }
}
