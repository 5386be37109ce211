//! The first test functions as people look at them: the points that were seen, the function, and what a method makes of it.

use tch::{Kind, Tensor};

use super::{
    Curve as _, Curves,
    source::{CurveSource, grid_of},
};
use crate::tasks::{
    Episode, FreezableSource,
    example::{self, CurvesKind, Example, ExampleCurve},
    family::Show,
    frozen,
};

/// Functions that are shown.
const SHOWN: usize = 4;
/// Places at which each is.
const PLACES: usize = 201;

/// What a method makes of the first test functions.
pub fn of<F: Curves>(source: &CurveSource<F>, show: &Show) -> Example {
    let curve = |task: usize| {
        let index = frozen::index(show.fold);
        let function = source.curve(index, task);
        let x: Vec<f64> = grid_of(&function, PLACES).collect();
        let truth = x.iter().map(|x| function.y(*x) as f32).collect();
        let x: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        let drawn = source.sample_with(index, task..task + 1, show.shots);
        let support = drawn.support_x();
        let places = Tensor::from_slice(&x).reshape([1, -1, 1]).to_device(support.device());
        let episode = Episode {
            y: Tensor::cat(&[drawn.support_y(), places.zeros_like()], 1), // those of queries are not looked at
            x: Tensor::cat(&[support, places], 1),
            weight: None,
            support: drawn.support,
        };
        let answers = (show.answer)(&episode);
        let points = values(&drawn.support_x()).into_iter().zip(values(&drawn.support_y()));
        ExampleCurve {
            support: points.map(|(x, y)| [x, y]).collect(),
            x,
            truth,
            answers: answers.iter().map(finite).collect(),
        }
    };
    Example::Curves(example::Curves {
        kind: CurvesKind::Curves,
        shots: show.shots,
        steps: show.steps.to_vec(),
        curves: (0..SHOWN).map(curve).collect(),
    })
}

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.to_kind(Kind::Float).flatten(0, -1)).unwrap_or_default() // a vector, which the conversion takes
}

/// The answers, none if the network diverged.
fn finite(outputs: &Tensor) -> Vec<f32> {
    let outputs = values(outputs);
    if outputs.iter().all(|y| y.is_finite()) { outputs } else { Vec::new() }
}
