//! The time of a meta-training step.

use std::time::Instant;

use serde::Serialize;
use tch::Device;

use super::{
    floor::{operations, peak},
    workload::Workload,
};
use crate::{
    chunks::{self, Split},
    inner::Order,
    memory,
    models::Params,
    outer::OuterSpec,
    random::{Draws, Purpose},
    tasks::TaskSource,
};

/// What a benchmark prints, one line of JSON. The first six fields are those of the peers' benchmark.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// This program.
    pub peer: &'static str,
    /// The workload's name.
    pub workload: &'static str,
    /// Of the meta-gradient: 1 or 2.
    pub order: u8,
    /// Median milliseconds of a step: meta-gradient and Adam's step on theta, with `sampling` also drawing the episodes.
    pub ms: f64,
    /// T divided by it.
    pub tasks_per_s: f64,
    /// Query loss of the first step.
    pub initial_loss: f64,
    /// Whether drawing the episodes was counted.
    pub sampling: bool,
    /// T.
    pub tasks: usize,
    /// Inner steps.
    pub steps: usize,
    /// K.
    pub shots: usize,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Threads.
    pub threads: usize,
    /// Tasks of the largest chunk, which a thread works on at once.
    pub chunk: usize,
    /// Inner steps whose weights were kept, if not all.
    pub recompute: Option<usize>,
    /// The process's peak memory, in MB of 10^6 bytes.
    pub peak_mb: Option<f64>,
    /// 10^9 floating-point operations in the matrix products of a step.
    pub gflop: f64,
    /// 10^9 of them per second in this machine's largest products, measured just now.
    pub peak_gflops: f64,
    /// What the matrix products would take at that speed, in milliseconds.
    pub floor_ms: f64,
}

/// How a workload is measured.
pub struct Bench<'a> {
    /// What.
    pub workload: &'a Workload,
    /// Of the meta-gradient.
    pub order: Order,
    /// Recomputation.
    pub recompute: Option<usize>,
    /// Counted steps, after three uncounted.
    pub count: usize,
    /// How the meta-batch is split.
    pub split: &'a Split,
    /// Where tensors live.
    pub device: Device,
    /// Whether `source` draws the episodes anew each step.
    pub sampling: bool,
}

impl Bench<'_> {
    /// Runs steps from `theta` on meta-batches of `source`; `None` never comes of MAML.
    pub fn measure(&self, mut theta: Params, source: &dyn TaskSource) -> Option<Measurement> {
        const UNCOUNTED: usize = 3;
        let learner = self.workload.learner(self.order, self.recompute);
        let outer = OuterSpec::default();
        let mut state = outer.start(&theta.tensors);
        let (mut times, mut initial_loss) = (Vec::with_capacity(self.count), f64::NAN);
        let count = UNCOUNTED + self.count;
        let peak_gflops = peak(self.split.threads(), self.device) / 1e9;
        for i in 0..count {
            let draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: i as u64, first_task: 0 };
            let start = Instant::now();
            let tasks = self.workload.tasks;
            let step = chunks::meta_gradient(&*learner, &theta, source, i as u64, tasks, draws, self.split)?;
            (theta.tensors, state) = outer.advance(theta.tensors, &step.gradient, state, i, count);
            let loss = step.loss.double_value(&[]); // waits for the device
            times.push(start.elapsed().as_secs_f64() * 1e3);
            if i == 0 {
                initial_loss = loss;
            }
        }
        times.drain(..UNCOUNTED);
        times.sort_by(f64::total_cmp);
        let ms = times.get(times.len() / 2).copied()?;
        let gflop = operations(self.workload, self.order) / 1e9;
        Some(Measurement {
            peer: "quickstudy",
            workload: self.workload.name,
            order: if self.order == Order::Second { 2 } else { 1 },
            ms,
            tasks_per_s: self.workload.tasks as f64 / ms * 1e3,
            initial_loss,
            sampling: self.sampling,
            tasks: self.workload.tasks,
            steps: self.workload.steps,
            shots: self.workload.size.shots,
            hidden: self.workload.hidden.clone(),
            threads: self.split.threads(),
            chunk: self.split.largest_of(self.workload.tasks),
            recompute: self.recompute,
            peak_mb: memory::peak().map(|bytes| bytes as f64 / 1e6),
            gflop,
            peak_gflops,
            floor_ms: gflop / peak_gflops * 1e3,
        })
    }
}
