//! The best possible prediction of simulated students: Bayes' rule over all sets of skills and abilities, forwards and backwards through a
//! student's answers (Rabiner 1989, https://doi.org/10.1109/5.18626).

use super::simulated::model::{ByAbility, Model, NODES, SkillSet, bit, members};

/// How probable each set of skills is with each ability: `[states][nodes]`, up to a factor.
type Table = Vec<ByAbility>;

/// What is known of a student after some answers.
#[derive(Clone, Debug)]
pub struct Belief<'a> {
    model: &'a Model,
    table: Table,
}

impl Model {
    /// The probability that each answer is right, given those of the others that are seen, before and after it. All problems are known, and
    /// are learned from whether their answers are seen or not.
    ///
    /// `seen` holds whether an answer was right for each of `problems`, or nothing where it is not seen.
    pub fn predict(&self, problems: &[u32], seen: &[Option<bool>]) -> Vec<f64> {
        let answers: Vec<(u32, Option<bool>)> = problems.iter().copied().zip(seen.iter().copied()).collect();
        let mut before: Vec<Table> = Vec::with_capacity(answers.len());
        let mut table = self.start();
        for (problem, right) in &answers {
            before.push(table.clone());
            self.observe(&mut table, *problem, *right);
            self.practise(&mut table, *problem);
        }
        let mut after = vec![[1.0; NODES]; self.states.len()];
        let mut predicted = vec![0.0; answers.len()];
        for (place, (problem, right)) in answers.iter().enumerate().rev() {
            self.look_back(&mut after, *problem);
            predicted[place] = self.right(&before[place], &after, *problem);
            self.observe(&mut after, *problem, *right);
        }
        predicted
    }

    /// What is known of a student after answers to `problems`, of which those are seen for which `seen` says whether they were right.
    pub fn belief(&self, problems: &[u32], seen: &[Option<bool>]) -> Belief<'_> {
        let mut table = self.start();
        for (problem, right) in problems.iter().zip(seen) {
            self.observe(&mut table, *problem, *right);
            self.practise(&mut table, *problem);
        }
        Belief { model: self, table }
    }

    /// Multiplies by the probability of an answer, if it is seen, and scales so that the largest number is 1.
    fn observe(&self, table: &mut Table, problem: u32, right: Option<bool>) {
        let Some(right) = right else { return };
        let item = &self.items[problem as usize];
        let mut largest: f64 = 0.0;
        for (state, row) in self.states.iter().zip(table.iter_mut()) {
            for (number, chance) in row.iter_mut().zip(item.right(*state)) {
                *number *= if right { *chance } else { 1.0 - chance };
                largest = largest.max(*number);
            }
        }
        table.iter_mut().flatten().for_each(|number| *number /= largest);
    }

    /// Moves what is learned from a problem to the sets with it. A skill goes before its prerequisite, which had to be there already.
    fn practise(&self, table: &mut Table, problem: u32) {
        for skill in members(self.items[problem as usize].skills).rev() {
            for (before, after) in &self.skills[skill].learned {
                let ready = table[*before];
                table[*before] = ready.map(|number| (1.0 - self.learning) * number);
                for (number, ready) in table[*after].iter_mut().zip(ready) {
                    *number += self.learning * ready;
                }
            }
        }
    }

    /// The probability of what is seen later, from that given the sets after a problem to that given the sets before: [`Self::practise`]
    /// turned round.
    fn look_back(&self, later: &mut Table, problem: u32) {
        for skill in members(self.items[problem as usize].skills) {
            for (before, after) in &self.skills[skill].learned {
                let learned = later[*after];
                for (number, learned) in later[*before].iter_mut().zip(learned) {
                    *number += self.learning * (learned - *number);
                }
            }
        }
    }

    /// The mean probability of a right answer, where tables of what was seen before and is seen later are multiplied.
    fn right(&self, before: &Table, later: &Table, problem: u32) -> f64 {
        let item = &self.items[problem as usize];
        let (mut right, mut total) = (0.0, 0.0);
        for (state, (before, later)) in self.states.iter().zip(before.iter().zip(later)) {
            for ((before, later), chance) in before.iter().zip(later).zip(item.right(*state)) {
                right += before * later * chance;
                total += before * later;
            }
        }
        right / total
    }
}

impl Belief<'_> {
    /// The probability that an answer to a problem is right, were it asked next.
    pub fn right(&self, problem: u32) -> f64 {
        self.mean(|state, node| self.model.items[problem as usize].right(state)[node])
    }

    /// The probability that each skill is mastered.
    pub fn mastered(&self) -> Vec<f64> {
        let skills = 0..self.model.skills.len();
        skills.map(|skill| self.mean(|state, _| f64::from(u8::from(state & bit(skill) != 0)))).collect()
    }

    /// The mean ability.
    pub fn ability(&self) -> f64 {
        self.mean(|_, node| self.model.abilities[node])
    }

    fn mean(&self, of: impl Fn(SkillSet, usize) -> f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (state, row) in self.model.states.iter().zip(&self.table) {
            for (node, probability) in row.iter().enumerate() {
                sum += probability * of(*state, node);
                total += probability;
            }
        }
        sum / total
    }
}

#[cfg(test)]
mod tests {
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
        let ready =
            |set, skill: usize| model.skills[skill].prerequisite.is_none_or(|before| has(set, before));
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
        let settings = Simulated {
            problems: 4,
            skills: 3,
            guess: 0.2,
            slip: 0.1,
            learning: 0.3,
            ..Simulated::default()
        };
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
                assert!(
                    (predicted - expected).abs() < 1e-12,
                    "{seen:?} at {place}: {predicted}, not {expected}"
                );
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
}
