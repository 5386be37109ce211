use std::fs;

use garde::Validate;

use super::*;
use crate::{
    data::{Source, idx::tests::gzip},
    misuse::Misuse,
};

/// Reads `a.csv` with these bytes, as the YAML says.
pub fn read(yaml: &str, files: &[(&str, &[u8])]) -> anyhow::Result<Answers> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let spec: AnswersSpec = serde_saphyr::from_str(yaml).unwrap();
    spec.validate().unwrap();
    spec.load(&Source { data_dir: Some(folder.path().into()), ..Source::default() })
}

fn csv(text: &str) -> anyhow::Result<Answers> {
    read("csv: {file: a.csv}", &[("a.csv", text.as_bytes())])
}

#[track_caller]
pub fn refused(result: anyhow::Result<Answers>, parts: &[&str]) {
    let error = result.expect_err("it was read");
    assert!(error.downcast_ref::<Misuse>().is_some(), "exit code 1: {error:#}");
    let message = format!("{error:#}");
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

/// `student: problem+ problem-` for each student.
pub fn shown(answers: &Answers) -> String {
    let student = |u: usize| {
        let rows = answers.starts[u]..answers.starts[u + 1];
        let row = |row: usize| {
            format!(
                " {}{}",
                answers.problems[answers.problem[row] as usize],
                if answers.correct[row] { '+' } else { '-' }
            )
        };
        format!("{}:{}", answers.students[u], rows.map(row).collect::<String>())
    };
    (0..answers.students.len()).map(student).collect::<Vec<_>>().join("; ")
}

pub fn skills(answers: &Answers) -> Vec<String> {
    let named = |skills: &Vec<u32>| {
        skills.iter().map(|skill| answers.skills[*skill as usize].as_str()).collect::<Vec<_>>().join("&")
    };
    answers
        .problems
        .iter()
        .zip(&answers.skills_of)
        .map(|(problem, skills)| format!("{problem}={}", named(skills)))
        .collect()
}

#[track_caller]
pub fn noted(answers: &Answers, part: &str) {
    assert!(answers.notes.iter().any(|note| note.contains(part)), "`{part}` is not in {:#?}", answers.notes);
}

const GOOD: &str = "student,order,skill,problem,correct\nb,2,add,p10,1\na,1,sub,p9,0\nb,1,sub,p9,1\n";

#[test]
fn rows_are_sorted_by_student_and_order_and_names_as_strings() {
    let answers = csv(GOOD).unwrap();
    assert_eq!(shown(&answers), "a: p9-; b: p9+ p10+");
    assert_eq!(answers.problems, ["p10", "p9"]);
    assert_eq!(skills(&answers), ["p10=add", "p9=sub"]);
    assert_eq!(answers.starts, [0, 1, 3]);
    assert!(answers.groups.is_empty() && answers.time.is_empty() && answers.latency.is_empty());
    assert!(answers.notes.is_empty(), "{:?}", answers.notes);
}

#[test]
fn the_digest_is_of_the_content_and_not_of_the_form() {
    let digest = |text: &[u8]| read("csv: {file: a.csv}", &[("a.csv", text)]).unwrap().digest;
    let good = digest(GOOD.as_bytes());
    let bom = format!("\u{feff}{}", GOOD.replace('\n', "\r\n\r\n"));
    let other_columns =
        "correct,problem,x,skill,order,student\n1,p9,,sub,1.0,b\n0,p9,,sub,7,a\ntrue,p10,,add,30,b\n";
    for same in [
        bom.as_bytes(),
        gzip(GOOD.as_bytes()).as_slice(),
        other_columns.as_bytes(),
        GOOD.trim_end().as_bytes(),
    ] {
        assert_eq!(digest(same), good, "{}", String::from_utf8_lossy(same));
    }
    for (from, to) in [(",0\n", ",1\n"), ("add", "mul"), ("p10", "p11"), ("a,1", "c,1"), ("b,2", "b,0")] {
        assert_ne!(digest(GOOD.replacen(from, to, 1).as_bytes()), good, "{from}");
    }
}

#[test]
fn names_survive_as_they_are() {
    let names = ["O'Brien, \"Bo\"", "<b>&amp;</b>", "日本語 ü", " spaced "];
    let mut text = "student,problem,correct\n".to_owned();
    names.iter().for_each(|name| text += &format!("\"{0}\",\"{0}\",1\n", name.replace('"', "\"\"")));
    let answers = csv(&text).unwrap();
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(answers.students, sorted);
    assert_eq!(answers.problems, sorted);
}

#[test]
fn rows_that_are_no_answers_of_their_own_are_counted() {
    let answers = csv(
        "student,order,time,skill,problem,correct,latency,group\n\
         a,1,100,add,p,1,5,x\na,1,100,sub,p,1,5,x\na,2,50,add,p,0,,x\na,3,200,,q,1.0,7,x\nb,1,NaN,add,p,-1,1,\nb,2,,add,r,false,2,\n",
    )
    .unwrap();
    assert_eq!(shown(&answers), "a: p+ p- q+; b: r-");
    assert_eq!(skills(&answers), ["p=add&sub", "q=", "r=add"]);
    assert_eq!(answers.groups, [Some("x".into()), None]);
    assert_eq!(answers.time[..3], [100.0, 50.0, 200.0]);
    assert_eq!(answers.latency[2..], [7.0, 2.0]);
    assert!(answers.time[3].is_nan() && answers.latency[1].is_nan());
    for part in [
        "1 rows were left out: study trials",
        "1 of 5 rows (20.0 %) repeated an answer",
        "1 answers (25.0 %) are to a problem",
        "1 answers have an earlier time",
        "1 rows name no skill",
        "1 of 3 problems have no skill",
    ] {
        noted(&answers, part);
    }
    assert_eq!(answers.notes.len(), 6);
}

#[test]
fn columns_have_other_names_and_skills_a_separator() {
    let yaml = "csv: {file: a.csv, columns: {student: who, problem: item, skill: kcs, correct: ok, latency: ms}, skill_separator: ';'}";
    let answers = read(yaml, &[("a.csv", b"who,item,kcs,ok,ms\nb,q,x;y,1,10\nb,p,; x ;,0,20\n")]).unwrap();
    assert_eq!(shown(&answers), "b: q+ p-");
    assert_eq!(skills(&answers), ["p=x", "q=x&y"]);
    assert_eq!(answers.latency, [10.0, 20.0]);
}

#[test]
fn bad_long_files_are_told_why() {
    let head = "student,order,problem,correct\n";
    for (text, parts) in [
        ("", &["a.csv is empty"] as &[&str]),
        ("\n\n", &["a.csv is empty"]),
        (head, &["a.csv holds no answers", "a row for each answer"]),
        (&format!("{head}a,1,p,-1\n"), &["holds no answers (1 rows were left out"]),
        (
            "student,order,correct\na,1,1\n",
            &["no column problem", "columns: {problem: NAME}", "student, order, correct"],
        ),
        ("studnet,problem,correct\na,p,1\n", &["no column student", "did you mean studnet?"]),
        ("student;problem;correct\na;p;1\n", &["separated by ';'"]),
        ("student,problem,correct,student\na,p,1,b\n", &["two columns student"]),
        (
            &format!("{head}a,1,p,1\na,2,p,2\n"),
            &["line 3", "correct is \"2\"", "expected 1 (right), 0 (wrong)"],
        ),
        (&format!("{head}\r\n\n\"a\nb\",1,p,1\na,1,p,2\n"), &["line 6", "correct is \"2\""]),
        (&format!("{head}a,1,p,0.5\n"), &["line 2", "correct is \"0.5\""]),
        (&format!("{head}a,1,p,\n"), &["line 2", "correct is \"\""]),
        (&format!("{head},1,p,1\n"), &["line 2", "student is \"\"", "a name"]),
        (&format!("{head}a,1,NaN,1\n"), &["line 2", "problem is \"NaN\""]),
        (&format!("{head}a,,p,1\n"), &["line 2", "order is \"\"", "a number"]),
        (
            &format!("{head}a,1,p,1\na,1,q,1\n"),
            &["lines 2 and 3", "student a with order 1", "problem p", "problem q"],
        ),
        (
            &format!("{head}b,1,p,1\na,7,p,1\nb,1,p,0\n"),
            &["lines 2 and 4", "student b", "correct 1", "correct 0"],
        ),
        (&format!("{head}a,1,p\n"), &["line 2", "3 cells", "header has 4"]),
        (
            "student,problem,correct,group\na,p,1,x\na,q,1,y\n",
            &["student a is of group x in line 2 and of group y in line 3"],
        ),
        ("student,problem,correct,time\na,p,1,soon\n", &["line 2", "time is \"soon\"", "date and time"]),
        (&format!("{head}a,1,{},1\n", "x".repeat(20_000)), &["line 2", "20000 bytes"]),
    ] {
        refused(csv(text), parts);
    }
}

#[test]
fn files_that_are_no_such_text_are_told_apart() {
    let latin1 = b"student,problem,correct\na,p,1\nJos\xe9,p,1\n";
    refused(
        read("csv: {file: a.csv}", &[("a.csv", latin1)]),
        &["line 3", "cell of student", "encoding: latin1"],
    );
    let answers = read("csv: {file: a.csv, encoding: latin1}", &[("a.csv", latin1)]).unwrap();
    assert_eq!(answers.students, ["José", "a"]);
    refused(
        read("csv: {file: a.csv}", &[("a.csv", b"stud\xe9nt,problem,correct\n")]),
        &["line 1", "encoding: latin1"],
    );
    refused(read("csv: {file: a.csv}", &[("a.csv", b"\xff\xfes\0t\0")]), &["UTF-16"]);
    refused(read("csv: {file: a.csv}", &[("a.csv", b"PK\x03\x04...")]), &["zip archive"]);
    refused(read("csv: {file: b.csv}", &[]), &["no file", "b.csv", "--data-dir"]);
    refused(read("csv: {file: .}", &[]), &["is a folder"]);
    let mut cut = gzip(GOOD.repeat(100).as_bytes());
    cut.truncate(40);
    refused(read("csv: {file: a.csv}", &[("a.csv", &cut)]), &["cannot read", "a.csv"]);
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
    let text = format!("student,problem,correct\n\"a,p,1\n{}", "b,p,1\n".repeat(12 << 20));
    refused(csv(&text), &["from line 2 on", "quote never closed"]);
}

#[test]
fn a_named_column_has_to_be_there() {
    let yaml = "csv: {file: a.csv, columns: {time: when}}";
    refused(read(yaml, &[("a.csv", GOOD.as_bytes())]), &["no column when", "columns: {time: ...}"]);
}
