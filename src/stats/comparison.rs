//! Paired comparisons of methods that were tested on the same frozen episodes.

use anyhow::Result;

use super::{
    grid::{Sample, ScoreGrid},
    inference::{CONFIDENCE, Inference},
    pairing::{Contestant, folds, pair},
    settle::{Components, Settling, Size},
    signed_rank::{SignedRank, holm},
};
use crate::{measures::Quantity, records::EvaluationRow};

/// A difference is called real where chance alone would show one like it less often than this.
pub const LEVEL: f64 = 1.0 - CONFIDENCE;

/// What the test episodes say about two methods.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What they were judged by.
    pub judge: Quantity,
    /// Support rows, of a class where there are classes.
    pub shots: usize,
    /// The one.
    pub a: Contestant,
    /// The other.
    pub b: Contestant,
    /// Mean of `a` minus that of `b`, over episodes, seeds and folds.
    pub difference: f64,
    /// 95 % interval of the difference, see [`super::inference`]: over folds, else over seeds and episodes, with a single seed over episodes
    /// only; NaN for a single episode.
    pub interval: (f64, f64),
    /// Two-sided p-value of the same model.
    pub p: f64,
    /// The same with Holm's correction for all pairs compared; see [`correct`].
    pub p_holm: f64,
    /// How many pairs it was corrected for.
    pub family: usize,
    /// What the trained networks alone say.
    pub networks: Networks,
    /// The difference in each fold of a cross-validation, with its interval over that fold's seeds and episodes; empty without folds.
    pub folds: Vec<FoldDifference>,
    /// Test episodes, over all folds.
    pub episodes: usize,
    /// How large the test was, of the method that has fewer seeds and the fold that has fewer episodes.
    pub size: Size,
    /// What the difference varies with; none with a single seed, which shows no spread.
    pub components: Option<Components>,
}

/// What test episodes say of the networks as they were trained; other trainings may say otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Networks {
    /// Two-sided p-value of Wilcoxon's signed-rank test over episodes, each averaged over seeds first.
    pub p: f64,
    /// Matched-pairs rank-biserial correlation, -1 to 1.
    pub effect: f64,
}

/// The difference of two methods in one fold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoldDifference {
    /// The fold's number.
    pub fold: usize,
    /// Mean of `a` minus that of `b`.
    pub difference: f64,
    /// 95 % interval over seeds and episodes.
    pub interval: (f64, f64),
}

/// Comparisons, and what they do not contain.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// All pairs, in the order of the contestants: the first with the second, with the third, and so on.
    pub pairs: Vec<Comparison>,
    /// What was left out and why, in sentences.
    pub left_out: Vec<String>,
}

/// All pairs among `contestants` at `shots` by the judge; p-values are not yet corrected, see [`correct`].
///
/// Methods are paired by fold and episode, and by seed where both have the same seeds. Where they have not, the seeds of each are a
/// source of spread of its own.
///
/// # Errors
/// Names the methods that cannot be paired, and why: tested on different episodes or not at all, a row missing or doubled.
pub fn compare(
    rows: &[EvaluationRow],
    judge: Quantity,
    contestants: &[Contestant],
    shots: usize,
) -> Result<Compared> {
    let paired = pair(rows, judge, contestants, shots)?;
    let mut pairs = Vec::new();
    let mut left_out = paired.left_out;
    for (place, (a, of_a)) in paired.samples.iter().enumerate() {
        for (b, of_b) in &paired.samples[place + 1..] {
            if of_a.spans_folds() && folds(of_a, of_b).len() == 1 {
                left_out.push(format!(
                    "`{}` and `{}` are not compared ({shots}-shot): a single fold is left in which both have finite scores",
                    a.method, b.method
                ));
                continue;
            }
            pairs.extend(Comparison::of((a, of_a), (b, of_b), judge, shots));
        }
    }
    Ok(Compared { pairs, left_out })
}

/// Corrects the p-values of all comparisons that are read together, by Holm's method.
pub fn correct<'a>(family: impl Iterator<Item = &'a mut Comparison>) {
    let mut family: Vec<&mut Comparison> = family.collect();
    let size = family.len();
    let corrected = holm(&family.iter().map(|c| c.p).collect::<Vec<f64>>());
    for (comparison, p) in family.iter_mut().zip(corrected) {
        comparison.p_holm = p;
        comparison.family = size;
    }
}

impl Comparison {
    /// Of two methods; `None` where they share no episode with finite scores.
    fn of(
        (a, of_a): (&Contestant, &Sample),
        (b, of_b): (&Contestant, &Sample),
        judge: Quantity,
        shots: usize,
    ) -> Option<Self> {
        let folds = folds(of_a, of_b);
        let of_folds: Vec<Inference> = folds.iter().map(|(_, a, b)| of_difference(a, b)).collect();
        let inference = match &of_folds[..] {
            [] => return None,
            [only] => only.clone(),
            several => Inference::over_folds(&several.iter().map(|of| of.mean).collect::<Vec<_>>()),
        };
        let each = folds.iter().zip(&of_folds).map(|((fold, ..), of)| FoldDifference {
            fold: *fold,
            difference: of.mean,
            interval: of.interval(),
        });
        let size = Size {
            folds: folds.len(),
            seeds: folds.iter().map(|(_, a, b)| a.seeds.len().min(b.seeds.len())).min()?,
            episodes: folds.iter().map(|(_, a, _)| a.episodes.len()).min()?,
        };
        let episodes = folds.iter().map(|(_, a, _)| a.episodes.len()).sum();
        let grids: Vec<(ScoreGrid, ScoreGrid)> =
            folds.iter().map(|(_, a, b)| (a.clone(), b.clone())).collect();
        let p = inference.p();
        Some(Self {
            judge,
            shots,
            a: a.clone(),
            b: b.clone(),
            difference: inference.mean,
            interval: if episodes > 1 { inference.interval() } else { (f64::NAN, f64::NAN) },
            p,
            p_holm: p,
            family: 1,
            networks: Networks::of(&grids, judge.resolution()),
            folds: if folds.len() > 1 { each.collect() } else { Vec::new() },
            episodes,
            size,
            components: Components::of(&grids),
        })
    }

    /// Whether the two differ at the 5 % level, all pairs that were compared taken together, and other trainings can be expected to agree.
    pub fn is_significant(&self) -> bool {
        self.p_holm < LEVEL && self.shows_trainings()
    }

    /// What would be enough to call a difference of this size real among all pairs that were compared, in four cases of five; empty where
    /// nothing within reach is, or where it is not known what the difference varies with.
    pub fn settling(&self) -> Vec<Settling> {
        let seen = self.difference.abs() > self.judge.resolution();
        let of = |components: Components| {
            components.settling(self.difference, self.size, LEVEL / self.family as f64)
        };
        self.components.filter(|_| seen).map(of).unwrap_or_default()
    }

    /// Which of the two is ahead, and which behind; `a` where they are level.
    pub fn ranked(&self) -> (&Contestant, &Contestant) {
        let gap = self.judge.better.goodness(self.difference);
        if gap < 0.0 { (&self.b, &self.a) } else { (&self.a, &self.b) }
    }

    /// Whether more than one training of each method was tested, so that it can be seen what another one would change.
    pub fn shows_trainings(&self) -> bool {
        self.size.seeds > 1 || self.size.folds > 1
    }
}

/// Of the difference of two methods in one fold.
fn of_difference(a: &ScoreGrid, b: &ScoreGrid) -> Inference {
    if a.seeds == b.seeds { Inference::crossed(&a.minus(b)) } else { Inference::of_independent(a, b) }
}

impl Networks {
    /// Differences are told apart down to `resolution`.
    fn of(folds: &[(ScoreGrid, ScoreGrid)], resolution: f64) -> Self {
        let rounded = |difference: f64| {
            if resolution > 0.0 { (difference / resolution).round() * resolution } else { difference }
        };
        let differences = folds.iter().flat_map(|(a, b)| {
            let (a, b) = (a.episode_means(), b.episode_means());
            a.into_iter().zip(b).map(|(a, b)| rounded(a - b)).collect::<Vec<_>>()
        });
        let test = SignedRank::of(&differences.collect::<Vec<_>>());
        Self { p: test.p_two_sided(), effect: test.rank_biserial() }
    }
}

#[cfg(test)]
mod tests;
