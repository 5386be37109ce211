//! Answers of students as ordinary supervised batches.

use std::ops::Range;

use super::source::{Asked, StudentSource, longest};
use crate::tasks::{Episode, Pool, TaskSource};

/// Answers of many students as ordinary supervised batches: those of the meta-training tasks of the same numbers.
pub struct Pooled {
    /// The tasks.
    pub source: StudentSource,
    /// Which of their answers.
    pub pool: Pool,
}

impl TaskSource for Pooled {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        let asked = tasks.map(|task| self.source.asked(index, task, self.source.shots[1]));
        match self.pool {
            Pool::All => {
                let all = |mut asked: Asked| {
                    asked.places.seen.clear();
                    asked.places.asked.fill(true);
                    asked
                };
                let asked: Vec<Asked> = asked.map(all).collect();
                self.source.episode(&asked, 0, longest(&asked))
            }
            Pool::Support => {
                let seen = |mut asked: Asked| {
                    asked.places.asked.clear();
                    asked
                };
                let asked: Vec<Asked> = asked.map(seen).collect();
                Episode { support: 0, ..self.source.episode(&asked, self.source.shots[1], 0) }
            }
        }
    }
}
