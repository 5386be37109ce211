//! The support loss of T tasks as a function of their fast weights, with the input layer in explicit or implicit form.
//!
//! Explicit: every task has weights of its own, `[T, ...]`. Implicit: for a linear layer applied to the input X, gradient
//! descent only ever adds rows of X to its weight. With G_j the gradient of step j with respect to the layer's output on
//! the support set,
//!
//! ```text
//!     W_k = W_0 - lr X_s^T (G_1 + ... + G_k)       hence       X W_k = X W_0 + (X X_s^T) C,   C = -lr (G_1 + ... + G_k)
//! ```
//!
//! so the fast weight of that layer is C `[T, S, H]` instead of `[T, H, D]`: X W_0 is one product with shared weights, the
//! Gram matrix X X_s^T (+ 1, which carries the bias) is computed once per episode, and the gradient that moves C is the one
//! with respect to the layer's output. Nothing is approximated.

use rand::seq::index::sample;
use tch::{Kind, Tensor, no_grad, with_grad};

use super::InnerRule;
use crate::{
    loss,
    models::{Model, layers},
    random::{Draws, Stream},
    tasks::Episode,
};

/// How the fast weights of the input layer are represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A weight matrix per task.
    Explicit,
    /// Coefficients of the support rows; only for linear rules and models with a linear input layer.
    Implicit,
}

/// What the fast weights remember of how they came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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

/// Which rows of every task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// The support set.
    Support,
    /// The queries.
    Query,
}

/// The adaptation problem of one meta-batch. Symbols: T tasks, S support rows, D inputs, H outputs of the input layer, N ways.
pub struct Objective<'a> {
    model: &'a dyn Model,
    theta: &'a [Tensor],
    support: Part,
    query: Part,
    order: Order,
    draws: Draws,
    batch: Option<usize>,
}

/// The support sets or the queries of all tasks.
struct Part {
    /// `[T, rows, D]`.
    x: Tensor,
    /// `[T, rows]`.
    y: Tensor,
    /// Labels as `[T, rows, N]`, for the closed form of the gradient; none for real targets.
    onehot: Option<Tensor>,
    implicit: Option<Implicit>,
}

/// What the implicit form computes once per episode.
struct Implicit {
    /// The input layer's output at theta: X W_0^T + b_0, `[T, rows, H]`.
    at_theta: Tensor,
    /// X X_s^T + 1, `[T, rows, S]`.
    gram: Tensor,
}

impl Part {
    /// The input layer's output `[T, rows, H]` in implicit form, for coefficients C `[T, S, H]`.
    fn input_layer(&self, coefficients: &Tensor) -> Option<Tensor> {
        let Implicit { at_theta, gram } = self.implicit.as_ref()?;
        Some(at_theta.baddbmm(gram, coefficients, 1.0, 1.0))
    }
}

impl<'a> Objective<'a> {
    /// The problem of adapting `theta` to the support sets of `episode`; `draws` are the streams from which rules draw.
    pub fn new(
        model: &'a dyn Model,
        theta: &'a [Tensor],
        episode: &'a Episode,
        form: Form,
        order: Order,
        draws: Draws,
    ) -> Self {
        let sizes = [episode.support, episode.queries()];
        let split = |t: &Tensor| {
            let query = t.narrow(1, sizes[0], sizes[1]);
            (t.narrow(1, 0, sizes[0]), query)
        };
        let (support_x, query_x) = split(&episode.x);
        let (support_y, query_y) = split(&episode.y);
        let (mut support_form, mut query_form) = (None, None);
        if form == Form::Implicit && model.has_linear_input() {
            let at_theta = split(&layers::linear(&episode.x, &theta[0], &theta[1]));
            let gram = no_grad(|| support_x.contiguous().bmm(&episode.x.transpose(1, 2)) + 1.0); // [T, S, R]
            let gram = split(&gram.transpose(1, 2));
            support_form = Some(Implicit { at_theta: at_theta.0, gram: gram.0 });
            query_form = Some(Implicit { at_theta: at_theta.1, gram: gram.1 });
        }
        let outputs = theta.last().map_or(0, |bias| bias.size()[0]);
        let onehot =
            (support_y.kind() == Kind::Int64).then(|| support_y.one_hot(outputs).to_kind(episode.x.kind()));
        let support = Part { x: support_x, y: support_y.contiguous(), onehot, implicit: support_form };
        let query = Part { x: query_x, y: query_y.contiguous(), onehot: None, implicit: query_form };
        Self { model, theta, support, query, order, draws, batch: None }
    }

    /// Lets each step's gradient see so many support rows only; each step takes others, until all were seen.
    pub fn with_batches(self, rows: Option<usize>) -> Self {
        Self { batch: rows, ..self }
    }

    /// The form that is faster for this rule: implicit where it is exact and the support set is smaller than the input.
    pub fn best_form(rule: &dyn InnerRule, model: &dyn Model, episode: &Episode) -> Form {
        let small = episode.support <= episode.x.size()[2];
        if rule.is_linear() && model.has_linear_input() && small { Form::Implicit } else { Form::Explicit }
    }

    /// The fast weights of T tasks at theta: for each parameter `[T, ...]`, in implicit form C = 0 `[T, S, H]` instead of the
    /// first two.
    pub fn start(&self) -> Vec<Tensor> {
        let expanded = |p: &Tensor| {
            let size: Vec<i64> = self.support.x.size()[..1].iter().copied().chain(p.size()).collect();
            p.expand(size, true)
        };
        match &self.support.implicit {
            Some(Implicit { at_theta, .. }) => {
                let coefficients = at_theta.detach().zeros_like();
                [coefficients].into_iter().chain(self.theta[2..].iter().map(expanded)).collect()
            }
            None => self.theta.iter().map(expanded).collect(),
        }
    }

    /// Outputs `[T, S or Q, N]` of the model with these fast weights.
    pub fn outputs(&self, fast: &[Tensor], rows: Rows) -> Tensor {
        let part = self.part(rows);
        match part.input_layer(&fast[0]) {
            Some(z) => self.model.body(&fast[1..], &z),
            None => self.model.forward(fast, &part.x),
        }
    }

    /// Mean loss of each task on these rows, `[T]`.
    pub fn losses(&self, fast: &[Tensor], rows: Rows) -> Tensor {
        loss::per_task(&self.outputs(fast, rows), &self.part(rows).y)
    }

    /// Gradient of each task's support loss with respect to its fast weights, shaped as these.
    ///
    /// For C it is the gradient with respect to the input layer's output on the support set. Of order two it carries its own
    /// history, so that it can be differentiated again. With mini-batches, only rows of the batch of this `step` count.
    pub fn gradient(&self, step: usize, fast: &[Tensor]) -> Vec<Tensor> {
        let batch = self.batch_rows(step);
        let pick = |t: &Tensor| batch.as_ref().map_or_else(|| t.shallow_clone(), |b| t.index_select(1, b));
        let (y, onehot) = (pick(&self.support.y), self.support.onehot.as_ref().map(&pick));
        let targets = (&y, onehot.as_ref());
        if let Some(z) = self.support.input_layer(&fast[0]) {
            let mut gradient = self.body_gradient(&fast[1..], &pick(&z), targets);
            if let Some(rows) = &batch {
                // Rows outside the batch do not move their coefficients; one that closes a permutation and opens the next
                // is in the batch twice.
                gradient[0] = fast[0].zeros_like().index_add(1, rows, &gradient[0]);
            }
            return gradient;
        }
        let x = pick(&self.support.x); // [T, S, D]
        if !self.model.has_linear_input() {
            return self.body_gradient(fast, &x, targets).split_off(1);
        }
        self.record(|| {
            let z = layers::linear(&x, &fast[0], &fast[1]); // [T, S, H]
            let mut gradient = self.body_gradient(&fast[2..], &z, targets);
            let g = gradient.remove(0); // dL/dz [T, S, H]
            let weight = layers::weight_gradient(&g, &x); // [T, H, D]
            let bias = g.sum_dim_intlist(1, false, None); // [T, H]
            [weight, bias].into_iter().chain(gradient).collect()
        })
    }

    /// The mean over tasks of the adapted weights, shaped as theta.
    pub fn mean_weights(&self, fast: &[Tensor]) -> Vec<Tensor> {
        let mean = |t: &Tensor| t.mean_dim(0, false, None);
        if self.support.implicit.is_none() {
            return fast.iter().map(mean).collect();
        }
        // 1/T sum_t (W_0 + C_t^T X_t) and 1/T sum_t (b_0 + sum over rows of C_t)
        let (tasks, rows, hidden) = fast[0].size3().unwrap_or_default();
        let coefficients = fast[0].reshape([tasks * rows, hidden]) / tasks as f64; // [T*S, H]
        let x = self.support.x.reshape([tasks * rows, -1]); // [T*S, D]
        let weight = &self.theta[0] + coefficients.transpose(0, 1).matmul(&x);
        let bias = &self.theta[1] + coefficients.sum_dim_intlist(0, false, None);
        [weight, bias].into_iter().chain(fast[1..].iter().map(mean)).collect()
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

    /// The gradient of each task's loss with respect to `z`, what goes into the model's body, and to the body's parameters: in
    /// closed form where the model has one, otherwise automatically.
    fn body_gradient(
        &self,
        params: &[Tensor],
        z: &Tensor,
        (y, onehot): (&Tensor, Option<&Tensor>),
    ) -> Vec<Tensor> {
        if let Some(onehot) = onehot
            && let Some(gradient) = self.record(|| self.model.cross_entropy_gradient(params, z, onehot))
        {
            return gradient;
        }
        with_grad(|| {
            let taps: Vec<Tensor> = [z].into_iter().chain(params).map(tap).collect();
            let loss = loss::per_task(&self.model.body(&taps[1..], &taps[0]), y).sum(None);
            let second = self.order == Order::Second;
            Tensor::run_backward(&[loss], &taps, second, second)
        })
    }

    /// Computes inner gradients, with a history only where they are to be differentiated again.
    fn record<R>(&self, gradient: impl FnOnce() -> R) -> R {
        if self.order == Order::Second { gradient() } else { no_grad(gradient) }
    }

    /// The support rows of this step's mini-batch, i64; the same for every task, whose images are random anyway.
    ///
    /// They follow one another through a sequence of permutations of the support set.
    fn batch_rows(&self, step: usize) -> Option<Tensor> {
        let support = self.support.x.size()[1] as usize;
        let size = self.batch?.min(support);
        let mut rows = Vec::with_capacity(size);
        for position in step * size..(step + 1) * size {
            let permutation = sample(&mut self.draws.stream(position / support), support, support);
            rows.push(permutation.index(position % support) as i64);
        }
        Some(Tensor::from_slice(&rows).to_device(self.support.x.device()))
    }
}

/// A tensor to differentiate with respect to: itself within a graph, otherwise the leaf of a new one.
fn tap(tensor: &Tensor) -> Tensor {
    if tensor.requires_grad() { tensor.shallow_clone() } else { tensor.detach().set_requires_grad(true) }
}
