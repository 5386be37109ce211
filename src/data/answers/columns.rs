//! Tables with a row for each answer: which column says what, and how its cells are read.

use std::borrow::Cow;

use anyhow::Result;

use super::{
    cells::{self, Correct, Order, is_missing},
    gather::{Gather, Row},
};
use crate::data::table::Table;

/// The columns of a table of answers.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Names of students.
    pub student: usize,
    /// Names of problems.
    pub problem: usize,
    /// 0, 1, or -1 for study trials.
    pub correct: usize,
    /// Numbers; the file's order without it.
    pub order: Option<usize>,
    /// One skill, or several with a separator between them.
    pub skill: Option<usize>,
    /// What readers call the skill, where `skill` holds one.
    pub skill_title: Option<usize>,
    /// Names of groups of students.
    pub group: Option<usize>,
    /// Seconds, or dates with times.
    pub time: Option<usize>,
    /// How long the answer took, and one of its units in milliseconds.
    pub latency: Option<(usize, f64)>,
    /// 1 for problems, 0 for their scaffolding, which is left out.
    pub original: Option<usize>,
    /// Whether answers between right and wrong are left out; otherwise they are refused.
    pub partial: bool,
}

impl Columns {
    /// Takes up all records of a table.
    ///
    /// # Errors
    /// A `Misuse` with file, line and cell.
    pub fn read(&self, table: &mut Table, gather: &mut Gather) -> Result<()> {
        while table.advance()? {
            self.record(table, gather)?;
        }
        Ok(())
    }

    fn record(&self, table: &Table, gather: &mut Gather) -> Result<()> {
        if let Some(column) = self.original {
            match cells::number(&table.text(column)?) {
                Some(1.0) => {}
                Some(_) => {
                    gather.leave_out("scaffolding, whose `original` is not 1");
                    return Ok(());
                }
                None => return Err(table.wrong(column, "1, or 0 for scaffolding")),
            }
        }
        let correct = match cells::correct(&table.text(self.correct)?) {
            Some(Correct::Answer(correct)) => correct,
            Some(Correct::Study) => {
                gather.leave_out("study trials, whose `correct` is -1");
                return Ok(());
            }
            Some(Correct::Partial) if self.partial => {
                gather.leave_out("answers between right and wrong");
                return Ok(());
            }
            _ => {
                return Err(
                    table.wrong(self.correct, "1 (right), 0 (wrong), or -1 (a study trial, left out)")
                );
            }
        };
        let order = read(table, self.order, "a number", false, Order::read)?;
        let date = "seconds as a number, or date and time as 2012-09-28 15:11:24";
        let time = read(table, self.time, date, true, cells::seconds)?;
        let latency = match self.latency {
            Some((column, unit)) => {
                read(table, Some(column), "a number", true, cells::number)?.map(|value| (value * unit) as f32)
            }
            None => None,
        };
        let skill = self.skill.map(|column| table.text(column)).transpose()?;
        let group = self.group.map(|column| table.text(column)).transpose()?;
        let skill_title = self.skill_title.map(|column| table.text(column)).transpose()?;
        gather.add(&Row {
            line: table.line(),
            student: &name(table, self.student)?,
            order,
            problem: &name(table, self.problem)?,
            skill: skill.as_deref(),
            skill_title: skill_title.as_deref(),
            correct,
            group: group.as_deref().filter(|group| !is_missing(group)),
            time,
            latency,
        })
    }
}

/// A cell that has to name something.
fn name(table: &Table, column: usize) -> Result<Cow<'_, str>> {
    let name = table.text(column)?;
    if is_missing(&name) { Err(table.wrong(column, "a name")) } else { Ok(name) }
}

/// What a cell says, if there is such a column; `may_miss` lets it be empty.
fn read<T>(
    table: &Table,
    column: Option<usize>,
    expected: &str,
    may_miss: bool,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    let Some(column) = column else { return Ok(None) };
    let cell = table.text(column)?;
    if may_miss && is_missing(&cell) {
        return Ok(None);
    }
    parse(&cell).map(Some).ok_or_else(|| table.wrong(column, expected))
}
