//! What the data themselves tell: who is in which part, repeated rows, items that nobody was trained on.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;

use super::{finding::Finding, subject::Subject};
use crate::{
    data::answers::Answers,
    tasks::{Part, cohort::Cohort},
};

const PARTS: [(Part, &str); 3] =
    [(Part::Train, "training"), (Part::Validation, "validation"), (Part::Test, "test")];

/// No student is in two parts, by her name. Students who answered exactly as another one of another part are counted.
pub fn disjoint(subject: &Subject) -> Result<Finding> {
    let (cohort, fold) = (subject.cohort()?, subject.run.fold);
    let answers = cohort.answers();
    let names = |part: Part| -> BTreeSet<&str> {
        let all = cohort.divided(fold, part).into_iter().chain(cohort.students(fold, part).iter().copied());
        all.map(|student| answers.students[student as usize].as_str()).collect()
    };
    let parts = PARTS.map(|(part, name)| (name, names(part)));
    let mut faults = Vec::new();
    for (place, (name, students)) in parts.iter().enumerate() {
        for (other, others) in &parts[place + 1..] {
            let both: Vec<&&str> = students.intersection(others).collect();
            if let Some(first) = both.first() {
                faults.push(format!(
                    "{} students are in {name} and in {other}, the first is {first}",
                    both.len()
                ));
            }
        }
    }
    let counts = PARTS.map(|(part, name)| format!("{} {name}", cohort.students(fold, part).len()));
    let found = format!("no student is in two parts ({} students)", counts.join(", "));
    Ok(Finding::new("students of different parts", faults, found).warn(alike(cohort, fold)))
}

/// Test students whose answers are all those of a training student.
fn alike(cohort: &dyn Cohort, fold: usize) -> Option<String> {
    let answers = cohort.answers();
    let row = |student: &u32| {
        let mine = answers.of(*student);
        (&answers.problem[mine.clone()], &answers.correct[mine])
    };
    let trained: BTreeSet<_> = cohort.students(fold, Part::Train).iter().map(row).collect();
    let test = cohort.students(fold, Part::Test);
    let count = test.iter().filter(|student| trained.contains(&row(student))).count();
    (count > 0).then(|| {
        format!(
            "{count} of {} test students answered the same problems exactly as a training student did; on short tests that happens by chance",
            test.len()
        )
    })
}

/// No asked answer is the very row that was seen; other repeats are counted.
pub fn duplicates(subject: &Subject) -> Result<Finding> {
    let (cohort, (largest, seed)) = (subject.cohort()?, subject.drawing());
    let answers = cohort.answers();
    let tasks = subject.fold.test.len() * subject.fold.test.draws();
    let (mut asked_again, mut same_row, mut asked) = (0, 0, 0);
    for sitting in cohort.sittings(subject.run.fold, Part::Test, largest, seed, 0..tasks) {
        let mut seen: HashMap<u32, Vec<usize>> = HashMap::new();
        sitting.seen.iter().for_each(|row| seen.entry(answers.problem[*row]).or_default().push(*row));
        for row in &sitting.asked {
            let before = seen.get(&answers.problem[*row]).map_or(&[][..], Vec::as_slice);
            asked_again += usize::from(!before.is_empty());
            same_row += usize::from(before.iter().any(|seen| is_same(answers, *seen, *row)));
        }
        asked += sitting.asked.len();
    }
    let mut faults = Vec::new();
    if same_row > 0 {
        faults.push(format!(
            "{same_row} of {asked} asked answers are rows that were seen: the same student, problem and time twice; leave repeated rows out \
             of the data"
        ));
    }
    let repeats = repeats(answers);
    let found = format!(
        "no asked answer is a row that was seen; {repeats} of {} answers are to a problem that the student had answered before",
        answers.problem.len()
    );
    let again = (asked_again > 0 && !cohort.in_time()).then(|| {
        format!(
            "{asked_again} of {asked} asked answers are to a problem whose other answer was seen, though the order is not taken for time"
        )
    });
    Ok(Finding::new("repeated rows", faults, found).warn(again.into_iter().chain(answers.notes.clone())))
}

/// Whether two rows of a student are the same but for their order. Without times nothing tells a second answer from a repeated row.
fn is_same(answers: &Answers, a: usize, b: usize) -> bool {
    let time = |row: usize| answers.time.get(row).copied().filter(|time| !time.is_nan());
    answers.problem[a] == answers.problem[b]
        && answers.correct[a] == answers.correct[b]
        && time(a).is_some_and(|first| time(b) == Some(first))
}

/// Answers to a problem that the student had answered before.
fn repeats(answers: &Answers) -> usize {
    (0..answers.students.len() as u32)
        .map(|student| {
            let mine = &answers.problem[answers.of(student)];
            mine.len() - mine.iter().collect::<BTreeSet<_>>().len()
        })
        .sum()
}

/// Who is left out, and which items only test students answered.
pub fn unknown(subject: &Subject) -> Result<Finding> {
    let (cohort, fold) = (subject.cohort()?, subject.run.fold);
    let answers = cohort.answers();
    let items = |part: Part| -> BTreeSet<u32> {
        let rows = cohort.divided(fold, part).into_iter().flat_map(|student| answers.of(student));
        rows.map(|row| answers.problem[row]).collect()
    };
    let (trained, tested) = (items(Part::Train), items(Part::Test));
    let new = tested.difference(&trained).count();
    let left_out = PARTS.map(|(part, name)| {
        let (all, some) = (cohort.divided(fold, part).len(), cohort.students(fold, part).len());
        format!("{} {name}", all - some)
    });
    let found = format!(
        "{new} of {} items of test students were answered by no training student; left out for too few answers are {} students",
        tested.len(),
        left_out.join(", ")
    );
    let most = (2 * new > tested.len())
        .then(|| "most items are new in the test: what was learned of items hardly matters".into());
    Ok(Finding::new("new items and students left out", Vec::new(), found).warn(most))
}
