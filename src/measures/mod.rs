//! What a method is judged by: numbers computed from its predictions. No tensors.
//!
//! To add a measure: one file with a [`Measure`], one line in [`ALL`].

mod accuracy;
mod auc;
mod bin_error;
mod brier;
mod contributions;
mod ece;
mod link;
mod log_loss;
mod mse;
mod predictions;
mod quantity;
pub mod reliability;
mod student_auc;

use std::fmt::Debug;

pub use accuracy::Accuracy;
pub use auc::Auc;
pub use bin_error::BinError;
pub use brier::Brier;
pub use contributions::contributions;
pub use ece::CalibrationError;
pub use log_loss::LogLoss;
pub use mse::MeanSquaredError;
pub use predictions::Predictions;
pub use quantity::{Better, LOSS, Quantity, Unit};
pub use student_auc::StudentAuc;

/// A measure of some predictions, prepared to be asked again and again: its value where each episode counts so often.
pub type Resampled = Box<dyn Fn(&[u32]) -> f64 + Send + Sync>;

/// A number computed from predictions.
///
/// Most are a mean over episodes and say what it is the mean of, by [`Measure::of_each`]. A pooled one looks at the rows of all episodes
/// together, since those of one are too few for it, and says what that gives, by [`Measure::of_all`]. Each has the other from here.
pub trait Measure: Debug + Send + Sync {
    /// Its name, and that of its column in CSV files.
    fn name(&self) -> &'static str;

    /// What it is called in sentences and on axes, in small letters.
    fn title(&self) -> &'static str;

    /// Which way is better.
    fn better(&self) -> Better;

    /// How its values are shown.
    fn unit(&self) -> Unit;

    /// Whether it is computed over the rows of all episodes.
    fn pooled(&self) -> bool {
        false
    }

    /// The value of each episode, or what it contributes to that of all; not a number where it is not defined, as for outputs that are not
    /// finite. The mean is the value over all episodes.
    fn of_each(&self, predictions: &Predictions) -> Vec<f64> {
        contributions(self.of_all(predictions), &predictions.finite())
    }

    /// The value over all episodes whose outputs are finite.
    fn of_all(&self, predictions: &Predictions) -> Resampled {
        let values = self.of_each(predictions);
        Box::new(move |counts| {
            let counted = values.iter().zip(counts).filter(|(value, _)| value.is_finite());
            let (sum, count) = counted.fold((0.0, 0.0), |(sum, count), (value, times)| {
                (sum + f64::from(*times) * value, count + f64::from(*times))
            });
            sum / count
        })
    }

    /// What its values are.
    fn quantity(&self) -> Quantity {
        Quantity { name: self.name(), title: self.title(), better: self.better(), unit: self.unit() }
    }
}

/// Every measure.
pub static ALL: [&dyn Measure; 8] =
    [&Accuracy, &MeanSquaredError, &LogLoss, &Auc, &CalibrationError, &Brier, &StudentAuc, &BinError];

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|measure| measure.name())
}

/// The measure of this name.
pub fn find(name: &str) -> Option<&'static dyn Measure> {
    ALL.into_iter().find(|measure| measure.name() == name)
}
