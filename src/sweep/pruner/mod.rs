//! Pruners: which trials are worth training further.
//!
//! A trial pauses at rungs, parts of its training, where it is validated. A pruner looks at all that have reached a rung and says which go
//! on from there. It remembers nothing: a trial that is left behind now may go on once more of the others have done worse.

pub mod asha;
pub mod hyperband;
pub mod median;
pub mod racing;

use serde::{Deserialize, Serialize};

use crate::registry::registry;

/// A trial as it was at a rung.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The objective, more is better.
    pub score: f64,
    /// The objective on every validation episode, the same episodes for all trials.
    pub episodes: &'a [f64],
}

/// Says which trials go on.
pub trait Pruner {
    /// Trials are compared only with those of their bracket.
    fn bracket(&self, _number: usize) -> usize {
        0
    }

    /// The parts of its training after which a trial of a bracket is judged, ascending to 1.
    fn rungs(&self, bracket: usize) -> Vec<f64>;

    /// Whether it compares episodes, not only scores.
    fn looks_at_episodes(&self) -> bool {
        false
    }

    /// Which of the trials that have reached a rung below 1 go on from there.
    fn survivors(&self, reached: &[Judged]) -> Vec<bool>;
}

registry! {
    /// The pruners a sweep file can name.
    pub enum PrunerSpec: Pruner {
        /// Asynchronous successive halving: the best third of those at a rung goes on to the next.
        "asha" => Asha(asha::Asha),
        /// Successive halving in brackets that begin at different rungs, for when early scores mislead.
        "hyperband" => Hyperband(hyperband::Hyperband),
        /// A trial goes on unless it does worse than the median of the others at the same rung.
        "median" => Median(median::Median),
        /// A trial goes on until a paired test on the validation episodes finds it worse than the best.
        "racing" => Racing(racing::Racing),
    }
}

/// The best `count` of some trials, the first of equals.
fn best(reached: &[Judged], count: usize) -> Vec<bool> {
    let mut order: Vec<usize> = (0..reached.len()).collect();
    order.sort_by(|&a, &b| reached[b].score.total_cmp(&reached[a].score));
    let mut survive = vec![false; reached.len()];
    order.into_iter().take(count).for_each(|place| survive[place] = true);
    survive
}

/// Rungs that lie evenly.
fn even(count: usize) -> Vec<f64> {
    (1..=count).map(|rung| rung as f64 / count as f64).collect()
}

/// Rungs each `reduction` times as far as the one before.
fn geometric(reduction: f64, count: usize) -> Vec<f64> {
    (0..count).rev().map(|steps| reduction.powi(-(steps as i32))).collect()
}
