//! `quickstudy experiment`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use super::{DataDir, ExperimentFile, Machine, stop_flag};
use crate::{
    experiment::{self, INTERRUPTED, Options, Outcome, files::REPORT, folder::Existing, plan::Goal},
    output::{note, show},
    records::Damage,
    report::Report,
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
    #[command(flatten)]
    machine: Machine,
    /// Train and validate only: nothing looks at the test episodes
    #[arg(long)]
    no_test: bool,
    /// Pause training at this iteration and validate; --resume goes on from there
    #[arg(long, value_name = "ITERATION", requires = "no_test", value_parser = clap::value_parser!(u64).range(1..))]
    until: Option<u64>,
    /// No progress and no table; errors only
    #[arg(long, short)]
    quiet: bool,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let (path, experiment) = self.file.read()?;
        let device = self.machine.device()?;
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
            split: self.machine.split(device)?,
            budget: self.machine.budget(device),
            goal: match self.no_test {
                true => Goal::Validate { until: self.until.map(|iteration| iteration as usize) },
                false => Goal::Test,
            },
            quiet: self.quiet,
            stop: &stop,
        };
        let outcome = experiment::run(&experiment, &options).with_context(|| path.display().to_string())?;
        let folder = self.out.join(&experiment.name);
        let tell = |table: &str| {
            let page = folder.join(REPORT);
            let page = if page.exists() { format!("Report: {}\n", page.display()) } else { String::new() };
            let text = format!("\n{table}\nResults, figures and checkpoints: {}\n{page}", folder.display());
            if !self.quiet {
                show(&text);
            }
        };
        Ok(match outcome {
            Outcome::Done(table) => {
                if !self.no_test {
                    Report::read(&[&folder], &mut Damage::Refuse)?.write(&folder)?;
                }
                tell(&table);
                ExitCode::SUCCESS
            }
            Outcome::Failed(reasons, table) => {
                tell(&table);
                for reason in reasons {
                    note!("error: {reason}");
                }
                ExitCode::FAILURE
            }
            Outcome::Stopped => {
                note!("stopped; everything so far is saved: go on with --resume");
                ExitCode::from(INTERRUPTED)
            }
        })
    }
}
