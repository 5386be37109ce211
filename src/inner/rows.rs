//! The rows of a meta-batch and the input layer on them, with explicit or implicit fast weights.
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

use tch::Tensor;

use crate::{
    loss::Loss,
    models::{
        closed_form::{Factors, Goal},
        layers,
    },
};

/// How the fast weights of the input layer are represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A weight matrix per task.
    Explicit,
    /// Coefficients of the support rows; only for linear rules and models with a linear input layer.
    Implicit,
}

/// Which rows of every task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// The support set.
    Support,
    /// The queries.
    Query,
}

/// Some rows of all tasks. Symbols: T tasks, R rows, S support rows, D inputs, H outputs of the input layer, N ways.
pub(super) struct Part {
    /// `[T, R, D]`.
    pub x: Tensor,
    /// Labels `[T, R]` or numbers `[T, R, O]`.
    pub y: Tensor,
    /// The same as the loss expects them, `[T, R, O]`.
    pub expected: Tensor,
    /// The share of each row in its task's loss, `[T, R]`; none where all rows count alike.
    pub weight: Option<Tensor>,
    /// What is in front of the model's body.
    pub input: Input,
}

/// What is in front of the model's body.
pub(super) enum Input {
    /// Nothing: x goes into the body.
    Nothing,
    /// A linear layer with the fast weights `[T, H, D]` and `[T, H]`.
    Explicit,
    /// A linear layer with the fast weight C `[T, S, H]`.
    Implicit {
        /// Its output at theta: X W_0^T + b_0, `[T, R, H]`.
        at_theta: Tensor,
        /// X X_s^T + 1, `[T, R, S]`.
        gram: Tensor,
        /// Which rows of C are theirs.
        place: Place,
    },
}

/// Which of the S support rows some rows are.
pub(super) enum Place {
    /// All of them, in order.
    All,
    /// Those of these numbers, i64; some may stand there twice.
    Rows(Tensor),
    /// So many, from a number on.
    Block(i64, i64),
}

impl Place {
    /// What belongs to these rows, `[T, R, H]`, as a part of what belongs to all `support` rows, `[T, S, H]`, zero elsewhere.
    fn spread(&self, part: &Tensor, support: i64) -> Tensor {
        match self {
            Self::All => part.shallow_clone(),
            Self::Rows(rows) => {
                let (tasks, _, width) = part.size3().unwrap_or_default();
                part.new_zeros([tasks, support, width], (part.kind(), part.device())).index_add(1, rows, part)
            }
            Self::Block(from, rows) => part.constant_pad_nd([0, 0, *from, support - from - rows]),
        }
    }

    /// What belongs to these rows of `all`, `[T, S, H]`.
    fn take(&self, all: &Tensor) -> Tensor {
        match self {
            Self::All => all.shallow_clone(),
            Self::Rows(rows) => all.index_select(1, rows),
            Self::Block(from, rows) => all.narrow(1, *from, *rows),
        }
    }
}

impl Part {
    /// The rows of these numbers only.
    pub fn pick(&self, rows: &Tensor) -> Self {
        self.map(|t| t.index_select(1, rows), || Place::Rows(rows.shallow_clone()))
    }

    /// So many rows from one on.
    pub fn block(&self, from: i64, rows: i64) -> Self {
        self.map(|t| t.narrow(1, from, rows), || Place::Block(from, rows))
    }

    /// What outputs on these rows are compared with.
    pub fn goal<'a>(&'a self, loss: &'a dyn Loss) -> Goal<'a> {
        Goal { loss, expected: &self.expected, weight: self.weight.as_ref() }
    }

    /// The same rows, with weights whose sum is 1 for each task.
    pub fn normalised(self) -> Self {
        Self { weight: self.weight.as_ref().map(normalised), ..self }
    }

    /// All rows.
    pub fn share(&self) -> Self {
        self.map(Tensor::shallow_clone, || Place::All)
    }

    fn map(&self, of: impl Fn(&Tensor) -> Tensor, place: impl Fn() -> Place) -> Self {
        let input = match &self.input {
            Input::Nothing => Input::Nothing,
            Input::Explicit => Input::Explicit,
            Input::Implicit { at_theta, gram, .. } => {
                Input::Implicit { at_theta: of(at_theta), gram: of(gram), place: place() }
            }
        };
        let (expected, weight) = (of(&self.expected), self.weight.as_ref().map(&of));
        Self { x: of(&self.x), y: of(&self.y), expected, weight, input }
    }

    /// How many of the fast weights belong to the input layer.
    pub fn head(&self) -> usize {
        match &self.input {
            Input::Nothing => 0,
            Input::Explicit => 2,
            Input::Implicit { .. } => 1,
        }
    }

    /// What goes into the model's body, `[T, R, H]`.
    pub fn enter(&self, fast: &[Tensor]) -> Tensor {
        match &self.input {
            Input::Nothing => self.x.shallow_clone(),
            Input::Explicit => layers::linear(&self.x, &fast[0], &fast[1]),
            // X W_0^T + b_0 + (X X_s^T + 1) C
            Input::Implicit { at_theta, gram, .. } => at_theta.baddbmm(gram, &fast[0], 1.0, 1.0),
        }
    }

    /// The gradient with respect to the input layer's fast weights for `g` `[T, R, H]`, the one with respect to what goes into
    /// the body.
    pub fn gradient(&self, g: Tensor) -> Vec<Tensor> {
        match &self.input {
            Input::Nothing => vec![],
            Input::Explicit => self.factors(&g).dense().into(),
            Input::Implicit { .. } => vec![self.spread(&g)],
        }
    }

    /// The input layer's fast weights after a step of gradient descent along that gradient.
    pub fn descend(&self, fast: &[Tensor], g: &Tensor, rate: f64) -> Vec<Tensor> {
        match &self.input {
            Input::Nothing => vec![],
            Input::Explicit => self.factors(g).descend(&fast[0], &fast[1], rate).into(),
            Input::Implicit { .. } => vec![&fast[0] - self.spread(g) * rate],
        }
    }

    /// How what goes into the body changes along the direction `lambda`, shaped as the fast weights: `[T, R, H]`.
    ///
    /// In implicit form lambda's C is such a change already: a step moves C by the gradient with respect to the layer's output.
    pub fn push_forward(&self, lambda: &[Tensor]) -> Tensor {
        match &self.input {
            Input::Nothing => self.x.zeros_like(),
            Input::Explicit => layers::linear(&self.x, &lambda[0], &lambda[1]),
            Input::Implicit { place, .. } => place.take(&lambda[0]),
        }
    }

    /// The gradient with respect to the input layer's fast weights of a function that has the gradient `g` `[T, R, H]` with respect to
    /// what goes into the body.
    pub fn pull_back(&self, g: &Tensor) -> Vec<Tensor> {
        match &self.input {
            Input::Nothing => vec![],
            Input::Explicit => self.factors(g).dense().into(),
            Input::Implicit { gram, .. } => vec![gram.transpose(1, 2).bmm(g)],
        }
    }

    /// `lambda` plus `scale` times that gradient.
    pub fn pull_back_onto(&self, lambda: &[Tensor], g: &Tensor, scale: f64) -> Vec<Tensor> {
        match &self.input {
            Input::Nothing => vec![],
            Input::Explicit => self.factors(g).descend(&lambda[0], &lambda[1], -scale).into(),
            Input::Implicit { gram, .. } => vec![lambda[0].baddbmm(&gram.transpose(1, 2), g, 1.0, scale)],
        }
    }

    /// What belongs to these rows, `[T, R, H]`, shaped as the fast weight C in implicit form.
    pub fn spread(&self, of_rows: &Tensor) -> Tensor {
        match &self.input {
            Input::Implicit { place, gram, .. } => place.spread(of_rows, gram.size()[2]),
            _ => of_rows.shallow_clone(),
        }
    }

    fn factors(&self, g: &Tensor) -> Factors {
        Factors::new(g.shallow_clone(), self.x.shallow_clone())
    }
}

/// Weights `[T, R]` whose sum is 1 for each task that has rows.
pub(super) fn normalised(weight: &Tensor) -> Tensor {
    let sum = weight.sum_dim_intlist(1, true, None); // [T, 1]
    weight / sum.where_scalarother(&sum.gt(0.0), 1.0)
}
