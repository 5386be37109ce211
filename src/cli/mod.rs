//! The command line: arguments to calls.

mod adapt;
mod audit;
mod bench;
mod check;
mod completions;
mod data;
mod evaluate;
mod experiment;
mod export;
mod figures;
mod list;
mod man;
mod new;
mod report;
mod runs;
mod schema;
mod sweep;
mod tensorboard;
mod tutor;
mod watch;

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::available_parallelism,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand, ValueEnum};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use tch::Device;

use crate::{
    chunks::Split,
    data::Source,
    experiment::{INTERRUPTED, read::Changes},
    misuse::misuse,
    output::{note, say},
};

/// Meta-learning experiments: few-shot tasks, MAML, Reptile and relatives, against plain training.
///
/// An experiment is one YAML file. Every method it names is trained on the same tasks and
/// tested on the same held-out episodes; tables and figures go to results/.
///
/// Examples:
///   quickstudy experiment maml.yaml --quick     # a rehearsal in seconds
///   quickstudy new mine.yaml                    # an experiment of your own
///   quickstudy list                             # what it can name
#[derive(Parser)]
#[command(name = "quickstudy", version, arg_required_else_help = true, verbatim_doc_comment)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Experiment(experiment::Arguments),
    Check(check::Arguments),
    List(list::Arguments),
    #[command(subcommand)]
    Data(data::Command),
    Figures(figures::Arguments),
    Report(report::Arguments),
    Bench(bench::Arguments),
    Sweep(sweep::Arguments),
    Runs(runs::Arguments),
    Watch(watch::Arguments),
    Tensorboard(tensorboard::Arguments),
    Evaluate(evaluate::Arguments),
    Adapt(adapt::Arguments),
    Audit(audit::Arguments),
    Tutor(tutor::Arguments),
    Export(export::Arguments),
    New(new::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Which experiment, and what to change in it.
#[derive(Args)]
struct ExperimentFile {
    /// The experiment's YAML file; looked for as given, then in experiments/
    file: PathBuf,
    /// Change a value of the file, for example --set train.iterations=200 (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Instead of the file's seeds, for example --seeds 0,1,2
    #[arg(long, value_delimiter = ',', value_name = "SEEDS")]
    seeds: Option<Vec<u64>>,
    /// A rehearsal of the same experiment in half a minute: few iterations, episodes and steps, one seed
    #[arg(long)]
    quick: bool,
}

impl ExperimentFile {
    fn read(&self) -> Result<(PathBuf, crate::experiment::spec::Experiment)> {
        let path = crate::experiment::read::find(&self.file)?;
        let changes = Changes { set: self.set.clone(), seeds: self.seeds.clone(), quick: self.quick };
        let experiment = crate::experiment::read::read(&path, &changes)?;
        Ok((path, experiment))
    }
}

/// What of the machine to use.
#[derive(Args)]
struct Machine {
    /// Where to compute
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Threads to use; all of the machine's unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Memory for the few-shot tasks that are worked on at once, for example 2GB; half of what is free (4 GiB on a GPU) unless said
    /// otherwise
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum DeviceName {
    Cpu,
    Cuda,
}

impl Machine {
    fn device(&self) -> Result<Device> {
        match self.device {
            DeviceName::Cpu => Ok(Device::Cpu),
            DeviceName::Cuda if tch::Cuda::is_available() => Ok(Device::Cuda(0)),
            DeviceName::Cuda => misuse!(
                "--device cuda: this program finds no CUDA device. It needs an NVIDIA GPU with its driver, and a build \
                 against PyTorch 2.11 with CUDA (install it for python3, then cargo clean -p torch-sys and build again); \
                 --device cpu works everywhere"
            ),
        }
    }

    /// How tasks are split if memory allows.
    fn split(&self, device: Device) -> Result<Split> {
        let cores = available_parallelism().map_or(1, |n| n.get());
        match device {
            Device::Cpu => Split::new(self.threads.map_or(cores, usize::from)),
            _ => Split::whole(), // the GPU works on a whole meta-batch at once
        }
    }

    /// Bytes for the tasks worked on at once.
    fn budget(&self, device: Device) -> u64 {
        const GPU: u64 = 4 << 30; // libtorch's C++ interface does not tell tch what is free
        let default = || match device {
            Device::Cpu => crate::memory::available().map_or(u64::MAX, |free| free / 2),
            _ => GPU,
        };
        self.memory.map_or_else(default, |size| size.as_u64())
    }
}

/// Where data sets lie.
#[derive(Args)]
struct DataDir {
    /// A folder with the data set's files, gzipped or not; without it they are fetched once into the user's cache
    #[arg(long, value_name = "FOLDER", env = "QUICKSTUDY_DATA")]
    data_dir: Option<PathBuf>,
}

impl DataDir {
    fn source(&self, quiet: bool) -> Source {
        Source { data_dir: self.data_dir.clone(), progress: !quiet, offline: false }
    }
}

impl Cli {
    /// Carries the command out.
    ///
    /// # Errors
    /// What a user is to be told; a `Misuse` in its chain makes the exit code 2.
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Experiment(arguments) => arguments.run(),
            Command::Check(arguments) => arguments.run(),
            Command::List(arguments) => arguments.run(),
            Command::Data(command) => command.run(),
            Command::Figures(arguments) => arguments.run(),
            Command::Report(arguments) => arguments.run(),
            Command::Bench(arguments) => arguments.run(),
            Command::Sweep(arguments) => arguments.run(),
            Command::Runs(arguments) => arguments.run(),
            Command::Watch(arguments) => arguments.run(),
            Command::Tensorboard(arguments) => arguments.run(),
            Command::Evaluate(arguments) => arguments.run(),
            Command::Adapt(arguments) => arguments.run(),
            Command::Audit(arguments) => arguments.run(),
            Command::Tutor(arguments) => arguments.run(),
            Command::Export(arguments) => arguments.run(),
            Command::New(arguments) => arguments.run(),
            Command::Schema(arguments) => arguments.run(),
            Command::Completions(arguments) => arguments.run(),
            Command::Man(arguments) => arguments.run(),
        }
    }
}

/// Signals this close together are one.
const AT_ONCE: Duration = Duration::from_millis(500);

/// A flag that is set by the first Ctrl-C or termination signal; the second ends the program at once. One that follows at once is no
/// second one: a cluster sends its signals to a job's script and to all that it started.
///
/// A terminal that closes ends the program as it ends any other, unless `nohup` forbids it: what was saved can be resumed.
fn stop_flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot listen for signals")?;
    std::thread::spawn(move || {
        let mut first: Option<Instant> = None;
        for _ in signals.forever() {
            match first {
                Some(first) if first.elapsed() > AT_ONCE => std::process::exit(INTERRUPTED.into()),
                Some(_) => {}
                None => {
                    first = Some(Instant::now());
                    flag.store(true, Ordering::Relaxed);
                    note!("\nstopping; once more to stop at once");
                }
            }
        }
    });
    Ok(stop)
}
