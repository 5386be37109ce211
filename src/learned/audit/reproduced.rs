//! Whether the files of a run hold what its checkpoint answers.

use super::{
    finding::Finding,
    subject::{Subject, Tested, asked},
};
use crate::{
    experiment::{
        environment,
        files::{ENVIRONMENT, EVALUATION, PREDICTIONS},
        predictions::Answers,
    },
    measures::Predictions,
    records::{self, EvaluationRow, TaskKind},
};

/// What two computations of the same number may differ by, in other surroundings.
const ROUNDING: f64 = 1e-3;

/// The test of the checkpoint, done again, gives what `evaluation.csv` and `predictions.safetensors` hold, on the same episodes.
pub fn check(subject: &Subject, tests: &[Tested]) -> Finding {
    let folder = &subject.learned.folder;
    let mut faults = Vec::new();
    let entries = environment::read(&folder.join(ENVIRONMENT)).unwrap_or_default();
    if entries.last().is_none_or(|entry| entry["test_episodes_sha256"] != subject.fold.hash.as_str()) {
        faults
            .push("the answers are not those that the run was tested on: the data have changed since".into());
    }
    match records::read::<EvaluationRow>(&folder.join(EVALUATION)) {
        Ok(rows) => faults.extend(tests.iter().filter_map(|tested| rows_differ(&rows, tested))),
        Err(error) => faults.push(format!("{error:#}")),
    }
    let (shots, steps) = (&subject.run.test_shots, subject.run.steps);
    let mut warnings = Vec::new();
    match Answers::read(&folder.join(PREDICTIONS), shots, steps.len()) {
        Ok(Some(Answers(kept))) => {
            for (tested, (_, of_steps)) in tests.iter().zip(&kept) {
                let at = steps.iter().position(|step| *step == tested.step);
                faults
                    .extend(at.and_then(|at| of_steps.get(at)).and_then(|kept| answers_differ(kept, tested)));
            }
        }
        Ok(None) => warnings.push(format!("there is no {PREDICTIONS} to compare with")),
        Err(error) => faults.push(format!("{error:#}")),
    }
    let answers: usize = tests.iter().map(|tested| asked(&tested.predictions).count()).sum();
    let found = format!("the checkpoint gives what the run's files hold, {answers} predictions");
    Finding::new("the run's own numbers", faults, found).warn(warnings)
}

fn rows_differ(rows: &[EvaluationRow], tested: &Tested) -> Option<String> {
    let mine = rows
        .iter()
        .filter(|row| row.task == TaskKind::FewShot && (row.shots, row.step) == (tested.shots, tested.step));
    let mine: Vec<&EvaluationRow> = mine.collect();
    let at = format!("{EVALUATION}, {} answers seen, {} steps", tested.shots, tested.step);
    if mine.len() != tested.losses.len() {
        return Some(format!("{at}: {} rows instead of {}", mine.len(), tested.losses.len()));
    }
    let differs =
        |row: &&&EvaluationRow| !tested.losses.get(row.episode).is_some_and(|loss| alike(row.loss, *loss));
    let others = mine.iter().filter(differs).count();
    (others > 0).then(|| format!("{at}: {others} of {} losses are not those of the checkpoint", mine.len()))
}

fn answers_differ(kept: &Predictions, tested: &Tested) -> Option<String> {
    let (again, at) = (&tested.predictions, format!("{PREDICTIONS}, {} answers seen", tested.shots));
    if (kept.episodes, kept.queries, kept.width()) != (again.episodes, again.queries, again.width()) {
        return Some(format!("{at}: it is of {} students, not {}", kept.episodes, again.episodes));
    }
    if kept.targets != again.targets || kept.weights != again.weights {
        return Some(format!("{at}: answers, or which of them are asked, are not those of the data"));
    }
    let differs = |row: &usize| !alike(f64::from(kept.outputs[*row]), f64::from(again.outputs[*row]));
    let others = asked(again).filter(differs).count();
    (others > 0).then(|| {
        format!("{at}: {others} of {} predictions are not those of the checkpoint", asked(again).count())
    })
}

fn alike(a: f64, b: f64) -> bool {
    (a - b).abs() <= ROUNDING * (1.0 + a.abs()) || (a.is_nan() && b.is_nan())
}
