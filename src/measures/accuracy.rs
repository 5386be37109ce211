//! The share of hits.

use super::{Better, Measure, Predictions};

/// Share of queries whose largest output is the label's, 0 to 1.
///
/// Not a number for an episode with an output that is not finite: a network that diverged chooses no class, and the first one would be
/// right as often as chance is.
#[derive(Clone, Copy, Debug)]
pub struct Accuracy;

impl Measure for Accuracy {
    fn name(&self) -> &'static str {
        "accuracy"
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn of_each(&self, predictions: &Predictions) -> Vec<f64> {
        let of = |(outputs, labels): (&[f32], &[f32])| {
            if outputs.iter().any(|z| !z.is_finite()) {
                return f64::NAN;
            }
            let rows = outputs.chunks(outputs.len() / labels.len().max(1)).zip(labels);
            let hits = rows.filter(|(row, label)| largest(row) == **label as usize).count();
            hits as f64 / labels.len() as f64
        };
        predictions.of_episodes().map(of).collect()
    }
}

/// The place of the largest, the first of equals.
fn largest(row: &[f32]) -> usize {
    let best = row.iter().enumerate().fold(
        (0, f32::NEG_INFINITY),
        |best, (i, &z)| {
            if z > best.1 { (i, z) } else { best }
        },
    );
    best.0
}
