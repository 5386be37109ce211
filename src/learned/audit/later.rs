//! What comes later, or stands beside, changes no prediction.

use anyhow::Result;
use serde_json::json;

use super::{
    finding::Finding,
    subject::{Subject, Tested, asked, first, probability},
};
use crate::tasks::Part;

/// Students whose predictions are computed alone.
const ALONE: usize = 200;
/// Probabilities may differ by so much for rounding.
const ROUNDING: f64 = 1e-4;

/// Every answer of the test students that is not seen is turned round in the data, and all is computed anew: not a bit of a prediction changes.
/// Of several draws the first is looked at, since an answer that is asked in one is seen in another.
pub fn altered(subject: &Subject, tests: &[Tested]) -> Result<Option<Finding>> {
    let (cohort, (largest, seed)) = (subject.cohort()?, subject.drawing());
    let (fold, draws) = (subject.run.fold, subject.fold.test.draws());
    let everybody = cohort.students(fold, Part::Test).len() * draws;
    let (mut faults, mut turned_round, mut compared) = (Vec::new(), 0, 0);
    for tested in tests {
        let mut answers = cohort.answers().clone();
        let all = cohort.sittings(fold, Part::Test, tested.shots, seed, 0..everybody);
        for sitting in all.iter().step_by(draws) {
            let unseen = answers.of(sitting.student).filter(|row| !sitting.seen.contains(row));
            for row in unseen {
                answers.correct[row] = !answers.correct[row];
                turned_round += 1;
            }
        }
        let own = first(&tested.predictions, subject.some());
        let source = cohort.altered(answers, fold, largest, seed)?;
        let at = (tested.shots, tested.step);
        let answered = subject.answer(source, own.episodes, at, &subject.ready.split);
        let Some(other) = answered else { return Ok(None) };
        let mut changed = 0;
        for row in asked(&own).filter(|row| tested.draw(*row) == 0) {
            changed += usize::from(own.outputs[row].to_bits() != other.outputs[row].to_bits());
            compared += 1;
        }
        if changed > 0 {
            faults.push(format!(
                "with {} seen, {changed} predictions are others when answers are altered that are not seen: something computed from them \
                 is known before they are asked",
                tested.shots
            ));
        }
    }
    let found = format!("{turned_round} answers turned round, {compared} predictions the same to the bit");
    let numbers = json!({"altered": turned_round, "predictions": compared});
    Ok(Some(Finding::new("altered later answers", faults, found).with(numbers)))
}

/// A student's predictions are the same whoever is beside her, but for rounding.
pub fn neighbours(subject: &Subject, tests: &[Tested]) -> Result<Option<Finding>> {
    let split = subject.ready.split.clone().with_largest(1);
    let (mut largest, mut compared) = (0f64, 0);
    for tested in tests {
        let some = (ALONE / tested.draws().max(1)).clamp(1, subject.some());
        let own = first(&tested.predictions, some);
        let at = (tested.shots, tested.step);
        let answered = subject.answer(subject.source()?, some, at, &split);
        let Some(alone) = answered else { return Ok(None) };
        for row in asked(&own) {
            let [a, b] = [&own, &alone].map(|of| probability(of.outputs[row]));
            // What is not a number must be so in both.
            let apart = if a.is_nan() || b.is_nan() {
                f64::from(u8::from(a.is_nan() != b.is_nan()))
            } else {
                (a - b).abs()
            };
            largest = largest.max(apart);
            compared += 1;
        }
    }
    let faults = (largest > ROUNDING).then(|| {
        format!("a prediction depends on who is tested beside: probabilities differ by up to {largest:.1e}")
    });
    let words =
        if largest == 0.0 { "not at all".into() } else { format!("by at most {largest:.1e}, rounding") };
    let found = format!("{compared} probabilities of students alone and beside others differ {words}");
    let numbers = json!({"largest_difference": largest, "predictions": compared});
    let finding = Finding::new("other students in the batch", faults.into_iter().collect(), found);
    Ok(Some(finding.with(numbers)))
}
