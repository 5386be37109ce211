//! Students of a model and their answers.

use rand::RngExt;

use super::{
    Model, Simulated,
    model::{SkillSet, bit, members, some_problems},
};
use crate::{
    data::answers::Answers,
    random::{Purpose, Stream, stream},
};

/// Simulated students.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulation {
    /// What they were drawn from.
    pub model: Model,
    /// Their answers.
    pub answers: Answers,
    /// The ability of each, as a node's number.
    pub ability: Vec<usize>,
    /// Whether the answers of each were made not to fit.
    pub aberrant: Vec<bool>,
    /// The skills that each has mastered: at the start, then after each answer; all students have the same number of answers.
    mastered: Vec<SkillSet>,
}

/// How a student answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    /// As the model says.
    Fitting,
    /// By the toss of a coin from some answer on.
    Coin { from: usize },
    /// Hard problems right and easy ones wrong.
    Reversed,
}

impl Manner {
    /// Draws the same numbers whatever the share of aberrant students, so that the others remain who they are.
    fn new(settings: &Simulated, stream: &mut Stream) -> Self {
        let (lot, from) = (stream.random::<f64>(), stream.random_range(0..settings.answers.div_ceil(2)));
        match lot {
            lot if lot < settings.aberrant / 2.0 => Self::Coin { from },
            lot if lot < settings.aberrant => Self::Reversed,
            _ => Self::Fitting,
        }
    }
}

impl Simulation {
    /// Draws the model and the students; those of [`Simulated::check`]ed settings.
    pub fn new(settings: &Simulated) -> Self {
        let model = Model::new(settings, &mut stream(settings.seed, Purpose::Simulation, 0));
        let mut difficulties: Vec<f64> = model.items.iter().map(|item| item.difficulty).collect();
        difficulties.sort_by(f64::total_cmp);
        let median = difficulties[difficulties.len() / 2];
        let rows = settings.students * settings.answers;
        let mut drawn = Self {
            answers: Answers {
                students: names("student", settings.students),
                problems: names("problem", settings.problems),
                skills: names("skill", settings.skills),
                skills_of: model
                    .items
                    .iter()
                    .map(|item| members(item.skills).map(|s| s as u32).collect())
                    .collect(),
                starts: (0..=settings.students).map(|student| student * settings.answers).collect(),
                problem: Vec::with_capacity(rows),
                correct: Vec::with_capacity(rows),
                ..Answers::default()
            },
            ability: Vec::with_capacity(settings.students),
            aberrant: Vec::with_capacity(settings.students),
            mastered: Vec::with_capacity(rows + settings.students),
            model,
        };
        for student in 0..settings.students {
            drawn.add(settings, median, &mut stream(settings.seed, Purpose::Simulation, 1 + student as u64));
        }
        drawn.answers = drawn.answers.sealed();
        drawn
    }

    /// Whether a student has mastered each skill after so many answers.
    pub fn mastered(&self, student: u32, answers: usize) -> Vec<bool> {
        let each = self.mastered.len() / self.ability.len().max(1);
        let mastered = self.mastered[student as usize * each + answers.min(each - 1)];
        (0..self.model.skills.len()).map(|skill| mastered & bit(skill) != 0).collect()
    }

    fn add(&mut self, settings: &Simulated, median: f64, stream: &mut Stream) {
        let model = &self.model;
        let manner = Manner::new(settings, stream);
        let group = if stream.random() { "a" } else { "b" };
        let node = node(&model.weights, stream.random());
        let mut mastered: SkillSet = 0;
        for skill in 0..model.skills.len() {
            let lot: f64 = stream.random();
            if model.can_learn(mastered, skill) && lot < model.mastered_at_start(skill, node) {
                mastered |= bit(skill);
            }
        }
        self.mastered.push(mastered);
        for (place, problem) in
            some_problems(settings.problems, settings.answers, stream).into_iter().enumerate()
        {
            let item = &model.items[problem as usize];
            let right = match manner {
                Manner::Coin { from } if place >= from => 0.5,
                Manner::Reversed if item.difficulty > median => 1.0 - settings.slip,
                Manner::Reversed => settings.guess,
                Manner::Fitting | Manner::Coin { .. } => item.right(mastered)[node],
            };
            self.answers.correct.push(stream.random::<f64>() < right);
            self.answers.problem.push(problem);
            let before = mastered;
            for skill in members(item.skills) {
                let lot: f64 = stream.random();
                if model.can_learn(before, skill) && lot < model.learning {
                    mastered |= bit(skill);
                }
            }
            self.mastered.push(mastered);
        }
        self.answers.groups.push(Some(group.into()));
        self.ability.push(node);
        self.aberrant.push(manner != Manner::Fitting);
    }
}

/// The node of ability at which the weights so far exceed a number from 0 to 1.
fn node(weights: &[f64], lot: f64) -> usize {
    let mut sum = 0.0;
    let below = |weight: &&f64| {
        sum += **weight;
        sum <= lot
    };
    weights.iter().take_while(below).count().min(weights.len() - 1)
}

/// Names whose order as texts is that of their numbers.
fn names(what: &str, count: usize) -> Vec<String> {
    let digits = count.to_string().len();
    (1..=count).map(|number| format!("{what} {number:0digits$}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(settings: Simulated) -> Simulation {
        Simulation::new(&settings)
    }

    #[test]
    fn the_same_seed_gives_the_same_students_and_another_gives_others() {
        let some = Simulated { students: 50, ..Simulated::default() };
        let (first, again) = (drawn(some.clone()), drawn(some.clone()));
        assert_eq!(first, again);
        assert_ne!(first.answers.digest, [0; 32]);
        let other = drawn(Simulated { seed: 1, ..some.clone() });
        assert_ne!(first.answers.digest, other.answers.digest);
        let fewer = drawn(Simulated { students: 20, ..some });
        assert_eq!(first.answers.correct[..600], fewer.answers.correct);
    }

    #[test]
    fn mastery_grows_and_holds_prerequisites() {
        let Simulation { model, answers, mastered, .. } =
            &drawn(Simulated { students: 2000, ..Simulated::default() });
        assert!(mastered.iter().all(|set| model.states.contains(set)));
        let (mut learned, mut chances) = (0.0, 0.0);
        for (student, of_student) in (0..).zip(mastered.chunks(31)) {
            for (step, problem) in of_student.windows(2).zip(&answers.problem[answers.of(student)]) {
                let (before, after) = (step[0], step[1]);
                assert_eq!(before & after, before);
                let taken = model.items[*problem as usize].skills & !before;
                assert_eq!(after & !before & !taken, 0, "only what is practised is learned");
                let ready = members(taken).filter(|skill| model.can_learn(before, *skill));
                chances += ready.count() as f64;
                learned += f64::from((after & !before).count_ones());
            }
        }
        assert!((learned / chances - 0.05).abs() < 0.01, "{learned} of {chances}");
        let never = drawn(Simulated { students: 20, learning: 0.0, ..Simulated::default() });
        assert!(
            never.mastered.chunks(31).all(|of_student| of_student.windows(2).all(|step| step[0] == step[1]))
        );
    }

    #[test]
    fn what_is_mastered_is_told_by_student_and_time() {
        let simulation = drawn(Simulated { students: 10, ..Simulated::default() });
        for (student, after) in [(0, 0), (3, 7), (9, 30)] {
            let set = simulation.mastered[student * 31 + after];
            let told = simulation.mastered(student as u32, after);
            assert!(told.iter().enumerate().all(|(skill, told)| *told == (set & bit(skill) != 0)));
            assert_eq!(told.len(), 6);
        }
    }

    #[test]
    fn answers_are_as_readers_would_give_them() {
        let Answers { students, groups, problems, skills, skills_of, starts, problem, correct, .. } =
            drawn(Simulated { students: 12, problems: 100, ..Simulated::default() }).answers;
        assert!([&students, &problems, &skills].iter().all(|names| names.is_sorted()));
        assert_eq!(
            (students[0].as_str(), problems[99].as_str(), skills[5].as_str()),
            ("student 01", "problem 100", "skill 6")
        );
        assert_eq!((starts[12], problem.len(), correct.len(), groups.len()), (360, 360, 360, 12));
        assert!(skills_of.iter().all(|skills| (1..=2).contains(&skills.len()) && skills.is_sorted()));
        for mut of_student in problem.chunks(30).map(<[u32]>::to_vec) {
            of_student.sort_unstable();
            of_student.dedup();
            assert_eq!(of_student.len(), 30);
        }
        assert!(groups.contains(&Some("a".into())) && groups.contains(&Some("b".into())));
    }

    #[test]
    fn some_are_aberrant_and_the_others_remain_as_they_were() {
        let all = Simulated { students: 1000, ..Simulated::default() };
        let (none, some) = (drawn(all.clone()), drawn(Simulated { aberrant: 0.2, ..all.clone() }));
        assert!(!none.aberrant.contains(&true));
        let count = some.aberrant.iter().filter(|aberrant| **aberrant).count();
        assert!((160..=240).contains(&count), "{count}");
        for (student, aberrant) in (0..).zip(&some.aberrant) {
            let same = none.answers.correct[none.answers.of(student)]
                == some.answers.correct[some.answers.of(student)];
            assert_ne!(same, *aberrant, "student {student}");
        }
        assert_eq!(none.mastered, some.mastered);
        assert!(drawn(Simulated { aberrant: 1.0, ..all }).aberrant.iter().all(|aberrant| *aberrant));
    }
}
