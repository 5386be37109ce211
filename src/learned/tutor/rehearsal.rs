//! A tutor among the run's validation or test students, whose answers are known: each is asked one question after the other, and then how she answers others
//! is predicted.
//!
//! The protocol is that of Ghosh & Lan 2021 (https://arxiv.org/abs/2108.07386): a random fifth of a student's answers is set apart and
//! predicted; questions are chosen among the others.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use rand::{RngExt, seq::SliceRandom};

use super::{
    Tutor,
    asking::{Learner, Policy},
};
use crate::{
    measures::{Auc, LogLoss, Measure, Predictions},
    misuse::misuse,
    random::stream,
    tasks::{Part, cohort::Given},
};

/// Students who are asked at once.
const AT_ONCE: usize = 16;

/// How questions are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// At random.
    Random,
    /// By what they tell.
    Chosen,
}

/// What came of so many questions.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How many were asked.
    pub asked: usize,
    /// The area under the ROC curve over the answers that were set apart.
    pub auc: f64,
    /// Their mean log loss over students.
    pub log_loss: f64,
    /// The share of the students who were asked the question that was asked most.
    pub most_asked: f64,
    /// The mean share of questions that two students have in common.
    pub overlap: f64,
}

/// A student.
struct Sitter {
    /// Her answers that may be asked.
    pool: Vec<Given>,
    /// Those that were.
    given: Vec<Given>,
    /// Those that are predicted.
    set_apart: Vec<Given>,
}

/// Asks every student of a part with enough answers; `None` when the user stops it, else the outcomes, and how many students they are of.
///
/// # Errors
/// A `Misuse` where no student has enough answers; the network's output is none.
pub fn rehearse(
    tutor: &Tutor,
    part: Part,
    policy: &Policy,
    way: Way,
    asked: &[usize],
    stop: &AtomicBool,
    mut progress: impl FnMut(usize),
) -> Result<Option<(Vec<Outcome>, usize)>> {
    let cohort = tutor.cohort()?;
    let (answers, fold) = (cohort.answers(), tutor.fold());
    let most = asked.iter().copied().max().unwrap_or(0);
    let sitter = |student: &u32| {
        let mut all: Vec<Given> =
            answers.of(*student).map(|row| (answers.problem[row], answers.correct[row])).collect();
        all.sort_unstable();
        all.dedup_by_key(|(problem, _)| *problem); // of a problem that she answered often, one answer
        let mut draw = stream(tutor.learned.experiment.evaluate.seed, part.purpose(), u64::from(*student));
        all.shuffle(&mut draw);
        let pool = all.split_off(all.len().div_ceil(5));
        Sitter { pool, given: Vec::new(), set_apart: all }
    };
    let mut sitters: Vec<Sitter> = cohort.students(fold, part).iter().map(sitter).collect();
    sitters.retain(|sitter| sitter.pool.len() >= most);
    if sitters.is_empty() {
        misuse!(
            "no such student has {most} answers beside a fifth that is set apart: ask fewer with --asked"
        );
    }
    let mut times = vec![0u32; answers.problems.len()];
    let mut draw = stream(tutor.seed(), part.purpose(), u64::MAX);
    let (count, mut outcomes) = (sitters.len(), Vec::new());
    for number in 0..most {
        for (chunk, group) in sitters.chunks_mut(AT_ONCE).enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            // As many students have come as would have, had each been asked all her questions before the next one came.
            let students = if number == 0 { chunk * AT_ONCE + group.len() } else { count };
            let questions = match way {
                Way::Random => None,
                Way::Chosen => {
                    let learner = |sitter: &'_ Sitter| {
                        let unasked: Vec<u32> = sitter
                            .pool
                            .iter()
                            .filter(|answer| !sitter.given.contains(answer))
                            .map(|(problem, _)| *problem)
                            .collect();
                        let apart = sitter.set_apart.iter().map(|(problem, _)| *problem);
                        let open = unasked.iter().copied().chain(apart).collect();
                        let given = &sitter.given;
                        let candidates =
                            policy.candidates(&unasked, given, &answers.skills_of, &times, students);
                        (candidates, open)
                    };
                    let learners: Vec<Learner> = group
                        .iter()
                        .map(|sitter| {
                            let (candidates, open) = learner(sitter);
                            Learner { given: &sitter.given, candidates, open }
                        })
                        .collect();
                    Some(tutor.questions(&learners)?)
                }
            };
            for (place, sitter) in group.iter_mut().enumerate() {
                let chosen = questions.as_ref().and_then(|questions| {
                    // Others of the group were asked meanwhile.
                    let mut some = questions[place].clone();
                    some.retain(|question| policy.may_ask(question.problem, &times, students));
                    policy.choose(if some.is_empty() { &questions[place] } else { &some })
                });
                let answer = match chosen {
                    Some(question) => {
                        sitter.pool.iter().find(|(problem, _)| *problem == question.problem).copied()
                    }
                    None => {
                        let left: Vec<Given> = sitter
                            .pool
                            .iter()
                            .filter(|answer| !sitter.given.contains(answer))
                            .copied()
                            .collect();
                        left.get(draw.random_range(0..left.len().max(1))).copied()
                    }
                };
                if let Some(answer) = answer {
                    sitter.given.push(answer);
                    times[answer.0 as usize] += 1;
                }
            }
            progress(group.len());
        }
        if asked.contains(&(number + 1)) {
            outcomes.push(outcome(tutor, &sitters, &times, number + 1)?);
        }
    }
    Ok(Some((outcomes, count)))
}

/// How well the answers that were set apart are predicted now.
fn outcome(tutor: &Tutor, sitters: &[Sitter], times: &[u32], asked: usize) -> Result<Outcome> {
    let given: Vec<Vec<Given>> = sitters.iter().map(|sitter| sitter.given.clone()).collect();
    let success = tutor.success(&given)?;
    let queries = sitters.iter().map(|sitter| sitter.set_apart.len()).max().unwrap_or(0);
    let mut predictions = Predictions { episodes: sitters.len(), queries, ..Predictions::default() };
    let mut weights = Vec::new();
    for (sitter, success) in sitters.iter().zip(&success) {
        let logit = |p: f32| (f64::from(p) / (1.0 - f64::from(p)).max(f64::MIN_POSITIVE)).ln() as f32;
        let padding = std::iter::repeat_n(0.0, queries - sitter.set_apart.len());
        let outputs = sitter.set_apart.iter().map(|(problem, _)| logit(success[*problem as usize]));
        predictions.outputs.extend(outputs.chain(padding.clone()));
        let targets = sitter.set_apart.iter().map(|(_, right)| f32::from(u8::from(*right)));
        predictions.targets.extend(targets.chain(padding.clone()));
        weights.extend(sitter.set_apart.iter().map(|_| 1.0).chain(padding));
    }
    predictions.weights = Some(weights);
    let students = sitters.len() as f64;
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / students;
    let (most, pairs) = (times.iter().max().copied().unwrap_or(0), students * (students - 1.0).max(1.0));
    // Of all ordered pairs of students, those who share a question, summed over the questions.
    let shared: f64 = times.iter().map(|times| f64::from(*times) * (f64::from(*times) - 1.0).max(0.0)).sum();
    Ok(Outcome {
        asked,
        auc: mean(Auc.of_each(&predictions)),
        log_loss: mean(LogLoss.of_each(&predictions)),
        most_asked: f64::from(most) / students,
        overlap: shared / pairs / asked as f64,
    })
}
