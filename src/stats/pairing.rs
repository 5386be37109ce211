//! From evaluation rows to the accuracies of several methods on the same test episodes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::{bootstrap::Crossed, comparison::Contestant};
use crate::records::{EvaluationRow, Task};

/// A frozen test episode: its fold and its index there.
type Episode = (usize, usize);

/// The accuracies of each contestant, all on the same episodes in the same order, and the number of those.
///
/// # Errors
/// Names the method that has no rows, two rows for one test, no row for one, or an accuracy that is no number; or the two
/// methods that were tested on different episodes.
pub fn pair(
    rows: &[EvaluationRow],
    contestants: &[Contestant],
    shots: usize,
) -> Result<(Vec<Crossed>, usize)> {
    let mut samples = Vec::with_capacity(contestants.len());
    let mut first: Option<(&Contestant, BTreeSet<Episode>)> = None;
    for contestant in contestants {
        let (sample, episodes) = sample(rows, contestant, shots)?;
        match &first {
            None => first = Some((contestant, episodes)),
            Some((other, theirs)) if *theirs != episodes => bail!(
                "`{}` and `{}` cannot be compared: they were tested on different episodes ({} and {}, {} of them the \
                 same); test both with the same `evaluate` settings",
                other.method,
                contestant.method,
                theirs.len(),
                episodes.len(),
                theirs.intersection(&episodes).count()
            ),
            Some(_) => {}
        }
        samples.push(sample);
    }
    Ok((samples, first.map_or(0, |(_, episodes)| episodes.len())))
}

/// One contestant's accuracies by episode and seed.
fn sample(
    rows: &[EvaluationRow],
    contestant: &Contestant,
    shots: usize,
) -> Result<(Crossed, BTreeSet<Episode>)> {
    let Contestant { method, step } = contestant;
    let tests = rows.iter().filter(|r| r.task == Task::FewShot && r.shots == shots && r.method == *method);
    let mut accuracies: BTreeMap<(Episode, u64), f64> = BTreeMap::new();
    let mut steps = BTreeSet::new();
    for row in tests {
        steps.insert(row.step);
        if row.step != *step {
            continue;
        }
        let (fold, episode, seed) = (row.fold, row.episode, row.seed);
        let place = || {
            format!(
                "of `{method}` for fold {fold}, seed {seed}, {shots} shots, episode {episode}, step {step}"
            )
        };
        if !row.accuracy.is_finite() {
            bail!("the accuracy {} is {}: delete that run's folder and run it again", place(), row.accuracy);
        }
        if accuracies.insert(((fold, episode), seed), row.accuracy).is_some() {
            bail!("there are two rows {}: read each run's evaluation.csv once", place());
        }
    }
    if accuracies.is_empty() {
        let steps: Vec<String> = steps.iter().map(usize::to_string).collect();
        let tested = match &steps[..] {
            [] => format!("`{method}` was not tested with {shots} shots"),
            steps => format!("`{method}` was tested after {} steps only", steps.join(", ")),
        };
        bail!("there is no test episode of `{method}` with {shots} shots after {step} steps: {tested}");
    }
    let episodes: BTreeSet<Episode> = accuracies.keys().map(|(episode, _)| *episode).collect();
    let seeds: BTreeSet<u64> = accuracies.keys().map(|(_, seed)| *seed).collect();
    for &(fold, episode) in &episodes {
        for seed in &seeds {
            if !accuracies.contains_key(&((fold, episode), *seed)) {
                bail!(
                    "`{method}` with seed {seed} lacks episode {episode} of fold {fold} ({shots} shots, step {step}), \
                     which another of its seeds has: finish the experiment with --resume"
                );
            }
        }
    }
    let seeds = seeds.into_iter().collect();
    Ok((Crossed { seeds, accuracies: accuracies.into_values().collect() }, episodes))
}
