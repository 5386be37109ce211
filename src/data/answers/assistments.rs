//! The files of the ASSISTments tutoring system as they are downloaded, of 2009, 2012, 2015 and 2017
//! (<https://sites.google.com/site/assistmentsdata>; Feng, Heffernan, Koedinger 2009).
//!
//! They name the same things differently:
//!
//! | | 2009 | 2012 | 2015 | 2017 |
//! |---|---|---|---|---|
//! | student | user_id | user_id | user_id | studentId |
//! | problem | problem_id | problem_id | sequence_id (a set of problems) | problemId |
//! | order | order_id | problem_log_id | log_id | startTime |
//! | skill | skill_id, skill_name | skill_id, skill | | skill |

use std::path::PathBuf;

use anyhow::Result;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answers, columns::Columns, gather::Gather};
use crate::data::{Source, table::Table};

/// A file of ASSISTments as downloaded and unpacked, gzipped or not: skill_builder_data.csv, its corrected form, or that of 2012, 2015
/// or 2017. Scaffolding (`original` 0) and answers between right and wrong are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Assistments {
    /// The file; looked for in the folder of `--data-dir` too.
    #[garde(skip)]
    pub file: PathBuf,
}

impl Assistments {
    pub(super) fn load(&self, source: &Source) -> Result<Answers> {
        // Names of skills and texts of answers are in Latin-1 in some of the files.
        let mut table = Table::open(&self.file, None, source)?;
        let find = |names: &[&str]| -> Result<Option<usize>> {
            for name in names {
                if let Some(column) = table.find(name)? {
                    return Ok(Some(column));
                }
            }
            Ok(None)
        };
        let needed = |names: &[&str]| {
            match find(names)? {
            Some(column) => Ok(column),
            None => table.column(
                names[0],
                &format!(
                    "a file of ASSISTments as downloaded has {}; read other files with `csv: {{file: ..., columns: {{...}}}}`",
                    names.join(" or ")
                ),
            ),
        }
        };
        let start = table.find("startTime")?;
        let order = find(&["order_id", "problem_log_id", "log_id"])?;
        let ids = table.find("skill_id")?;
        let titles = find(&["skill_name", "skill"])?;
        let taken = table.find("timeTaken")?.map(|column| (column, 1000.0));
        let columns = Columns {
            student: needed(&["user_id", "studentId"])?,
            problem: needed(&["problem_id", "problemId", "sequence_id"])?,
            correct: needed(&["correct"])?,
            order: Some(match order.or(start) {
                Some(column) => column,
                None => needed(&["order_id", "problem_log_id", "log_id", "startTime"])?,
            }),
            skill: ids.or(titles),
            skill_title: ids.and(titles),
            group: None,
            time: start.or(table.find("start_time")?),
            latency: table.find("ms_first_response")?.map(|column| (column, 1.0)).or(taken),
            original: table.find("original")?,
            partial: true,
        };
        // The collapsed form of 2009 has several skills as 9_15; titles have underscores of their own.
        let mut gather = Gather::new(&table.path(), ids.map(|_| "_"));
        if order.is_none() {
            gather = gather.order_is_time();
        }
        columns.read(&mut table, &mut gather)?;
        gather.finish()
    }
}
