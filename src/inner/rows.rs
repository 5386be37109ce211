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
//!
//! A rate for each output unit scales a column of C and leaves the rest as it is. Where the bias has a rate of its own it is a fast weight
//! beside C, and the Gram matrix goes without the 1. A layer that does not move needs no C at all. Only rates for single elements of
//! the weight need a weight matrix per task.

use tch::Tensor;

use super::rates::Rate;

use crate::{
    loss::Loss,
    models::{
        closed_form::{Expectation, Factors},
        layers,
    },
};

/// How the fast weights of the input layer are represented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A weight matrix per task.
    Explicit,
    /// Coefficients of the support rows; only for gradient descent with no rates for single elements, and models with a linear input layer.
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
pub(super) struct RowSet {
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
    /// A linear layer in implicit form.
    Implicit {
        /// Its output at theta: X W_0^T + b_0, `[T, R, H]`; without b_0 if the bias is a fast weight.
        at_theta: Tensor,
        /// How it moves.
        moves: Moves,
        /// Which support rows they are.
        place: Place,
        /// S.
        support: i64,
    },
}

/// How an input layer in implicit form moves.
pub(super) enum Moves {
    /// Not at all.
    Not,
    /// By the fast weight C `[T, S, H]`, which carries the bias too: X X_s^T + 1, `[T, R, S]`.
    Together(Tensor),
    /// By C, and the bias `[T, H]` is a fast weight of its own: X X_s^T, `[T, R, S]`.
    Apart(Tensor),
}

impl Moves {
    fn map(&self, of: impl Fn(&Tensor) -> Tensor) -> Self {
        match self {
            Self::Not => Self::Not,
            Self::Together(gram) => Self::Together(of(gram)),
            Self::Apart(gram) => Self::Apart(of(gram)),
        }
    }
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

impl RowSet {
    /// The rows of these numbers only.
    pub fn pick(&self, rows: &Tensor) -> Self {
        self.map(|t| t.index_select(1, rows), || Place::Rows(rows.shallow_clone()))
    }

    /// So many rows from one on.
    pub fn block(&self, from: i64, rows: i64) -> Self {
        self.map(|t| t.narrow(1, from, rows), || Place::Block(from, rows))
    }

    /// What outputs on these rows are compared with.
    pub fn goal<'a>(&'a self, loss: &'a dyn Loss) -> Expectation<'a> {
        Expectation { loss, expected: &self.expected, weight: self.weight.as_ref() }
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
            Input::Implicit { at_theta, moves, support, .. } => Input::Implicit {
                at_theta: of(at_theta),
                moves: moves.map(&of),
                place: place(),
                support: *support,
            },
        };
        let (expected, weight) = (of(&self.expected), self.weight.as_ref().map(&of));
        Self { x: of(&self.x), y: of(&self.y), expected, weight, input }
    }

    /// How many of the fast weights belong to the input layer.
    pub fn input_weights(&self) -> usize {
        match &self.input {
            Input::Nothing => 0,
            Input::Explicit => 2,
            Input::Implicit { moves, .. } => match moves {
                Moves::Not => 0,
                Moves::Together(_) => 1,
                Moves::Apart(_) => 2,
            },
        }
    }

    /// What goes into the model's body, `[T, R, H]`.
    pub fn enter(&self, fast: &[Tensor]) -> Tensor {
        match &self.input {
            Input::Nothing => self.x.shallow_clone(),
            Input::Explicit => layers::linear(&self.x, &fast[0], &fast[1]),
            Input::Implicit { at_theta, moves, .. } => match moves {
                Moves::Not => at_theta.shallow_clone(),
                // X W_0^T + b_0 + (X X_s^T + 1) C
                Moves::Together(gram) => at_theta.baddbmm(gram, &fast[0], 1.0, 1.0),
                Moves::Apart(gram) => at_theta.baddbmm(gram, &fast[0], 1.0, 1.0) + fast[1].unsqueeze(1),
            },
        }
    }

    /// The gradient with respect to the input layer's fast weights for `g` `[T, R, H]`, the one with respect to what goes into
    /// the body.
    pub fn gradient(&self, g: Tensor) -> Vec<Tensor> {
        match &self.input {
            Input::Nothing => vec![],
            Input::Explicit => self.factors(&g).dense().into(),
            Input::Implicit { moves, .. } => match moves {
                Moves::Not => vec![],
                Moves::Together(_) => vec![self.spread(&g)],
                Moves::Apart(_) => vec![self.spread(&g), g.sum_dim_intlist(1, false, None)],
            },
        }
    }

    /// The input layer's fast weights after a step of gradient descent along that gradient, with a rate for each of them.
    pub fn descend(&self, fast: &[Tensor], g: &Tensor, rates: &[&Rate]) -> Vec<Tensor> {
        match &self.input {
            Input::Nothing => vec![],
            Input::Explicit => {
                let along = self.factors(g);
                vec![rates[0].descend_weight(&fast[0], &along), rates[1].descend(&fast[1], &along.bias)]
            }
            Input::Implicit { .. } => {
                let mut moved = self.gradient(g.shallow_clone()).into_iter().enumerate();
                let coefficients = moved.next().map(|(i, g)| rates[i].descend_coefficients(&fast[i], &g));
                let bias = moved.next().map(|(i, g)| rates[i].descend(&fast[i], &g));
                coefficients.into_iter().chain(bias).collect()
            }
        }
    }

    /// The direction `lambda`, shaped as the input layer's fast weights, times the rate of each.
    pub fn times(&self, lambda: &[Tensor], rates: &[&Rate]) -> Vec<Tensor> {
        let implicit = matches!(self.input, Input::Implicit { .. });
        let each = lambda.iter().zip(rates).take(self.input_weights()).enumerate();
        let times = |(i, (lambda, rate)): (usize, (&Tensor, &&Rate))| {
            if implicit && i == 0 { rate.times_coefficients(lambda) } else { rate.times(lambda) }
        };
        each.map(times).collect()
    }

    /// The gradient of a loss with respect to learned rates of the input layer's fast weights, for a step along `g` and `lambda` after it.
    pub fn rate_gradient(&self, g: &Tensor, lambda: &[Tensor], rates: &[&Rate]) -> Vec<Option<Tensor>> {
        let unit = |i: usize| if i == 0 && matches!(self.input, Input::Implicit { .. }) { 2 } else { 1 };
        let gradients = self.gradient(g.shallow_clone()).into_iter().zip(lambda).zip(rates).enumerate();
        gradients.map(|(i, ((g, lambda), rate))| rate.gradient(&g, lambda, unit(i))).collect()
    }

    /// How what goes into the body changes along the direction `lambda`, shaped as the fast weights: `[T, R, H]`.
    ///
    /// In implicit form lambda's C is such a change already: a step moves C by the gradient with respect to the layer's output.
    pub fn push_forward(&self, lambda: &[Tensor]) -> Tensor {
        match &self.input {
            Input::Nothing => self.x.zeros_like(),
            Input::Explicit => layers::linear(&self.x, &lambda[0], &lambda[1]),
            Input::Implicit { at_theta, moves, place, .. } => match moves {
                Moves::Not => at_theta.zeros_like(),
                Moves::Together(_) => place.take(&lambda[0]),
                Moves::Apart(_) => place.take(&lambda[0]) + lambda[1].unsqueeze(1),
            },
        }
    }

    /// The gradient with respect to the input layer's fast weights of a function that has the gradient `g` `[T, R, H]` with respect to
    /// what goes into the body.
    pub fn pull_back(&self, g: &Tensor) -> Vec<Tensor> {
        match &self.input {
            Input::Nothing => vec![],
            Input::Explicit => self.factors(g).dense().into(),
            Input::Implicit { moves, .. } => match moves {
                Moves::Not => vec![],
                Moves::Together(gram) => vec![gram.transpose(1, 2).bmm(g)],
                Moves::Apart(gram) => {
                    vec![gram.transpose(1, 2).bmm(g), g.sum_dim_intlist(1, false, None)]
                }
            },
        }
    }

    /// `lambda` plus `scale` times that gradient.
    pub fn pull_back_onto(&self, lambda: &[Tensor], g: &Tensor, scale: f64) -> Vec<Tensor> {
        match &self.input {
            Input::Nothing => vec![],
            Input::Explicit => self.factors(g).descend(&lambda[0], &lambda[1], -scale).into(),
            Input::Implicit { moves, .. } => match moves {
                Moves::Not => vec![],
                Moves::Together(gram) => vec![lambda[0].baddbmm(&gram.transpose(1, 2), g, 1.0, scale)],
                Moves::Apart(gram) => vec![
                    lambda[0].baddbmm(&gram.transpose(1, 2), g, 1.0, scale),
                    &lambda[1] + g.sum_dim_intlist(1, false, None) * scale,
                ],
            },
        }
    }

    /// What belongs to these rows, `[T, R, H]`, shaped as the fast weight C in implicit form.
    pub fn spread(&self, of_rows: &Tensor) -> Tensor {
        match &self.input {
            Input::Implicit { place, support, .. } => place.spread(of_rows, *support),
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
