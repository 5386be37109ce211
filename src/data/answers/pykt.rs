//! The two forms that pyKT (Liu et al. 2022, <https://arxiv.org/abs/2206.11460>) brings data sets into: `data.txt`, six lines a student,
//! and the CSV of sequences, padded to one length.

use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Answers,
    cells::{self, Correct, Order, is_missing},
    gather::{Gather, Row},
};
use crate::{
    data::{Source, table::Table, text},
    misuse::{Misuse, misuse},
};

/// A file that pyKT has prepared: `data.txt`, or a CSV of sequences such as `train_valid_sequences.csv`; which of the two its content
/// says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Pykt {
    /// The file, gzipped or not; looked for in the folder of `--data-dir` too.
    #[garde(skip)]
    pub file: PathBuf,
}

/// The lists of a student in `data.txt`, a line each, after the line with the student's name and the lists' length.
const LINES: [&str; 5] = ["questions", "concepts", "responses", "timestamps", "usetimes"];
/// Lists that only sequences have: 1 where an entry counts (-1 is padding), 1 where it repeats the entry before for another concept.
const MARKS: [&str; 2] = ["selectmasks", "is_repeat"];
/// Between the concepts of a question.
const SEPARATOR: &str = "_";

impl Pykt {
    pub(super) fn load(&self, source: &Source) -> Result<Answers> {
        let file = source.locate(&self.file);
        let first = text::line(&mut text::open(&file, false)?, &mut 0, &file)?.unwrap_or_default();
        let mut gather = Gather::new(&file.display().to_string(), Some(SEPARATOR));
        if first.split(',').any(|name| name.trim_matches(['"', ' ']) == "responses") {
            sequences(&self.file, source, &mut gather)?;
        } else {
            six_lines(&file, source, &mut gather)?;
        }
        gather.finish()
    }
}

/// Reads a CSV with a sequence in each record.
fn sequences(file: &Path, source: &Source, gather: &mut Gather) -> Result<()> {
    let mut table = Table::open(file, None, source)?;
    let (path, remedy) = (table.path(), "pyKT's sequences have uid, responses, and questions or concepts");
    let (uid, responses) = (table.column("uid", remedy)?, table.column("responses", remedy)?);
    let mut columns = vec![("responses", responses)];
    for name in LINES.into_iter().chain(MARKS).filter(|name| *name != "responses") {
        columns.extend(table.find(name)?.map(|column| (name, column)));
    }
    let mut order = 0;
    while table.advance()? {
        let student = table.text(uid)?;
        let cells = columns.iter().map(|&(name, column)| Ok((name, table.text(column)?)));
        let cells = cells.collect::<Result<Vec<_>>>()?;
        let lists = cells.iter().filter_map(|(name, cell)| Some((*name, entries(cell)?))).collect();
        Sequence { file: &path, line: table.line(), student: &student, lists }.add(gather, &mut order)?;
    }
    Ok(())
}

/// Reads a file with six lines for each student.
fn six_lines(file: &Path, source: &Source, gather: &mut Gather) -> Result<()> {
    let (path, mut number, mut order) = (file.display().to_string(), 0, 0);
    let mut text = text::open(file, source.progress)?;
    while let Some(head) = text::line(&mut text, &mut number, file)? {
        let line = number;
        let head = head
            .rsplit_once(',')
            .and_then(|(student, length)| Some((student, length.trim().parse::<usize>().ok()?)));
        let Some((student, length)) = head else {
            misuse!(
                "{path}, line {line}: expected a student and a number of answers, as in `uid,12`: data.txt of pyKT has six lines for each student, and its sequences begin with a line of column names"
            );
        };
        let mut cells = Vec::new();
        for name in LINES {
            match text::line(&mut text, &mut number, file)? {
                Some(cell) => cells.push((name, cell)),
                None => {
                    misuse!("{path} ends before the {name} of student {student}, who begins in line {line}")
                }
            }
        }
        let lists: Vec<_> = cells.iter().filter_map(|(name, cell)| Some((*name, entries(cell)?))).collect();
        if let Some((name, list)) = lists.iter().find(|(_, list)| list.len() != length) {
            misuse!("{path}, line {line}: student {student} has {length} answers, but {} {name}", list.len());
        }
        Sequence { file: &path, line, student, lists }.add(gather, &mut order)?;
    }
    Ok(())
}

/// The entries of a list, unless it is one that the data set does not have.
fn entries(text: &str) -> Option<Vec<&str>> {
    (!is_missing(text)).then(|| text.split(',').map(str::trim).collect())
}

/// Lists of one length, an entry for each answer of a student.
struct Sequence<'a> {
    file: &'a str,
    line: u64,
    student: &'a str,
    lists: Vec<(&'static str, Vec<&'a str>)>,
}

impl Sequence<'_> {
    fn list(&self, name: &str) -> Option<&[&str]> {
        self.lists.iter().find(|(known, _)| *known == name).map(|(_, list)| list.as_slice())
    }

    /// Takes up its entries; `order` counts those of all sequences.
    fn add(&self, gather: &mut Gather, order: &mut i64) -> Result<()> {
        if is_missing(self.student) {
            misuse!("{}, line {}: names no student", self.file, self.line);
        }
        let Some(responses) = self.list("responses") else { return Err(self.wrong("no responses")) };
        if let Some((name, list)) = self.lists.iter().find(|(_, list)| list.len() != responses.len()) {
            return Err(self.wrong(&format!("{} responses, but {} {name}", responses.len(), list.len())));
        }
        let (questions, concepts) = (self.list("questions"), self.list("concepts"));
        let Some(problems) = questions.or(concepts) else {
            return Err(self.wrong("neither questions nor concepts"));
        };
        let [selected, repeated] = MARKS.map(|name| self.list(name));
        for entry in 0..responses.len() {
            if selected.is_some_and(|selected| selected[entry] != "1") {
                continue;
            }
            let correct = match cells::correct(responses[entry]) {
                Some(Correct::Answer(correct)) => correct,
                Some(Correct::Study) => {
                    gather.leave_out("study trials, whose response is -1");
                    continue;
                }
                _ => return Err(self.wrong(&format!("the response {:?}, expected 0 or 1", responses[entry]))),
            };
            if is_missing(problems[entry]) {
                return Err(self.wrong("an answer without a question or concept"));
            }
            *order += i64::from(repeated.is_none_or(|repeated| repeated[entry] != "1"));
            gather.add(&Row {
                line: self.line,
                student: self.student,
                order: Some(Order::Whole(*order)),
                problem: problems[entry],
                skill: concepts.map(|concepts| concepts[entry]),
                skill_title: None,
                correct,
                group: None,
                time: self.number("timestamps", entry)?.map(|milliseconds| milliseconds / 1000.0),
                latency: self.number("usetimes", entry)?.map(|milliseconds| milliseconds as f32),
            })?;
        }
        Ok(())
    }

    /// An entry of a list of numbers, which may be missing.
    fn number(&self, name: &str, entry: usize) -> Result<Option<f64>> {
        match self.list(name).map(|list| list[entry]) {
            Some(cell) if !is_missing(cell) => match cells::number(cell) {
                Some(number) => Ok(Some(number)),
                None => Err(self.wrong(&format!("{cell:?} in its {name}, expected a number"))),
            },
            _ => Ok(None),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        Misuse(format!("{}, line {}: student {} has {what}", self.file, self.line, self.student)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{noted, read, refused, shown, skills};
    use super::*;

    fn pykt(text: &str) -> Result<Answers> {
        read("pykt: {file: data.txt}", &[("data.txt", text.as_bytes())])
    }

    #[test]
    fn data_txt_has_six_lines_a_student() {
        let text = "u2,3\nq1,q2,q1\n7_8,9,7_8\n1,0,1\n1000,2500,2000\nNA\nu1,1\nq2\n9\n0\n5000\n12\n";
        let answers = pykt(text).unwrap();
        assert_eq!(shown(&answers), "u1: q2-; u2: q1+ q2- q1+");
        assert_eq!(skills(&answers), ["q1=7&8", "q2=9"]);
        assert_eq!(answers.time, [5.0, 1.0, 2.5, 2.0]);
        assert!(answers.latency[0] == 12.0 && answers.latency[1..].iter().all(|latency| latency.is_nan()));
        noted(&answers, "1 answers have an earlier time");
        noted(&answers, "1 answers (25.0 %) are to a problem");
        // Without questions the concepts are the problems.
        let answers = pykt("1,2\r\nNA\r\n7,8\r\n1,0\r\nNA\r\nNA\r\n").unwrap();
        assert_eq!(shown(&answers), "1: 7+ 8-");
        assert!(answers.time.is_empty());
    }

    #[test]
    fn sequences_are_joined_without_padding_and_repeats() {
        let text = "fold,uid,questions,concepts,responses,timestamps,selectmasks,is_repeat\n\
                    0,u,\"1,2,2\",\"5,6,7\",\"1,0,0\",\"1,2,2\",\"1,1,1\",\"0,0,1\"\n\
                    0,u,\"2,3,-1\",\"8,5,-1\",\"0,1,-1\",\"2,3,-1\",\"1,1,-1\",\"1,0,-1\"\n";
        let answers = pykt(text).unwrap();
        assert_eq!(shown(&answers), "u: 1+ 2- 3+");
        assert_eq!(skills(&answers), ["1=5", "2=6&7&8", "3=5"]);
        noted(&answers, "2 of 5 rows (40.0 %) repeated an answer");
        let message = ["line 3", "3 responses, but 2 selectmasks"];
        refused(pykt(&text.replace(",\"1,1,-1\",", ",\"1,1\",")), &message);
        refused(pykt(&text.replace("uid", "user")), &["no column uid"]);
    }

    #[test]
    fn bad_files_are_told_why() {
        for (text, parts) in [
            ("", &["holds no answers"] as &[&str]),
            ("student,problem,correct\na,p,1\n", &["line 1", "as in `uid,12`"]),
            ("u,2\nNA\n1,2\n", &["ends before the responses of student u", "line 1"]),
            ("u,2\nNA\n1,2\n1,0,1\nNA\nNA\n", &["line 1", "has 2 answers, but 3 responses"]),
            (
                "u,1\nNA\n1\n1\nNA\nNA\nv,1\nNA\n1\nx\nNA\nNA\n",
                &["line 7", "student v", "response \"x\"", "0 or 1"],
            ),
            ("u,1\nNA\nNA\n1\nNA\nNA\n", &["neither questions nor concepts"]),
            ("u,1\nNA\n1\nNA\nNA\nNA\n", &["no responses"]),
            ("u,2\n1,\n1,1\n1,1\nNA\nNA\n", &["without a question"]),
            ("u,1\nNA\n1\n1\nnoon\nNA\n", &["\"noon\" in its timestamps"]),
            (",1\nNA\n1\n1\nNA\nNA\n", &["line 1", "names no student"]),
        ] {
            refused(pykt(text), parts);
        }
    }
}
