//! What is adapted: a network, what that lowers, and which of its parameters move how.

use super::{Form, Grain};
use crate::{loss::Loss, models::Model};

/// A network that is adapted.
#[derive(Clone, Copy)]
pub struct Network<'a> {
    /// The network.
    pub model: &'a dyn Model,
    /// O, values per row of output.
    pub outputs: i64,
    /// What it lowers.
    pub loss: &'a dyn Loss,
    /// Whether each parameter moves.
    pub moves: &'a [bool],
    /// How fine the rates of gradient descent are; none for other rules.
    pub grain: Option<Grain>,
}

/// How the input layer moves, and so what stands for it among the fast weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputMoves {
    /// There is no linear input layer.
    Nothing,
    /// It does not move.
    Not,
    /// A weight and a bias for each task.
    Explicit,
    /// Coefficients of the support rows, which carry the bias too.
    Together,
    /// Coefficients of the support rows, and a bias for each task.
    Apart,
}

impl Network<'_> {
    /// The form of the input layer that is faster: implicit where it is exact and the support rows, of all steps where each has its own,
    /// are fewer than the inputs.
    pub fn best_form(&self, support: usize, inputs: usize) -> Form {
        let exact = self.grain.is_some_and(|grain| grain < Grain::Element);
        if exact && self.model.has_linear_input() && support <= inputs {
            Form::Implicit
        } else {
            Form::Explicit
        }
    }

    /// How the input layer moves in a form.
    pub(super) fn input_moves(&self, form: Form) -> InputMoves {
        if !self.model.has_linear_input() {
            return InputMoves::Nothing;
        }
        match (form, &self.moves[..2]) {
            (_, [false, false]) => InputMoves::Not,
            (Form::Explicit, _) => InputMoves::Explicit,
            (Form::Implicit, [true, true]) if self.grain == Some(Grain::One) => InputMoves::Together,
            (Form::Implicit, _) => InputMoves::Apart,
        }
    }
}
