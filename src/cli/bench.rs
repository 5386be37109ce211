//! `quickstudy bench`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use super::{Machine, say};
use crate::{
    bench::{inputs, step::Bench, workload::Workload},
    inner::Order,
    random::{Purpose, stream},
};

/// Time one MAML meta-training step of a named workload, as a line of JSON
///
/// Workloads: w1 5-way 1-shot, w2 5 shots, w3 20 ways, w4 a deep network, w5 20 inner steps,
/// w6 512 tasks; all 784-64-64-N but w4. s1 is the regression of sine waves, 1-40-40-1. The options
/// below change one size of them.
///
/// floor_ms is what the matrix products alone would take at this machine's peak; peak_mb is the
/// whole process's memory, images included.
///
/// Examples:
///   quickstudy bench w1
///   quickstudy bench w2 --order 1 --with-sampling
///   quickstudy bench w1 --tasks 4096 --memory 2GB
///   quickstudy bench w1 --inputs w1.safetensors     # on weights and episodes from a file
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The workload
    #[arg(default_value = "w1")]
    workload: String,
    /// Of the meta-gradient
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    order: u8,
    /// Steps to time, after three that are not counted
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// Count drawing the episodes, from random images
    #[arg(long, conflicts_with = "inputs")]
    with_sampling: bool,
    /// A safetensors file with weights and episodes (see scripts/compare_peers)
    #[arg(long, value_name = "FILE")]
    inputs: Option<PathBuf>,
    /// Tasks in the meta-batch, instead of the workload's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tasks: Option<u32>,
    /// Inner steps, instead of the workload's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: Option<u32>,
    /// Support images per class, instead of the workload's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    shots: Option<u32>,
    /// Width of every hidden layer, instead of the workload's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8192))]
    width: Option<u32>,
    /// Keep the weights of every N-th inner step only and recompute the others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    recompute: Option<u32>,
    #[command(flatten)]
    machine: Machine,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let workload = self.sized()?;
        let device = self.machine.device()?;
        let order = if self.order == 1 { Order::First } else { Order::Second };
        let recompute = self.recompute.map(|n| n as usize);
        let learner = workload.learner(order, recompute);
        let split = self.machine.split(device)?;
        let split = split.within(self.machine.budget(device), learner.training_bytes(workload.extent()))?;
        let drawn = learner.init(&mut stream(0, Purpose::Init, 0)).detached(device);
        let bench = Bench {
            workload: &workload,
            order,
            recompute,
            count: self.count as usize,
            split: &split,
            device,
            sampling: self.with_sampling,
        };
        let measurement = match &self.inputs {
            Some(path) => {
                let (theta, fixed) = inputs::from_file(path, &workload, &drawn, device)?;
                bench.measure(theta, &fixed)
            }
            None if self.with_sampling => bench.measure(drawn, &*inputs::sampled(&workload, device)),
            None => bench.measure(drawn, &inputs::noise(&workload, device)?),
        };
        say(&format!("{}\n", serde_json::to_string(&measurement).context("JSON")?))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The workload, with the sizes asked for.
    fn sized(&self) -> Result<Workload> {
        let mut workload = Workload::find(&self.workload)?;
        let set = |size: &mut usize, value: Option<u32>| *size = value.map_or(*size, |value| value as usize);
        set(&mut workload.tasks, self.tasks);
        set(&mut workload.steps, self.steps);
        set(&mut workload.size.shots, self.shots);
        workload.hidden.iter_mut().for_each(|width| set(width, self.width));
        Ok(workload)
    }
}
