//! The gradient of query losses through gradient descent, by hand and without a graph.
//!
//! With the inner steps `phi_{k+1} = phi_k - r_k o grad L(phi_k)` at rates r_k and the query losses M_k that count w_k, the chain rule
//! runs backwards as
//!
//! ```text
//!     lambda_K = w_K grad M_K      lambda_k = lambda_{k+1} - H(phi_k) (r_k o lambda_{k+1}) + w_k grad M_k      d/d theta = lambda_0
//!     d/d r_k = - grad L(phi_k) o lambda_{k+1}, summed over what shares a rate
//! ```
//!
//! where H is the Hessian of the support loss (Finn et al. 2017, section 2.2; of first order all H count as 0). A step back is one
//! Hessian-vector product: about two passes through the network instead of the differentiation of a recorded gradient, and what
//! is kept of a step are its fast weights and thin factors.
//!
//! In implicit form a step is `C_{k+1} = C_k - r dL/dz(z_k)` at `z_k = A + K C_k`, with A the input layer at theta and K the Gram
//! matrix. Let `(u, v)` be the Hessian with respect to z and the body's weights times `r o lambda`; then
//!
//! ```text
//!     lambda_C <- lambda_C - K^T u      dM/dA <- dM/dA - u      lambda_body <- lambda_body - v
//! ```

use tch::{Kind, Tensor, no_grad};

use super::{
    Objective, Order, Rate, Rates,
    rates::shared,
    rows::{RowSet, Rows},
};
use crate::models::closed_form::{Backprop, Gradient};

/// The way of an adaptation that is to be differentiated.
pub struct Way<'a> {
    /// The rates of each step, as [`Objective::rates`] gives them.
    pub rates: &'a [Rates],
    /// What the query loss after each step counts, from the first step on.
    pub shares: &'a [f64],
    /// Keep only the fast weights before every so many steps, and take the steps between once more on the way back (Chen et al. 2016,
    /// https://arxiv.org/abs/1604.06174): the same numbers, for the memory of steps / recompute + recompute steps and up to a third
    /// more time.
    pub recompute: Option<usize>,
}

/// What the way back gives.
pub struct WayBack {
    /// The mean over tasks of the query losses, each times its share.
    pub loss: Tensor,
    /// Its gradient with respect to the model's part of theta.
    pub theta: Vec<Tensor>,
    /// And to the learned rates of each step; none for others.
    pub rates: Vec<Vec<Option<Tensor>>>,
}

/// Goes the way and back, to the order of the objective; `None` where the model has no closed form.
pub fn meta_gradient(objective: &Objective, way: &Way) -> Option<WayBack> {
    no_grad(|| {
        let steps = way.rates.len();
        let every = way.recompute.unwrap_or(steps).max(1);
        let second = objective.order() == Order::Second;
        let learns = way.rates.iter().flatten().any(|rate| matches!(rate, Rate::Learned(_)));
        let goes_back = second || learns || way.shares[..steps - 1].iter().any(|share| *share != 0.0);
        let mut fast = objective.start();
        let (mut kept, mut history) = (Vec::new(), Vec::new());
        for (step, rates) in way.rates.iter().enumerate() {
            if goes_back && step % every == 0 {
                kept.push(fast.iter().map(Tensor::shallow_clone).collect());
                history.clear();
            }
            let before = advance(objective, rates, step, &mut fast)?;
            if goes_back {
                history.push(before);
            }
        }
        let mut back = Back::begin(objective, &fast, way.shares[steps - 1])?;
        let mut rates: Vec<Vec<Option<Tensor>>> = Vec::new();
        let mut step = steps;
        while let Some(mut fast) = kept.pop() {
            if history.is_empty() {
                let from = step - every;
                let again = (from..step).map(|step| advance(objective, &way.rates[step], step, &mut fast));
                history = again.collect::<Option<_>>()?;
            }
            while let Some(taken) = history.pop() {
                step -= 1;
                let at = &way.rates[step];
                if learns {
                    rates.push(objective.rate_gradient(&taken.rows, &taken.pass.gradient, &back.lambda, at));
                }
                if second {
                    back.step(objective, &taken, at)?;
                }
                if step > 0 && way.shares[step - 1] != 0.0 {
                    back.add_query(objective, &taken.fast, way.shares[step - 1])?;
                }
            }
        }
        rates.reverse();
        let theta = objective.theta_gradient(&back.lambda, back.support, back.query);
        Some(WayBack { loss: back.loss, theta, rates })
    })
}

/// The gradient with respect to what a rule learns, `own`, of a loss that has these gradients with respect to the rates of each step, which
/// were computed from it.
pub fn through_rates(own: &[Tensor], rates: &[Rates], gradients: &[Vec<Option<Tensor>>]) -> Vec<Tensor> {
    if own.is_empty() {
        return Vec::new();
    }
    let each = rates.iter().flatten().zip(gradients.iter().flatten());
    let along = each.filter_map(|(rate, gradient)| match (rate, gradient) {
        (Rate::Learned(rate), Some(gradient)) => Some((rate * gradient).sum(None::<Kind>)),
        _ => None,
    });
    let Some(along) = along.reduce(|sum, next| sum + next) else {
        return own.iter().map(|own| own.detach().zeros_like()).collect();
    };
    let found = Tensor::run_backward(&[along], own, false, false);
    let or_zero =
        |(found, own): (Tensor, &Tensor)| if found.defined() { found } else { own.detach().zeros_like() };
    found.into_iter().zip(own).map(or_zero).collect()
}

/// An inner step that was taken.
struct Taken {
    /// What it saw.
    rows: RowSet,
    /// The fast weights before it.
    fast: Vec<Tensor>,
    /// The pass at them.
    pass: Backprop,
}

/// Takes inner step number `step`.
fn advance(objective: &Objective, rates: &[Rate], step: usize, fast: &mut Vec<Tensor>) -> Option<Taken> {
    let rows = objective.seen(step);
    let pass = objective.backpropagate(&rows, fast)?;
    let next = objective.descend_along(&rows, fast, &pass.gradient, rates);
    Some(Taken { rows, fast: std::mem::replace(fast, next), pass })
}

/// Where the way back has come to.
struct Back {
    loss: Tensor,
    /// The gradient with respect to the fast weights.
    lambda: Vec<Tensor>,
    /// That with respect to the input layer's output at theta on the support set, `[T, S, H]`, beside what goes through the fast weights.
    support: Option<Tensor>,
    /// The same on the queries, `[T, Q, H]`.
    query: Tensor,
}

impl Back {
    /// At the query loss after the last step, which counts `share`.
    fn begin(objective: &Objective, fast: &[Tensor], share: f64) -> Option<Self> {
        let (loss, mut gradient) = query(objective, fast)?;
        let scaled = share != 1.0;
        let mut lambda = objective.pull_back(objective.part(Rows::Query), &gradient);
        if scaled {
            lambda.iter_mut().for_each(|lambda| *lambda *= share);
            gradient.input *= share;
        }
        let loss = if scaled { loss * share } else { loss };
        Some(Self { loss, lambda, support: None, query: gradient.input })
    }

    /// Adds the query loss at some fast weights.
    fn add_query(&mut self, objective: &Objective, fast: &[Tensor], share: f64) -> Option<()> {
        let (loss, gradient) = query(objective, fast)?;
        self.lambda = objective.pull_back_onto(objective.part(Rows::Query), &self.lambda, &gradient, share);
        self.query = &self.query + gradient.input * share;
        self.loss = &self.loss + loss * share;
        Some(())
    }

    /// Back through a step.
    fn step(&mut self, objective: &Objective, taken: &Taken, rates: &[Rate]) -> Option<()> {
        let Taken { rows, fast, pass } = taken;
        // One rate for all is put off to the product: the same, for less work.
        let (product, scale) = match shared(rates) {
            Some(rate) => (objective.hessian_product(rows, fast, pass, &self.lambda)?, -rate),
            None => {
                let direction = objective.times_rates(rows, &self.lambda, rates);
                (objective.hessian_product(rows, fast, pass, &direction)?, -1.0)
            }
        };
        self.lambda = objective.pull_back_onto(rows, &self.lambda, &product, scale);
        let u = rows.spread(&(product.input * scale));
        self.support = Some(self.support.take().map_or_else(|| u.shallow_clone(), |sum| sum + &u));
        Some(())
    }
}

/// The mean query loss, and the gradient of the sum over tasks.
fn query(objective: &Objective, fast: &[Tensor]) -> Option<(Tensor, Gradient)> {
    let rows = objective.part(Rows::Query);
    let pass = objective.backpropagate(rows, fast)?;
    Some((objective.task_mean(&objective.losses_of(&pass.outputs, rows)), pass.gradient))
}
