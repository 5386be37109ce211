//! The median stopping rule (Golovin et al. 2017, Google Vizier: a service for black-box optimization, section 3.2.2).

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Judged, Pruner, even};

/// Stops the worse half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Median {
    /// Rungs, evenly spaced, the whole training included.
    #[garde(range(min = 2, max = 1000))]
    pub rungs: usize,
    /// Trials at a rung before any is stopped there.
    #[garde(range(min = 2, max = 10_000))]
    pub startup: usize,
}

impl Default for Median {
    fn default() -> Self {
        Self { rungs: 4, startup: 5 }
    }
}

impl Pruner for Median {
    fn rungs(&self, _: usize) -> Vec<f64> {
        even(self.rungs)
    }

    fn survivors(&self, reached: &[Judged]) -> Vec<bool> {
        let mut scores: Vec<f64> = reached.iter().map(|judged| judged.score).collect();
        scores.sort_by(f64::total_cmp);
        let n = scores.len();
        if n < self.startup {
            return vec![true; n];
        }
        let median = (scores[(n - 1) / 2] + scores[n / 2]) / 2.0;
        reached.iter().map(|judged| judged.score >= median).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_half_stops_once_there_are_enough() {
        let median = Median::default();
        let reached = [0.1, 0.5, 0.3, 0.9, 0.2].map(|score| Judged { score, episodes: &[] });
        assert_eq!(median.survivors(&reached), [false, true, true, true, false]);
        assert_eq!(median.survivors(&reached[..4]), [true; 4]);
    }
}
