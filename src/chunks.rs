//! Work on many tasks, in chunks that threads take in turn.
//!
//! The operations of a meta-batch are too small to be worth splitting each: threads that meet at every operation mostly wait
//! for each other. So each thread takes a chunk of the tasks and does everything with one libtorch thread. A chunk fits the
//! processor's caches and bounds the memory. Results are taken in order, so that the same chunks give the same numbers, and chunks
//! depend on the number of threads only where there are too few for all of them.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Result;
use bytesize::ByteSize;
use tch::{Tensor, no_grad};

use crate::{
    algorithms::{MetaGradient, MetaLearner},
    crew::Crew,
    floats::{floats, floats_mut, is_plain},
    misuse::misuse,
    models::Params,
    random::Draws,
    tasks::TaskSource,
};

/// How many tasks are worked on at once.
#[derive(Clone)]
pub struct Split {
    crew: Arc<Crew>,
    /// As many of the crew as work at the same time.
    threads: usize,
    /// The most tasks of a chunk.
    pub largest: usize,
}

impl Split {
    /// Tasks of a chunk unless memory is short: more are not faster.
    pub const LARGEST: usize = 16;

    /// So many threads, with chunks of the usual size.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(threads: usize) -> Result<Self> {
        match Crew::new(threads) {
            Ok(crew) => Ok(Self { threads: crew.size(), crew: Arc::new(crew), largest: Self::LARGEST }),
            Err(error) => {
                misuse!("--threads {threads}: the system gives no more threads ({error}): use fewer")
            }
        }
    }

    /// One thread and one chunk, for a device that works on all tasks at once.
    ///
    /// # Errors
    /// None comes of a single thread.
    pub fn whole() -> Result<Self> {
        Ok(Self::new(1)?.with_largest(usize::MAX))
    }

    /// The same threads, with chunks of at most so many tasks.
    pub fn with_largest(self, largest: usize) -> Self {
        Self { largest, ..self }
    }

    /// Threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The same with fewer tasks in a chunk, and at last fewer threads, if those of the usual size, of `task_bytes` each, do not fit
    /// in `budget` bytes.
    ///
    /// # Errors
    /// Not even one task fits.
    pub fn within(&self, budget: u64, task_bytes: usize) -> Result<Self> {
        let fitting = usize::try_from(budget / task_bytes.max(1) as u64).unwrap_or(usize::MAX);
        if fitting == 0 {
            misuse!(
                "--memory: one task takes about {}, but there is {} for it: allow more, or use fewer shots or queries, a smaller \
                 model, or recomputation of inner steps",
                ByteSize::b(task_bytes as u64),
                ByteSize::b(budget)
            );
        }
        let threads = self.threads.min(fitting);
        Ok(Self { threads, largest: self.largest.min(fitting / threads), ..self.clone() })
    }

    /// Tasks of the largest chunk of `count`.
    pub fn largest_of(&self, count: usize) -> usize {
        self.chunks(count).iter().map(ExactSizeIterator::len).max().unwrap_or(0)
    }

    /// `0..count` in nearly equal chunks, as few as are allowed and give every thread one.
    fn chunks(&self, count: usize) -> Vec<Range<usize>> {
        let chunks = count.div_ceil(self.largest.max(1)).max(self.threads().min(count));
        (0..chunks).map(|i| count * i / chunks..count * (i + 1) / chunks).collect()
    }
}

/// Calls `work` on chunks of `0..count`, each on one of the threads with one libtorch thread, and gives the results to `take` in
/// order. Each thread works with its own shared view of theta. `None` as soon as `work` gives that for a chunk.
pub fn in_chunks<R: Send>(
    count: usize,
    split: &Split,
    theta: &Params,
    work: impl Fn(&Params, Range<usize>) -> Option<R> + Sync,
    take: impl FnMut(R) + Send,
) -> Option<()> {
    let chunks = split.chunks(count);
    let begun = AtomicUsize::new(0);
    let results = Mutex::new(InOrder { next: 0, waiting: BTreeMap::new(), take });
    let worker = |theta: &Params| {
        tch::set_num_threads(1);
        loop {
            let number = begun.fetch_add(1, Ordering::Relaxed);
            let Some(chunk) = chunks.get(number) else { return };
            match work(theta, chunk.clone()) {
                Some(result) => results.lock().unwrap_or_else(PoisonError::into_inner).push(number, result),
                None => begun.store(chunks.len(), Ordering::Relaxed), // nothing more to begin
            }
        }
    };
    let shares = Mutex::new((0..split.threads()).map(|_| theta.share()).collect::<Vec<_>>());
    split.crew.run(&|| {
        let theta = shares.lock().unwrap_or_else(PoisonError::into_inner).pop();
        theta.iter().for_each(&worker); // there is one for each thread
    });
    let taken = results.into_inner().unwrap_or_else(PoisonError::into_inner).next;
    (taken == chunks.len()).then_some(())
}

/// Results that may come in any order and are taken in their own.
struct InOrder<R, F> {
    next: usize,
    waiting: BTreeMap<usize, R>,
    take: F,
}

impl<R, F: FnMut(R)> InOrder<R, F> {
    fn push(&mut self, number: usize, result: R) {
        self.waiting.insert(number, result);
        while let Some(result) = self.waiting.remove(&self.next) {
            (self.take)(result);
            self.next += 1;
        }
    }
}

/// The meta-gradient on meta-batch number `iteration` of `tasks` tasks, each thread drawing and adapting its chunks; `None` for
/// a learner that trains on nothing.
pub fn meta_gradient(
    learner: &dyn MetaLearner,
    theta: &Params,
    source: &dyn TaskSource,
    iteration: u64,
    tasks: usize,
    draws: Draws,
    split: &Split,
) -> Option<MetaGradient> {
    let mut sum: Option<MetaGradient> = None;
    let work = |theta: &Params, chunk: Range<usize>| {
        let draws = draws.from_task(chunk.start);
        let episode = source.sample(iteration, chunk);
        let mut part = learner.meta_gradient(theta, &episode, draws)?;
        let share = part.weight / tasks as f64;
        no_grad(|| scale(&mut part, share));
        Some(part)
    };
    // The meta-gradient is a mean over tasks that have queries.
    in_chunks(tasks, split, theta, work, |part| match &mut sum {
        Some(sum) => no_grad(|| add(sum, &part)),
        None => sum = Some(part),
    })?;
    if let Some(sum) = sum.as_mut().filter(|sum| sum.weight < tasks as f64) {
        let share = tasks as f64 / sum.weight.max(1.0); // of those that have queries
        no_grad(|| scale(sum, share));
    }
    sum
}

fn scale(part: &mut MetaGradient, weight: f64) {
    for tensor in part.gradient.iter_mut().chain([&mut part.loss]) {
        // An operation on a small tensor takes longer to begin than to do.
        if is_plain(tensor) {
            floats_mut(tensor).iter_mut().for_each(|value| *value *= weight as f32);
        } else {
            *tensor *= weight;
        }
    }
}

fn add(sum: &mut MetaGradient, part: &MetaGradient) {
    let tensors: Vec<&Tensor> = part.gradient.iter().chain([&part.loss]).collect();
    for (sum, tensor) in sum.gradient.iter_mut().chain([&mut sum.loss]).zip(tensors) {
        if is_plain(sum) && is_plain(tensor) {
            floats_mut(sum).iter_mut().zip(floats(tensor)).for_each(|(sum, value)| *sum += value);
        } else {
            *sum += tensor;
        }
    }
    sum.weight += part.weight;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(threads: usize) -> Split {
        Split::new(threads).expect("threads")
    }

    fn squares(split: &Split, stop_at: usize) -> (Option<()>, Vec<usize>) {
        let mut taken = Vec::new();
        let work = |_: &Params, chunk: Range<usize>| {
            (!chunk.contains(&stop_at)).then(|| chunk.map(|i| i * i).collect::<Vec<_>>())
        };
        let done = in_chunks(23, split, &Params::default(), work, |part| taken.extend(part));
        (done, taken)
    }

    #[test]
    fn results_come_in_order_whatever_the_split() {
        let whole: Vec<usize> = (0..23).map(|i| i * i).collect();
        for threads in [1, 2, 5] {
            for chunk in [1, 4, 23, 100] {
                assert_eq!(squares(&split(threads).with_largest(chunk), 99), (Some(()), whole.clone()));
            }
        }
    }

    #[test]
    fn who_finds_nothing_stops_all() {
        let (done, taken) = squares(&split(2).with_largest(2), 0);
        assert_eq!((done, taken.len()), (None, 0));
    }

    #[test]
    fn a_small_budget_makes_small_chunks() {
        let split = split(2).with_largest(16);
        let fitting = |budget| split.within(budget, 1000).map(|split| (split.threads(), split.largest));
        assert_eq!(fitting(1 << 40).expect("fits"), (2, 16));
        assert_eq!(fitting(8_000).expect("fits"), (2, 4));
        assert_eq!(fitting(1_999).expect("fits"), (1, 1));
        let error = fitting(999).expect_err("too small").to_string();
        assert!(error.contains("--memory") && error.contains("999 B"), "{error}");
    }

    #[test]
    fn chunks_are_nearly_equal() {
        let split = split(2).with_largest(16);
        assert_eq!(split.chunks(70), [0..14, 14..28, 28..42, 42..56, 56..70]);
        assert_eq!(split.chunks(10), [0..5, 5..10]);
        assert!(split.chunks(0).is_empty());
    }
}
