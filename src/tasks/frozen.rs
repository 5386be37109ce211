//! Frozen episodes: drawn from a seed of their own, hashed, the same for every method and run.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::{Episode, FreezableSource};

/// A list of episodes. Each is drawn when it is asked for, and the same every time.
pub struct FrozenEpisodes {
    source: Box<dyn FreezableSource>,
    /// The source's index of a fold's episodes.
    index: u64,
    count: usize,
    /// Tasks of the source that an episode is made of.
    draws: usize,
}

/// What a source is asked for in place of the number of a meta-batch, to have the frozen episodes of a fold: sources number their streams by
/// index * 2^24 + task, so that those of frozen episodes are fold * 2^32 + episode.
pub fn index(fold: usize) -> u64 {
    (fold as u64) << 8
}

impl FrozenEpisodes {
    /// `count` episodes of `source`, whose shots are the largest that will be asked for. Episode `i` depends only on the source, the fold and `i`.
    pub fn new(source: Box<dyn FreezableSource>, count: usize, fold: usize) -> Self {
        Self { source, index: index(fold), count, draws: 1 }
    }

    /// The same where each episode is so many tasks of the source, one after the other: the same task, with other support sets.
    pub fn drawn(self, draws: usize) -> Self {
        Self { draws, ..self }
    }

    /// Tasks of an episode.
    pub fn draws(&self) -> usize {
        self.draws
    }

    /// Number of episodes.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The tasks of some of the episodes with so many shots: the same queries, and the first of the same support.
    pub fn batch(&self, range: Range<usize>, shots: usize) -> Episode {
        let tasks = range.start * self.draws..range.end * self.draws;
        self.source.sample_with(self.index, tasks, shots)
    }

    /// SHA-256 of what the episodes are made of, in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        self.source.describe(&mut hash);
        hash.update((self.count as u64).to_le_bytes());
        (0..self.count * self.draws).for_each(|task| self.source.identify(self.index, task, &mut hash));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
