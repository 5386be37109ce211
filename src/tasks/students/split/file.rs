//! Students divided by a file: the columns student and split.

use std::{collections::HashMap, path::Path};

use anyhow::Result;

use crate::{
    data::{
        Source,
        table::{Encoding, Table},
    },
    misuse::misuse,
    tasks::family::Part,
};

/// The parts that a file gives to students, and what a reader should know of it.
///
/// # Errors
/// A `Misuse`: it cannot be read, has other columns or words, or a student in two parts.
pub fn parts(file: &Path, students: &[String], source: &Source) -> Result<(Vec<Option<Part>>, Vec<String>)> {
    let mut table = Table::open(file, Some(Encoding::Utf8), source)?;
    let path = table.path();
    let remedy = "a split has the columns student and split";
    let (student, split) = (table.column("student", remedy)?, table.column("split", remedy)?);
    let places: HashMap<&str, usize> = students.iter().map(String::as_str).zip(0..).collect();
    let mut given: Vec<Option<(Part, u64)>> = vec![None; students.len()];
    let mut strangers = 0;
    while table.advance()? {
        let part = match table.text(split)?.trim() {
            "train" => Part::Train,
            "val" | "validation" => Part::Validation,
            "test" => Part::Test,
            _ => return Err(table.wrong(split, "train, validation or test")),
        };
        let name = table.text(student)?;
        let Some(&place) = places.get(&*name) else {
            strangers += 1;
            continue;
        };
        match given[place] {
            Some((other, line)) if other != part => misuse!(
                "{path}: student {name} is in two parts, by lines {line} and {}: give each student one part",
                table.line()
            ),
            Some(_) => {}
            None => given[place] = Some((part, table.line())),
        }
    }
    let without = given.iter().filter(|part| part.is_none()).count();
    let mut notes = Vec::new();
    if without > 0 {
        notes.push(format!("{without} of {} students are not in {path} and take no part", students.len()));
    }
    if strangers > 0 {
        notes.push(format!("{strangers} rows of {path} name students of whom there is no answer"));
    }
    Ok((given.into_iter().map(|given| given.map(|(part, _)| part)).collect(), notes))
}

#[cfg(test)]
mod tests {
    use super::super::SplitSpec;
    use super::*;
    use crate::misuse::Misuse;

    fn listed(text: &str) -> Result<(Vec<Option<Part>>, Vec<String>)> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("split.csv"), text).unwrap();
        let source = Source { data_dir: Some(folder.path().into()), ..Source::default() };
        SplitSpec::File("split.csv".into()).parts(&["a", "b", "c", "d"].map(str::to_owned), 0, &source)
    }

    #[test]
    fn a_file_names_parts_and_what_it_omits_is_counted() {
        let text = "split,student\ntrain,d\nval,b\nvalidation,b\ntest,a\ntest,stranger\n";
        let (parts, notes) = listed(text).unwrap();
        assert_eq!(parts, [Some(Part::Test), Some(Part::Validation), None, Some(Part::Train)]);
        assert_eq!(notes.len(), 2);
        assert!(notes[0].starts_with("1 of 4 students are not in "), "{notes:?}");
        assert!(notes[1].starts_with("1 rows of "), "{notes:?}");
    }

    #[test]
    fn bad_splits_are_told_why() {
        let head = "student,split\na,train\nb,val\nc,test\n";
        for (text, wanted) in [
            (
                format!("{head}a,test\n"),
                &["split.csv", "student a is in two parts", "lines 2 and 5"] as &[&str],
            ),
            (format!("{head}d,dev\n"), &["line 5", "split is \"dev\"", "train, validation or test"]),
            ("student,part\na,train\n".into(), &["no column split", "student, part"]),
            (
                head.replace("test", "train"),
                &["of 4 people 2 are for training, 1 for validation and 0 for the test"],
            ),
            (String::new(), &["is empty"]),
        ] {
            let error = listed(&text).unwrap_err();
            assert!(error.downcast_ref::<Misuse>().is_some());
            let message = error.to_string();
            assert!(wanted.iter().all(|part| message.contains(part)), "{message}");
        }
    }
}
