//! The gradient of query losses through the inner loop by automatic differentiation, for any rule and model.

use tch::{Kind, Tensor, no_grad};

use super::{InnerRule, Objective, Order, adapt, rows::Rows};

/// The mean over tasks of the query losses after each step of `rule`, each times its share in `shares`, and its gradient with respect to
/// `theta`, to the objective's order. Theta are leaves: those on which the objective was built, then the rule's `own`.
///
/// `recompute` as in [`super::adjoint::Way`].
pub fn meta_gradient(
    rule: &dyn InnerRule,
    objective: &Objective,
    theta: &[Tensor],
    own: &[Tensor],
    shares: &[f64],
    recompute: Option<usize>,
) -> (Tensor, Vec<Tensor>) {
    let way = Way { rule, objective, own, shares };
    match recompute {
        // A step whose gradient counts as a constant leaves nothing large in the graph.
        Some(every) if objective.order() == Order::Second => way.recomputing(theta, every.max(1)),
        _ => {
            let mut loss: Option<Tensor> = None;
            adapt(rule, objective, own, shares.len(), |step, phi| way.add_loss(step, phi, &mut loss));
            let loss = loss.unwrap_or_else(|| Tensor::from(0.0));
            let gradient = Tensor::run_backward(&[&loss], theta, false, false);
            let gradient = gradient.into_iter().zip(theta).map(or_zero).collect();
            (loss.detach(), gradient)
        }
    }
}

/// An adaptation that is to be differentiated.
struct Way<'a> {
    rule: &'a dyn InnerRule,
    objective: &'a Objective<'a>,
    own: &'a [Tensor],
    shares: &'a [f64],
}

impl Way<'_> {
    /// Adds what the query loss after so many steps counts.
    fn add_loss(&self, steps: usize, phi: &[Tensor], loss: &mut Option<Tensor>) {
        let share = if steps == 0 { 0.0 } else { self.shares[steps - 1] };
        if share != 0.0 {
            let here = self.objective.task_mean(&self.objective.losses(phi, Rows::Query));
            let here = if share == 1.0 { here } else { here * share };
            *loss = Some(loss.take().map_or_else(|| here.shallow_clone(), |loss| loss + &here));
        }
    }

    /// So many steps from a number on, and what the query losses after them count.
    fn run(&self, from: usize, every: usize, mut at: Point) -> (Point, Option<Tensor>) {
        let mut loss = None;
        for step in from..self.shares.len().min(from + every) {
            at = self.rule.step(self.objective, step, self.own, at.0, at.1);
            self.add_loss(step + 1, &at.0, &mut loss);
        }
        (at, loss)
    }

    /// Differentiates `every` steps at a time, from the last to the first, each part from its kept start.
    fn recomputing(&self, theta: &[Tensor], every: usize) -> (Tensor, Vec<Tensor>) {
        let (mut kept, mut sum) = (Vec::new(), 0.0);
        let mut at = (self.objective.start(), Vec::new());
        for from in (0..self.shares.len()).step_by(every) {
            kept.push((from, (leaves(&at.0), leaves(&at.1))));
            let (end, loss) = self.run(from, every, (leaves(&at.0), leaves(&at.1)));
            sum += loss.map_or(0.0, |loss| loss.double_value(&[]));
            at = end;
        }
        let loss = at.0.first().map_or_else(
            || Tensor::from(sum),
            |phi| phi.detach().new_full(NO_SHAPE, sum, (phi.kind(), phi.device())),
        );
        // What the loss gains from theta beside the fast weights, through the input layer in implicit form, adds up over the parts.
        let mut gradient: Vec<Tensor> = theta.iter().map(|t| t.detach().zeros_like()).collect();
        let mut lambda: Vec<Tensor> = Vec::new();
        while let Some((from, start)) = kept.pop() {
            let inputs: Vec<Tensor> = start.0.iter().chain(&start.1).map(Tensor::shallow_clone).collect();
            let (end, loss) = self.run(from, every, start);
            // lambda of the last state is missing: the loss does not look at it.
            let along = inner_product(end.0.iter().chain(&end.1), &lambda);
            let along = loss.map_or_else(|| along.shallow_clone(), |loss| loss + &along);
            lambda = pull(&along, &inputs, theta, &mut gradient);
        }
        let along = inner_product(self.objective.start().iter(), &lambda);
        pull(&along, &[], theta, &mut gradient);
        (loss, gradient)
    }
}

/// Fast weights, and the rule's state.
type Point = (Vec<Tensor>, Vec<Tensor>);

const NO_SHAPE: [i64; 0] = [];

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
    found.into_iter().zip(inputs).map(or_zero).collect()
}

/// A gradient, zero with respect to what the scalar does not depend on.
fn or_zero((found, input): (Tensor, &Tensor)) -> Tensor {
    if found.defined() { found } else { input.detach().zeros_like() }
}
