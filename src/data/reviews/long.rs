//! A CSV file with a row for each review.

use std::path::{Path, PathBuf};

use anyhow::Result;
use garde::Validate;
use indexmap::IndexSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Entry, Grade, Reviews, arrange};
use crate::{
    data::{
        Source,
        answers::cells::{self, Correct},
        table::Table,
    },
    misuse::misuse,
};

/// A CSV file with a row for each review, gzipped or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReviewsCsv {
    /// The file; looked for in the folder of `--data-dir` too.
    #[garde(skip)]
    pub file: PathBuf,
    /// What its columns are called, where they have other names.
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "ReviewColumns::is_default")]
    pub columns: ReviewColumns,
}

/// The names of columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReviewColumns {
    /// Names of the learners; `student` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub student: Option<String>,
    /// What is reviewed; `problem` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// When, in seconds since 1970, or as date and time; `time` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// 1 if the card was recalled, 0 if not, -1 if it was shown with its solution; `correct` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct: Option<String>,
    /// In place of `correct`: 1 (again), 2 (hard), 3 (good), 4 (easy).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<String>,
}

impl ReviewColumns {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Seconds before 1970 that no review was: a thousand years.
const EARLIEST: f64 = 3.2e10;

/// Where the file says how well a card was recalled.
enum Told {
    Correct(usize),
    Rating(usize),
}

impl ReviewsCsv {
    /// A file with the usual columns.
    pub fn of(file: &Path) -> Self {
        Self { file: file.to_owned(), columns: ReviewColumns::default() }
    }

    pub(super) fn load(&self, source: &Source, now: f64) -> Result<Reviews> {
        let mut table = Table::open(&self.file, None, source)?;
        let names = &self.columns;
        let needed = |role: &str, usual: &str, name: &Option<String>| {
            let remedy = match name {
                None => format!("say which one it is with `columns: {{{role}: NAME}}`"),
                Some(_) => format!("`columns: {{{role}: ...}}` has to name one of them"),
            };
            table.column(name.as_deref().unwrap_or(usual), &remedy)
        };
        let learner = needed("student", "student", &names.student)?;
        let card = needed("card", "problem", &names.card)?;
        let time = needed("time", "time", &names.time)?;
        let told = match (&names.rating, &names.correct) {
            (Some(_), Some(_)) => misuse!(
                "{}: `columns` names both rating and correct: name the one that says how well a card was recalled",
                table.path()
            ),
            (Some(_), None) => Told::Rating(needed("rating", "rating", &names.rating)?),
            (None, _) => Told::Correct(needed("correct", "correct", &names.correct)?),
        };
        let (mut learners, mut cards) = (IndexSet::<String>::new(), IndexSet::<String>::new());
        let mut entries = Vec::new();
        while table.advance()? {
            let name = |column: usize| {
                let name = table.text(column)?;
                if cells::is_missing(&name) {
                    Err(table.wrong(column, "a name"))
                } else {
                    Ok(name.into_owned())
                }
            };
            let seconds =
                cells::seconds(&table.text(time)?).filter(|seconds| *seconds > -EARLIEST).ok_or_else(
                    || table.wrong(time, "seconds as a number, or date and time as 2012-09-28 15:11:24"),
                )?;
            entries.push(Entry {
                learner: learners.insert_full(name(learner)?).0 as u32,
                card: cards.insert_full(name(card)?).0 as u32,
                time: seconds,
                grade: grade(&table, &told)?,
            });
        }
        let [learners, cards] = [learners, cards].map(|names| names.into_iter().collect::<Vec<_>>());
        arrange(entries, &learners, &cards, now, &table.path())
    }
}

fn grade(table: &Table, told: &Told) -> Result<Grade> {
    match told {
        Told::Correct(column) => match cells::correct(&table.text(*column)?) {
            Some(Correct::Answer(true)) => Ok(Grade::Good),
            Some(Correct::Answer(false)) => Ok(Grade::Again),
            Some(Correct::Study) => Ok(Grade::Shown),
            _ => Err(table.wrong(*column, "1 (recalled), 0 (not recalled), or -1 (shown with its solution)")),
        },
        Told::Rating(column) => {
            let rating = table.text(*column)?.trim().parse().ok().and_then(Grade::of);
            rating.ok_or_else(|| table.wrong(*column, "1 (again), 2 (hard), 3 (good) or 4 (easy)"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str, columns: &str) -> Result<Reviews> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.csv"), text).unwrap();
        let spec = ReviewsCsv {
            columns: serde_saphyr::from_str(columns).unwrap(),
            ..ReviewsCsv::of(&folder.path().join("a.csv"))
        };
        spec.load(&Source::default(), 1e6)
    }

    #[test]
    fn columns_have_usual_names_or_others() {
        let usual =
            read("student,time,problem,correct\nann,20,b,1\nann,10,b,-1\nann,30,a,0\n", "{}").unwrap();
        assert_eq!(usual.grade, [Grade::Shown, Grade::Good, Grade::Again]);
        assert_eq!(
            (usual.cards, usual.card, usual.notes.len()),
            (vec!["a".into(), "b".into()], vec![1, 1, 0], 1)
        );
        let others = "{student: who, card: word, time: at, rating: ease}";
        let rated = read("who,at,word,ease\nann,1970-01-01 00:00:20,b,4\nann,30,b,2\n", others).unwrap();
        assert_eq!((rated.grade, rated.time), (vec![Grade::Easy, Grade::Hard], vec![20.0, 30.0]));
    }

    #[test]
    fn lines_are_counted_alike_whatever_they_end_in() {
        for end in ["\n", "\r\n"] {
            let text = ["student,time,problem,correct", "ann,20,b,1", "ann,30,b,7", ""].join(end);
            assert!(read(&text, "{}").unwrap_err().to_string().contains("line 3: correct"), "{end:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, columns, expected) in [
            ("student,time,problem,correct\nann,20,b,2\n", "{}", "line 2: correct is \"2\""),
            ("student,time,problem,correct\nann,soon,b,1\n", "{}", "line 2: time is \"soon\""),
            ("student,time,problem,correct\n,20,b,1\n", "{}", "line 2: student is \"\", expected a name"),
            ("student,time,problem,correct\n", "{}", "holds no reviews"),
            ("student,time,card,correct\nann,20,b,1\n", "{}", "columns: {card: NAME}"),
            ("student,time,problem,rating\nann,20,b,0\n", "{rating: rating}", "expected 1 (again)"),
            (
                "student,time,problem,rating\nann,20,b,0\n",
                "{rating: rating, correct: c}",
                "both rating and correct",
            ),
        ] {
            let error = read(text, columns).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
