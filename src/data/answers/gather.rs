//! Answers as they come out of a file, row by row, before they are arranged by student: about 25 bytes a row.

use std::collections::HashSet;

use anyhow::Result;
use indexmap::IndexMap;

use super::{
    cells::{Order, Orders, is_missing},
    names::Names,
};
use crate::misuse::misuse;

/// Pairs of a problem and one of its skills.
const MOST_PAIRS: usize = 16_000_000;

/// A row of a file.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Where it stands.
    pub line: u64,
    /// Whose answer it is.
    pub student: &'a str,
    /// Its place among the student's answers; that of the file if none.
    pub order: Option<Order>,
    /// What was asked.
    pub problem: &'a str,
    /// The problem's skills, none where the file has no such column.
    pub skill: Option<&'a str>,
    /// What readers call the skill, where `skill` is one.
    pub skill_title: Option<&'a str>,
    /// Whether the answer was right.
    pub correct: bool,
    /// The student's group.
    pub group: Option<&'a str>,
    /// In seconds.
    pub time: Option<f64>,
    /// In milliseconds.
    pub latency: Option<f32>,
}

/// The rows so far, column by column, with the numbers of names as they appeared.
pub struct Gather {
    pub(super) file: String,
    /// Between the skills of a cell that holds several.
    separator: Option<String>,
    /// Rows of a student with one order may be different answers, which stay in the file's order; otherwise they are one answer.
    pub(super) order_is_time: bool,
    pub(super) students: Names,
    pub(super) problems: Names,
    pub(super) skills: Names,
    /// Better names for skills.
    pub(super) titles: Names,
    /// The title of each skill, if it has one; skills after the last have none.
    pub(super) title_of: Vec<Option<u32>>,
    pub(super) groups: Names,
    /// Of each student: the group and the line that says so.
    pub(super) group_of: Vec<Option<(u32, u32)>>,
    /// Problem and skill.
    pub(super) pairs: HashSet<(u32, u32)>,
    /// The skill of each problem's last row, to spare looking at `pairs`.
    last_skill: Vec<Option<u32>>,
    pub(super) student: Vec<u32>,
    pub(super) order: Orders,
    pub(super) problem: Vec<u32>,
    pub(super) correct: Vec<bool>,
    pub(super) line: Vec<u32>,
    /// Empty as long as no row has one.
    pub(super) time: Vec<f64>,
    pub(super) latency: Vec<f32>,
    pub(super) without_skill: u64,
    /// Why rows were left out, and how many.
    pub(super) left_out: IndexMap<&'static str, u64>,
}

impl Gather {
    /// No rows as yet.
    pub fn new(file: &str, separator: Option<&str>) -> Self {
        Self {
            file: file.to_owned(),
            separator: separator.map(str::to_owned),
            order_is_time: false,
            students: Names::of("students"),
            problems: Names::of("problems"),
            skills: Names::of("skills"),
            titles: Names::of("titles of skills"),
            title_of: Vec::new(),
            groups: Names::of("groups"),
            group_of: Vec::new(),
            pairs: HashSet::new(),
            last_skill: Vec::new(),
            student: Vec::new(),
            order: Orders::Whole(Vec::new()),
            problem: Vec::new(),
            correct: Vec::new(),
            line: Vec::new(),
            time: Vec::new(),
            latency: Vec::new(),
            without_skill: 0,
            left_out: IndexMap::new(),
        }
    }

    /// Says that orders are times, which two answers may share.
    pub fn order_is_time(self) -> Self {
        Self { order_is_time: true, ..self }
    }

    /// Counts a row that is no answer.
    pub fn leave_out(&mut self, why: &'static str) {
        *self.left_out.entry(why).or_default() += 1;
    }

    /// Takes up a row.
    ///
    /// # Errors
    /// A `Misuse`: there are too many names, rows or lines; the student has another group.
    pub fn add(&mut self, row: &Row) -> Result<()> {
        let rows = self.student.len();
        let (Ok(line), Ok(_)) = (u32::try_from(row.line), u32::try_from(rows + 1)) else {
            misuse!("{}: more than {} lines: divide the file", self.file, u32::MAX);
        };
        let student = self.at(row.line, |all| all.students.number(row.student))?;
        let problem = self.at(row.line, |all| all.problems.number(row.problem))?;
        self.group_of.resize(self.students.len(), None);
        self.last_skill.resize(self.problems.len(), None);
        if let Some(group) = row.group {
            self.group(student, group, line)?;
        }
        if let Some(cell) = row.skill {
            self.skills(problem, cell, row)?;
        }
        self.student.push(student);
        self.order.push(row.order.unwrap_or(Order::Whole(rows as i64)));
        self.problem.push(problem);
        self.correct.push(row.correct);
        self.line.push(line);
        put(&mut self.time, rows, row.time, f64::NAN);
        put(&mut self.latency, rows, row.latency, f32::NAN);
        Ok(())
    }

    fn group(&mut self, student: u32, group: &str, line: u32) -> Result<()> {
        let group = self.at(line.into(), |all| all.groups.number(group))?;
        match self.group_of[student as usize] {
            None => self.group_of[student as usize] = Some((group, line)),
            Some((other, _)) if other == group => {}
            Some((other, first)) => misuse!(
                "{}: student {} is of group {} in line {first} and of group {} in line {line}; a student has one group",
                self.file,
                self.students.name(student),
                self.groups.name(other),
                self.groups.name(group),
            ),
        }
        Ok(())
    }

    fn skills(&mut self, problem: u32, cell: &str, row: &Row) -> Result<()> {
        let separator = self.separator.take();
        let parts = match &separator {
            Some(separator) if cell.contains(separator.as_str()) => {
                let mut parts = 0;
                for skill in cell.split(separator.as_str()) {
                    parts += u64::from(self.skill(problem, skill, None, row.line)?);
                }
                parts
            }
            _ => u64::from(self.skill(problem, cell, row.skill_title, row.line)?),
        };
        self.separator = separator;
        self.without_skill += u64::from(parts == 0);
        Ok(())
    }

    /// Takes up a skill of a problem; whether the text names one.
    fn skill(&mut self, problem: u32, text: &str, title: Option<&str>, line: u64) -> Result<bool> {
        let text = text.trim();
        if is_missing(text) {
            return Ok(false);
        }
        let skill = self.at(line, |all| all.skills.number(text))?;
        if let Some(title) = title.filter(|title| !is_missing(title)) {
            let title = self.at(line, |all| all.titles.number(title))?;
            self.title_of.resize(self.skills.len().max(self.title_of.len()), None);
            self.title_of[skill as usize].get_or_insert(title);
        }
        if self.last_skill[problem as usize].replace(skill) != Some(skill) {
            self.pairs.insert((problem, skill));
        }
        if self.pairs.len() > MOST_PAIRS {
            misuse!("{}, line {line}: more than {MOST_PAIRS} pairs of a problem and a skill", self.file);
        }
        Ok(true)
    }

    /// Numbers a name; errors say in which line.
    fn at(&mut self, line: u64, number: impl FnOnce(&mut Self) -> Result<u32, String>) -> Result<u32> {
        match number(self) {
            Ok(number) => Ok(number),
            Err(error) => misuse!("{}, line {line}: {error}", self.file),
        }
    }
}

/// Adds the value of row number `rows` to a column that is empty as long as no row has one.
fn put<T: Copy>(column: &mut Vec<T>, rows: usize, value: Option<T>, missing: T) {
    if value.is_some() || !column.is_empty() {
        column.resize(rows, missing);
        column.push(value.unwrap_or(missing));
    }
}
