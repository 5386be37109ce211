//! Work on many tasks, split over threads.
//!
//! The operations of a meta-batch are too small to be worth splitting each: threads that meet at every operation mostly wait
//! for each other. So each thread takes a part of the tasks and does everything with one libtorch thread.

use std::ops::Range;

use tch::Tensor;

use crate::{
    algorithms::{MetaGradient, MetaLearner},
    models::Params,
    random::Draws,
    tasks::TaskSource,
};

/// Calls `work` on `threads` nearly equal parts of `0..count`, each on a thread of its own with one libtorch thread, and gives
/// the results in order. Each thread works with its own shared view of theta.
pub fn in_shards<R: Send>(
    count: usize,
    threads: usize,
    theta: &Params,
    work: impl Fn(&Params, Range<usize>) -> R + Sync,
) -> Vec<R> {
    let shards = threads.clamp(1, count.max(1));
    let part = |shard: usize| count * shard / shards..count * (shard + 1) / shards;
    let work = &work;
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..shards)
            .map(|shard| {
                let theta = theta.share();
                scope.spawn(move || {
                    tch::set_num_threads(1);
                    work(&theta, part(shard))
                })
            })
            .collect();
        tch::set_num_threads(1);
        let first = work(theta, part(0));
        let others = others.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        std::iter::once(first).chain(others).collect()
    })
}

/// The meta-gradient on meta-batch number `iteration` of `tasks` tasks, each thread drawing and adapting its part; `None` for
/// a learner that trains on nothing.
pub fn meta_gradient(
    learner: &dyn MetaLearner,
    theta: &Params,
    source: &dyn TaskSource,
    iteration: u64,
    tasks: usize,
    draws: Draws,
    threads: usize,
) -> Option<MetaGradient> {
    let parts = in_shards(tasks, threads, theta, |theta, part| {
        let weight = part.len() as f64 / tasks as f64;
        let episode = source.sample(iteration, part);
        let step = learner.meta_gradient(theta, &episode, draws)?;
        Some((step.loss * weight, step.gradient.iter().map(|g| g * weight).collect()))
    });
    // The meta-gradient is a mean over tasks.
    let mut parts = parts.into_iter().flatten();
    let (loss, gradient): (Tensor, Vec<Tensor>) = parts.next()?;
    let sum = parts.fold((loss, gradient), |(loss, gradient), (other_loss, others)| {
        (loss + other_loss, gradient.iter().zip(&others).map(|(a, b)| a + b).collect())
    });
    Some(MetaGradient { loss: sum.0, gradient: sum.1 })
}
