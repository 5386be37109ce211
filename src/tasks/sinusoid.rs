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
        let (training, test) = match self.family {
            Published::Finn => (None, None),
            Published::Metasgd => (Some(Queries::Drawn(10)), Some(Queries::Drawn(100))),
            Published::Cavia => (Some(Queries::Drawn(10)), Some(Queries::Grid { grid: 100 })),
        };
        let queries = self.training.queries.or(self.queries).or(training);
        let training = Training { queries, ..self.training };
        Points::new(self.shots, self.queries.or(test), training, self.noise)
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

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;
    use crate::{
        data::Source,
        tasks::{Asks, Episode, Family, Part, frozen::FrozenEpisodes},
    };

    const ASKS: Asks =
        Asks { training_shots: Some(5), fixed_ways: None, pools: false, validates: true, test_shots: 10 };

    fn read(yaml: &str) -> Sinusoid {
        serde_saphyr::from_str(yaml).expect("settings")
    }

    fn episode(family: &Sinusoid, part: Part, tasks: usize) -> Episode {
        let loaded = family.load(&ASKS, &Source::default(), Device::Cpu).expect("loaded");
        loaded.source(0, part, 10, 0).expect("points").sample(0, 0..tasks)
    }

    fn values(tensor: &Tensor) -> Vec<f64> {
        Vec::try_from(tensor.to_kind(Kind::Double).contiguous().view(-1)).expect("a vector")
    }

    #[test]
    fn what_is_said_wins_over_what_was_published() {
        let points = |yaml: &str| read(yaml).points();
        let finn = points("{shots: 7}");
        assert_eq!((finn.queries, finn.training_queries), (Queries::Drawn(7), Queries::Drawn(7)));
        let cavia = points("{family: cavia, shots: 10}");
        assert_eq!(
            (cavia.queries, cavia.training_queries),
            (Queries::Grid { grid: 100 }, Queries::Drawn(10))
        );
        let own = points("{family: metasgd, queries: 3, training: {shots: 2}}");
        assert_eq!((own.queries, own.training_queries), (Queries::Drawn(3), Queries::Drawn(3)));
        assert_eq!((own.shots, own.training_shots), (5, 2));
        assert_eq!(read("{family: metasgd}").frequency(), [0.8, 1.2]);
        assert_eq!(read("{family: metasgd, frequency: [2, 3]}").frequency(), [2.0, 3.0]);
    }

    /// Amplitude 2, frequency 3 and phase 1, whatever is drawn.
    #[test]
    fn points_lie_on_the_wave() {
        let family = read("{amplitude: [2, 2], frequency: [3, 3], phase: [1, 1], queries: {grid: 5}}");
        let episode = episode(&family, Part::Test, 3);
        let expected = ((&episode.x * 3.0 - 1.0).sin() * 2.0).to_kind(Kind::Float);
        assert!(episode.y.allclose(&expected, 1e-5, 1e-5, false));
        assert_eq!(values(&episode.query_x().get(1)), [-5.0, -2.5, 0.0, 2.5, 5.0]);
        assert!(values(&episode.support_x()).iter().all(|x| (-5.0..=5.0).contains(x)));
    }

    /// Mean squares of A sin(x - b): E[A^2] / 2 = (5^3 - 0.1^3) / (3 * 4.9) / 2 where x and b are even over whole waves, and close to it here.
    #[test]
    fn waves_are_spread_as_published() {
        let squares = values(&episode(&Sinusoid::default(), Part::Train, 4000).y.square());
        let mean = squares.iter().sum::<f64>() / squares.len() as f64;
        assert!((mean - 4.25).abs() < 0.25, "{mean}");
    }

    #[test]
    fn noise_is_added_where_it_is_seen() {
        let quiet = read("{queries: {grid: 50}}");
        let noisy = Sinusoid { noise: 0.5, ..quiet.clone() };
        let [quiet, noisy] = [quiet, noisy].map(|family| episode(&family, Part::Test, 200));
        assert!(noisy.query_x().equal(&quiet.query_x()) && noisy.query_y().equal(&quiet.query_y()));
        // The support is drawn after the function, of which a first point is the same.
        let difference = (noisy.support_y() - quiet.support_y()).narrow(1, 0, 1);
        let spread = difference.square().mean(Kind::Double).sqrt().double_value(&[]);
        assert!((spread - 0.5).abs() < 0.1, "{spread}");
    }

    #[test]
    fn the_hash_tells_waves_apart() {
        let hash = |yaml: &str| {
            let loaded = read(yaml).load(&ASKS, &Source::default(), Device::Cpu).expect("loaded");
            FrozenEpisodes::new(loaded.source(0, Part::Test, 5, 0).expect("points"), 4, 0).hash()
        };
        let all = [
            "{}",
            "{amplitude: [1, 2]}",
            "{phase: [0, 1]}",
            "{x: [0, 1]}",
            "{queries: 6}",
            "{family: metasgd}",
        ];
        let all = all.map(hash);
        assert!((1..all.len()).all(|i| !all[..i].contains(&all[i])), "{all:?}");
    }
}
