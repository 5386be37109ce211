//! How long a trial takes, before any has run.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use super::{space::Assigned, spec::Plan};
use crate::experiment::folder::write_whole;

/// A stretch of training this long is enough to go by.
const ENOUGH: f64 = 1.0;

/// The seconds that a trial with these values takes on one core, from a first stretch of its training in a folder that is removed.
///
/// # Errors
/// The trial cannot be run.
pub fn seconds(plan: &Plan, values: &[Assigned], passed: &[String]) -> Result<f64> {
    let mut experiment = plan.experiment("estimate", values)?;
    let seeds = experiment.seeds.len() as f64;
    experiment.seeds.truncate(1);
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let file = folder.path().join("estimate.yaml");
    write_whole(&file, serde_saphyr::to_string(&experiment)?.as_bytes())?;
    let timed = |until: usize| -> Result<f64> {
        let started = Instant::now();
        let mut command = Command::new(std::env::current_exe().context("cannot find this program's file")?);
        command.arg("experiment").arg(&file).arg("--out").arg(folder.path()).args(passed);
        command.args(["--no-test", "--resume", "--quiet", "--threads", "1", "--until", &until.to_string()]);
        let output = command.stdin(Stdio::null()).output().context("cannot start a trial")?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            bail!(
                "{}",
                words.lines().last().unwrap_or("it ended without a word").trim_start_matches("error: ")
            );
        }
        Ok(started.elapsed().as_secs_f64())
    };
    let whole = experiment.runs().into_iter().map(|run| run.train.iterations);
    let whole = whole.max().unwrap_or(1);
    let (first, mut iterations, mut spent) = (timed(1)?, 1, 0.0);
    let mut times = 0.0;
    while iterations < whole && spent < ENOUGH {
        let until = (iterations * 4).min(whole);
        spent += timed(until)?;
        times += 1.0;
        iterations = until;
    }
    // Starting and validating, as in the first stretch, is in every other one too.
    let each = ((spent - times * first) / (iterations as f64 - 1.0).max(1.0)).max(0.0);
    Ok((first + each * whole as f64) * seeds)
}
