//! Regression: a task is a function of one variable, seen at K points. What all such families share; a family is its settings and how
//! it draws a function.

mod example;
mod points;
mod source;

use std::fmt::Debug;

use anyhow::Result;
use serde::Serialize;
use tch::Device;

use super::{
    Extent, FreezableSource, Interface, TaskSource,
    example::Example,
    family::{Asks, Family, Need, Part, Pool, Problem, Show, Tasks},
    words::{Words, in_one_line},
};
use crate::{
    data,
    loss::SquaredError,
    measures::{MeanSquaredError, Measure},
    random::Stream,
};
pub use points::{Points, Queries, Training, range};
use source::{CurveSource, Pooled};

/// A function of one variable, and where its points lie.
pub trait Curve {
    /// Draws where a point lies.
    fn x(&self, stream: &mut Stream) -> f64;

    /// The function.
    fn y(&self, x: f64) -> f64;

    /// Where grids lie, and where it is shown.
    fn range(&self) -> [f64; 2];

    /// What makes it the function that it is.
    fn numbers(&self) -> Vec<f64>;
}

/// A distribution over functions of one variable, as the experiment file describes it.
pub trait Curves: Clone + Debug + Send + Sync + Serialize + 'static {
    /// Its functions.
    type Curve: Curve;

    /// What titles call it.
    const TITLE: &'static str;

    /// The paper it is from.
    const SOURCE: &'static str;

    /// How many points there are.
    fn points(&self) -> Points;

    /// Draws a function.
    fn draw(&self, stream: &mut Stream) -> Self::Curve;

    /// What a reader must know of its functions: name and value.
    fn facts(&self) -> Vec<(&'static str, String)>;
}

impl<F: Curves> Family for F {
    fn source(&self) -> &'static str {
        F::SOURCE
    }

    fn shots(&self) -> usize {
        self.points().shots
    }

    fn training_shots(&self) -> usize {
        self.points().training_shots
    }

    fn words(&self) -> Words {
        let Points { queries, training_queries, noise, .. } = self.points();
        let mut facts = self.facts();
        facts.extend([
            ("queries while training", in_one_line(&training_queries)),
            ("queries in the test", in_one_line(&queries)),
            ("noise (standard deviation)", noise.to_string()),
        ]);
        Words {
            title: F::TITLE.into(),
            shots: |shots| format!("{shots}-point"),
            shots_axis: "support points",
            classes: None,
            task: format!("of {} regression", F::TITLE),
            support: "points",
            axes: Some(["x", "y"]),
            facts,
        }
    }

    fn measures(&self) -> Vec<&'static dyn Measure> {
        vec![&MeanSquaredError]
    }

    fn offers(&self) -> &'static [Need] {
        &[]
    }

    fn check(&self, _asks: &Asks) -> Vec<Problem> {
        Vec::new()
    }

    fn load(&self, _: &Asks, _: &data::Source, device: Device) -> Result<Box<dyn Tasks>> {
        Ok(Box::new(Loaded { curves: self.clone(), device }))
    }
}

/// Meta-training episodes of a family with its own number of shots.
pub fn training<F: Curves>(curves: F, seed: u64, device: Device) -> impl TaskSource {
    let shots = curves.points().training_shots;
    CurveSource::new(curves, Part::Train, shots, seed, device)
}

/// A family, to be drawn onto a device.
struct Loaded<F> {
    curves: F,
    device: Device,
}

impl<F: Curves> Loaded<F> {
    fn of(&self, part: Part, shots: usize, seed: u64) -> CurveSource<F> {
        CurveSource::new(self.curves.clone(), part, shots, seed, self.device)
    }
}

impl<F: Curves> Tasks for Loaded<F> {
    fn interface(&self) -> Interface {
        Interface {
            inputs: 1,
            outputs: 1,
            items: 0,
            bins: None,
            loss: &SquaredError,
            measures: self.curves.measures(),
        }
    }

    fn extent(&self, part: Part, shots: usize) -> Extent {
        Extent { support: shots, queries: self.curves.points().queries(part).count(), inputs: 1 }
    }

    fn source(&self, _: usize, part: Part, shots: usize, seed: u64) -> Option<Box<dyn FreezableSource>> {
        Some(Box::new(self.of(part, shots, seed)))
    }

    fn pooled(&self, _: usize, pool: Pool, shots: usize, seed: u64) -> Box<dyn TaskSource> {
        Box::new(Pooled { source: self.of(Part::Train, shots, seed), pool })
    }

    fn example(&self, show: &Show) -> Example {
        example::of(&self.of(Part::Test, show.largest_shots, show.seed), show)
    }
}
