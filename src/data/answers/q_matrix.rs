//! Q-matrices: which problem needs which skills (K. Tatsuoka 1983, Journal of Educational Measurement 20: 345-354).

use std::{collections::HashMap, path::Path};

use anyhow::Result;

use super::Answers;
use crate::{
    data::{
        Source,
        table::{Encoding, Table},
    },
    misuse::misuse,
};

/// The column that names the problems.
const PROBLEM: &str = "problem";
/// Skills of one matrix.
const MOST_SKILLS: usize = 10_000;

/// Gives the problems of answers the skills of a Q-matrix, in place of any they have.
///
/// # Errors
/// A `Misuse`: the file cannot be read, has cells other than 0 and 1, or not one row for each problem.
pub fn apply(file: &Path, encoding: Encoding, source: &Source, answers: Answers) -> Result<Answers> {
    let mut table = Table::open(file, Some(encoding), source)?;
    let path = table.path();
    let named = table.find(PROBLEM)?;
    if table.header().iter().all(|name| name == "0" || name == "1") {
        misuse!("{path}: its first line holds 0 and 1 only, but must name the skills");
    }
    let columns: Vec<usize> = (0..table.header().len()).filter(|&column| Some(column) != named).collect();
    if columns.is_empty() || columns.len() > MOST_SKILLS {
        misuse!("{path} has {} columns of skills, expected 1 to {MOST_SKILLS}", columns.len());
    }
    let mut skills: Vec<(&str, usize)> =
        columns.iter().map(|&column| (table.header()[column].as_str(), column)).collect();
    skills.sort_unstable();
    if let Some(pair) = skills.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        misuse!("{path} has two columns {}: name each skill once", pair[0].0);
    }
    let columns: Vec<usize> = skills.iter().map(|(_, column)| *column).collect();
    let skills: Vec<String> = skills.into_iter().map(|(name, _)| name.to_owned()).collect();

    let problems = &answers.problems;
    let numbers = if named.is_none() { by_number(problems, &path)? } else { Vec::new() };
    let places: HashMap<&str, usize> = problems.iter().map(String::as_str).zip(0..).collect();
    let mut skills_of: Vec<Option<Vec<u32>>> = vec![None; problems.len()];
    let mut rows = 0;
    while table.advance()? {
        rows += 1;
        let problem = match named {
            Some(column) => {
                let name = table.text(column)?;
                match places.get(&*name) {
                    Some(place) => *place,
                    None => misuse!(
                        "{path}, line {}: there is no answer to a problem {name:?}; the answers have {} problems: {}",
                        table.line(),
                        problems.len(),
                        some(problems),
                    ),
                }
            }
            None => match numbers.get(rows - 1) {
                Some(place) => *place,
                None => continue, // counted, to say how many there are
            },
        };
        let mut of_problem = Vec::new();
        for (skill, &column) in (0..).zip(&columns) {
            match table.text(column)?.trim() {
                "1" | "1.0" => of_problem.push(skill),
                "0" | "0.0" => {}
                _ => return Err(table.wrong(column, "0 or 1")),
            }
        }
        if skills_of[problem].replace(of_problem).is_some() {
            misuse!("{path}, line {}: problem {} has a second row", table.line(), problems[problem]);
        }
    }
    let missing: Vec<&String> =
        problems.iter().zip(&skills_of).filter(|(_, of)| of.is_none()).map(|(name, _)| name).collect();
    if rows != problems.len() || !missing.is_empty() {
        let missing: Vec<String> = missing.into_iter().take(11).cloned().collect();
        let missing =
            if missing.is_empty() { String::new() } else { format!(" (missing: {})", some(&missing)) };
        misuse!(
            "{path} has {rows} rows x {} skills, but the answers have {} problems: give each problem one row{missing}",
            skills.len(),
            problems.len(),
        );
    }
    let skills_of = skills_of.into_iter().flatten().collect();
    Ok(Answers { skills, skills_of, ..answers })
}

/// The places of problems whose names are numbers, in the order of these.
fn by_number(problems: &[String], path: &str) -> Result<Vec<usize>> {
    let mut numbered = Vec::new();
    for (place, name) in problems.iter().enumerate() {
        match name.parse::<u64>() {
            Ok(number) => numbered.push((number, place)),
            Err(_) => misuse!(
                "{path} has no column {PROBLEM}, and problem {name:?} has no number that would give its row: add the column"
            ),
        }
    }
    numbered.sort_unstable();
    Ok(numbered.into_iter().map(|(_, place)| place).collect())
}

/// The first of some names.
fn some(names: &[String]) -> String {
    let mut shown: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
    if shown.len() < names.len() {
        shown.push("...");
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use garde::Validate;

    use super::super::{
        AnswersSpec,
        tests::{noted, read, refused, skills},
    };
    use super::*;

    const ANSWERS: &str = "student,skill,problem,correct\na,z,10,1\na,z,9,0\n";
    const MATRIX: &str = "csv: {file: a.csv, q_matrix: q.csv}";

    fn with_matrix(answers: &str, matrix: &str) -> anyhow::Result<Answers> {
        read(MATRIX, &[("a.csv", answers.as_bytes()), ("q.csv", matrix.as_bytes())])
    }

    #[test]
    fn a_q_matrix_gives_the_skills_by_name_or_number() {
        for matrix in ["s2,s1,problem\n1,0,9\n1,1,10\n", "s2,s1\n1,0\n1.0,1\n"] {
            let answers = with_matrix(ANSWERS, matrix).unwrap();
            assert_eq!(skills(&answers), ["10=s1&s2", "9=s2"], "{matrix}");
            assert_eq!(answers.skills, ["s1", "s2"]);
        }
        let answers = with_matrix(ANSWERS, "s1\n0\n1\n").unwrap();
        noted(&answers, "1 of 2 problems have no skill");
    }

    #[test]
    fn bad_q_matrices_are_told_why() {
        for (matrix, parts) in [
            ("s1,problem\n1,9\n", &["q.csv has 1 rows x 1 skills", "2 problems", "missing: 10"] as &[&str]),
            ("s1\n1\n1\n0\n", &["q.csv has 3 rows x 1 skills", "2 problems"]),
            ("s1\n1\n", &["q.csv has 1 rows", "2 problems"]),
            ("s1,problem\n1,9\n0,11\n", &["line 3", "no answer to a problem \"11\"", "10, 9"]),
            ("s1,problem\n1,9\n2,10\n", &["line 3", "s1 is \"2\"", "0 or 1"]),
            ("s1,problem\n1,9\n1,9\n", &["line 3", "problem 9 has a second row"]),
            ("s1,s1,problem\n1,1,9\n1,1,10\n", &["two columns s1"]),
            ("0,1\n1,1\n", &["first line", "must name the skills"]),
            ("problem\n9\n10\n", &["0 columns of skills"]),
            ("", &["q.csv is empty"]),
        ] {
            refused(with_matrix(ANSWERS, matrix), parts);
        }
        refused(with_matrix(&ANSWERS.replace("10", "ten"), "s1\n1\n1\n"), &["no column problem", "\"ten\""]);
        let both: AnswersSpec =
            serde_saphyr::from_str("csv: {file: a.csv, q_matrix: q.csv, skill_separator: ;}").unwrap();
        let message = both.validate().unwrap_err().to_string();
        assert!(message.contains("csv.q_matrix") && message.contains("skill_separator"), "{message}");
    }
}
