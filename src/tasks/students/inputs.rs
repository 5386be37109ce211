//! What a network sees of an answer: which item was asked, of which skills, and where it stood. Nothing of the student: that is what
//! adaptation is for.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::data::answers::Answers;

/// What a row of input holds beside the item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct InputsSpec {
    /// The item's skills; without a word where a skill has several items.
    #[garde(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skills: Option<bool>,
    /// How difficult the item was for the training students: the logit of their share of wrong answers.
    #[garde(skip)]
    pub difficulty: bool,
    /// How many answers came before it, as a share of the longest row of answers.
    #[garde(skip)]
    pub position: bool,
}

/// Columns of a row: one for each item, then for each skill, then numbers.
///
/// A learned first layer has a vector for each column: the embedding of an item, or of a skill. An item that the training students did not
/// answer stands there as the mean of those of its skills, without such as the mean of all items.
pub struct Inputs {
    /// D.
    pub width: usize,
    /// Columns of items.
    pub items: usize,
    /// The columns of each problem that are not 0, with their values.
    of_problem: Vec<Vec<(usize, f32)>>,
    /// The column of the position, if there is one.
    position: Option<usize>,
    /// Problems that stand for themselves, for an unknown one of known skills, and for others.
    pub known: [usize; 3],
}

impl Inputs {
    /// Columns for the problems that have one, where so many answers of training students `(problem, right)` are known.
    pub fn new(
        spec: InputsSpec,
        answers: &Answers,
        columns: &[Option<usize>],
        training: &[[u32; 2]],
        known_from: u32,
    ) -> Self {
        let items = columns.iter().flatten().count();
        let skills = match spec.skills {
            Some(skills) => skills,
            None => has_shared_skills(answers),
        };
        let of_skills = if skills { answers.skills.len() } else { 0 };
        let difficulty = spec.difficulty.then_some(items + of_skills);
        let position = spec.position.then_some(items + of_skills + usize::from(spec.difficulty));
        let seen = |problem: usize| training[problem][0] >= known_from.max(1) && columns[problem].is_some();
        let mut of_skill = vec![Vec::new(); answers.skills.len()];
        let mut all = Vec::new();
        for problem in (0..columns.len()).filter(|problem| seen(*problem)) {
            all.push(problem);
            answers.skills_of[problem].iter().for_each(|skill| of_skill[*skill as usize].push(problem));
        }
        let mut known = [0; 3];
        let of_problem = (0..columns.len()).map(|problem| {
            let mine = &answers.skills_of[problem];
            let stand_in: Vec<usize> = if seen(problem) {
                vec![problem]
            } else {
                mine.iter().flat_map(|skill| of_skill[*skill as usize].iter().copied()).collect()
            };
            known[if seen(problem) { 0 } else { 1 + usize::from(stand_in.is_empty()) }] += 1;
            let stand_in = if stand_in.is_empty() { &all } else { &stand_in };
            let share = 1.0 / stand_in.len().max(1) as f32;
            let mut row: Vec<(usize, f32)> = Vec::new();
            let mut columns_of: Vec<usize> = stand_in.iter().filter_map(|item| columns[*item]).collect();
            columns_of.sort_unstable();
            for column in columns_of {
                match row.last_mut() {
                    Some((last, value)) if *last == column => *value += share, // of several skills
                    _ => row.push((column, share)),
                }
            }
            if skills {
                row.extend(mine.iter().map(|skill| (items + *skill as usize, 1.0)));
            }
            if let Some(column) = difficulty {
                let (count, right) = stand_in.iter().fold((0, 0), |(count, right), item| {
                    (count + training[*item][0], right + training[*item][1])
                });
                let wrong = f64::from(count - right) + 0.5;
                row.push((column, (wrong / (f64::from(right) + 0.5)).ln() as f32));
            }
            row
        });
        let of_problem = of_problem.collect();
        let width = items + of_skills + usize::from(spec.difficulty) + usize::from(spec.position);
        Self { width, items, of_problem, position, known }
    }

    /// Writes the row of an answer to a problem, at a place in the student's answers as a share of the longest, into zeros `[D]`.
    pub fn write(&self, problem: u32, place: f32, row: &mut [f32]) {
        for (column, value) in &self.of_problem[problem as usize] {
            row[*column] = *value;
        }
        if let Some(position) = self.position {
            row[position] = place;
        }
    }

    /// The rows of all problems `[P, D]`, each at this place.
    pub fn all(&self, place: f32) -> Tensor {
        let mut x = vec![0f32; self.of_problem.len() * self.width];
        for (problem, row) in (0..).zip(x.chunks_mut(self.width)) {
            self.write(problem, place, row);
        }
        Tensor::from_slice(&x).reshape([self.of_problem.len() as i64, self.width as i64])
    }
}

/// Whether any skill has several problems, so that it says something that the problem does not.
fn has_shared_skills(answers: &Answers) -> bool {
    let mut problems = vec![0; answers.skills.len()];
    answers.skills_of.iter().flatten().for_each(|skill| problems[*skill as usize] += 1);
    problems.iter().any(|count| *count > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Problems 0 and 1 of skill 0, 2 of skills 0 and 1, 3 of skill 1, 4 of none.
    fn answers() -> Answers {
        Answers {
            problems: (0..5).map(|problem| problem.to_string()).collect(),
            skills: vec!["a".into(), "b".into()],
            skills_of: vec![vec![0], vec![0], vec![0, 1], vec![1], vec![]],
            ..Answers::default()
        }
    }

    fn row(inputs: &Inputs, problem: u32) -> Vec<f32> {
        let mut row = vec![0.0; inputs.width];
        inputs.write(problem, 0.5, &mut row);
        row
    }

    #[test]
    fn an_unknown_item_is_the_mean_of_its_skills_items_or_of_all() {
        let spec = InputsSpec { skills: Some(false), ..InputsSpec::default() };
        let columns: Vec<Option<usize>> = (0..5).map(Some).collect();
        let inputs = Inputs::new(spec, &answers(), &columns, &[[9, 3], [9, 3], [0, 0], [9, 3], [0, 0]], 1);
        assert_eq!((inputs.width, inputs.items, inputs.known), (5, 5, [3, 1, 1]));
        assert_eq!(row(&inputs, 1), [0.0, 1.0, 0.0, 0.0, 0.0]);
        let third = 1.0 / 3.0;
        assert_eq!(
            row(&inputs, 2),
            [third, third, 0.0, third, 0.0],
            "0 and 1 by the one skill, 3 by the other"
        );
        assert_eq!(row(&inputs, 4), [third, third, 0.0, third, 0.0], "all that are known");
        let rare = Inputs::new(spec, &answers(), &columns, &[[9, 3], [2, 1], [0, 0], [9, 3], [0, 0]], 5);
        assert_eq!(row(&rare, 1), [1.0, 0.0, 0.0, 0.0, 0.0], "too few answers to be known");
    }

    #[test]
    fn skills_difficulty_and_position_have_columns_of_their_own() {
        let spec = InputsSpec { skills: None, difficulty: true, position: true };
        let columns: Vec<Option<usize>> = (0..5).map(Some).collect();
        let inputs = Inputs::new(spec, &answers(), &columns, &[[9, 0], [9, 9], [9, 3], [9, 3], [9, 3]], 1);
        assert_eq!(inputs.width, 5 + 2 + 2);
        let of = |problem| row(&inputs, problem)[5..].to_vec();
        assert_eq!((of(2)[..2].to_vec(), of(2)[3]), (vec![1.0, 1.0], 0.5));
        assert!(of(0)[2] > 2.0 && of(1)[2] < -2.0, "nobody and everybody was right");
        let alone = Answers { skills_of: vec![vec![0], vec![1], vec![], vec![], vec![]], ..answers() };
        assert!(!has_shared_skills(&alone), "then a skill says nothing that the item does not");
    }
}
