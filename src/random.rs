//! Random streams: one for each (seed, purpose, index), so that nothing drawn depends on what was drawn before it.
//!
//! Meta-batch 700 of a run is the same whether the run started at iteration 0 or resumed at 699, and test episode 17 is the
//! same for every method.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// The random generator used throughout; ChaCha is specified, so streams stay the same in later versions.
pub type Stream = ChaCha8Rng;

/// What a stream is for; streams of different purposes are independent.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Drawing which classes or students are meta-train, meta-validation and meta-test.
    Split = 1,
    /// Initial parameters.
    Init = 2,
    /// Meta-training episodes; the index is the outer iteration.
    Train = 3,
    /// Frozen meta-validation episodes; the index is the episode.
    Validation = 4,
    /// Frozen meta-test episodes; the index is the episode.
    Test = 5,
    /// What an algorithm draws while training; the index is the outer iteration.
    Inner = 6,
    /// What an algorithm draws while adapting to test tasks; the index is the adaptation step.
    Adapt = 7,
    /// What a sampler of a sweep draws; the index is the trial.
    Sweep = 8,
    /// Simulated data; the index is the student, from 1 on.
    Simulation = 9,
    /// What an audit shuffles; the index is the attempt.
    Audit = 10,
}

/// The stream number `index` of a seed and purpose.
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> Stream {
    stream_of(seed, purpose, 0, index)
}

fn stream_of(seed: u64, purpose: Purpose, task: u64, index: u64) -> Stream {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&task.to_le_bytes());
    let mut stream = Stream::from_seed(key);
    stream.set_stream(index);
    stream
}

/// A family of streams: one for each adaptation step of one occasion.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    /// The run's seed.
    pub seed: u64,
    /// What is drawn.
    pub purpose: Purpose,
    /// Which occasion: the outer iteration, for example.
    pub occasion: u64,
    /// The number of the first of the tasks at hand among those of the occasion.
    pub first_task: usize,
}

impl Draws {
    /// The stream of adaptation step number `step`, below 2^24, which all tasks share.
    pub fn stream(&self, step: usize) -> Stream {
        stream(self.seed, self.purpose, self.index(step))
    }

    /// The stream of that step which one task has for itself; `place` is the task's among those at hand.
    pub fn stream_of_task(&self, place: usize, step: usize) -> Stream {
        let task = 1 + self.first_task + place; // 0 is for the streams that tasks share
        stream_of(self.seed, self.purpose, task as u64, self.index(step))
    }

    /// The same for the tasks from number `first` on.
    pub fn from_task(self, first: usize) -> Self {
        Self { first_task: self.first_task + first, ..self }
    }

    fn index(&self, step: usize) -> u64 {
        (self.occasion << 24) | step as u64
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn streams_are_reproducible_and_apart() {
        let first = |seed, purpose, index| stream(seed, purpose, index).next_u64();
        let reference = first(0, Purpose::Train, 5);
        assert_eq!(reference, first(0, Purpose::Train, 5));
        for other in [first(1, Purpose::Train, 5), first(0, Purpose::Test, 5), first(0, Purpose::Train, 6)] {
            assert_ne!(reference, other);
        }
    }

    #[test]
    fn a_task_has_its_stream_wherever_it_stands() {
        let draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: 2, first_task: 0 };
        let first = |mut stream: Stream| stream.next_u64();
        let reference = first(draws.stream_of_task(5, 1));
        assert_eq!(reference, first(draws.from_task(3).stream_of_task(2, 1)));
        for other in [draws.stream_of_task(4, 1), draws.stream_of_task(5, 2), draws.stream(1)] {
            assert_ne!(reference, first(other));
        }
    }
}
