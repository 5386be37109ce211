//! Collections of Anki: an SQLite file (`collection.anki2`), or a package of one (`.apkg`, `.colpkg`). One collection is one learner.
//!
//! | file | what it holds |
//! |---|---|
//! | [`package`] | the collection in a package |
//! | [`collection`] | the log of reviews in a collection |
//! | [`history`] | which rows of a card's log are reviews |

mod collection;
mod history;
mod package;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::{Entry, Reviews, arrange};
use crate::misuse::misuse;

/// Endings of files that are looked for in a folder.
const ENDINGS: [&str; 4] = ["anki2", "anki21", "apkg", "colpkg"];

/// Whether a file has an ending of a collection or a package.
pub fn has_ending(file: &Path) -> bool {
    let ending = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    ENDINGS.contains(&ending.as_str())
}

/// Reads a collection, or all that lie in a folder, each of which is a learner; `now` is in seconds.
///
/// # Errors
/// A `Misuse` that names the file and what to do.
pub fn load(path: &Path, now: f64) -> Result<Reviews> {
    let files = files(path)?;
    let (mut learners, mut cards, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    let (mut dropped, mut unseen, mut unlearned, mut damaged) = (0, 0, 0, 0);
    for file in &files {
        let log = collection::read(file)?;
        let learner = learners.len() as u32;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        unseen += log.unseen;
        damaged += log.damaged;
        for (id, rows) in log.cards {
            let all = rows.len();
            let Some(kept) = history::reviews(rows) else {
                unlearned += 1;
                continue;
            };
            dropped += all - kept.len();
            let card = cards.len() as u32;
            // Cards of two collections are never one: their numbers are times at which they were made.
            cards.push(if files.len() > 1 { format!("{name}/{id}") } else { id.to_string() });
            entries.extend(kept.into_iter().map(|row| Entry {
                learner,
                card,
                time: row.id as f64 / 1e3,
                grade: row.grade,
            }));
        }
        learners.push(name);
    }
    if entries.is_empty() {
        misuse!(
            "{} holds no reviews to learn from: {unseen} cards have none (a package has them if it was exported with scheduling \
             information), the log of {unlearned} does not begin with learning, and {dropped} rows were left out",
            path.display()
        );
    }
    // By time, as in the collection; cards were taken one by one.
    entries.sort_by(|a, b| a.learner.cmp(&b.learner).then(a.time.total_cmp(&b.time)));
    let mut reviews = arrange(entries, &learners, &cards, now, &path.display().to_string())?;
    let mut say = |count: usize, what: &str| {
        if count > 0 {
            reviews.notes.push(format!("{what}: {count}"));
        }
    };
    say(unseen, "cards without reviews");
    say(damaged, "damaged rows of logs left out");
    say(unlearned, "cards left out, whose log does not begin with learning");
    say(dropped, "rows of logs left out, set by hand, of filtered decks, or from before a card was reset");
    Ok(reviews)
}

/// The collections that a path names.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => misuse!("cannot read the folder {}: {error}", path.display()),
    };
    let is_collection = |file: &PathBuf| file.is_file() && has_ending(file);
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_collection).collect();
    files.sort();
    if files.is_empty() {
        misuse!(
            "{} holds no collection of Anki: no file in it ends in .{}",
            path.display(),
            ENDINGS.join(", .")
        );
    }
    Ok(files)
}
