//! Samplers: where in the space the next trial looks.

pub mod grid;
pub mod random;
pub mod sobol;
pub mod tpe;

use serde::{Deserialize, Serialize};

use super::space::Space;
use crate::registry::registry;

/// A trial that has ended, as a sampler sees it.
#[derive(Clone, Debug)]
pub struct Told {
    /// Where it looked, in the unit cube.
    pub point: Vec<f64>,
    /// The parts of its training after which it was judged, ascending, and how good it was there, more is better; none if it failed
    /// before the first.
    pub scores: Vec<(f64, f64)>,
}

/// Chooses points of the unit cube. It remembers nothing: what it gives depends only on the trial's number and what it is told, so
/// that a study goes on after a crash as if there had been none.
pub trait Sampler {
    /// Where trial `number` (from 0) looks, a coordinate in `[0, 1)` for each parameter; `None` if there is nothing left to look at.
    fn point(&self, space: &Space, number: usize, told: &[Told]) -> Option<Vec<f64>>;

    /// Whether it looks at what it is told.
    fn learns(&self) -> bool {
        false
    }
}

registry! {
    /// The samplers a sweep file can name.
    pub enum SamplerSpec: Sampler {
        /// Every combination of values; real numbers at so many equally spaced points.
        "grid" => Grid(grid::Grid),
        /// Independent and uniform.
        "random" => Random(random::Random),
        /// A scrambled Sobol sequence: as random, but evenly spread.
        "sobol" => Sobol(sobol::Sobol),
        /// Tree-structured Parzen estimator: where good trials are dense and bad ones are not.
        "tpe" => Tpe(tpe::Tpe),
    }
}

impl Default for SamplerSpec {
    fn default() -> Self {
        Self::Random(random::Random::default())
    }
}
