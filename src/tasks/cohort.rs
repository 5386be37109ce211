//! The students behind tasks, as an audit and a tutor look at them: who is in which part, what a task sees and asks, the same tasks of other
//! answers, and tasks of somebody new.

use std::ops::Range;

use anyhow::Result;
use tch::Tensor;

use super::{Episode, FreezableSource, Part};
use crate::data::answers::Answers;

/// A student in a task, by the rows of [`Answers`] that it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sitting {
    /// Her number among all students.
    pub student: u32,
    /// The answers that are seen, in the order in which they are.
    pub seen: Vec<usize>,
    /// The answers that are asked, in the order of her answers. The query row of an episode for each of her answers is its place among all of
    /// hers, `row - answers.of(student).start`.
    pub asked: Vec<usize>,
}

/// An answer of somebody who need not be among the students: the number of the problem, and whether it was right.
pub type Given = (u32, bool);

/// What success is told for: skills, or problems where no skill has several.
pub struct Skills {
    /// Their names.
    pub names: Vec<String>,
    /// The numbers of the problems of each.
    pub problems: Vec<Vec<usize>>,
}

/// Students, divided into parts, from whose answers tasks are made.
pub trait Cohort: Sync {
    /// All answers.
    fn answers(&self) -> &Answers;

    /// Whether the order of a student's answers is taken for time.
    fn in_time(&self) -> bool;

    /// Who is in a part of a fold, whether or not she has enough answers to be in a task.
    fn divided(&self, fold: usize, part: Part) -> Vec<u32>;

    /// Who is in the tasks of a part of a fold.
    fn students(&self, fold: usize, part: Part) -> &[u32];

    /// What some tasks of a part of a fold are made of: of validation and test those of the frozen episodes with so many shots.
    fn sittings(&self, fold: usize, part: Part, shots: usize, seed: u64, tasks: Range<usize>)
    -> Vec<Sitting>;

    /// The test tasks of a fold if the same students had given other answers to the same problems. All that is computed from answers is computed
    /// anew.
    ///
    /// # Errors
    /// There are none with so many shots.
    fn altered(
        &self,
        answers: Answers,
        fold: usize,
        shots: usize,
        seed: u64,
    ) -> Result<Box<dyn FreezableSource>>;

    /// What success is told for.
    fn skills(&self) -> Skills;

    /// Tasks of anybody, of whom these answers are seen and nothing is asked: x `[T, K, D]` for K answers at most, with weights.
    fn seen(&self, fold: usize, given: &[Vec<Given>]) -> Episode;

    /// Every problem, asked after so many answers: `[P, D]`.
    fn problems(&self, fold: usize, after: usize) -> Tensor;
}
