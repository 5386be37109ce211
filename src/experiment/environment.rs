//! Where results came from: versions, machine, command.

use std::path::Path;

use serde_json::{Value, json};
use tch::Device;

use super::material::Fold;
use crate::chunks::Split;

/// The file in a run's folder.
pub const ENVIRONMENT: &str = "environment.json";

/// What `environment.json` records of a run of this fold.
pub fn environment(device: Device, split: &Split, fold: &Fold) -> Value {
    json!({
        "quickstudy": env!("CARGO_PKG_VERSION"),
        "git_commit": option_env!("QUICKSTUDY_COMMIT"),
        "rustc": option_env!("QUICKSTUDY_RUSTC"),
        "tch": "0.24.0", // pinned by Cargo.toml
        "libtorch": option_env!("QUICKSTUDY_LIBTORCH"),
        "system": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        "processor": processor(),
        "device": format!("{device:?}").to_lowercase(),
        "threads": split.threads(),
        "tasks_at_once": split.largest,
        "test_episodes_sha256": fold.hash,
        "classes": fold.classes,
        "command": std::env::args().collect::<Vec<_>>(),
    })
}

/// What a run's folder has recorded; null where it has nothing, or nothing that can be read.
pub fn recorded(run: &Path) -> Value {
    let text = std::fs::read_to_string(run.join(ENVIRONMENT)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
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
