//! Slurm's own commands.

use std::{io::ErrorKind, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::misuse::misuse;

/// A task of an array that is queued or running.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// The array's name.
    pub name: String,
    /// The task's place in the array.
    pub place: usize,
}

/// This user's tasks of arrays that are queued or running.
///
/// # Errors
/// The controller does not answer.
pub fn queued() -> Result<Vec<Queued>> {
    let text = ask("squeue", &["--me", "--noheader", "--array", "--format=%K %j"])?;
    let task = |line: &str| {
        let (place, name) = line.trim().split_once(' ')?;
        Some(Queued { place: place.parse().ok()?, name: name.to_owned() }) // N/A for what is no array
    };
    Ok(text.lines().filter_map(task).collect())
}

/// Submits a script.
///
/// # Errors
/// In Slurm's own words why it is refused.
pub fn submit(script: &Path) -> Result<()> {
    ask("sbatch", &["--parsable", &script.display().to_string()]).map(drop)
}

/// Cancels all tasks of the arrays of a name.
///
/// # Errors
/// In Slurm's own words.
pub fn cancel(name: &str) -> Result<()> {
    ask("scancel", &["--me", &format!("--name={name}")]).map(drop)
}

/// The most tasks an array may have here.
///
/// # Errors
/// Slurm is not there, or does not answer.
pub fn largest_array() -> Result<usize> {
    let text = ask("scontrol", &["show", "config"])?;
    let size = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "MaxArraySize").then(|| value.trim().parse::<usize>().ok())?
    });
    let size = size.context("scontrol show config names no MaxArraySize")?;
    if size < 2 {
        bail!("this Slurm allows no job arrays: its MaxArraySize is {size}");
    }
    Ok(size - 1)
}

/// What a command says, or its complaint as an error.
fn ask(program: &str, arguments: &[&str]) -> Result<String> {
    let output = match Command::new(program).args(arguments).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => misuse!(
            "--launcher slurm needs Slurm, but its {program} is not on the PATH: start the sweep on a computer that submits to the \
             cluster, or leave --launcher out to run trials here"
        ),
        output => output.with_context(|| format!("cannot run {program}"))?,
    };
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = complaint.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        bail!("{program} refused: {}", lines.join("; "));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
