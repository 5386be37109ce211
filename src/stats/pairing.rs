//! From evaluation rows to the scores of several methods on the same test episodes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::grid::{Sample, ScoreGrid, Scored};
use crate::{
    measures::Quantity,
    records::{EvaluationRow, TaskKind},
};

/// A frozen test episode: its fold and its index there.
type Episode = (usize, usize);

/// A method after a number of adaptation steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contestant {
    /// The method's name in the experiment file.
    pub method: String,
    /// Adaptation steps taken on the support set.
    pub step: usize,
}

/// Methods that can be compared.
pub struct Paired {
    /// Each with its scores.
    pub samples: Vec<(Contestant, Sample)>,
    /// What was left out, in sentences without a full stop.
    pub left_out: Vec<String>,
}

/// The scores of each contestant by the judge, all tested on the same episodes.
///
/// # Errors
/// Names the method that has no rows, two rows for one test, or no row for one; or the two methods that were tested on different
/// episodes.
pub fn pair(
    rows: &[EvaluationRow],
    judge: Quantity,
    contestants: &[Contestant],
    shots: usize,
) -> Result<Paired> {
    let mut paired = Paired { samples: Vec::with_capacity(contestants.len()), left_out: Vec::new() };
    let mut first: Option<(&Contestant, BTreeSet<Episode>)> = None;
    for contestant in contestants {
        let (sample, episodes) = sample(rows, judge, contestant, shots)?;
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
        paired.left_out.extend(left_out(contestant, &sample, shots));
        if !sample.folds.is_empty() {
            paired.samples.push((contestant.clone(), sample));
        }
    }
    Ok(paired)
}

/// What of a contestant is not compared, since its outputs were not finite.
fn left_out(contestant: &Contestant, sample: &Sample, shots: usize) -> Vec<String> {
    let Contestant { method, step } = contestant;
    let place = |fold: usize| if sample.spans_folds() { format!(" of fold {fold}") } else { String::new() };
    let mut sentences: Vec<String> = sample
        .diverged
        .iter()
        .map(|(fold, seed)| {
            let place = place(*fold);
            format!(
                "`{method}` with seed {seed}{place} is left out of the {shots}-shot comparisons: after {step} steps its outputs \
                 were not finite on any episode"
            )
        })
        .collect();
    if !sample.undefined.is_empty() {
        sentences.push(format!(
            "{} left out of the {shots}-shot comparisons with `{method}`: after {step} steps its outputs were not finite there",
            match sample.undefined.len() {
                1 => "one episode is".to_owned(),
                several => format!("{several} episodes are"),
            }
        ));
    }
    sentences
}

/// One contestant's scores, and the episodes it was tested on.
fn sample(
    rows: &[EvaluationRow],
    judge: Quantity,
    contestant: &Contestant,
    shots: usize,
) -> Result<(Sample, BTreeSet<Episode>)> {
    let Contestant { method, step } = contestant;
    let tests =
        rows.iter().filter(|r| r.task == TaskKind::FewShot && r.shots == shots && r.method == *method);
    let mut scores: BTreeMap<(Episode, u64), f64> = BTreeMap::new();
    let mut steps = BTreeSet::new();
    for row in tests {
        steps.insert(row.step);
        if row.step != *step {
            continue;
        }
        let (fold, episode, seed) = (row.fold, row.episode, row.seed);
        let score = row.value(judge.name).unwrap_or(f64::NAN);
        if scores.insert(((fold, episode), seed), score).is_some() {
            bail!(
                "there are two rows of `{method}` for fold {fold}, seed {seed}, {shots} shots, episode {episode}, step {step}: \
                 read each run's evaluation.csv once"
            );
        }
    }
    if scores.is_empty() {
        let steps: Vec<String> = steps.iter().map(usize::to_string).collect();
        let tested = match &steps[..] {
            [] => format!("`{method}` was not tested with {shots} shots"),
            steps => format!("`{method}` was tested after {} steps only", steps.join(", ")),
        };
        bail!("there is no test episode of `{method}` with {shots} shots after {step} steps: {tested}");
    }
    let episodes: BTreeSet<Episode> = scores.keys().map(|(episode, _)| *episode).collect();
    let seeds: BTreeSet<(usize, u64)> = scores.keys().map(|((fold, _), seed)| (*fold, *seed)).collect();
    for (fold, seed) in seeds {
        let of_fold = episodes.range((fold, 0)..=(fold, usize::MAX));
        if let Some((_, episode)) = of_fold.into_iter().find(|e| !scores.contains_key(&(**e, seed))) {
            bail!(
                "`{method}` with seed {seed} lacks episode {episode} of fold {fold} ({shots} shots, step {step}), \
                 which another of its seeds has: finish the experiment with --resume"
            );
        }
    }
    let scored =
        scores.into_iter().map(|(((fold, episode), seed), score)| Scored { fold, seed, episode, score });
    Ok((Sample::of(scored), episodes))
}

/// Two methods in the folds that both have scores in, cut to the episodes on which both have.
pub fn folds(a: &Sample, b: &Sample) -> Vec<(usize, ScoreGrid, ScoreGrid)> {
    let both = a.folds.iter().filter_map(|(fold, a)| Some((*fold, a, b.folds.get(fold)?)));
    both.map(|(fold, a, b)| {
        if a.episodes == b.episodes {
            return (fold, a.clone(), b.clone());
        }
        let of = |grid: &ScoreGrid| grid.episodes.iter().copied().collect::<BTreeSet<usize>>();
        let common = of(a).intersection(&of(b)).copied().collect();
        (fold, a.on(&common), b.on(&common))
    })
    .filter(|(_, a, _)| !a.episodes.is_empty())
    .collect()
}
