//! Whether the run beats what a few shares of right answers can say.

use anyhow::Result;
use serde_json::json;

use super::{
    finding::Finding,
    subject::{Subject, Tested, difference, inference, measured},
    tree::{DEPTH, Items, learn, predict},
};
use crate::{
    measures::{Auc, LogLoss},
    tasks::Part,
};

/// Training sittings of each student that the tree learns from, as far as there are not too many answers.
const DRAWS: usize = 5;
/// The most answers that it learns from.
const ROWS: usize = 200_000;

/// A tree on four numbers that are known before an answer is asked has a higher log loss, and a lower AUC, on the same answers.
pub fn check(subject: &Subject, tests: &[Tested]) -> Result<Option<Finding>> {
    const CHECK: &str = "a cheap baseline";
    let (cohort, fold, (largest, seed)) = (subject.cohort()?, subject.run.fold, subject.drawing());
    let answers = cohort.answers();
    let count = cohort.students(fold, Part::Train).len();
    let items = Items::new(answers, &cohort.divided(fold, Part::Train));
    let sittings = cohort.sittings(fold, Part::Train, largest, seed, 0..(DRAWS * count).min(ROWS));
    if sittings.iter().all(|sitting| sitting.asked.is_empty()) {
        return Ok(Some(Finding::not_applicable(
            CHECK,
            "training students have nothing to learn a tree from",
        )));
    }
    let tree = learn(answers, &items, &sittings, ROWS)?;
    let (mut faults, mut found, mut warnings, mut numbers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for tested in tests {
        let theirs = predict(&tree, answers, &items, &tested.sittings, &tested.predictions)?;
        let [ours_loss, their_loss] = [&tested.predictions, &theirs].map(|of| measured(&LogLoss, of));
        let [ours_auc, their_auc] = [&tested.predictions, &theirs].map(|of| measured(&Auc, of));
        let less = inference(&difference(&tested.predictions, &theirs));
        let (low, high) = less.interval();
        let words = format!(
            "with {} seen log loss {ours_loss:.4} against {their_loss:.4}, AUC {ours_auc:.4} against {their_auc:.4}",
            tested.shots
        );
        // An AUC is no number where all answers are alike.
        let orders_worse = ours_auc <= their_auc; // not so where there is no area
        let beats = less.mean < 0.0 && !orders_worse;
        if beats { &mut found } else { &mut faults }.push(words);
        if beats && high >= 0.0 {
            warnings.push(format!(
                "with {} seen, the log loss is lower by chance perhaps: {:+.4}, 95 % interval {low:+.4} to {high:+.4}",
                tested.shots, less.mean
            ));
        }
        numbers.push(json!({
            "shots": tested.shots, "log_loss": ours_loss, "auc": ours_auc, "tree_log_loss": their_loss, "tree_auc": their_auc,
            "difference": less.mean, "low": low, "high": high,
        }));
    }
    if !faults.is_empty() {
        faults = vec![format!(
            "no better than a tree of depth {DEPTH} on shares of right answers: {}",
            faults.join(", ")
        )];
    }
    let found = format!("better than a tree of depth {DEPTH}: {}", found.join(", "));
    Ok(Some(Finding::new(CHECK, faults, found).warn(warnings).with(numbers.into())))
}
