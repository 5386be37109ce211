//! Hyperband (Li et al. 2018, Hyperband: a novel bandit-based approach to hyperparameter optimization, algorithm 1), its brackets run
//! asynchronously as in ASHA.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Judged, Pruner, best, geometric};

/// Successive halving with several beginnings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Hyperband {
    /// One in so many goes on, to a training so many times as long (eta).
    #[garde(range(min = 1.5, max = 100.0))]
    pub reduction: f64,
    /// Brackets: the first has so many rungs, the last only the whole training.
    #[garde(range(min = 2, max = 20))]
    pub brackets: usize,
}

impl Default for Hyperband {
    fn default() -> Self {
        Self { reduction: 3.0, brackets: 3 }
    }
}

impl Hyperband {
    /// Trials of each bracket in one round of all: the first has the most, as each then takes about as long.
    fn sizes(&self) -> impl Iterator<Item = usize> {
        let count = self.brackets;
        (0..count).map(move |bracket| {
            let rungs = (count - bracket) as f64;
            (count as f64 / rungs * self.reduction.powf(rungs - 1.0)).ceil() as usize
        })
    }
}

impl Pruner for Hyperband {
    fn bracket(&self, number: usize) -> usize {
        let round = self.sizes().fold(0, usize::saturating_add);
        let mut place = number % round;
        self.sizes()
            .take_while(|size| {
                let later = place >= *size;
                place = place.saturating_sub(*size);
                later
            })
            .count()
    }

    fn rungs(&self, bracket: usize) -> Vec<f64> {
        geometric(self.reduction, self.brackets).split_off(bracket)
    }

    fn survivors(&self, reached: &[Judged]) -> Vec<bool> {
        best(reached, (reached.len() as f64 / self.reduction) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the paper's section 3 for R = 9 and eta = 3: 9 trials from 1, 5 from 3, 3 from 9 units.
    #[test]
    fn brackets_are_the_papers() {
        let hyperband = Hyperband::default();
        let mut counts = [0; 3];
        (0..34).for_each(|number| counts[hyperband.bracket(number)] += 1);
        assert_eq!(counts, [18, 10, 6], "two rounds");
        assert_eq!(hyperband.bracket(8), 0);
        assert_eq!(hyperband.bracket(9), 1);
        assert_eq!(hyperband.rungs(0), [1.0 / 9.0, 1.0 / 3.0, 1.0]);
        assert_eq!(hyperband.rungs(2), [1.0]);
    }
}
