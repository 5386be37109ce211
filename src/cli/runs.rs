//! `quickstudy runs`.

use std::{cmp::Ordering, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use jiff::{Timestamp, tz::TimeZone};

use super::{say, sweep::clock};
use crate::{
    measures::Unit,
    runs::{BestValue, Kind, Listed, MeasuredOn, RunStatus, Status, scan},
};

/// List experiments with their runs, and studies with their trials: how they stand, how good they are
///
/// Shown is the best validation while training, in % if it is a share; an experiment that validates
/// nothing while training shows its best test instead.
///
/// Examples:
///   quickstudy runs
///   quickstudy runs --state running,failed
///   quickstudy runs results/paper --name maml --sort best
///   quickstudy runs --json | python3 -m json.tool
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A folder with results, or one experiment's or study's
    #[arg(default_value = "results")]
    folder: PathBuf,
    /// Only what stands like this (several, separated by commas)
    #[arg(long, value_enum, value_delimiter = ',')]
    state: Vec<Status>,
    /// Only what has this in its name, for example maml-seed0 or my_experiment/
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The order of experiments and studies, and of the runs in each
    #[arg(long, value_enum, default_value_t = Sort::Name)]
    sort: Sort,
    /// As JSON: shares from 0 to 1, durations in seconds, times in seconds since 1970
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// By name; runs in the order they run in
    Name,
    /// The best first
    Best,
    /// The longest first
    Duration,
    /// The latest first
    Time,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let mut listed = scan(&self.folder)?;
        listed.retain_mut(|listed| self.keep(listed));
        self.order(&mut listed);
        let text = if self.json {
            serde_json::to_string_pretty(&listed).context("JSON")? + "\n"
        } else if listed.is_empty() {
            let which = if self.state.is_empty() && self.name.is_none() { "" } else { " like that" };
            format!("{} has no results{which}\n", self.folder.display())
        } else {
            table(&listed)
        };
        say(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Leaves of a folder what is asked for; whether that is anything.
    fn keep(&self, listed: &mut Listed) -> bool {
        let is_wanted = |state, name: &str| {
            let named = self.name.as_ref().is_none_or(|part| name.contains(part.as_str()));
            named && (self.state.is_empty() || self.state.contains(&state))
        };
        let Listed { runs, name, state, .. } = listed;
        runs.retain(|run| is_wanted(run.state, &format!("{name}/{}", run.name)));
        !runs.is_empty() || is_wanted(*state, name)
    }

    fn order(&self, listed: &mut [Listed]) {
        if self.sort == Sort::Name {
            return;
        }
        let latest_first = |a: Option<f64>, b: Option<f64>| b.partial_cmp(&a).unwrap_or(Ordering::Equal);
        let order = |a: Key, b: Key| match self.sort {
            Sort::Name => Ordering::Equal,
            Sort::Best => match (a.0, b.0) {
                (Some(a), Some(b)) => a.order(&b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            },
            Sort::Duration => b.1.total_cmp(&a.1),
            Sort::Time => latest_first(a.2, b.2),
        };
        for listed in listed.iter_mut() {
            let key = |run: &RunStatus| (run.best, run.seconds, run.time);
            listed.runs.sort_by(|a, b| order(key(a), key(b)));
        }
        let key = |listed: &Listed| (listed.best, listed.seconds, listed.time);
        listed.sort_by(|a, b| order(key(a), key(b)));
    }
}

/// What can be sorted by: best, duration, time.
type Key = (Option<BestValue>, f64, Option<f64>);

fn table(listed: &[Listed]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty();
    table.set_header(["name", "state", "iterations", "best", "duration", "when"]);
    for column in 2..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut reasons = String::new();
    let mut note = |name: &str, reason: &Option<String>| {
        if let Some(reason) = reason {
            reasons += &format!("\n{name}: {}", reason.lines().next().unwrap_or_default());
        }
    };
    for listed in listed {
        let what = match listed.kind {
            Kind::Experiment => "runs",
            Kind::Study => "trials",
        };
        table.add_row([
            listed.name.clone(),
            listed.state.name().to_owned(),
            format!("{}/{} {what}", listed.done(), listed.runs.len()),
            listed.best.map(shown).unwrap_or_default(),
            clock(listed.seconds),
            when(listed.time),
        ]);
        note(&listed.name, &listed.reason);
        for run in &listed.runs {
            table.add_row([
                format!("  {}", run.name),
                run.state.name().to_owned(),
                run.iterations.to_string(),
                run.best.map(shown).unwrap_or_default(),
                clock(run.seconds),
                when(run.time),
            ]);
            note(&format!("{}/{}", listed.name, run.name), &run.reason);
        }
    }
    let lines = table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
    let lines: Vec<String> = lines.collect();
    let reasons = if reasons.is_empty() { reasons } else { format!("{reasons}\n") };
    format!("{}\n{reasons}", lines.join("\n"))
}

fn shown(best: BestValue) -> String {
    let BestValue { part, quantity, value } = best;
    let part = if part == MeasuredOn::Test { "test " } else { "" };
    match quantity.unit {
        Unit::Percent => format!("{part}{}", quantity.text(value)),
        Unit::Plain => format!("{part}{} {}", quantity.name, quantity.text(value)),
    }
}

/// A time in the reader's time zone.
fn when(time: Option<f64>) -> String {
    let time = time.and_then(|time| Timestamp::from_second(time as i64).ok());
    let local =
        |time: Timestamp| time.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    time.map(local).unwrap_or_default()
}
