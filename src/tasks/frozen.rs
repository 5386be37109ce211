//! Frozen episodes: drawn once from a seed of their own, hashed, the same for every method and run.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::{
    Episode,
    few_shot::{FewShot, TaskSize},
};
use crate::random::{Purpose, stream};

/// A list of episodes, kept as image numbers.
pub struct FrozenEpisodes {
    source: FewShot,
    /// Each task as [`FewShot::draw`] gives it, with the largest number of shots.
    draws: Vec<Vec<usize>>,
}

/// The images of a class in an episode.
pub struct ClassImages<'a> {
    /// Those that come with their label.
    pub support: &'a [usize],
    /// Those to be classified.
    pub queries: &'a [usize],
}

impl FrozenEpisodes {
    /// Draws `count` episodes from `source`, whose shots are the largest that will be asked for. Episode `i` depends only on
    /// the seed, purpose, fold and `i`.
    pub fn draw(source: FewShot, count: usize, seed: u64, purpose: Purpose, fold: usize) -> Self {
        let draws = (0..count as u64)
            .map(|i| source.draw(&mut stream(seed, purpose, (fold as u64) << 32 | i)))
            .collect();
        Self { source, draws }
    }

    /// Number of episodes.
    pub fn len(&self) -> usize {
        self.draws.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.draws.is_empty()
    }

    /// Some of the episodes with so many shots: the same queries, and the first of the same support images.
    pub fn batch(&self, range: Range<usize>, shots: usize) -> Episode {
        let rows = self.draws[range].concat();
        self.source.assemble(&rows, TaskSize { shots, ..self.source.size })
    }

    /// The image numbers of an episode with so many shots, class by class in the order of its labels.
    pub fn images(&self, episode: usize, shots: usize) -> impl Iterator<Item = ClassImages<'_>> {
        let size = self.source.size;
        self.draws[episode].chunks(size.shots + size.queries).map(move |of_class| ClassImages {
            support: &of_class[..shots],
            queries: &of_class[size.shots..],
        })
    }

    /// SHA-256 of what the episodes are made of: the images' own digest, the sizes and every image number, in hexadecimal.
    pub fn hash(&self, dataset_digest: &[u8]) -> String {
        let TaskSize { ways, shots, queries } = self.source.size;
        let mut hash = Sha256::new();
        hash.update(dataset_digest);
        for size in [ways, shots, queries, self.len()] {
            hash.update((size as u64).to_le_bytes());
        }
        for row in self.draws.iter().flatten() {
            hash.update((*row as u64).to_le_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
