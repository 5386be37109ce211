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

#[cfg(test)]
mod tests {
    use super::super::tests::{noted, read, refused, shown, skills};
    use super::*;

    fn assistments(text: &[u8]) -> Result<Answers> {
        read("assistments: {file: data.csv}", &[("data.csv", text)])
    }

    #[test]
    fn files_of_2009_repeat_answers_for_skills_in_latin_1() {
        let answers = assistments(
            b",order_id,user_id,problem_id,original,correct,ms_first_response,skill_id,skill_name,answer_text\n\
            1,30,7,51,1,1,100,1,Box,caf\xe9\n2,30,7,51,1,1,100,2,Ta\xefl,x\n3,20,7,52,0,0,1,1,Box,\n\
            4,40,7,52,1,0,200,,,x\n5,50,8,52,1,0,3,1_2,,\n",
        )
        .unwrap();
        assert_eq!(shown(&answers), "7: 51+ 52-; 8: 52-");
        assert_eq!(skills(&answers), ["51=Box&Taïl", "52=Box&Taïl"]);
        assert_eq!(answers.latency, [100.0, 200.0, 3.0]);
        noted(&answers, "1 rows were left out: scaffolding");
        noted(&answers, "1 of 4 rows (25.0 %) repeated");
    }

    #[test]
    fn skills_of_one_title_stay_apart() {
        let answers = assistments(
            b"order_id,user_id,problem_id,correct,skill_id,skill_name\n1,1,51,1,1,Box\n2,1,52,1,2,Box\n3,1,53,1,3,Area\n",
        )
        .unwrap();
        assert_eq!(answers.skills, ["Area", "Box (1)", "Box (2)"]);
        assert_eq!(skills(&answers), ["51=Box (1)", "52=Box (2)", "53=Area"]);
    }

    #[test]
    fn files_of_2012_have_dates_and_partial_credit() {
        let answers = assistments(
            b"problem_log_id,skill,problem_id,user_id,start_time,correct,original,ms_first_response,skill_id\n\
            2,Box,5,1,1970-01-01 00:00:20,0.5,1,9,3\n1,Box,5,1,1970-01-01 00:00:10.5,1.0,1,8,3\n",
        )
        .unwrap();
        assert_eq!(shown(&answers), "1: 5+");
        assert_eq!(
            (answers.time.as_slice(), answers.skills.as_slice()),
            ([10.5].as_slice(), ["Box".to_owned()].as_slice())
        );
        noted(&answers, "1 rows were left out: answers between right and wrong");
    }

    #[test]
    fn files_of_2015_know_sets_of_problems_only() {
        let answers = assistments(b"user_id,log_id,sequence_id,correct\n1,9,77,1\n1,8,78,0\n").unwrap();
        assert_eq!(shown(&answers), "1: 78- 77+");
    }

    #[test]
    fn files_of_2017_may_have_two_answers_in_a_second() {
        let answers = assistments(
            b"studentId,skill,problemId,startTime,timeTaken,correct,original\n\
            1,a_b,5,20,1.5,1,1\n1,c,6,20,2,0,1\n1,c,7,10,2,0,1\n",
        )
        .unwrap();
        assert_eq!(shown(&answers), "1: 7- 5+ 6-");
        assert_eq!((answers.skills.len(), answers.latency[1]), (2, 1500.0));
    }

    #[test]
    fn bad_files_are_told_why() {
        for (text, parts) in [
            ("", &["data.csv is empty"] as &[&str]),
            (
                "student,problem,correct\na,p,1\n",
                &["no column user_id", "user_id or studentId", "columns: {...}"],
            ),
            ("user_id,problem_id,correct\n1,2,1\n", &["no column order_id", "problem_log_id"]),
            ("user_id,problem_id,order_id,correct\n1,2,3,7\n", &["line 2", "correct is \"7\""]),
            (
                "user_id,problem_id,order_id,correct\n1,2,3,1\n1,2,3,0\n",
                &["lines 2 and 3", "student 1 with order 3"],
            ),
            ("user_id,problem_id,order_id,correct,original\n1,2,3,1,x\n", &["line 2", "original is \"x\""]),
        ] {
            refused(assistments(text.as_bytes()), parts);
        }
    }
}
