//! Episodes of functions of one variable.

use std::ops::Range;

use rand::RngExt;
use rand_distr::StandardNormal;
use sha2::{Digest, Sha256};
use tch::{Device, Tensor};

use super::{Curve, Curves, Queries};
use crate::{
    random::stream,
    tasks::{
        Episode, FreezableSource, TaskSource,
        family::{Part, Pool},
    },
};

/// The episodes of a part, with so many shots. No two tasks are alike, so parts differ in their streams alone.
pub struct CurveSource<F> {
    curves: F,
    part: Part,
    shots: usize,
    queries: Queries,
    noise: f64,
    seed: u64,
    device: Device,
}

/// The points of one task.
struct Task<C> {
    curve: C,
    /// Support, then queries: `[S+Q]`.
    x: Vec<f64>,
    /// The function there, with noise.
    y: Vec<f64>,
}

impl<F: Curves> CurveSource<F> {
    /// Task `t` of meta-batch `i` comes from a stream of its own of this seed.
    pub fn new(curves: F, part: Part, shots: usize, seed: u64, device: Device) -> Self {
        let points = curves.points();
        Self { part, shots, queries: points.queries(part), noise: points.noise, curves, seed, device }
    }

    /// The function of a task.
    pub fn curve(&self, index: u64, task: usize) -> F::Curve {
        self.draw(index, task, 0).curve
    }

    /// Draws a task: its function, its queries, then its support, so that queries are the same with any number of shots.
    fn draw(&self, index: u64, task: usize, shots: usize) -> Task<F::Curve> {
        let mut stream = stream(self.seed, self.part.purpose(), index << 24 | task as u64);
        let curve = self.curves.draw(&mut stream);
        let rows = shots + self.queries.count();
        let (mut x, mut y) = (vec![0.0; rows], vec![0.0; rows]);
        let mut seen = |range: Range<usize>| {
            for (x, y) in x[range.clone()].iter_mut().zip(&mut y[range]) {
                *x = curve.x(&mut stream);
                *y = curve.y(*x);
                if self.noise > 0.0 {
                    *y += self.noise * stream.sample::<f64, _>(StandardNormal);
                }
            }
        };
        if let Queries::Drawn(_) = self.queries {
            seen(shots..rows);
        }
        seen(0..shots);
        if let Queries::Grid { grid } = self.queries {
            for (at, (x, y)) in grid_of(&curve, grid).zip(x.iter_mut().zip(&mut y).skip(shots)) {
                (*x, *y) = (at, curve.y(at));
            }
        }
        Task { curve, x, y }
    }
}

/// So many places at equal distances over the range of a function.
pub fn grid_of(curve: &impl Curve, count: usize) -> impl Iterator<Item = f64> {
    let [low, high] = curve.range();
    (0..count).map(move |i| low + (high - low) * i as f64 / (count - 1) as f64)
}

impl<F: Curves> TaskSource for CurveSource<F> {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        self.sample_with(index, tasks, self.shots)
    }
}

impl<F: Curves> FreezableSource for CurveSource<F> {
    fn sample_with(&self, index: u64, tasks: Range<usize>, shots: usize) -> Episode {
        let rows = shots + self.queries.count();
        let shape = [tasks.len(), rows, 1].map(|size| size as i64);
        let (mut x, mut y) = (Vec::with_capacity(tasks.len() * rows), Vec::with_capacity(tasks.len() * rows));
        for task in tasks {
            let task = self.draw(index, task, shots);
            x.extend(task.x.iter().map(|x| *x as f32));
            y.extend(task.y.iter().map(|y| *y as f32));
        }
        let tensor = |values: &[f32]| Tensor::from_slice(values).reshape(shape).to_device(self.device);
        Episode { x: tensor(&x), y: tensor(&y), weight: None, support: shots as i64 }
    }

    fn describe(&self, hash: &mut Sha256) {
        hash.update(serde_json::to_string(&self.curves).unwrap_or_default()); // plain numbers and words
        [self.shots, self.queries.count()].iter().for_each(|size| hash.update((*size as u64).to_le_bytes()));
    }

    /// By its function and where its points lie. The values there are left out: their last digits are another on another machine.
    fn identify(&self, index: u64, task: usize, hash: &mut Sha256) {
        let task = self.draw(index, task, self.shots);
        let numbers = task.curve.numbers();
        numbers.iter().chain(&task.x).for_each(|number| hash.update(number.to_le_bytes()));
    }
}

/// Points of many functions as ordinary supervised batches: each point is one of a function of its own drawing, as in the meta-training
/// tasks of the same numbers.
pub struct Pooled<F> {
    /// The tasks.
    pub source: CurveSource<F>,
    /// Which of their points.
    pub pool: Pool,
}

impl<F: Curves> TaskSource for Pooled<F> {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        let Episode { x, y, support, .. } = self.source.sample(index, tasks);
        let taken = |all: Tensor| match self.pool {
            Pool::Support => all.narrow(1, 0, support).contiguous(),
            Pool::All => all,
        };
        Episode { x: taken(x), y: taken(y), weight: None, support: 0 }
    }
}
