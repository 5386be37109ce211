//! Answers of students to problems, and readers for the forms that they come in.

mod arrange;
mod assistments;
pub(super) mod cells;
mod columns;
mod gather;
mod long;
mod names;
mod pykt;
mod q_matrix;
mod spec;
#[cfg(test)]
mod tests;

use std::ops::Range;

use sha2::{Digest, Sha256};

pub use assistments::Assistments;
pub use long::{ColumnNames, LongCsv};
pub use pykt::Pykt;
pub use spec::AnswersSpec;

/// Answers of students to problems, as columns: the rows of student u are `starts[u]..starts[u + 1]`, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Names, in the order of their bytes.
    pub students: Vec<String>,
    /// Of each student, gender or school for example; empty where the file says nothing of groups.
    pub groups: Vec<Option<String>>,
    /// Names, in the order of their bytes.
    pub problems: Vec<String>,
    /// Names, in the order of their bytes.
    pub skills: Vec<String>,
    /// Numbers of the skills of each problem, ascending; none of a problem without skills.
    pub skills_of: Vec<Vec<u32>>,
    /// The first row of each student, and the number of rows.
    pub starts: Vec<usize>,
    /// Number of the problem of each row.
    pub problem: Vec<u32>,
    /// Whether the answer of each row was right.
    pub correct: Vec<bool>,
    /// Seconds, NaN where a row has none; empty where the file has none.
    pub time: Vec<f64>,
    /// Milliseconds that the answer took, NaN where a row has none; empty where the file has none.
    pub latency: Vec<f32>,
    /// What was merged, left out and counted, in one plain sentence each.
    pub notes: Vec<String>,
    /// SHA-256 of all of this but the notes, whatever form the file has.
    pub digest: [u8; 32],
}

impl Answers {
    /// The rows of a student.
    pub fn of(&self, student: u32) -> Range<usize> {
        self.starts[student as usize]..self.starts[student as usize + 1]
    }

    /// With the last note and the digest.
    pub(crate) fn sealed(mut self) -> Self {
        let without = self.skills_of.iter().filter(|skills| skills.is_empty()).count();
        if without > 0 {
            self.notes.push(format!("{without} of {} problems have no skill", self.problems.len()));
        }
        let mut hash = Sha256::new();
        for names in [&self.students, &self.problems, &self.skills] {
            hash.update((names.len() as u64).to_le_bytes());
            names.iter().for_each(|name| text(&mut hash, name));
        }
        hash.update((self.groups.len() as u64).to_le_bytes());
        for group in &self.groups {
            hash.update([u8::from(group.is_some())]);
            text(&mut hash, group.as_deref().unwrap_or_default());
        }
        for skills in &self.skills_of {
            hash.update((skills.len() as u64).to_le_bytes());
            skills.iter().for_each(|skill| hash.update(skill.to_le_bytes()));
        }
        self.starts.iter().for_each(|start| hash.update((*start as u64).to_le_bytes()));
        self.problem.iter().for_each(|problem| hash.update(problem.to_le_bytes()));
        self.correct.iter().for_each(|correct| hash.update([u8::from(*correct)]));
        hash.update((self.time.len() as u64).to_le_bytes());
        self.time.iter().for_each(|time| hash.update(time.to_le_bytes()));
        hash.update((self.latency.len() as u64).to_le_bytes());
        self.latency.iter().for_each(|latency| hash.update(latency.to_le_bytes()));
        self.digest = hash.finalize().into();
        self
    }
}

/// Puts a text into a hash, so that where it ends matters.
fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}
