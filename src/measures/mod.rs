//! What a method is judged by: numbers computed from its predictions. No tensors.

mod accuracy;
mod mse;

use std::fmt::Debug;

pub use accuracy::Accuracy;
pub use mse::MeanSquaredError;

/// Which of two values is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The higher.
    Higher,
    /// The lower.
    Lower,
}

/// The answers of one method to the queries of E episodes, after one number of steps: Q queries each, O outputs.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    /// `[E, Q, O]`, row by row.
    pub outputs: Vec<f32>,
    /// Labels `[E, Q]`, or numbers `[E, Q, O]`.
    pub targets: Vec<f32>,
    /// E.
    pub episodes: usize,
    /// Q.
    pub queries: usize,
}

impl Predictions {
    /// The outputs and targets of each episode.
    fn of_episodes(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let size = |all: &[f32]| (all.len() / self.episodes.max(1)).max(1);
        self.outputs.chunks(size(&self.outputs)).zip(self.targets.chunks(size(&self.targets)))
    }
}

/// A number computed from predictions.
pub trait Measure: Debug + Send + Sync {
    /// Its name, and that of its column in CSV files.
    fn name(&self) -> &'static str;

    /// Which way is better.
    fn better(&self) -> Better;

    /// The value of each episode; not a number where it is not defined, as for outputs that are not finite.
    fn of_each(&self, predictions: &Predictions) -> Vec<f64>;
}

/// Every measure.
pub static ALL: [&dyn Measure; 2] = [&Accuracy, &MeanSquaredError];
