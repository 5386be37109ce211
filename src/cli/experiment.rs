//! `quickstudy experiment`.

use std::{path::PathBuf, process::ExitCode, thread::available_parallelism};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use super::{DataDir, ExperimentFile, say, stop_flag};
use crate::{
    experiment::{self, INTERRUPTED, Options, Outcome, folder::Existing},
    misuse::misuse,
};

/// Run an experiment: train every method, test it, write tables and figures
///
/// Examples:
///   quickstudy experiment maml.yaml
///   quickstudy experiment maml.yaml --quick
///   quickstudy experiment maml.yaml --set train.iterations=200 --seeds 0,1,2 --out /tmp/trials
///
/// Exit codes: 0 done, 1 a run failed, 2 wrong usage or configuration, 130 stopped by Ctrl-C (go on with --resume).
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    #[command(flatten)]
    file: ExperimentFile,
    #[command(flatten)]
    data: DataDir,
    /// The folder in which the results folder is made
    #[arg(long, default_value = "results", value_name = "FOLDER")]
    out: PathBuf,
    /// Go on with an experiment that was stopped or killed
    #[arg(long, conflicts_with = "fresh")]
    resume: bool,
    /// Replace results that are there
    #[arg(long)]
    fresh: bool,
    /// Where to compute
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Threads to use; all of the machine's unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// No progress and no table; errors only
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum DeviceName {
    Cpu,
    Cuda,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let (path, experiment) = self.file.read()?;
        let device = match self.device {
            DeviceName::Cpu => tch::Device::Cpu,
            DeviceName::Cuda if tch::Cuda::is_available() => tch::Device::Cuda(0),
            DeviceName::Cuda => misuse!(
                "--device cuda: this program finds no CUDA device. It needs an NVIDIA GPU with its driver, and a build \
                 against PyTorch 2.11 with CUDA (install it for python3, then cargo clean -p torch-sys and build again); \
                 --device cpu works everywhere"
            ),
        };
        let cores = available_parallelism().map_or(1, |n| n.get());
        let threads = match device {
            tch::Device::Cpu => self.threads.map_or(cores, usize::from),
            _ => 1, // the GPU works on a whole meta-batch at once
        };
        let stop = stop_flag()?;
        let options = Options {
            out: &self.out,
            existing: match (self.resume, self.fresh) {
                (true, _) => Existing::Resume,
                (_, true) => Existing::Replace,
                _ => Existing::Refuse,
            },
            source: self.data.source(self.quiet),
            device,
            threads,
            quiet: self.quiet,
            stop: &stop,
        };
        let outcome = experiment::run(&experiment, &options).with_context(|| path.display().to_string())?;
        let folder = self.out.join(&experiment.name);
        let show = |table: &str| {
            let text = format!("\n{table}\nResults, figures and checkpoints: {}\n", folder.display());
            if self.quiet { Ok(()) } else { say(&text) }
        };
        Ok(match outcome {
            Outcome::Done(table) => {
                show(&table)?;
                ExitCode::SUCCESS
            }
            Outcome::Failed(reasons, table) => {
                show(&table)?;
                for reason in reasons {
                    eprintln!("error: {reason}");
                }
                ExitCode::FAILURE
            }
            Outcome::Stopped => {
                eprintln!("stopped; everything so far is saved: go on with --resume");
                ExitCode::from(INTERRUPTED)
            }
        })
    }
}
