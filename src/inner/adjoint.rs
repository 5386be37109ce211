//! The gradient of the query loss through plain gradient descent, by hand and without a graph.
//!
//! With the inner steps `phi_{k+1} = phi_k - lr grad L(phi_k)` and the query loss M, the chain rule runs backwards as
//!
//! ```text
//!     lambda_K = grad M(phi_K)      lambda_k = lambda_{k+1} - lr H(phi_k) lambda_{k+1}      d M / d theta = lambda_0
//! ```
//!
//! where H is the Hessian of the support loss (Finn et al. 2017, section 2.2; of first order all H count as 0). A step back is one
//! Hessian-vector product: about two passes through the network instead of the differentiation of a recorded gradient, and what
//! is kept of a step are its fast weights and thin factors.
//!
//! In implicit form a step is `C_{k+1} = C_k - lr dL/dz(z_k)` at `z_k = A + K C_k`, with A the input layer at theta and K the Gram
//! matrix. Let `(u, v)` be the Hessian with respect to z and the body's weights times lambda; then
//!
//! ```text
//!     lambda_C <- lambda_C - lr K^T u      dM/dA <- dM/dA - lr u      lambda_body <- lambda_body - lr v
//! ```

use tch::{Kind, Tensor, no_grad};

use super::{Objective, Order, rows::Part};
use crate::models::closed_form::Backprop;

/// The mean over tasks of the query loss after `steps` steps of gradient descent of size `rate`, and its gradient with respect to
/// theta, to the order of the objective; `None` where model or loss have no closed form.
///
/// With `recompute` only the fast weights before every so many steps are kept, and the steps between are taken once more on the way
/// back (Chen et al. 2016, https://arxiv.org/abs/1604.06174): the same numbers, for the memory of steps / recompute + recompute steps
/// and up to a third more time.
pub fn meta_gradient(
    objective: &Objective,
    rate: f64,
    steps: usize,
    recompute: Option<usize>,
) -> Option<(Tensor, Vec<Tensor>)> {
    let every = recompute.unwrap_or(steps).max(1);
    let second = objective.order() == Order::Second;
    no_grad(|| {
        let mut fast = objective.start();
        let (mut kept, mut history) = (Vec::new(), Vec::new());
        for step in 0..steps {
            if second && step % every == 0 {
                kept.push(fast.iter().map(Tensor::shallow_clone).collect());
                history.clear();
            }
            let before = advance(objective, rate, step, &mut fast)?;
            if second {
                history.push(before);
            }
        }
        let query = objective.backpropagate(objective.query(), &fast)?;
        let loss = objective.losses_of(&query.outputs, objective.query()).mean(None::<Kind>);
        let mut lambda = objective.pull_back(objective.query(), &query.gradient);
        let mut shift: Option<Tensor> = None; // dM/dA on the support set [T, S, H]
        let mut step = steps;
        while let Some(mut fast) = kept.pop() {
            if history.is_empty() {
                let from = step - every;
                let again = (from..step).map(|step| advance(objective, rate, step, &mut fast));
                history = again.collect::<Option<_>>()?;
            }
            step -= history.len();
            while let Some(Taken { rows, fast, pass }) = history.pop() {
                let product = objective.hessian_product(&rows, &fast, &pass, &lambda)?;
                lambda = objective.pull_back_onto(&rows, &lambda, &product, -rate);
                let u = rows.spread(&(product.input * -rate));
                shift = Some(shift.map_or_else(|| u.shallow_clone(), |sum| sum + &u));
            }
        }
        Some((loss, objective.theta_gradient(&lambda, shift, query.gradient.input)))
    })
}

/// An inner step that was taken.
struct Taken {
    /// What it saw.
    rows: Part,
    /// The fast weights before it.
    fast: Vec<Tensor>,
    /// The pass at them.
    pass: Backprop,
}

/// Takes inner step number `step`.
fn advance(objective: &Objective, rate: f64, step: usize, fast: &mut Vec<Tensor>) -> Option<Taken> {
    let rows = objective.seen(step);
    let pass = objective.backpropagate(&rows, fast)?;
    let next = objective.descend_along(&rows, fast, &pass.gradient, rate);
    Some(Taken { rows, fast: std::mem::replace(fast, next), pass })
}
