//! Shuffled answers: what is no longer there must not be predicted.

use std::{collections::BTreeMap, ops::Range};

use anyhow::Result;
use rand::seq::SliceRandom;
use serde_json::{Value, json};
use sha2::Sha256;
use tch::Tensor;

use super::{
    finding::Finding,
    subject::{Subject, Tested, asked as rows_asked, difference, first, inference},
};
use crate::{
    measures::{Auc, Measure, Predictions, contributions},
    random::{Purpose, stream},
    tasks::{Episode, FreezableSource, Part, TaskSource, cohort::Sitting},
};

/// By chance a 95 % interval misses the truth once in twenty times: of so many shufflings all must, which is one in eight thousand.
const ATTEMPTS: u64 = 3;
/// The area of predictions that know nothing.
const BLIND: f64 = 0.5;

/// An area under the ROC curve with its interval.
struct Area {
    area: f64,
    interval: (f64, f64),
}

impl Area {
    fn of(values: &[f64]) -> Self {
        let inference = inference(values);
        Self { area: inference.mean, interval: inference.interval() }
    }

    fn is_blind(&self) -> bool {
        self.interval.0 <= BLIND && BLIND <= self.interval.1
    }

    fn words(&self, shots: usize) -> String {
        let Self { area, interval: (low, high) } = self;
        format!("{area:.4} (95 % interval {low:.4} to {high:.4}) with {shots} seen")
    }

    fn numbers(&self, shots: usize, attempts: u64) -> Value {
        json!({"shots": shots, "auc": self.area, "low": self.interval.0, "high": self.interval.1, "shufflings": attempts})
    }
}

/// The answers to all queries permuted among each other, the run's predictions of them are worth nothing: their AUC is 0.5.
pub fn asked(subject: &Subject, tests: &[Tested]) -> Result<Option<Finding>> {
    const CHECK: &str = "shuffled asked answers";
    let (mut faults, mut found, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for tested in tests {
        let own = first(&tested.predictions, subject.some());
        let mut targets = rows_asked(&own).map(|row| own.targets[row]);
        let one = targets.next();
        if targets.all(|target| Some(target) == one) {
            return Ok(Some(Finding::not_applicable(CHECK, "all asked answers are alike")));
        }
        for attempt in 1..=ATTEMPTS {
            let area = Area::of(&Auc.of_each(&shuffle_targets(&own, attempt)));
            if area.is_blind() || attempt == ATTEMPTS {
                let list = if area.is_blind() { &mut found } else { &mut faults };
                list.push(area.words(tested.shots));
                numbers.push(area.numbers(tested.shots, attempt));
                break;
            }
        }
    }
    let faults = said(&faults, "0.5 is outside the interval of the AUC");
    let found = format!("the AUC is {}", found.join(", "));
    Ok(Some(Finding::new(CHECK, faults, found).with(numbers.into())))
}

fn said(faults: &[String], what: &str) -> Vec<String> {
    if faults.is_empty() { Vec::new() } else { vec![format!("{what}: {}", faults.join(", "))] }
}

/// The targets of rows that count, permuted.
fn shuffle_targets(own: &Predictions, attempt: u64) -> Predictions {
    let rows: Vec<usize> = rows_asked(own).collect();
    let mut targets: Vec<f32> = rows.iter().map(|row| own.targets[*row]).collect();
    targets.shuffle(&mut stream(0, Purpose::Audit, attempt));
    let mut shuffled = own.clone();
    rows.iter().zip(targets).for_each(|(row, target)| shuffled.targets[*row] = target);
    shuffled
}

/// The seen answers of all students permuted among each other, nothing tells students apart: of two students who were asked the same item,
/// one of whom was right, she has the higher prediction in half of the cases.
pub fn seen(subject: &Subject, tests: &[Tested]) -> Result<Option<Finding>> {
    const CHECK: &str = "shuffled seen answers";
    let (mut faults, mut found, mut numbers, mut warnings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let exact = !subject.cohort()?.in_time() && is_complete(subject)?;
    for tested in tests {
        let own = first(&tested.predictions, subject.some());
        let tasks = own.episodes * tested.draws();
        let sittings = &tested.sittings[..tasks];
        for attempt in 1..=ATTEMPTS {
            let source = Shuffled {
                source: subject.source()?,
                shots: tested.shots,
                answers: shuffle_seen(subject, sittings, attempt)?,
            };
            let at = (tested.shots, tested.step);
            let answered = subject.answer(Box::new(source), own.episodes, at, &subject.ready.split);
            let Some(shuffled) = answered else { return Ok(None) };
            if shuffled.outputs == own.outputs {
                return Ok(Some(Finding::not_applicable(CHECK, "this method makes no use of seen answers")));
            }
            let within = Within::of(subject, &shuffled, sittings)?;
            let area = Area::of(&contributions(|counts| within.area(counts), &shuffled.finite()));
            if !(area.is_blind() || attempt == ATTEMPTS) {
                continue;
            }
            let worse = inference(&difference(&shuffled, &own));
            let words = area.words(tested.shots);
            match area.is_blind() || !area.area.is_finite() {
                true => found.push(format!("{words}, log loss {:+.4}", worse.mean)),
                false if exact => faults.push(words),
                false => warnings.push(format!(
                    "{words}: which items a student has, or when, tells something of her; see whether inputs: {{position: true}} is wanted"
                )),
            }
            if worse.interval().1 < 0.0 {
                faults.push(format!(
                    "with {} seen, answers of others predict better than the student's own: log loss {:+.4}",
                    tested.shots, worse.mean
                ));
            }
            numbers.push(area.numbers(tested.shots, attempt));
            break;
        }
    }
    let faults = said(&faults, "students are told apart without their answers: the AUC within items is");
    let found = format!("the AUC within items is {}", found.join(", "));
    Ok(Some(Finding::new(CHECK, faults, found).warn(warnings).with(numbers.into())))
}

/// Whether all test students answered the same problems, so that these tell nothing of them.
fn is_complete(subject: &Subject) -> Result<bool> {
    let cohort = subject.cohort()?;
    let answers = cohort.answers();
    let problems = |student: &u32| {
        let mut problems = answers.problem[answers.of(*student)].to_vec();
        problems.sort_unstable();
        problems
    };
    let mut all = cohort.students(subject.run.fold, Part::Test).iter().map(problems);
    let one = all.next();
    Ok(all.all(|problems| Some(&problems) == one.as_ref()))
}

/// The seen answers of some tasks, permuted: `[tasks, shots]`.
fn shuffle_seen(subject: &Subject, sittings: &[Sitting], attempt: u64) -> Result<Vec<f32>> {
    let answers = subject.cohort()?.answers();
    let seen = sittings.iter().flat_map(|sitting| &sitting.seen);
    let mut seen: Vec<f32> = seen.map(|row| f32::from(u8::from(answers.correct[*row]))).collect();
    seen.shuffle(&mut stream(1, Purpose::Audit, attempt));
    Ok(seen)
}

/// Test tasks in which other answers are seen.
struct Shuffled {
    source: Box<dyn FreezableSource>,
    shots: usize,
    /// `[tasks, shots]`.
    answers: Vec<f32>,
}

impl TaskSource for Shuffled {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        self.sample_with(index, tasks, self.shots)
    }
}

impl FreezableSource for Shuffled {
    fn sample_with(&self, index: u64, tasks: Range<usize>, shots: usize) -> Episode {
        let seen = &self.answers[tasks.start * shots..tasks.end * shots];
        let episode = self.source.sample_with(index, tasks, shots);
        let seen = Tensor::from_slice(seen).reshape([-1, shots as i64, 1]).to_device(episode.y.device());
        Episode { y: Tensor::cat(&[seen, episode.query_y()], 1), ..episode }
    }

    fn describe(&self, hash: &mut Sha256) {
        self.source.describe(hash);
    }

    fn identify(&self, index: u64, task: usize, hash: &mut Sha256) {
        self.source.identify(index, task, hash);
    }
}

/// Predictions by item, those of each the least first.
struct Within(Vec<Vec<(f32, bool, usize)>>);

impl Within {
    fn of(subject: &Subject, predictions: &Predictions, sittings: &[Sitting]) -> Result<Self> {
        let answers = subject.cohort()?.answers();
        let draws = sittings.len() / predictions.episodes.max(1);
        let each = predictions.queries / draws.max(1);
        let mut items: BTreeMap<u32, Vec<(f32, bool, usize)>> = BTreeMap::new();
        for (task, sitting) in sittings.iter().enumerate() {
            for row in &sitting.asked {
                let output = predictions.outputs[task * each + row - answers.of(sitting.student).start];
                let of_item = items.entry(answers.problem[*row]).or_default();
                of_item.push((output, answers.correct[*row], task / draws));
            }
        }
        let mut items: Vec<_> = items.into_values().collect();
        items.iter_mut().for_each(|of_item| of_item.sort_by(|a, b| a.0.total_cmp(&b.0)));
        Ok(Self(items))
    }

    /// The share of pairs of a right and a wrong answer to the same item in which the right one has the higher prediction, ties counting half,
    /// where each student counts so often.
    fn area(&self, counts: &[u32]) -> f64 {
        let (mut higher, mut pairs) = (0.0, 0.0);
        for of_item in &self.0 {
            let (mut right, mut wrong) = (0.0, 0.0);
            for tied in of_item.chunk_by(|a, b| a.0 == b.0) {
                let count = |is_right: bool| -> f64 {
                    let mine = tied.iter().filter(|(_, of, _)| *of == is_right);
                    mine.map(|(_, _, student)| f64::from(counts[*student])).sum()
                };
                let (more_right, more_wrong) = (count(true), count(false));
                higher += more_right * (wrong + 0.5 * more_wrong);
                (right, wrong) = (right + more_right, wrong + more_wrong);
            }
            pairs += right * wrong;
        }
        higher / pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the first item's two pairs one is in order, of the second's one it is tied; students without weight do not count.
    #[test]
    fn pairs_are_of_one_item() {
        let within = Within(vec![
            vec![(0.1, true, 0), (0.2, false, 1), (0.3, true, 2)],
            vec![(5.0, false, 0), (5.0, true, 1)],
        ]);
        assert_eq!(within.area(&[1, 1, 1]), 1.5 / 3.0);
        assert_eq!(within.area(&[0, 1, 1]), 1.0);
    }

    #[test]
    fn targets_of_rows_that_count_are_permuted_and_others_stay() {
        let own = Predictions {
            outputs: vec![0.0; 40],
            targets: (0..40).map(|row| (row % 2) as f32).collect(),
            weights: Some((0..40).map(|row| if row < 20 { 1.0 } else { 0.0 }).collect()),
            bins: None,
            episodes: 4,
            queries: 10,
        };
        let shuffled = shuffle_targets(&own, 1);
        assert_ne!(shuffled.targets[..20], own.targets[..20]);
        assert_eq!(shuffled.targets[20..], own.targets[20..]);
        assert_eq!(shuffled.targets.iter().sum::<f32>(), 20.0);
        assert_ne!(shuffle_targets(&own, 2), shuffled);
    }
}
