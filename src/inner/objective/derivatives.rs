//! Derivatives of the support loss by hand, and what they are in the form that the input layer has.

use tch::{Kind, Tensor};

use super::Objective;
use crate::{
    inner::{
        Network, Rate,
        rows::{Input, Moves, RowSet},
    },
    models::{
        closed_form::{Backprop, Factors, Gradient},
        layers,
    },
};

impl Objective<'_> {
    /// The same along a gradient on these rows.
    pub(in crate::inner) fn descend_along(
        &self,
        rows: &RowSet,
        fast: &[Tensor],
        gradient: &Gradient,
        rates: &[Rate],
    ) -> Vec<Tensor> {
        let rates = self.of_fast(rates);
        let (input, body) = rates.split_at(rows.input_weights());
        let mut moved = rows.descend(fast, &gradient.input, input);
        let layers = self.body(fast).chunks_exact(2).zip(body.chunks_exact(2));
        for (along, (layer, rates)) in gradient.layers.iter().zip(layers) {
            moved.push(rates[0].descend_weight(&layer[0], along));
            moved.push(rates[1].descend(&layer[1], &along.bias));
        }
        moved
    }

    /// A direction, shaped as the fast weights, times the rate of each.
    pub(in crate::inner) fn times_rates(
        &self,
        rows: &RowSet,
        direction: &[Tensor],
        rates: &[Rate],
    ) -> Vec<Tensor> {
        let rates = self.of_fast(rates);
        let (input, body) = rates.split_at(rows.input_weights());
        let mut times = rows.times(direction, input);
        times.extend(self.body(direction).iter().zip(body).map(|(direction, rate)| rate.times(direction)));
        times
    }

    /// The gradient of a loss with respect to the rates of a step along `gradient`, where `lambda` is that with respect to the fast weights
    /// after the step: one for each of the model's parameters with a learned rate.
    pub(in crate::inner) fn rate_gradient(
        &self,
        rows: &RowSet,
        gradient: &Gradient,
        lambda: &[Tensor],
        rates: &[Rate],
    ) -> Vec<Option<Tensor>> {
        let of_fast = self.of_fast(rates);
        let (input, body) = of_fast.split_at(rows.input_weights());
        let mut found = rows.rate_gradient(&gradient.input, lambda, input);
        found.resize_with(rates.len() - body.len(), || None); // an input layer that does not move
        let dense = gradient.layers.iter().flat_map(Factors::dense);
        let of_body = dense.zip(self.body(lambda)).zip(body);
        found.extend(of_body.map(|((g, lambda), rate)| rate.gradient(&g, lambda, 1)));
        found
    }

    /// A pass forwards and backwards by hand over these rows, where model and loss have a closed form.
    pub(in crate::inner) fn backpropagate(&self, rows: &RowSet, fast: &[Tensor]) -> Option<Backprop> {
        let Network { model, loss, .. } = self.network;
        Some(model.closed_form()?.backpropagate(self.body(fast), &rows.enter(fast), &rows.goal(loss)))
    }

    /// The Hessian of the loss on these rows with respect to what goes into the body and the body's weights, times the direction
    /// `lambda`, shaped as the fast weights; `pass` is the one at `fast`.
    pub(in crate::inner) fn hessian_product(
        &self,
        rows: &RowSet,
        fast: &[Tensor],
        pass: &Backprop,
        lambda: &[Tensor],
    ) -> Option<Gradient> {
        let Network { model, loss, .. } = self.network;
        let (dz, goal) = (rows.push_forward(lambda), rows.goal(loss));
        Some(model.closed_form()?.hessian_product(self.body(fast), pass, &dz, self.body(lambda), &goal))
    }

    /// The gradient with respect to the fast weights that belongs to `gradient`, one with respect to what goes into the body on these
    /// rows and to the body.
    pub(in crate::inner) fn pull_back(&self, rows: &RowSet, gradient: &Gradient) -> Vec<Tensor> {
        let mut pulled = rows.pull_back(&gradient.input);
        pulled.extend(gradient.layers.iter().flat_map(Factors::dense));
        pulled
    }

    /// `lambda`, shaped as the fast weights, plus `scale` times that gradient.
    pub(in crate::inner) fn pull_back_onto(
        &self,
        rows: &RowSet,
        lambda: &[Tensor],
        gradient: &Gradient,
        scale: f64,
    ) -> Vec<Tensor> {
        let mut pulled = rows.pull_back_onto(lambda, &gradient.input, scale);
        pulled.extend(gradient.descend(self.body(lambda), -scale));
        pulled
    }

    /// The mean over tasks of gradients with respect to theta. `lambda` is that with respect to the fast weights at the start; the
    /// implicit form also looks at those with respect to the input layer's output at theta, on the support set `[T, S, H]` (none
    /// is zero) and on the queries `[T, Q, H]`.
    pub fn theta_gradient(&self, lambda: &[Tensor], support: Option<Tensor>, query: Tensor) -> Vec<Tensor> {
        let mean = |t: &Tensor| t.mean_dim(0, false, None);
        let Input::Implicit { at_theta, moves, .. } = &self.support.input else {
            return lambda.iter().map(mean).collect();
        };
        let support = support.unwrap_or_else(|| at_theta.zeros_like());
        let [weight, bias] = layers::shared_gradient(&Tensor::cat(&[support, query], 1), &self.x);
        let bias = if let Moves::Apart(_) = moves { mean(&lambda[1]) } else { bias };
        [weight, bias].into_iter().chain(self.body(lambda).iter().map(mean)).collect()
    }

    /// The mean of `[T]` over the tasks that have queries.
    pub fn task_mean(&self, of_tasks: &Tensor) -> Tensor {
        let mean = of_tasks.mean(None::<Kind>);
        if self.asked < 1.0 { mean / self.asked.max(f64::MIN_POSITIVE) } else { mean }
    }

    /// Tasks that have queries, as a part of all; the others have no part in a mean over tasks.
    pub fn asked(&self) -> f64 {
        self.asked
    }

    /// The mean over tasks of the adapted weights, shaped as theta.
    pub fn mean_weights(&self, fast: &[Tensor]) -> Vec<Tensor> {
        let mean = |t: &Tensor| t.mean_dim(0, false, None);
        let Input::Implicit { moves, .. } = &self.support.input else {
            let of_place =
                |(place, t)| if self.is_shared(place) { Tensor::shallow_clone(t) } else { mean(t) };
            return fast.iter().enumerate().map(of_place).collect();
        };
        let (weight, bias) = (&self.theta[0], &self.theta[1]);
        // 1/T sum_t (W_0 + C_t^T X_t) and 1/T sum_t (b_0 + sum over rows of C_t)
        let moved = |c: &Tensor| layers::shared_gradient(c, &self.support.x);
        let layer = match moves {
            Moves::Not => [weight.shallow_clone(), bias.shallow_clone()],
            Moves::Together(_) => {
                let [by_weight, by_bias] = moved(&fast[0]);
                [weight + by_weight, bias + by_bias]
            }
            Moves::Apart(_) => {
                let [by_weight, _] = moved(&fast[0]);
                [weight + by_weight, mean(&fast[1])]
            }
        };
        layer.into_iter().chain(self.body(fast).iter().map(mean)).collect()
    }
}
