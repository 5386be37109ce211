//! Sinusoid regression (Finn, Abbeel & Levine 2017, https://arxiv.org/abs/1703.03400, section 5.1).
//!
//! ```text
//!     y = amplitude * sin(frequency * x - phase)
//! ```

use std::f64::consts::PI;

use garde::Validate;
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::curves::{Curve, Curves, Points, Queries, Training, range};
use crate::{random::Stream, validity::not_negative};

/// Sine waves of random amplitude, frequency and phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Sinusoid {
    /// Whose waves and queries; what is said besides wins over it.
    #[garde(skip)]
    pub family: Published,
    /// K, points of the support set.
    #[garde(range(min = 1, max = 10_000))]
    pub shots: usize,
    /// Where the wave is asked for in validation and test: a number of points, or `{grid: 100}`.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<Queries>,
    /// What is other in meta-training.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Training::is_none")]
    pub training: Training,
    /// From least to most; uniform.
    #[garde(custom(range))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amplitude: Option<[f64; 2]>,
    /// In radians per unit of x, from least to most; uniform.
    #[garde(custom(range))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<[f64; 2]>,
    /// In radians, from least to most; uniform.
    #[garde(custom(range))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<[f64; 2]>,
    /// Where points lie, from least to most; uniform.
    #[garde(custom(range))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<[f64; 2]>,
    /// Standard deviation of what is added to every y but those on a grid.
    #[garde(custom(not_negative))]
    #[schemars(extend("minimum" = 0))]
    pub noise: f64,
}

/// Waves as they were published: amplitude 0.1 to 5, phase 0 to pi, x from -5 to 5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Published {
    /// Finn et al. 2017: frequency 1, as many queries as shots.
    #[default]
    Finn,
    /// Li et al. 2017 (https://arxiv.org/abs/1707.09835): frequency 0.8 to 1.2; 10 queries in meta-training, 100 in the test.
    Metasgd,
    /// Zintgraf et al. 2019 (https://arxiv.org/abs/1810.03642), with 10 shots: frequency 1; 10 queries in meta-training, a grid of 100 in
    /// the test.
    Cavia,
}

impl Default for Sinusoid {
    fn default() -> Self {
        Self {
            family: Published::default(),
            shots: 5,
            queries: None,
            training: Training::default(),
            amplitude: None,
            frequency: None,
            phase: None,
            x: None,
            noise: 0.0,
        }
    }
}

impl Sinusoid {
    fn amplitude(&self) -> [f64; 2] {
        self.amplitude.unwrap_or([0.1, 5.0])
    }

    fn frequency(&self) -> [f64; 2] {
        self.frequency.unwrap_or(match self.family {
            Published::Metasgd => [0.8, 1.2],
            Published::Finn | Published::Cavia => [1.0, 1.0],
        })
    }

    fn phase(&self) -> [f64; 2] {
        self.phase.unwrap_or([0.0, PI])
    }

    fn x(&self) -> [f64; 2] {
        self.x.unwrap_or([-5.0, 5.0])
    }
}

impl Curves for Sinusoid {
    type Curve = Sine;
    const TITLE: &'static str = "sinusoid";
    const SOURCE: &'static str = "Finn et al. 2017, https://arxiv.org/abs/1703.03400, section 5.1";

    fn points(&self) -> Points {
        let training_shots = self.training.shots.unwrap_or(self.shots);
        let (training, test) = match self.family {
            Published::Finn => (Queries::Drawn(training_shots), Queries::Drawn(self.shots)),
            Published::Metasgd => (Queries::Drawn(10), Queries::Drawn(100)),
            Published::Cavia => (Queries::Drawn(10), Queries::Grid { grid: 100 }),
        };
        Points {
            shots: self.shots,
            queries: self.queries.unwrap_or(test),
            training_shots,
            training_queries: self.training.queries.or(self.queries).unwrap_or(training),
            noise: self.noise,
        }
    }

    fn draw(&self, stream: &mut Stream) -> Sine {
        let mut within = |[low, high]: [f64; 2]| low + (high - low) * stream.random::<f64>();
        Sine {
            amplitude: within(self.amplitude()),
            frequency: within(self.frequency()),
            phase: within(self.phase()),
            x: self.x(),
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let text = |[low, high]: [f64; 2]| format!("{low} to {high}");
        vec![
            ("waves", "amplitude * sin(frequency * x - phase)".into()),
            ("amplitude", text(self.amplitude())),
            ("frequency", text(self.frequency())),
            ("phase", text(self.phase())),
            ("x", text(self.x())),
        ]
    }
}

/// One wave.
pub struct Sine {
    amplitude: f64,
    frequency: f64,
    phase: f64,
    x: [f64; 2],
}

impl Curve for Sine {
    fn x(&self, stream: &mut Stream) -> f64 {
        let [low, high] = self.x;
        low + (high - low) * stream.random::<f64>()
    }

    fn y(&self, x: f64) -> f64 {
        self.amplitude * (self.frequency * x - self.phase).sin()
    }

    fn range(&self) -> [f64; 2] {
        self.x
    }

    fn numbers(&self) -> Vec<f64> {
        vec![self.amplitude, self.frequency, self.phase]
    }
}
