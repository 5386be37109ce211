//! Harmonic regression (Lacoste et al. 2018, https://arxiv.org/abs/1806.07528): the sum of two sine waves, seen around a place of its own.
//!
//! ```text
//!     y = a1 * sin(frequency * x + b1) + a2 * sin(2 * frequency * x + b2)
//!     a1, a2 ~ N(0, 1);  frequency ~ U(5, 7);  b1, b2 ~ U(0, 2 pi);  x ~ N(centre, 1);  centre ~ U(-4, 4)
//! ```

use std::f64::consts::TAU;

use garde::Validate;
use rand::RngExt;
use rand_distr::StandardNormal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curves::{Curve, Curves, Points, Queries, Training};
use crate::{random::Stream, validity::not_negative};

/// Sums of a sine wave and one of twice its frequency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Harmonic {
    /// K, points of the support set.
    #[garde(range(min = 1, max = 10_000))]
    pub shots: usize,
    /// Where the function is asked for in validation and test: a number of points, or `{grid: 100}`; as many as shots unless said otherwise.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<Queries>,
    /// What is other in meta-training.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Training::is_none")]
    pub training: Training,
    /// Standard deviation of what is added to every y but those on a grid.
    #[garde(custom(not_negative))]
    #[schemars(extend("minimum" = 0))]
    pub noise: f64,
}

impl Default for Harmonic {
    fn default() -> Self {
        Self { shots: 5, queries: None, training: Training::default(), noise: 0.0 }
    }
}

impl Curves for Harmonic {
    type Curve = Sum;
    const TITLE: &'static str = "harmonic";
    const SOURCE: &'static str = "Lacoste et al. 2018, https://arxiv.org/abs/1806.07528";

    fn points(&self) -> Points {
        Points::new(self.shots, self.queries, self.training, self.noise)
    }

    fn draw(&self, stream: &mut Stream) -> Sum {
        let mut within = |low: f64, high: f64| low + (high - low) * stream.random::<f64>();
        let (centre, frequency) = (within(-4.0, 4.0), within(5.0, 7.0));
        let phases = [within(0.0, TAU), within(0.0, TAU)];
        let amplitudes = [stream.sample(StandardNormal), stream.sample(StandardNormal)];
        Sum { centre, frequency, phases, amplitudes }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        vec![("functions", "a1 sin(f x + b1) + a2 sin(2 f x + b2)".into())]
    }
}

/// One sum.
pub struct Sum {
    centre: f64,
    frequency: f64,
    phases: [f64; 2],
    amplitudes: [f64; 2],
}

impl Curve for Sum {
    fn x(&self, stream: &mut Stream) -> f64 {
        self.centre + stream.sample::<f64, _>(StandardNormal)
    }

    fn y(&self, x: f64) -> f64 {
        let [(a1, b1), (a2, b2)] = [0, 1].map(|i| (self.amplitudes[i], self.phases[i]));
        a1 * (self.frequency * x + b1).sin() + a2 * (2.0 * self.frequency * x + b2).sin()
    }

    /// Where nearly all points lie.
    fn range(&self) -> [f64; 2] {
        [self.centre - 3.0, self.centre + 3.0]
    }

    fn numbers(&self) -> Vec<f64> {
        [[self.centre, self.frequency], self.phases, self.amplitudes].concat()
    }
}
