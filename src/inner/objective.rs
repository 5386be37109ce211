//! The support loss of T tasks as a function of their fast weights.

use tch::{Tensor, no_grad, with_grad};

use super::{
    InnerRule,
    rows::{Form, Input, Part, Place, Rows},
    sight::{Sight, numbers, rows_of},
};
use crate::{
    loss::{self, Loss},
    models::{
        Model,
        closed_form::{Backprop, Factors, Gradient},
        layers,
    },
    random::{Draws, Stream},
    tasks::{Episode, copies::Copier},
};

/// What the fast weights remember of how they came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Nothing: for prediction.
    #[serde(skip)]
    Zero,
    /// Inner gradients count as constants (FOMAML).
    First,
    /// Everything: exact meta-gradients.
    Second,
}

/// The adaptation problem of one meta-batch. Symbols: T tasks, S support rows, D inputs, H outputs of the input layer, N ways.
pub struct Objective<'a> {
    model: &'a dyn Model,
    loss: &'a dyn Loss,
    theta: &'a [Tensor],
    /// All rows, `[T, S + Q, D]`.
    x: Tensor,
    support: Part,
    query: Part,
    order: Order,
    draws: Draws,
    sight: Sight<'a>,
    /// The most rows of a task that go through the network at once.
    rows_at_once: i64,
}

impl<'a> Objective<'a> {
    /// The problem of adapting `theta` to the support sets of `episode`; `draws` are the streams from which rules draw.
    pub fn new(
        model: &'a dyn Model,
        loss: &'a dyn Loss,
        theta: &'a [Tensor],
        episode: &Episode,
        form: Form,
        order: Order,
        draws: Draws,
    ) -> Self {
        let split = |t: &Tensor| {
            let query = t.narrow(1, episode.support, episode.queries());
            (t.narrow(1, 0, episode.support), query)
        };
        let (x, y) = (split(&episode.x), split(&episode.y));
        let (support_input, query_input) = if !model.has_linear_input() {
            (Input::Nothing, Input::Nothing)
        } else if form == Form::Explicit {
            (Input::Explicit, Input::Explicit)
        } else {
            let at_theta = split(&layers::linear(&episode.x, &theta[0], &theta[1]));
            let gram = no_grad(|| x.0.bmm(&episode.x.transpose(1, 2)) + 1.0); // [T, S, S + Q]
            let gram = split(&gram.transpose(1, 2));
            let implicit = |at_theta, gram| Input::Implicit { at_theta, gram, place: Place::All };
            (implicit(at_theta.0, gram.0), implicit(at_theta.1, gram.1))
        };
        let outputs = theta.last().map_or(0, |bias| bias.size()[0]);
        let part = |x: Tensor, y: Tensor, weight: Option<Tensor>, input| {
            let expected = loss.expected(&y, outputs, &x);
            Part { x, y: y.contiguous(), expected, weight, input }.normalised()
        };
        let weight = episode.weight.as_ref().map(split).unzip();
        let support = part(x.0, y.0, weight.0, support_input);
        let query = part(x.1, y.1, weight.1, query_input);
        let x = episode.x.shallow_clone();
        Self {
            model,
            loss,
            theta,
            x,
            support,
            query,
            order,
            draws,
            sight: Sight::Whole,
            rows_at_once: i64::MAX,
        }
    }

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
    fn parts(&self, rows: &Part) -> Option<Vec<(Part, f64)>> {
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

    /// The problem of adapting in at most so many steps to copies of the support images, others in each step; with `batch`, to copies
    /// of so many of them.
    ///
    /// The implicit form draws those of all steps at once: its fast weight has a row for each.
    #[expect(clippy::too_many_arguments, reason = "what an objective is made of, and the copies")]
    pub fn on_copies(
        model: &'a dyn Model,
        loss: &'a dyn Loss,
        theta: &'a [Tensor],
        episode: &Episode,
        copier: &'a Copier,
        batch: Option<usize>,
        steps: usize,
        form: Form,
        order: Order,
        draws: Draws,
    ) -> Self {
        let originals = copier.originals(&episode.support_x());
        if form == Form::Explicit || !model.has_linear_input() {
            let plain = Self::new(model, loss, theta, episode, form, order, draws);
            return Self { sight: Sight::Copies(originals, batch), ..plain };
        }
        let (mut x, mut y, mut weight) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..steps.max(1) {
            let rows = rows_of(step, episode.support as usize, batch, draws);
            x.push(originals.copies(&rows, &draws, step));
            let of_copies = |all: &Tensor| {
                let support = all.narrow(1, 0, episode.support);
                originals.repeated(&support.index_select(1, &numbers(&rows, episode.x.device())))
            };
            y.push(of_copies(&episode.y));
            weight.extend(episode.weight.as_ref().map(of_copies));
        }
        let block = x[0].size()[1];
        let support = block * x.len() as i64;
        x.push(episode.query_x());
        y.push(episode.query_y());
        weight.extend(episode.weight.as_ref().map(|all| all.narrow(1, episode.support, episode.queries())));
        let weight = (!weight.is_empty()).then(|| Tensor::cat(&weight, 1));
        let copies = Episode { x: Tensor::cat(&x, 1), y: Tensor::cat(&y, 1), weight, support };
        Self { sight: Sight::Blocks(block), ..Self::new(model, loss, theta, &copies, form, order, draws) }
    }

    /// The form that is faster for this rule: implicit where it is exact and the support rows, of all steps where each has its own,
    /// are fewer than the inputs.
    pub fn best_form(rule: &dyn InnerRule, model: &dyn Model, support: usize, inputs: usize) -> Form {
        let implicit = rule.descent().is_some() && model.has_linear_input() && support <= inputs;
        if implicit { Form::Implicit } else { Form::Explicit }
    }

    /// To which order the adaptation is to be differentiated.
    pub fn order(&self) -> Order {
        self.order
    }

    /// The fast weights of T tasks at theta: for each parameter `[T, ...]`, in implicit form C = 0 `[T, S, H]` instead of the
    /// first two.
    pub fn start(&self) -> Vec<Tensor> {
        let expanded = |p: &Tensor| {
            let size: Vec<i64> = self.x.size()[..1].iter().copied().chain(p.size()).collect();
            p.expand(size, true)
        };
        match &self.support.input {
            Input::Implicit { at_theta, .. } => {
                let coefficients = at_theta.detach().zeros_like();
                [coefficients].into_iter().chain(self.theta[2..].iter().map(expanded)).collect()
            }
            _ => self.theta.iter().map(expanded).collect(),
        }
    }

    /// The fast weights of the model's body.
    pub fn body<'f>(&self, fast: &'f [Tensor]) -> &'f [Tensor] {
        &fast[self.support.head()..]
    }

    /// Outputs `[T, S or Q, N]` of the model with these fast weights.
    pub fn outputs(&self, fast: &[Tensor], rows: Rows) -> Tensor {
        self.outputs_on(self.part(rows), fast)
    }

    /// The same on some rows.
    fn outputs_on(&self, rows: &Part, fast: &[Tensor]) -> Tensor {
        let Some(parts) = self.parts(rows) else { return self.outputs_at_once(rows, fast) };
        let outputs: Vec<Tensor> = parts.iter().map(|(part, _)| self.outputs_at_once(part, fast)).collect();
        Tensor::cat(&outputs, 1)
    }

    fn outputs_at_once(&self, part: &Part, fast: &[Tensor]) -> Tensor {
        self.model.body(self.body(fast), &part.enter(fast)) // [T, R, N]
    }

    /// Mean loss of each task on these rows, `[T]`.
    pub fn losses(&self, fast: &[Tensor], rows: Rows) -> Tensor {
        self.losses_of(&self.outputs(fast, rows), self.part(rows))
    }

    /// Mean loss `[T]` of outputs on these rows.
    pub(super) fn losses_of(&self, outputs: &Tensor, rows: &Part) -> Tensor {
        loss::per_task(self.loss, outputs, &rows.y, rows.weight.as_ref())
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
    fn gradient_on(&self, rows: &Part, fast: &[Tensor]) -> Vec<Tensor> {
        let Some(parts) = self.parts(rows) else { return self.gradient_at_once(rows, fast) };
        let weighted = parts.iter().map(|(part, share)| -> Vec<Tensor> {
            self.gradient_at_once(part, fast).into_iter().map(|g| g * *share).collect()
        });
        let sum = |a: Vec<Tensor>, b: Vec<Tensor>| a.into_iter().zip(b).map(|(a, b)| a + b).collect();
        weighted.reduce(sum).unwrap_or_default()
    }

    /// The same in closed form where model and loss have one, otherwise automatically.
    fn gradient_at_once(&self, part: &Part, fast: &[Tensor]) -> Vec<Tensor> {
        let body = self.body(fast);
        self.record(|| {
            let mut gradient = match self.backpropagate(part, fast) {
                Some(pass) => pass.gradient.dense(),
                None => with_grad(|| {
                    let taps: Vec<Tensor> = [&part.enter(fast)].into_iter().chain(body).map(tap).collect();
                    let loss = self.losses_of(&self.model.body(&taps[1..], &taps[0]), part).sum(None);
                    let second = self.order == Order::Second;
                    Tensor::run_backward(&[loss], &taps, second, second)
                }),
            };
            let head = part.gradient(gradient.remove(0));
            head.into_iter().chain(gradient).collect()
        })
    }

    /// The fast weights after one step of gradient descent of size `rate` on what this `step` sees.
    pub fn descend(&self, step: usize, fast: &[Tensor], rate: f64) -> Vec<Tensor> {
        let rows = self.seen(step);
        if self.parts(&rows).is_none()
            && !matches!(self.sight, Sight::Batches(_))
            && let Some(pass) = self.record(|| self.backpropagate(&rows, fast))
        {
            return self.descend_along(&rows, fast, &pass.gradient, rate);
        }
        fast.iter().zip(self.gradient_on(&rows, fast)).map(|(phi, g)| phi - g * rate).collect()
    }

    /// The same along a gradient on these rows.
    pub(super) fn descend_along(
        &self,
        rows: &Part,
        fast: &[Tensor],
        gradient: &Gradient,
        rate: f64,
    ) -> Vec<Tensor> {
        let mut moved = rows.descend(fast, &gradient.input, rate);
        moved.extend(gradient.descend(self.body(fast), rate));
        moved
    }

    /// A pass forwards and backwards by hand over these rows, where model and loss have a closed form.
    pub(super) fn backpropagate(&self, rows: &Part, fast: &[Tensor]) -> Option<Backprop> {
        let closed = self.model.closed_form()?;
        Some(closed.backpropagate(self.body(fast), &rows.enter(fast), &rows.goal(self.loss)))
    }

    /// The Hessian of the loss on these rows with respect to what goes into the body and the body's weights, times the direction
    /// `lambda`, shaped as the fast weights; `pass` is the one at `fast`.
    pub(super) fn hessian_product(
        &self,
        rows: &Part,
        fast: &[Tensor],
        pass: &Backprop,
        lambda: &[Tensor],
    ) -> Option<Gradient> {
        let (dz, goal) = (rows.push_forward(lambda), rows.goal(self.loss));
        Some(self.model.closed_form()?.hessian_product(self.body(fast), pass, &dz, self.body(lambda), &goal))
    }

    /// The gradient with respect to the fast weights that belongs to `gradient`, one with respect to what goes into the body on these
    /// rows and to the body.
    pub(super) fn pull_back(&self, rows: &Part, gradient: &Gradient) -> Vec<Tensor> {
        let mut pulled = rows.pull_back(&gradient.input);
        pulled.extend(gradient.layers.iter().flat_map(Factors::dense));
        pulled
    }

    /// `lambda`, shaped as the fast weights, plus `scale` times that gradient.
    pub(super) fn pull_back_onto(
        &self,
        rows: &Part,
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
        let Input::Implicit { .. } = self.support.input else {
            return lambda.iter().map(mean).collect();
        };
        let support = support.unwrap_or_else(|| lambda[0].zeros_like());
        let layer = layers::shared_gradient(&Tensor::cat(&[support, query], 1), &self.x);
        layer.into_iter().chain(lambda[1..].iter().map(mean)).collect()
    }

    /// The mean over tasks of the adapted weights, shaped as theta.
    pub fn mean_weights(&self, fast: &[Tensor]) -> Vec<Tensor> {
        let mean = |t: &Tensor| t.mean_dim(0, false, None);
        let Input::Implicit { .. } = self.support.input else {
            return fast.iter().map(mean).collect();
        };
        // 1/T sum_t (W_0 + C_t^T X_t) and 1/T sum_t (b_0 + sum over rows of C_t)
        let [weight, bias] = layers::shared_gradient(&fast[0], &self.support.x);
        let layer = [&self.theta[0] + weight, &self.theta[1] + bias];
        layer.into_iter().chain(fast[1..].iter().map(mean)).collect()
    }

    /// The stream from which a rule draws at `step`: the same for every task, so that a task's result does not depend on
    /// which others share its batch.
    pub fn stream(&self, step: usize) -> Stream {
        self.draws.stream(step)
    }

    fn part(&self, rows: Rows) -> &Part {
        match rows {
            Rows::Support => &self.support,
            Rows::Query => &self.query,
        }
    }

    /// The queries.
    pub(super) fn query(&self) -> &Part {
        &self.query
    }

    /// What adaptation step number `step` sees of the support set.
    pub(super) fn seen(&self, step: usize) -> Part {
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
