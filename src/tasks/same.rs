//! The same tasks in every meta-batch.

use std::ops::Range;

use super::{Episode, TaskSource};

/// The tasks of another source's first meta-batch, over and over.
pub struct SameTasks(pub Box<dyn TaskSource>);

impl TaskSource for SameTasks {
    fn sample(&self, _index: u64, tasks: Range<usize>) -> Episode {
        self.0.sample(0, tasks)
    }
}
