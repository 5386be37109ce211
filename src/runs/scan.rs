//! Finding results folders.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};

use super::{Kind, Listed, experiment, seconds, study};
use crate::{
    experiment::{
        files::CONFIG,
        folder::{is_at_work, is_bare},
    },
    misuse::{misuse, panic_message},
    sweep::files::SWEEP,
};

/// Folders within folders that are looked through for results.
const DEPTH: usize = 4;

/// Every experiment and study in a folder, by name; the folder itself may be one.
///
/// # Errors
/// There is no such folder, or it cannot be read. What is damaged in it is listed as that.
pub fn scan(folder: &Path) -> Result<Vec<Listed>> {
    if !folder.is_dir() {
        misuse!("{} is no folder: name one with results, like results or results/maml", folder.display());
    }
    let now = seconds(SystemTime::now()).unwrap_or(0.0);
    let mut found = Vec::new();
    walk(folder, DEPTH, now, &mut found).with_context(|| format!("cannot read {}", folder.display()))?;
    for listed in &mut found {
        let below = listed.path.strip_prefix(folder).unwrap_or(&listed.path);
        let name = if below.as_os_str().is_empty() { folder.file_name().map(Path::new) } else { Some(below) };
        listed.name = name.unwrap_or(folder).display().to_string();
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn walk(folder: &Path, depth: usize, now: f64, found: &mut Vec<Listed>) -> std::io::Result<()> {
    let has = |name: &str| folder.join(name).exists();
    if has(SWEEP) {
        found.push(whatever_it_holds(Kind::Study, folder, || study::read(folder, now)));
    } else if has(CONFIG) || has(".lock") && (is_at_work(folder) || !is_bare(folder)) {
        found.push(whatever_it_holds(Kind::Experiment, folder, || experiment::read(folder, now, None)));
    } else if depth > 0 {
        let mut folders: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(folder)?.flatten() {
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            // Links are left out: they may lead in circles.
            if !is_hidden && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
        for inner in folders {
            let _ = walk(&inner, depth - 1, now, found); // what may not be read holds no results for this user
        }
    }
    Ok(())
}

/// What a folder holds; damaged if its files are such that reading them fails where nothing should: the other folders are still listed.
fn whatever_it_holds(kind: Kind, folder: &Path, read: impl FnOnce() -> Listed) -> Listed {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|panic| Listed::damaged(kind, folder, panic_message(&*panic)))
}
