//! Asynchronous successive halving (Li et al. 2020, A system for massively parallel hyperparameter tuning, algorithm 2).

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Judged, Pruner, best, geometric};

/// ASHA: nobody waits for a rung to be full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Asha {
    /// One in so many goes on, to a training so many times as long (eta).
    #[garde(range(min = 1.5, max = 100.0))]
    pub reduction: f64,
    /// Rungs, the whole training included.
    #[garde(range(min = 2, max = 20))]
    pub rungs: usize,
}

impl Default for Asha {
    fn default() -> Self {
        Self { reduction: 4.0, rungs: 3 } // the reduction of the paper's experiments
    }
}

impl Pruner for Asha {
    fn rungs(&self, _: usize) -> Vec<f64> {
        geometric(self.reduction, self.rungs)
    }

    fn survivors(&self, reached: &[Judged]) -> Vec<bool> {
        best(reached, (reached.len() as f64 / self.reduction) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_goes_on_to_three_times_as_much() {
        let asha = Asha { reduction: 3.0, rungs: 3 };
        assert_eq!(asha.rungs(0), [1.0 / 9.0, 1.0 / 3.0, 1.0]);
        let judged = |score| Judged { score, episodes: &[] };
        let reached = [0.1, 0.5, 0.3, 0.9, 0.2, 0.5, 0.4].map(judged);
        assert_eq!(asha.survivors(&reached), [false, true, false, true, false, false, false]);
        assert_eq!(asha.survivors(&reached[..2]), [false, false], "two are too few");
    }
}
