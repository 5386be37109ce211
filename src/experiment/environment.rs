//! Where results came from: versions, machine, command, for every start of the program that worked on a run.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tch::Device;

use super::fold::Fold;
use crate::chunks::Split;

/// The entries of an `environment.json`, one for each start of the program that worked on the run, the last one last; none where there is
/// no file. Older versions kept the last only.
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn read(file: &Path) -> Result<Vec<Value>> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.with_context(|| format!("cannot read {}", file.display()))?,
    };
    let entries = serde_json::from_str(&text).with_context(|| {
        format!("{} is damaged: remove the run's folder, and it is run again", file.display())
    })?;
    Ok(match entries {
        Value::Array(entries) => entries,
        entry => vec![entry],
    })
}

/// An entry of `environment.json` of a run of this fold; `validation` is its number of validation episodes.
pub fn environment(device: Device, split: &Split, fold: &Fold, validation: usize) -> Value {
    json!({
        "quickstudy": env!("CARGO_PKG_VERSION"),
        "git_commit": option_env!("QUICKSTUDY_COMMIT"),
        "uncommitted_changes": option_env!("QUICKSTUDY_CHANGED").map(|changed| changed == "true"),
        "rustc": option_env!("QUICKSTUDY_RUSTC"),
        "tch": "0.24.0", // pinned by Cargo.toml
        "libtorch": option_env!("QUICKSTUDY_LIBTORCH"),
        "system": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        "processor": processor(),
        "device": format!("{device:?}").to_lowercase(),
        "threads": split.threads(),
        "tasks_at_once": split.largest,
        "test_episodes_sha256": fold.hash,
        "test_episodes": fold.test.len(),
        "classes": fold.parts,
        "validation_episodes": validation,
        "command": std::env::args().collect::<Vec<_>>(),
    })
}

/// What of that can change a number's last digits, and differs between two environments: `threads: 2, now 1`.
pub fn differences(old: &Value, new: &Value) -> Vec<String> {
    ["quickstudy", "libtorch", "processor", "device", "threads", "tasks_at_once"]
        .into_iter()
        .filter(|key| old[key] != new[key])
        .map(|key| format!("{key}: {}, now {}", old[key], new[key]))
        .collect()
}

/// The processor's name, where the system tells.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
