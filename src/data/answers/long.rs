//! The long form: a CSV file with a row for each answer, as teachers and most programs have it.

use std::path::PathBuf;

use anyhow::Result;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answers, columns::Columns, gather::Gather, q_matrix};
use crate::data::{
    Source,
    table::{Encoding, Table},
};

/// A CSV file with a row for each answer, gzipped or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LongCsv {
    /// The file; looked for in the folder of `--data-dir` too.
    #[garde(skip)]
    pub file: PathBuf,
    /// What its columns are called, where they have other names.
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "ColumnNames::is_default")]
    pub columns: ColumnNames,
    /// What stands between skills where a cell holds several.
    #[garde(inner(length(min = 1)))]
    #[schemars(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill_separator: Option<String>,
    /// A CSV file of problems x skills, 1 where a problem needs a skill, whose first line names the skills; with a column `problem`, or
    /// with its rows in the order of the problems' numbers. Its skills replace those of the answers.
    #[garde(custom(|file: &Option<PathBuf>, _: &()| alone(file.is_some(), self)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q_matrix: Option<PathBuf>,
    /// `utf8`, or `latin1` for files of older programs.
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "is_utf8")]
    pub encoding: Encoding,
}

/// The names of columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnNames {
    /// Names of the students; `student` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub student: Option<String>,
    /// Numbers that order a student's answers; `order` unless said otherwise. Without such a column the file's order counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The problem's skills; `skill` unless said otherwise. May be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill: Option<String>,
    /// Names of the problems; `problem` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// 1 for a right answer, 0 for a wrong one, -1 for study trials, which are left out; `correct` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct: Option<String>,
    /// Names of groups of students; `group` unless said otherwise. May be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// When the answer was given, in seconds, or as date and time; `time` unless said otherwise. May be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Milliseconds that the answer took; `latency` unless said otherwise. May be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<String>,
}

impl ColumnNames {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn is_utf8(encoding: &Encoding) -> bool {
    *encoding == Encoding::Utf8
}

/// Skills come from a Q-matrix or from the answers.
fn alone(has_matrix: bool, spec: &LongCsv) -> garde::Result {
    if has_matrix && (spec.skill_separator.is_some() || spec.columns.skill.is_some()) {
        let text = "gives the skills: leave out `skill_separator` and `columns: {skill: ...}`, or it";
        return Err(garde::Error::new(text));
    }
    Ok(())
}

impl LongCsv {
    pub(super) fn load(&self, source: &Source) -> Result<Answers> {
        let mut table = Table::open(&self.file, Some(self.encoding), source)?;
        let names = &self.columns;
        let needed = |role: &str, name: &Option<String>| {
            let remedy = match name {
                None => format!("say which one it is with `columns: {{{role}: NAME}}`"),
                Some(_) => format!("`columns: {{{role}: ...}}` has to name one of them"),
            };
            table.column(name.as_deref().unwrap_or(role), &remedy)
        };
        // A column that the experiment names has to be there.
        let optional = |role: &str, name: &Option<String>| match name {
            None => table.find(role),
            Some(_) => needed(role, name).map(Some),
        };
        let columns = Columns {
            student: needed("student", &names.student)?,
            problem: needed("problem", &names.problem)?,
            correct: needed("correct", &names.correct)?,
            order: optional("order", &names.order)?,
            skill: if self.q_matrix.is_some() { None } else { optional("skill", &names.skill)? },
            skill_title: None,
            group: optional("group", &names.group)?,
            time: optional("time", &names.time)?,
            latency: optional("latency", &names.latency)?.map(|column| (column, 1.0)),
            original: None,
            partial: false,
        };
        let mut gather = Gather::new(&table.path(), self.skill_separator.as_deref());
        columns.read(&mut table, &mut gather)?;
        let answers = gather.finish()?;
        match &self.q_matrix {
            Some(file) => q_matrix::apply(file, self.encoding, source, answers),
            None => Ok(answers),
        }
    }
}
