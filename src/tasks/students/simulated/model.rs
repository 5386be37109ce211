//! The model that students are simulated from, with numbers for its skills and problems.

use rand::{RngExt, seq::index};
use rand_distr::StandardNormal;

use super::{Prerequisites, Simulated};
use crate::random::Stream;

/// Nodes of ability.
pub const NODES: usize = 15;
/// The distance of nodes, in standard deviations.
const SPACING: f64 = 0.4;
/// What mastery of a problem's skills adds to ability.
const GAIN: f64 = 3.0;
/// The share of problems with two skills.
const TWO_SKILLS: f64 = 0.25;
/// No answer is less probable, so that none is impossible.
const LEAST: f64 = 1e-6;

/// A set of skills, a bit for each.
pub type SkillSet = u16;

/// A number for each node of ability.
pub type ByAbility = [f64; NODES];

/// A problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it takes.
    pub skills: SkillSet,
    /// The ability at which those without all of its skills have even chances, but for guesses and slips.
    pub difficulty: f64,
    /// How much success depends on ability and mastery.
    pub slope: f64,
    /// The probability of a right answer without all of its skills, and with them.
    pub right: [ByAbility; 2],
}

/// A skill.
#[derive(Clone, Debug, PartialEq)]
pub struct Skill {
    /// The skill that has to be mastered before it.
    pub prerequisite: Option<usize>,
    /// The log-odds with which those of ability 0 and with the prerequisite have mastered it at the start.
    pub readiness: f64,
    /// Pairs of sets that are the same but for this skill, which can be learned in the first: their places in [`Model::states`].
    pub learned: Vec<(usize, usize)>,
}

/// The model that students are simulated from.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The skills, each after its prerequisite.
    pub skills: Vec<Skill>,
    /// The problems.
    pub items: Vec<Item>,
    /// The probability that a skill becomes mastered.
    pub learning: f64,
    /// Abilities.
    pub abilities: ByAbility,
    /// How probable they are.
    pub weights: ByAbility,
    /// The sets of skills that can be mastered, ascending.
    pub states: Vec<SkillSet>,
}

impl Model {
    /// Draws skills and problems.
    pub fn new(settings: &Simulated, stream: &mut Stream) -> Self {
        let z: ByAbility = std::array::from_fn(|node| SPACING * (node as f64 - (NODES / 2) as f64));
        let abilities = z.map(|z| settings.ability * z);
        let density = z.map(|z| (-z * z / 2.0).exp());
        let total: f64 = density.iter().sum();
        let mut skills: Vec<Skill> = (0..settings.skills)
            .map(|skill| Skill {
                prerequisite: match settings.prerequisites {
                    _ if skill == 0 => None,
                    Prerequisites::Tree => Some(stream.random_range(skill.saturating_sub(2)..skill)),
                    Prerequisites::Chain => Some(skill - 1),
                },
                readiness: stream.random_range(0.0..2.0),
                learned: Vec::new(),
            })
            .collect();
        let states = states(&skills);
        for (number, skill) in skills.iter_mut().enumerate() {
            let place = |set: SkillSet| states.binary_search(&set).ok();
            let without = states.iter().enumerate().filter(|(_, state)| *state & bit(number) == 0);
            let pairs = without.filter_map(|(before, state)| Some((before, place(state | bit(number))?)));
            skill.learned = pairs.collect();
        }
        let items = (0..settings.problems).map(|problem| Item::new(problem, settings, &abilities, stream));
        let items = items.collect();
        let weights = density.map(|density| density / total);
        Self { skills, items, learning: settings.learning, abilities, weights, states }
    }

    /// The probability of each set of skills and ability at the start: `[states][nodes]`, which sum to 1.
    pub fn start(&self) -> Vec<ByAbility> {
        let of = |state: &SkillSet| {
            std::array::from_fn(|node| {
                let skills = (0..self.skills.len()).filter(|skill| self.can_learn(*state, *skill));
                let factor = |skill| {
                    let mastered = self.mastered_at_start(skill, node);
                    if state & bit(skill) != 0 { mastered } else { 1.0 - mastered }
                };
                self.weights[node] * skills.map(factor).product::<f64>()
            })
        };
        self.states.iter().map(of).collect()
    }

    /// The probability that a skill is mastered at the start, if its prerequisite is.
    pub fn mastered_at_start(&self, skill: usize, node: usize) -> f64 {
        sigmoid(self.skills[skill].readiness + self.abilities[node])
    }

    /// Whether a skill has no prerequisite outside a set.
    pub fn can_learn(&self, mastered: SkillSet, skill: usize) -> bool {
        self.skills[skill].prerequisite.is_none_or(|prerequisite| mastered & bit(prerequisite) != 0)
    }
}

impl Item {
    /// Draws a problem; the first ones take a skill each, so that none is without a problem.
    fn new(number: usize, settings: &Simulated, abilities: &ByAbility, stream: &mut Stream) -> Self {
        let first = number % settings.skills;
        let mut skills = bit(first);
        if settings.skills > 1 && stream.random_bool(TWO_SKILLS) {
            skills |= bit((first + stream.random_range(1..settings.skills)) % settings.skills);
        }
        let difficulty = stream.random_range(-1.0..3.0);
        let slope = (0.2 + 0.3 * stream.sample::<f64, _>(StandardNormal)).exp();
        let right = [0.0, GAIN].map(|gain| {
            abilities.map(|theta| {
                let free = 1.0 - settings.guess - settings.slip;
                let right = settings.guess + free * sigmoid(slope * (theta - difficulty + gain));
                right.clamp(LEAST, 1.0 - LEAST)
            })
        });
        Self { skills, difficulty, slope, right }
    }

    /// The probability of a right answer at each ability.
    pub fn right(&self, mastered: SkillSet) -> &ByAbility {
        &self.right[usize::from(mastered & self.skills == self.skills)]
    }
}

/// The sets in which no skill is without its prerequisite, ascending.
fn states(skills: &[Skill]) -> Vec<SkillSet> {
    let mut states: Vec<SkillSet> = vec![0];
    for (number, Skill { prerequisite, .. }) in skills.iter().enumerate() {
        let ready = |state: &&SkillSet| prerequisite.is_none_or(|before| **state & bit(before) != 0);
        let more: Vec<SkillSet> = states.iter().filter(ready).map(|state| state | bit(number)).collect();
        states.extend(more); // all above those before: their highest skill is this one
    }
    states
}

/// The set of one skill.
pub fn bit(skill: usize) -> SkillSet {
    1 << skill
}

/// The numbers of the skills of a set, ascending.
pub fn members(set: SkillSet) -> impl DoubleEndedIterator<Item = usize> {
    (0..SkillSet::BITS as usize).filter(move |skill| set & bit(*skill) != 0)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Different problems in random order.
pub fn some_problems(problems: usize, answers: usize, stream: &mut Stream) -> Vec<u32> {
    index::sample(stream, problems, answers).into_iter().map(|problem| problem as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, stream};

    fn model(settings: &Simulated) -> Model {
        Model::new(settings, &mut stream(settings.seed, Purpose::Simulation, 0))
    }

    #[test]
    fn sets_that_can_be_mastered_hold_prerequisites() {
        for seed in 0..20 {
            let model = model(&Simulated { skills: 10, seed, ..Simulated::default() });
            let closed = |set: &SkillSet| members(*set).all(|skill| model.can_learn(*set, skill));
            let all: Vec<SkillSet> = (0..1 << 10).filter(closed).collect();
            assert_eq!(model.states, all);
        }
        let chain = Simulated { prerequisites: Prerequisites::Chain, ..Simulated::default() };
        assert_eq!(model(&chain).states, [0, 1, 3, 7, 15, 31, 63]);
    }

    #[test]
    fn starts_sum_to_one_and_skills_are_learned_after_their_prerequisites() {
        let model = model(&Simulated::default());
        let start = model.start();
        assert!((start.iter().flatten().sum::<f64>() - 1.0).abs() < 1e-12);
        for (number, skill) in model.skills.iter().enumerate() {
            let with = model.states.iter().filter(|state| **state & bit(number) != 0).count();
            let ready =
                model.states.iter().filter(|s| **s & bit(number) == 0 && model.can_learn(**s, number));
            assert_eq!(skill.learned.len(), ready.count());
            assert!(skill.learned.len() <= with);
            for (before, after) in &skill.learned {
                assert_eq!(model.states[*before] | bit(number), model.states[*after]);
                assert_ne!(before, after);
            }
        }
    }

    #[test]
    fn mastery_and_ability_help_and_guesses_and_slips_bound() {
        let settings = Simulated::default();
        let model = model(&settings);
        for item in &model.items {
            let [without, with] = item.right;
            assert!(without.iter().zip(&with).all(|(without, with)| without < with));
            assert!(with.is_sorted() && without.is_sorted());
            assert!(without[0] > settings.guess && with[NODES - 1] < 1.0 - settings.slip);
            assert_eq!(item.right(item.skills), &with);
            assert_eq!(item.right(0), &without);
        }
        for skill in 0..settings.skills {
            assert!(model.items.iter().any(|item| item.skills & bit(skill) != 0));
        }
    }
}
