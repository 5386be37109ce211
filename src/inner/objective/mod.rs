//! The support loss of T tasks as a function of their fast weights.

mod construction;
mod derivatives;

use tch::{Tensor, no_grad, with_grad};

use super::{
    InnerRule, Network, Order, Rate, Rates,
    rows::{Input, Moves, RowSet, Rows},
    sight::Sight,
};
use crate::{
    loss,
    models::Role,
    random::{Draws, Stream},
};

/// The adaptation problem of one meta-batch. Symbols: T tasks, S support rows, D inputs, H outputs of the input layer, O outputs.
pub struct Objective<'a> {
    network: Network<'a>,
    theta: &'a [Tensor],
    /// All rows, `[T, S + Q, D]`.
    x: Tensor,
    /// Tasks that have queries, as a part of all.
    asked: f64,
    /// Support rows of each task that count, `[T]`.
    shots: Tensor,
    support: RowSet,
    query: RowSet,
    order: Order,
    draws: Draws,
    sight: Sight<'a>,
    /// The most rows of a task that go through the network at once.
    rows_at_once: i64,
}

impl<'a> Objective<'a> {
    /// Lets each step's gradient see so many support rows only; each step takes others, until all were seen.
    pub fn with_batches(self, rows: Option<usize>) -> Self {
        Self { sight: rows.map_or(Sight::Whole, Sight::Batches), ..self }
    }

    /// Lets so many rows of a task go through the network at once: losses, gradients and outputs are put together from parts, for the
    /// same numbers but for rounding. Explicit form only, and not for models that mix rows.
    pub fn with_rows_at_once(self, rows: Option<usize>) -> Self {
        let rows = rows.and_then(|rows| i64::try_from(rows).ok()).unwrap_or(i64::MAX);
        Self { rows_at_once: rows, ..self }
    }

    /// The parts of rows that are too many to go through the network at once, and the share of all rows that each is.
    fn parts(&self, rows: &RowSet) -> Option<Vec<(RowSet, f64)>> {
        let count = rows.x.size()[1];
        if count <= self.rows_at_once || matches!(rows.input, Input::Implicit { .. }) {
            return None;
        }
        let part = |start: i64| {
            let size = self.rows_at_once.min(count - start);
            // Weights are shares of the whole already.
            let share = if rows.weight.is_some() { 1.0 } else { size as f64 / count as f64 };
            (rows.block(start, size), share)
        };
        Some((0..count).step_by(self.rows_at_once as usize).map(part).collect())
    }

    /// How many support rows of each task count, `[T]`.
    pub fn shots(&self) -> &Tensor {
        &self.shots
    }

    /// The role of a fast weight, by its place.
    pub fn role(&self, place: usize) -> Option<Role> {
        let parameters = self.network.model.parameters();
        self.of_fast(&parameters).get(place).map(|parameter| parameter.role)
    }

    /// To which order the adaptation is to be differentiated.
    pub fn order(&self) -> Order {
        self.order
    }

    /// The fast weights of T tasks at theta: for each parameter `[T, ...]`, in implicit form C = 0 `[T, S, H]` instead of the
    /// input layer's weight, and of its bias unless that moves by a rate of its own; nothing for an input layer that does not move.
    /// What all tasks keep in common stays one tensor, see [`Objective::is_shared`].
    pub fn start(&self) -> Vec<Tensor> {
        let expanded = |p: &Tensor| {
            let size: Vec<i64> = self.x.size()[..1].iter().copied().chain(p.size()).collect();
            p.expand(size, true)
        };
        match &self.support.input {
            Input::Implicit { at_theta, moves, .. } => {
                let coefficients = || at_theta.detach().zeros_like();
                let input = match moves {
                    Moves::Not => vec![],
                    Moves::Together(_) => vec![coefficients()],
                    Moves::Apart(_) => vec![coefficients(), expanded(&self.theta[1])],
                };
                input.into_iter().chain(self.theta[2..].iter().map(expanded)).collect()
            }
            _ => {
                let of_tasks = |(place, p): (usize, &Tensor)| {
                    if self.is_shared(place) { p.shallow_clone() } else { expanded(p) }
                };
                self.theta.iter().enumerate().map(of_tasks).collect()
            }
        }
    }

    /// Whether a fast weight, by its place, is theta's own for all tasks: it does not move, and the model takes it so. To add up its
    /// gradient over the tasks would take longer than all the rest.
    pub(in crate::inner) fn is_shared(&self, place: usize) -> bool {
        !self.moves(place) && !self.network.model.has_linear_input()
    }

    /// The fast weights of the model's body.
    pub fn body<'f>(&self, fast: &'f [Tensor]) -> &'f [Tensor] {
        &fast[self.support.input_weights()..]
    }

    /// Outputs `[T, S or Q, N]` of the model with these fast weights.
    pub fn outputs(&self, fast: &[Tensor], rows: Rows) -> Tensor {
        self.outputs_on(self.part(rows), fast)
    }

    /// The same on some rows.
    fn outputs_on(&self, rows: &RowSet, fast: &[Tensor]) -> Tensor {
        let Some(parts) = self.parts(rows) else { return self.outputs_at_once(rows, fast) };
        let outputs: Vec<Tensor> = parts.iter().map(|(part, _)| self.outputs_at_once(part, fast)).collect();
        Tensor::cat(&outputs, 1)
    }

    fn outputs_at_once(&self, part: &RowSet, fast: &[Tensor]) -> Tensor {
        self.network.model.body(self.body(fast), &part.enter(fast), part.weight.as_ref()) // [T, R, O]
    }

    /// Mean loss of each task on these rows, `[T]`.
    pub fn losses(&self, fast: &[Tensor], rows: Rows) -> Tensor {
        self.losses_of(&self.outputs(fast, rows), self.part(rows))
    }

    /// Mean loss `[T]` of outputs on these rows.
    pub(in crate::inner) fn losses_of(&self, outputs: &Tensor, rows: &RowSet) -> Tensor {
        loss::per_task(self.network.loss, outputs, &rows.y, rows.weight.as_ref())
    }

    /// Mean loss of each task on what this `step` sees of its support set, `[T]`.
    pub fn support_losses(&self, step: usize, fast: &[Tensor]) -> Tensor {
        let rows = self.seen(step);
        self.losses_of(&self.outputs_on(&rows, fast), &rows)
    }

    /// Gradient of each task's support loss with respect to its fast weights, shaped as these.
    ///
    /// For C it is the gradient with respect to the input layer's output on the support set. Of order two it carries its own
    /// history, so that it can be differentiated again. Only the rows that this `step` sees count.
    pub fn gradient(&self, step: usize, fast: &[Tensor]) -> Vec<Tensor> {
        self.gradient_on(&self.seen(step), fast)
    }

    /// The same on some rows.
    fn gradient_on(&self, rows: &RowSet, fast: &[Tensor]) -> Vec<Tensor> {
        let Some(parts) = self.parts(rows) else { return self.gradient_at_once(rows, fast) };
        let weighted = parts.iter().map(|(part, share)| -> Vec<Tensor> {
            self.gradient_at_once(part, fast).into_iter().map(|g| g * *share).collect()
        });
        let sum = |a: Vec<Tensor>, b: Vec<Tensor>| a.into_iter().zip(b).map(|(a, b)| a + b).collect();
        weighted.reduce(sum).unwrap_or_default()
    }

    /// The same in closed form where model and loss have one, otherwise automatically.
    fn gradient_at_once(&self, part: &RowSet, fast: &[Tensor]) -> Vec<Tensor> {
        let body = self.body(fast);
        self.record(|| {
            let mut gradient = match self.backpropagate(part, fast) {
                Some(pass) => pass.gradient.dense(),
                None => with_grad(|| self.automatic_gradient(part, &part.enter(fast), body)),
            };
            let input = part.gradient(gradient.remove(0));
            input.into_iter().chain(gradient).collect()
        })
    }

    /// The gradient with respect to what goes into the body and the body's weights, zero for those that do not move.
    fn automatic_gradient(&self, part: &RowSet, input: &Tensor, body: &[Tensor]) -> Vec<Tensor> {
        let of_input = self.support.input_weights();
        let moves = |place: usize| match place.checked_sub(1) {
            None => of_input > 0,
            Some(place) => self.moves(of_input + place),
        };
        let all = [input].into_iter().chain(body).enumerate();
        let values: Vec<Tensor> =
            all.map(|(place, value)| if moves(place) { tap(value) } else { value.shallow_clone() }).collect();
        let (places, taps): (Vec<usize>, Vec<&Tensor>) =
            values.iter().enumerate().filter(|(place, _)| moves(*place)).unzip();
        let mut gradient: Vec<Tensor> = values
            .iter()
            .map(|value| value.new_zeros([1], (value.kind(), value.device())).expand_as(value))
            .collect();
        if taps.is_empty() {
            return gradient;
        }
        let outputs = self.network.model.body(&values[1..], &values[0], part.weight.as_ref());
        let loss = self.losses_of(&outputs, part).sum(None);
        let second = self.order == Order::Second;
        for (place, found) in places.into_iter().zip(Tensor::run_backward(&[loss], &taps, second, second)) {
            gradient[place] = found;
        }
        gradient
    }

    /// The rates of a rule of gradient descent at a step, for each of the model's parameters; those that do not move are frozen.
    pub fn rates(&self, rule: &dyn InnerRule, step: usize, own: &[Tensor]) -> Option<Rates> {
        let rates = rule.rates(step, self.theta.len(), own)?;
        let frozen = |(rate, moves): (Rate, &bool)| if *moves { rate } else { Rate::Frozen };
        Some(rates.into_iter().zip(self.network.moves).map(frozen).collect())
    }

    /// Of what belongs to each of the model's parameters that which belongs to each of the fast weights.
    fn of_fast<'t, V>(&self, of_parameters: &'t [V]) -> Vec<&'t V> {
        let of_input = if self.network.model.has_linear_input() { 2 } else { 0 };
        let (input, body) = of_parameters.split_at(of_input);
        input.iter().take(self.support.input_weights()).chain(body).collect()
    }

    /// Whether a fast weight, by its place, may move.
    pub fn moves(&self, place: usize) -> bool {
        self.of_fast(self.network.moves).get(place).is_none_or(|moves| **moves)
    }

    /// The fast weights after one step of gradient descent by a rule on what this `step` sees.
    pub fn descend(&self, rule: &dyn InnerRule, step: usize, own: &[Tensor], fast: &[Tensor]) -> Vec<Tensor> {
        let rates = self.rates(rule, step, own).unwrap_or_default();
        let rows = self.seen(step);
        if self.parts(&rows).is_none()
            && !matches!(self.sight, Sight::Batches(_))
            && let Some(pass) = self.record(|| self.backpropagate(&rows, fast))
        {
            return self.descend_along(&rows, fast, &pass.gradient, &rates);
        }
        let (gradient, rates) = (self.gradient_on(&rows, fast), self.of_fast(&rates));
        let coefficients =
            matches!(self.support.input, Input::Implicit { .. }) && self.support.input_weights() > 0;
        let moved = |(i, ((phi, g), rate)): (usize, ((&Tensor, Tensor), &Rate))| {
            if coefficients && i == 0 { rate.descend_coefficients(phi, &g) } else { rate.descend(phi, &g) }
        };
        fast.iter().zip(gradient).zip(rates).enumerate().map(moved).collect()
    }

    /// The stream from which a rule draws at `step`: the same for every task, so that a task's result does not depend on
    /// which others share its batch.
    pub fn stream(&self, step: usize) -> Stream {
        self.draws.stream(step)
    }

    /// The support rows, or the queries.
    pub(in crate::inner) fn part(&self, rows: Rows) -> &RowSet {
        match rows {
            Rows::Support => &self.support,
            Rows::Query => &self.query,
        }
    }

    /// What adaptation step number `step` sees of the support set.
    pub(in crate::inner) fn seen(&self, step: usize) -> RowSet {
        self.sight.of(&self.support, step, self.draws)
    }

    /// Computes inner gradients, with a history only where they are to be differentiated again.
    fn record<R>(&self, gradient: impl FnOnce() -> R) -> R {
        if self.order == Order::Second { gradient() } else { no_grad(gradient) }
    }
}

/// A tensor to differentiate with respect to: itself within a graph, otherwise the leaf of a new one.
fn tap(tensor: &Tensor) -> Tensor {
    if tensor.requires_grad() { tensor.shallow_clone() } else { tensor.detach().set_requires_grad(true) }
}
