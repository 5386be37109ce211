use super::*;
use crate::{
    random::{Purpose, stream},
    tasks::students::simulated::{Simulated, Simulation},
};

/// What may have happened to a student: ability, the skills mastered before each answer and after the last, and its probability.
struct Path {
    node: usize,
    mastered: Vec<SkillSet>,
    probability: f64,
}

/// Every path there is, by the definition of the model.
fn paths(model: &Model, problems: &[u32]) -> Vec<Path> {
    let skills = model.skills.len();
    let has = |set: SkillSet, skill: usize| set & bit(skill) != 0;
    let ready = |set, skill: usize| model.skills[skill].prerequisite.is_none_or(|before| has(set, before));
    let mut paths = Vec::new();
    for (node, weight) in model.weights.iter().enumerate() {
        for start in 0..1 << skills {
            let factor = |skill: usize| {
                let p = 1.0 / (1.0 + (-model.skills[skill].readiness - model.abilities[node]).exp());
                match (ready(start, skill), has(start, skill)) {
                    (true, true) => p,
                    (true, false) => 1.0 - p,
                    (false, mastered) => f64::from(u8::from(!mastered)),
                }
            };
            let probability = weight * (0..skills).map(factor).product::<f64>();
            paths.push(Path { node, mastered: vec![start], probability });
        }
    }
    for problem in problems {
        let step = |path: &Path| {
            let before = path.mastered[path.mastered.len() - 1];
            let factor = |after: SkillSet, skill: usize| {
                let taken = has(model.items[*problem as usize].skills, skill);
                let p = if taken && ready(before, skill) { model.learning } else { 0.0 };
                match (has(before, skill), has(after, skill)) {
                    (true, stays) => f64::from(u8::from(stays)),
                    (false, true) => p,
                    (false, false) => 1.0 - p,
                }
            };
            let path = |after| Path {
                node: path.node,
                mastered: [path.mastered.as_slice(), &[after]].concat(),
                probability: path.probability
                    * (0..skills).map(|skill| factor(after, skill)).product::<f64>(),
            };
            (0..1 << skills).map(path).filter(|path| path.probability > 0.0).collect::<Vec<_>>()
        };
        paths = paths.iter().flat_map(step).collect();
    }
    paths
}

/// The mean of something over paths, given the seen answers but the one at `except`.
fn mean(
    model: &Model,
    (problems, seen): (&[u32], &[Option<bool>]),
    except: Option<usize>,
    of: impl Fn(&Path) -> f64,
) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for path in paths(model, problems) {
        let mut weight = path.probability;
        for (place, seen) in seen.iter().enumerate().filter(|(place, _)| Some(*place) != except) {
            let right = chance(model, problems[place], &path, place);
            weight *= seen.map_or(1.0, |seen| if seen { right } else { 1.0 - right });
        }
        sum += weight * of(&path);
        total += weight;
    }
    sum / total
}

fn chance(model: &Model, problem: u32, path: &Path, place: usize) -> f64 {
    let item = &model.items[problem as usize];
    let gain = if path.mastered[place] & item.skills == item.skills { 3.0 } else { 0.0 };
    let logit = item.slope * (model.abilities[path.node] - item.difficulty + gain);
    0.2 + (1.0 - 0.2 - 0.1) / (1.0 + (-logit).exp())
}

fn tiny() -> Model {
    let settings =
        Simulated { problems: 4, skills: 3, guess: 0.2, slip: 0.1, learning: 0.3, ..Simulated::default() };
    let mut model = Model::new(&settings, &mut stream(0, Purpose::Simulation, 0));
    model.items[1].skills = bit(0) | bit(1); // one is the other's prerequisite
    model.items[3].skills = bit(1) | bit(2);
    model
}

const PROBLEMS: [u32; 4] = [1, 3, 0, 2];
const SEEN: [[Option<bool>; 4]; 6] = [
    [None, None, None, None],
    [Some(true), None, None, None],
    [Some(false), Some(true), None, None],
    [None, None, Some(false), Some(true)],
    [Some(true), None, None, Some(false)],
    [Some(false), Some(true), Some(true), Some(false)],
];

#[test]
fn predictions_are_those_of_enumerating_all_that_may_have_happened() {
    let model = tiny();
    assert_eq!(model.skills[1].prerequisite, Some(0));
    for seen in SEEN {
        let predicted = model.predict(&PROBLEMS, &seen);
        for (place, predicted) in predicted.into_iter().enumerate() {
            let right = |path: &Path| chance(&model, PROBLEMS[place], path, place);
            let expected = mean(&model, (&PROBLEMS, &seen), Some(place), right);
            assert!((predicted - expected).abs() < 1e-12, "{seen:?} at {place}: {predicted}, not {expected}");
        }
    }
}

#[test]
fn beliefs_are_those_of_enumerating_all_that_may_have_happened() {
    let model = tiny();
    for seen in SEEN {
        let belief = model.belief(&PROBLEMS, &seen);
        let mut pairs: Vec<(f64, f64)> = (0..4)
            .map(|problem| {
                let right = |path: &Path| chance(&model, problem, path, 4);
                (belief.right(problem), mean(&model, (&PROBLEMS, &seen), None, right))
            })
            .collect();
        for (skill, mastered) in belief.mastered().into_iter().enumerate() {
            let last = |path: &Path| f64::from(u8::from(path.mastered[4] & bit(skill) != 0));
            pairs.push((mastered, mean(&model, (&PROBLEMS, &seen), None, last)));
        }
        let ability = |path: &Path| model.abilities[path.node];
        pairs.push((belief.ability(), mean(&model, (&PROBLEMS, &seen), None, ability)));
        for (ours, expected) in pairs {
            assert!((ours - expected).abs() < 1e-12, "{seen:?}: {ours}, not {expected}");
        }
    }
}

#[test]
fn an_answer_asked_next_is_predicted_as_one_that_comes_later() {
    let Simulation { model, answers, .. } =
        Simulation::new(&Simulated { students: 1, ..Simulated::default() });
    let mut seen: Vec<Option<bool>> = answers.correct.iter().copied().map(Some).collect();
    seen[10..].fill(None);
    let predicted = model.predict(&answers.problem, &seen)[10];
    let next = model.belief(&answers.problem[..10], &seen[..10]).right(answers.problem[10]);
    assert!((predicted - next).abs() < 1e-12);
}

/// Predicted probabilities and answers of 4000 simulated students of whom the first answers are seen.
fn predictions(settings: &Simulated, shots: usize) -> Vec<(f64, bool)> {
    let Simulation { model, answers, .. } =
        Simulation::new(&Simulated { students: 4000, ..settings.clone() });
    let of_student = |student: u32| {
        let (problems, correct) =
            (&answers.problem[answers.of(student)], &answers.correct[answers.of(student)]);
        let seen: Vec<Option<bool>> =
            correct.iter().enumerate().map(|(place, right)| (place < shots).then_some(*right)).collect();
        let predicted = model.predict(problems, &seen);
        predicted.into_iter().zip(correct.iter().copied()).skip(shots).collect::<Vec<_>>()
    };
    (0..4000).flat_map(of_student).collect()
}

/// The mean over answers of what is said of a prediction and whether the answer was right.
fn over(predictions: &[(f64, bool)], of: impl Fn(f64, bool) -> f64) -> f64 {
    predictions.iter().map(|(p, right)| of(*p, *right)).sum::<f64>() / predictions.len() as f64
}

fn log_loss(predictions: &[(f64, bool)]) -> f64 {
    over(predictions, |p, right| if right { -p.ln() } else { -(1.0 - p).ln() })
}

#[test]
fn predictions_are_calibrated_and_as_sure_as_they_say() {
    for shots in [1, 10] {
        let predictions = predictions(&Simulated::default(), shots);
        let error: f64 = (0..10)
            .map(|bin| {
                let inside = |p: f64| ((p * 10.0) as usize).min(9) == bin;
                let off = |p, right| if inside(p) { p - f64::from(u8::from(right)) } else { 0.0 };
                over(&predictions, off).abs()
            })
            .sum();
        assert!(error < 0.01, "{shots} answers: {error}");
        let entropy = over(&predictions, |p, _| -p * p.ln() - (1.0 - p) * (1.0 - p).ln());
        assert!((log_loss(&predictions) - entropy).abs() < 0.01, "{shots} answers: {entropy}");
    }
}

#[test]
fn more_answers_make_predictions_better() {
    let losses = [0, 1, 5, 10, 20].map(|shots| log_loss(&predictions(&Simulated::default(), shots)));
    assert!(losses.windows(2).all(|losses| losses[1] < losses[0] - 0.005), "{losses:?}");
}

#[test]
fn answers_that_cannot_be_are_predicted_nonetheless() {
    let settings = Simulated {
        answers: 200,
        problems: 200,
        guess: 0.0,
        slip: 0.0,
        ability: 10.0,
        aberrant: 1.0,
        ..Simulated::default()
    };
    assert!(log_loss(&predictions(&settings, 100)).is_finite());
}
