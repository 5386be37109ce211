//! Racing (Maron and Moore 1994, Hoeffding races; Birattari et al. 2002, A racing algorithm for configuring metaheuristics).

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Judged, Pruner, even};
use crate::stats::signed_rank::{SignedRank, holm};

/// Stops a trial that is significantly worse than the best of those at its rung.
///
/// All are validated on the same frozen episodes, so that the test is paired: Wilcoxon's signed-rank test of each against the
/// best, with Holm's correction for their number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Racing {
    /// Rungs, evenly spaced, the whole training included.
    #[garde(range(min = 2, max = 1000))]
    pub rungs: usize,
    /// The level of the test.
    #[garde(range(min = 1e-6, max = 0.5))]
    pub alpha: f64,
}

impl Default for Racing {
    fn default() -> Self {
        Self { rungs: 5, alpha: 0.05 }
    }
}

impl Pruner for Racing {
    fn rungs(&self, _: usize) -> Vec<f64> {
        even(self.rungs)
    }

    fn looks_at_episodes(&self) -> bool {
        true
    }

    fn survivors(&self, reached: &[Judged]) -> Vec<bool> {
        let Some(leader) = reached.iter().max_by(|a, b| a.score.total_cmp(&b.score)) else {
            return Vec::new();
        };
        let others: Vec<usize> = (0..reached.len()).filter(|&i| reached[i].score < leader.score).collect();
        let values: Vec<f64> = others
            .iter()
            .map(|&i| {
                let pairs = reached[i].episodes.iter().zip(leader.episodes);
                SignedRank::of(&pairs.map(|(own, best)| own - best).collect::<Vec<f64>>()).p_below()
            })
            .collect();
        let mut survive = vec![true; reached.len()];
        for (place, p) in others.into_iter().zip(holm(&values)) {
            survive[place] = p >= self.alpha;
        }
        survive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_worse_stops() {
        let wave = |i: usize| ((i * 7919) % 101) as f64 / 101.0; // episodes differ more than trials do
        let leader: Vec<f64> = (0..100).map(wave).collect();
        let worse: Vec<f64> =
            leader.iter().enumerate().map(|(i, v)| v - if i % 3 == 0 { -0.01 } else { 0.03 }).collect();
        let like: Vec<f64> = leader
            .iter()
            .enumerate()
            .map(|(i, v)| v + [0.03, -0.03][i % 2] - if i == 1 { 0.01 } else { 0.0 })
            .collect();
        fn judged(episodes: &[f64]) -> Judged<'_> {
            Judged { score: episodes.iter().sum::<f64>() / episodes.len() as f64, episodes }
        }
        let reached = [judged(&worse), judged(&leader), judged(&like)];
        assert_eq!(Racing::default().survivors(&reached), [false, true, true]);
        assert_eq!(Racing::default().survivors(&reached[..1]), [true]);
    }
}
