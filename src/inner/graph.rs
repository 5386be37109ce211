//! The gradient of the query loss through the inner loop by automatic differentiation, for any rule and model.

use tch::{Kind, Tensor, no_grad};

use super::{InnerRule, Objective, Order, adapt, rows::Rows};

/// The mean over tasks of the query loss after `steps` steps of `rule`, and its gradient with respect to `theta`, the leaves on
/// which the objective was built, to the objective's order.
///
/// `recompute` as in [`super::adjoint::meta_gradient`].
pub fn meta_gradient(
    rule: &dyn InnerRule,
    objective: &Objective,
    theta: &[Tensor],
    steps: usize,
    recompute: Option<usize>,
) -> (Tensor, Vec<Tensor>) {
    match recompute {
        // A step whose gradient counts as a constant leaves nothing large in the graph.
        Some(every) if objective.order() == Order::Second => {
            recomputing(rule, objective, theta, steps, every.max(1))
        }
        _ => {
            let phi = adapt(rule, objective, steps, |_, _| {});
            let loss = objective.losses(&phi, Rows::Query).mean(None::<Kind>);
            let gradient = Tensor::run_backward(&[&loss], theta, false, false);
            (loss.detach(), gradient)
        }
    }
}

/// Differentiates `every` steps at a time, from the last to the first, each part from its kept start.
fn recomputing(
    rule: &dyn InnerRule,
    objective: &Objective,
    theta: &[Tensor],
    steps: usize,
    every: usize,
) -> (Tensor, Vec<Tensor>) {
    let run = |from: usize, mut at: (Vec<Tensor>, Vec<Tensor>)| {
        for step in from..steps.min(from + every) {
            at = rule.step(objective, step, at.0, at.1);
        }
        at
    };
    let mut kept = Vec::new();
    let mut at = (objective.start(), Vec::new());
    for from in (0..steps).step_by(every) {
        kept.push((from, leaves(&at.0), leaves(&at.1)));
        at = run(from, (leaves(&at.0), leaves(&at.1)));
    }
    let phi = leaves(&at.0);
    let loss = objective.losses(&phi, Rows::Query).mean(None::<Kind>);
    // What the loss gains from theta beside the fast weights, through the input layer in implicit form, adds up over the parts.
    let mut gradient: Vec<Tensor> = theta.iter().map(|t| t.detach().zeros_like()).collect();
    let mut lambda = pull(&loss, &phi, theta, &mut gradient);
    while let Some((from, fast, state)) = kept.pop() {
        let inputs: Vec<Tensor> = fast.iter().chain(&state).map(Tensor::shallow_clone).collect();
        let (fast, state) = run(from, (fast, state));
        // lambda of the last state is missing: the loss does not look at it.
        let along = inner_product(fast.iter().chain(&state), &lambda);
        lambda = pull(&along, &inputs, theta, &mut gradient);
    }
    let along = inner_product(objective.start().iter(), &lambda);
    pull(&along, &[], theta, &mut gradient);
    (loss.detach(), gradient)
}

/// The same values, as leaves of a new graph.
fn leaves(tensors: &[Tensor]) -> Vec<Tensor> {
    tensors.iter().map(|t| t.detach().set_requires_grad(true)).collect()
}

fn inner_product<'a>(tensors: impl Iterator<Item = &'a Tensor>, lambda: &[Tensor]) -> Tensor {
    let products = tensors.zip(lambda).map(|(tensor, lambda)| (tensor * lambda).sum(None::<Kind>));
    products.reduce(|sum, product| sum + product).unwrap_or_else(|| Tensor::from(0.0))
}

/// The gradient of a scalar with respect to `inputs`; that with respect to `theta` is added to `gradient`.
fn pull(scalar: &Tensor, inputs: &[Tensor], theta: &[Tensor], gradient: &mut [Tensor]) -> Vec<Tensor> {
    let all: Vec<&Tensor> = inputs.iter().chain(theta).collect();
    if !scalar.requires_grad() {
        return inputs.iter().map(|t| t.detach().zeros_like()).collect();
    }
    // The part of the graph in front of the fast weights serves every part, and stays.
    let mut found = Tensor::run_backward(&[scalar], &all, true, false);
    let of_theta = found.split_off(inputs.len());
    no_grad(|| {
        for (sum, found) in gradient.iter_mut().zip(of_theta).filter(|(_, found)| found.defined()) {
            *sum += found;
        }
    });
    let or_zero = |(found, input): (Tensor, &Tensor)| {
        if found.defined() { found } else { input.detach().zeros_like() }
    };
    found.into_iter().zip(inputs).map(or_zero).collect()
}
