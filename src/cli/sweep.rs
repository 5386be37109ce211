//! `quickstudy sweep`.

use std::{path::PathBuf, process::ExitCode, thread::available_parallelism};

use anyhow::{Context, Result};
use clap::Args;
use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{DataDir, say, stop_flag};
use crate::{
    experiment::{INTERRUPTED, material::Material},
    sweep::{
        local::{self, Launch},
        space::Assigned,
        spec::{Objective, Plan},
        study::{End, Study, Trial},
    },
};

/// Search a space of experiments for the one that validates best
///
/// Trials are runs like any other, in results/<sweep>/trials; they are trained and validated, never
/// tested. Killed or stopped, a sweep goes on when it is started again. It leaves study.csv, figures
/// and best.yaml, an experiment that is ready to be tested once.
///
/// Examples:
///   quickstudy sweep sweeps/inner_rate.yaml --dry-run
///   quickstudy sweep sweeps/inner_rate.yaml --jobs 2
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
    /// The folder in which the study's folder is made
    #[arg(long, default_value = "results", value_name = "FOLDER")]
    out: PathBuf,
    /// Trials at the same time, each with one thread; as many as the machine has cores unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// List the trials and run none
    #[arg(long)]
    dry_run: bool,
    /// No progress and no table; errors only
    #[arg(long, short)]
    quiet: bool,
}

/// Trials in the table at the end.
const SHOWN: usize = 5;

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let file = crate::experiment::read::find(&self.file)?;
        let plan = Plan::read(&file)?;
        if self.dry_run {
            return self.list(&plan);
        }
        self.prepare(&plan).with_context(|| file.display().to_string())?;
        let study = Study::open(&self.out, &plan)?;
        let cores = available_parallelism().map_or(1, |n| n.get());
        let stop = stop_flag()?;
        let bar = ProgressBar::new(plan.sweep.budget.trials as u64);
        if self.quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template(
            "{prefix:.bold} {bar:24} {pos}/{len} {msg}, {elapsed} so far, {eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        bar.set_prefix(plan.sweep.name.clone());
        let objective = plan.sweep.objective;
        let mut observe = |trial: &Trial, end: &End, progress: local::Progress| {
            if let Some(error) = &end.error
                && !self.quiet
            {
                bar.suspend(|| eprintln!("trial {} failed: {error}", trial.number));
            }
            let best = progress.best.map(|score| format!("best {}", shown(objective, score)));
            bar.set_message(best.unwrap_or_else(|| "none done".into()));
            bar.set_position(progress.ended as u64);
        };
        let mut launch = Launch {
            jobs: self.jobs.map_or(cores, usize::from),
            data_dir: self.data.data_dir.as_deref(),
            stop: &stop,
            observe: &mut observe,
        };
        let trials = local::run(&study, &mut launch)?;
        bar.finish_and_clear();
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            eprintln!("stopped; everything so far is saved: start the sweep again to go on");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        if let Some((first, end)) = trials.first()
            && trials.iter().all(|(_, end)| end.score.is_none())
        {
            let reason = end.error.as_deref().unwrap_or("unknown");
            eprintln!(
                "error: all {} trials failed; the first, trial {}: {reason}",
                trials.len(),
                first.number
            );
            return Ok(ExitCode::FAILURE);
        }
        if !self.quiet {
            let best = study.path().join("best.yaml");
            say(&format!(
                "\n{}\n\nAll trials: {}\nTest the best, once: quickstudy experiment {}\n",
                table(&trials, objective),
                study.path().join("study.csv").display(),
                best.display()
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Fetches the data once for all trials, and checks that there is something to validate on.
    fn prepare(&self, plan: &Plan) -> Result<()> {
        let base = plan.experiment("base", &[])?;
        let material = Material::load(&base, &self.data.source(self.quiet), tch::Device::Cpu)?;
        material.require_validation(&material.folds()?)
    }

    /// The trials that are known without running any.
    fn list(&self, plan: &Plan) -> Result<ExitCode> {
        let sweep = &plan.sweep;
        let mut text = String::new();
        for number in 0..sweep.budget.trials {
            let Some(point) = sweep.sampler.point(&sweep.space, number, &[]) else { break };
            text += &format!("{number:4}  {}\n", values(&sweep.space.at(&point)));
        }
        say(&text)?;
        if sweep.sampler.name() == "tpe" {
            eprintln!("tpe learns from its trials: those after the first few will be others");
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn values(values: &[Assigned]) -> String {
    let text = |label: &serde_json::Value| label.as_str().map_or_else(|| label.to_string(), str::to_owned);
    values.iter().map(|a| format!("{} = {}", a.path, text(&a.label))).collect::<Vec<_>>().join("  ")
}

fn shown(objective: Objective, score: f64) -> String {
    match objective {
        Objective::Accuracy => format!("{:.1} %", 100.0 * score),
        Objective::Loss => format!("loss {:.4}", -score),
    }
}

/// The best trials.
fn table(trials: &[(Trial, End)], objective: Objective) -> Table {
    let mut ranked: Vec<(f64, &Trial)> =
        trials.iter().filter_map(|(trial, end)| Some((end.score?, trial))).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["trial", "validation", "values"]);
    for (score, trial) in ranked.into_iter().take(SHOWN) {
        table.add_row([trial.number.to_string(), shown(objective, score), values(&trial.values)]);
    }
    table
}
