//! Whether the numbers of a run on students can be trusted: checks for what is known of others before it is asked, each of which can fail.

mod baseline;
mod data;
mod finding;
mod later;
mod reproduced;
mod shuffled;
mod subject;
pub mod tables;
mod tree;

use std::sync::atomic::AtomicBool;

use anyhow::Result;
use serde::Serialize;

use super::Learned;
use crate::{data::Source, experiment::workplace::Machine};
pub use finding::{Finding, Verdict};
use subject::Subject;
use tables::Tables;

/// What an audit found; `audit.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// The run's name in its experiment.
    pub run: String,
    /// SHA-256 of the test episodes that were looked at.
    pub test_episodes_sha256: String,
    /// Numbers of seen answers, each with the number of adaptation steps at which the run is judged: validation chose it, without validation
    /// it is the last.
    pub shots_and_steps: Vec<(usize, usize)>,
    /// Every check.
    pub checks: Vec<Finding>,
}

impl Audit {
    /// Whether no check failed.
    pub fn is_passed(&self) -> bool {
        self.checks.iter().all(|finding| finding.verdict != Verdict::Failed)
    }

    /// A line for each check, and for each warning.
    pub fn lines(&self) -> String {
        self.checks.iter().map(Finding::lines).collect()
    }

    /// Those of the checks that failed.
    pub fn faults(&self) -> String {
        let failed = self.checks.iter().filter(|finding| finding.verdict == Verdict::Failed);
        failed.map(Finding::lines).collect()
    }
}

/// The name of the file in the run's folder.
pub const AUDIT: &str = "audit.json";

/// Audits a run, and writes its predictions as tables where they are asked for. `None` when the user stops it.
///
/// It takes about four tests of the run; where there are many test students, some checks look at the first of them.
///
/// # Errors
/// A `Misuse` for a run whose tasks are not students; the data cannot be had, or a table cannot be written.
pub fn audit(
    learned: &Learned,
    tables: &Tables,
    source: &Source,
    machine: &Machine,
    stop: &AtomicBool,
) -> Result<Option<Audit>> {
    let subject = Subject::open(learned, source, machine, stop)?;
    let Some(tests) = subject.tests()? else { return Ok(None) };
    if !tables.write(&subject, &tests)? {
        return Ok(None);
    }
    let mut checks = vec![
        reproduced::check(&subject, &tests),
        data::disjoint(&subject)?,
        data::duplicates(&subject)?,
        data::unknown(&subject)?,
    ];
    for check in [shuffled::asked, shuffled::seen, later::altered, later::neighbours, baseline::check] {
        match check(&subject, &tests)? {
            Some(finding) => checks.push(finding),
            None => return Ok(None),
        }
    }
    Ok(Some(Audit {
        run: learned.name.clone(),
        test_episodes_sha256: subject.fold.hash.clone(),
        shots_and_steps: subject.settings.clone(),
        checks,
    }))
}
