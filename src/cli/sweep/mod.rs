//! `quickstudy sweep`.

mod board;

use std::{
    io::{BufRead, IsTerminal},
    path::PathBuf,
    process::ExitCode,
    sync::atomic::Ordering,
    thread::available_parallelism,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};

use super::{DataDir, DeviceName, say, stop_flag};
use crate::{
    experiment::{INTERRUPTED, material::Material},
    misuse::misuse,
    output::{note, show, whisper},
    sweep::{
        estimate,
        files::{BEST, TRIALS},
        launcher::{Launcher, local::Local, slurm::Slurm},
        names::Names,
        report::Standing,
        run,
        schedule::Trials,
        space::Assigned,
        spec::{Plan, Sweep},
        study::{Study, recorded},
    },
};
use board::Board;
pub(super) use board::clock;

/// Search a space of experiments for the one that validates best
///
/// Trials are runs like any other, in `results/<sweep>/trials`; they are trained and validated, never
/// tested. Killed or stopped, a sweep goes on when it is started again. It leaves study.csv, figures
/// and best.yaml, an experiment that is ready to be tested once.
///
/// Examples:
///   quickstudy sweep sweeps/inner_rate.yaml --dry-run
///   quickstudy sweep sweeps/inner_rate.yaml --jobs 2
///   quickstudy sweep sweeps/inner_rate.yaml --launcher slurm --jobs 100
///   quickstudy experiment results/inner_rate/best.yaml
///
/// Exit codes: 0 done, 1 every trial failed, 2 wrong usage or configuration, 130 stopped by Ctrl-C.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The sweep's YAML file; looked for as given, then in experiments/
    file: PathBuf,
    #[command(flatten)]
    data: DataDir,
    /// The folder in which the study's folder is made; all of a cluster's computers must see it
    #[arg(long, default_value = "results", value_name = "FOLDER")]
    out: PathBuf,
    /// Where trials run
    #[arg(long, value_enum, default_value_t = Place::Local)]
    launcher: Place,
    /// Trials at the same time: here, each with one thread, as many as there are cores; on Slurm 64, unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    jobs: Option<u16>,
    /// Where trials compute
    #[arg(long, value_enum, default_value_t = DeviceName::Cpu)]
    device: DeviceName,
    /// Run trials again that failed
    #[arg(long)]
    retry_failed: bool,
    /// List the trials and about how long they take, and run none
    #[arg(long)]
    dry_run: bool,
    /// No progress and no table; errors only
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Place {
    /// On this computer
    Local,
    /// On a cluster, as job arrays
    Slurm,
}

/// Trials in the table at the end.
const SHOWN: usize = 5;
/// Tasks at the same time on a cluster.
const ON_SLURM: usize = 64;
/// Trials that are timed for a dry run.
const TIMED: usize = 3;

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let file = crate::experiment::read::find(&self.file)?;
        let plan = Plan::read(&file)?;
        if self.dry_run {
            return self.list(&plan);
        }
        self.prepare(&plan).with_context(|| file.display().to_string())?;
        let study = Study::open(&self.out, &plan)?;
        let mut launcher: Box<dyn Launcher> = match self.launcher {
            Place::Local if Slurm::has_jobs(&study)? => misuse!(
                "jobs of this study may still run in Slurm: go on with --launcher slurm, or remove {} once they have left the queue",
                study.path().join("slurm").display()
            ),
            Place::Local => Box::new(Local::new(self.at_once(), self.passed())),
            Place::Slurm => Box::new(Slurm::new(&study, self.at_once(), self.passed(), &confirm)?),
        };
        let stop = stop_flag()?;
        let mut board = Board::new(&plan.sweep, self.quiet);
        let mut observe = |trials: &Trials, event: run::SweepEvent| board.observe(trials, event);
        let trials = run::run(&study, &mut *launcher, &stop, self.retry_failed, &mut observe);
        board.finish();
        let trials = trials?;
        if stop.load(Ordering::Relaxed) {
            note!("stopped; everything so far is saved: start the sweep again to go on");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        if plan.sweep.best(&trials).is_none()
            && let Some(first) = trials.values().next()
        {
            note!(
                "error: all {} trials failed; the first, trial {}: {}\nWhen the cause is gone, run them again with --retry-failed",
                trials.len(),
                first.number,
                first.error.as_deref().unwrap_or("unknown")
            );
            return Ok(ExitCode::FAILURE);
        }
        if !self.quiet {
            let best = study.path().join(BEST);
            show(&format!(
                "\n{}\n{}\n\nAll trials: {}\nFigures:    {}\nTest the best, once: quickstudy experiment {}\n",
                table(&plan.sweep, &trials),
                counts(&plan.sweep, &trials),
                study.path().join(TRIALS).display(),
                study.path().join("figures").display(),
                best.display()
            ));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Trials at the same time.
    fn at_once(&self) -> usize {
        let default = match self.launcher {
            Place::Local => available_parallelism().map_or(1, |n| n.get()),
            Place::Slurm => ON_SLURM,
        };
        self.jobs.map_or(default, usize::from)
    }

    /// What every trial is told beside its experiment.
    fn passed(&self) -> Vec<String> {
        let mut passed = Vec::new();
        if let Some(folder) = &self.data.data_dir {
            passed.extend(["--data-dir".to_owned(), folder.display().to_string()]);
        }
        if let DeviceName::Cuda = self.device {
            passed.extend(["--device", "cuda"].map(str::to_owned));
        }
        passed
    }

    /// Fetches the data once for all trials, and checks that there is something to validate on.
    fn prepare(&self, plan: &Plan) -> Result<()> {
        let base = plan.experiment("base", &[])?;
        let material = Material::load(&base, &self.data.source(self.quiet), tch::Device::Cpu)?;
        material.require_validation(&material.folds()?)
    }

    /// The trials, with their results as far as there are any, and about how long the rest takes.
    fn list(&self, plan: &Plan) -> Result<ExitCode> {
        let sweep = &plan.sweep;
        let there = recorded(&self.out.join(&sweep.name), sweep)?;
        let names = Names::of(&sweep.space);
        let mut text = String::new();
        let mut to_come: Vec<Vec<Assigned>> = Vec::new();
        for number in 0..sweep.budget.trials {
            let trial = there.get(&number);
            let given = match trial {
                Some(trial) => trial.values.clone(),
                None => match sweep.sampler.point(&sweep.space, number, &[]) {
                    Some(point) => sweep.space.at(&point),
                    None => break,
                },
            };
            let state = trial.map_or(String::new(), |trial| {
                let score = trial.score().map_or(String::new(), |score| sweep.objective().text(score));
                format!("{:<6} {score:>7}  ", sweep.state(trial).name())
            });
            text += &format!("{number:4}  {state}{}\n", names.describe(&given));
            if trial.is_none() {
                to_come.push(given);
            }
        }
        say(&text)?;
        if sweep.sampler.learns() && !to_come.is_empty() {
            note!(
                "{} learns from its trials: those after the first few will be others",
                sweep.sampler.name()
            );
        }
        if !to_come.is_empty() && !self.quiet {
            let known: Vec<f64> = there.values().map(|t| t.seconds()).filter(|s| *s > 0.0).collect();
            self.prepare(plan)?;
            let (each, how) = match known.len() {
                0 => (self.time(plan, &to_come)?, "at most, if all are trained to the end,"),
                n => (known.iter().sum::<f64>() / n as f64, "as long as those before,"),
            };
            let all = each * to_come.len() as f64;
            let jobs = self.at_once().min(to_come.len());
            let how = if sweep.pruner.is_some() || !known.is_empty() { how } else { "each on one core," };
            say(&format!(
                "\n{} trials to run, {how} about {} a trial: {} with {jobs} at the same time\n",
                to_come.len(),
                clock(each.max(1.0)),
                clock(all / jobs as f64)
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The mean seconds of some trials, evenly chosen.
    fn time(&self, plan: &Plan, to_come: &[Vec<Assigned>]) -> Result<f64> {
        let count = TIMED.min(to_come.len());
        note!("timing {count} of them ...");
        let chosen = (0..count).map(|i| &to_come[(2 * i + 1) * to_come.len() / (2 * count)]);
        let times = chosen.map(|values| estimate::seconds(plan, values, &self.passed()));
        let times: Vec<f64> = times.collect::<Result<_>>().context("cannot time a trial")?;
        Ok(times.iter().sum::<f64>() / count as f64)
    }
}

/// Asks on the terminal; no without one.
fn confirm(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    whisper(format_args!("{question} [y/N] "));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y")
}

/// The best trials.
fn table(sweep: &Sweep, trials: &Trials) -> Table {
    let names = Names::of(&sweep.space);
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["trial", "validation", "iterations", "values"]);
    for best in sweep.best_first(trials, SHOWN) {
        let (number, iterations) = (best.number, best.rungs.last().map_or(0, |rung| rung.iterations));
        let score = sweep.objective().text(best.score().unwrap_or(f64::NAN));
        table.add_row([number.to_string(), score, iterations.to_string(), names.describe(&best.values)]);
    }
    table
}

/// How many trials ended how, and how long they ran.
fn counts(sweep: &Sweep, trials: &Trials) -> String {
    let states = [Standing::Done, Standing::Pruned, Standing::Failed];
    let counted = states.map(|state| (sweep.count(trials, state), state.name()));
    let text = counted.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    let seconds: f64 = trials.values().map(|trial| trial.seconds()).sum();
    format!("{}; {} of computing", text.collect::<Vec<_>>().join(", "), clock(seconds))
}
