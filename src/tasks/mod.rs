//! Distributions over tasks, and the episodes drawn from them.

pub mod augmentation;
pub mod cohort;
pub mod copies;
pub mod curves;
pub mod example;
pub mod family;
pub mod few_shot;
pub mod form;
pub mod frozen;
pub mod harmonic;
mod interface;
pub mod memory;
pub mod same;
pub mod seen;
pub mod sinusoid;
pub mod students;
pub mod words;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tch::Tensor;

pub use family::{Asks, Family, Need, Part, Pool, Tasks};
pub use interface::Interface;

use crate::registry::registry;

/// A meta-batch of T tasks, stacked: the first `support` rows of every task are its support set, the others its queries.
///
/// One tensor holds both, so that a layer with shared weights costs one matrix product.
#[derive(Debug)]
pub struct Episode {
    /// Inputs `[T, S+Q, D]`, f32.
    pub x: Tensor,
    /// Targets: labels `[T, S+Q]` as i64, or numbers `[T, S+Q, O]`.
    pub y: Tensor,
    /// What each row counts beside the others of its kind, `[T, S+Q]`: 0 for padding. Without it all rows count alike.
    pub weight: Option<Tensor>,
    /// S, the number of support rows: N ways times K shots.
    pub support: i64,
}

impl Episode {
    /// The same with nothing in rows of padding but zeros, so that whatever stood there cannot matter.
    pub fn without_padding(&self) -> Self {
        let weight = self.weight.as_ref().map(Tensor::shallow_clone);
        let clean = |t: &Tensor| {
            let Some(weight) = &weight else { return t.shallow_clone() };
            let shape: Vec<i64> = weight.size().into_iter().chain(vec![1; t.dim() - 2]).collect();
            t.masked_fill(&weight.le(0.0).reshape(shape), 0)
        };
        Self { x: clean(&self.x), y: clean(&self.y), weight, support: self.support }
    }

    /// The same tasks, of which only the support is looked at, each asked the same questions `[Q, D]`; their targets are 0.
    pub fn asked(&self, questions: &Tensor) -> Self {
        let (tasks, count) = (self.tasks(), questions.size()[0]);
        let asked = questions.unsqueeze(0).expand([tasks, count, questions.size()[1]], true);
        let joined = |t: &Tensor, value: f64| {
            let seen = t.narrow(1, 0, self.support);
            let shape: Vec<i64> = [tasks, count].into_iter().chain(t.size().into_iter().skip(2)).collect();
            Tensor::cat(&[&seen, &t.new_full(shape, value, (t.kind(), t.device()))], 1)
        };
        Self {
            x: Tensor::cat(&[&self.support_x(), &asked], 1),
            y: joined(&self.y, 0.0),
            weight: self.weight.as_ref().map(|weight| joined(weight, 1.0)),
            support: self.support,
        }
    }

    /// T.
    pub fn tasks(&self) -> i64 {
        self.x.size()[0]
    }

    /// How many tasks have queries that count.
    pub fn asked_tasks(&self) -> f64 {
        let Some(weight) = &self.weight else { return self.tasks() as f64 };
        let queries = weight.narrow(1, self.support, self.queries());
        queries.gt(0.0).any_dim(1, false).sum(tch::Kind::Double).double_value(&[])
    }

    /// Q, the number of query rows of a task.
    pub fn queries(&self) -> i64 {
        self.x.size()[1] - self.support
    }

    /// `[T, S, D]`, a view.
    pub fn support_x(&self) -> Tensor {
        self.x.narrow(1, 0, self.support)
    }

    /// `[T, S]`, a view.
    pub fn support_y(&self) -> Tensor {
        self.y.narrow(1, 0, self.support)
    }

    /// `[T, Q, D]`, a view.
    pub fn query_x(&self) -> Tensor {
        self.x.narrow(1, self.support, self.queries())
    }

    /// `[T, Q]`, a view.
    pub fn query_y(&self) -> Tensor {
        self.y.narrow(1, self.support, self.queries())
    }

    /// `[T, S]`, a view, if rows have weights.
    pub fn support_weight(&self) -> Option<Tensor> {
        self.weight.as_ref().map(|weight| weight.narrow(1, 0, self.support))
    }

    /// `[T, Q]`, a view, if rows have weights.
    pub fn query_weight(&self) -> Option<Tensor> {
        self.weight.as_ref().map(|weight| weight.narrow(1, self.support, self.queries()))
    }
}

/// The sizes of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// S, support rows.
    pub support: usize,
    /// Q, query rows.
    pub queries: usize,
    /// D, values per row.
    pub inputs: usize,
}

/// A distribution over tasks.
pub trait TaskSource: Sync {
    /// Some tasks of the meta-batch number `index`. Each task depends only on the source, `index` and its number, whatever was
    /// drawn before or is drawn beside it, so that a meta-batch can be drawn in parts.
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode;
}

/// A distribution whose tasks can be frozen: given with fewer shots, and told from others.
pub trait FreezableSource: TaskSource {
    /// As [`TaskSource::sample`], with fewer shots: the same queries, and the first of the same support.
    fn sample_with(&self, index: u64, tasks: Range<usize>, shots: usize) -> Episode;

    /// Puts into a hash what all tasks have in common: the data they are from, their sizes.
    fn describe(&self, hash: &mut Sha256);

    /// Puts into a hash what makes a task the one that it is.
    fn identify(&self, index: u64, task: usize, hash: &mut Sha256);
}

registry! {
    /// The families of tasks an experiment file can name.
    pub enum TaskSpec: Family {
        /// Classification of images: N classes, K support images and Q queries of each. Its settings may stand in `task` itself.
        "few_shot" => FewShot(few_shot::FewShotSpec),
        /// Regression: sine waves, seen at K points.
        "sinusoid" => Sinusoid(sinusoid::Sinusoid),
        /// Regression: sums of a sine wave and one of twice its frequency, seen at K points.
        "harmonic" => Harmonic(harmonic::Harmonic),
        /// Students: a few answers of each are seen, others are asked; from a file, or simulated.
        "students" => Students(students::Students),
        /// Memory: the first reviews of a learner are seen, and asked is which cards will be recalled later; from a file, or simulated.
        "memory" => Memory(memory::Memory),
    }
}
