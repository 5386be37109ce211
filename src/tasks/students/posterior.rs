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
mod tests;
