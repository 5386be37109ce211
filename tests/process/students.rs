//! What a teacher sees of students.

use std::collections::BTreeSet;

use crate::sandbox::Sandbox;

const EXPERIMENT: &str = "\
name: school
task:
  students:
    answers: {csv: {file: answers.csv, columns: {group: school}}}
    shots: 5
    training: {shots: [1, 5]}
model: {decoder: {context: 2, hidden: [4]}}
train: {iterations: 4, meta_batch: 8, validate: {every: 2, episodes: 8}}
methods:
  cavia: {maml: {inner: {map: {}}}, adapts: context}
evaluate: {episodes: 12, steps: [0, 2], shots: [1, 5]}
seeds: [0, 1]
";

const NAME: &str = "<script>alert(1)</script>, \"x\" | y";

/// Answers of 60 students to 8 items of two skills: the higher a student's number, the more are right. Every name is HTML.
fn answers() -> String {
    let mut text = "student,order,skill,problem,correct,school\n".to_owned();
    for student in 0..60 {
        for item in 0..8 {
            let (name, skill) = (NAME.replace('"', "\"\""), ["adding", "a<b>&c"][item % 2]);
            let right = u8::from((student * 7 + item * 13) % 60 < student);
            let school = ["north", "south"][student % 2];
            text += &format!("\"{name} {student}\",{item},{skill},item{item},{right},{school}\n");
        }
    }
    text
}

/// The header and the rows of a table of the report.
fn table(sandbox: &Sandbox, name: &str) -> (String, Vec<csv::StringRecord>) {
    let text = sandbox.read(&format!("results/school/tables/{name}.csv"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().collect::<Result<_, _>>().expect("CSV");
    (text.lines().next().unwrap_or_default().to_owned(), rows)
}

#[test]
fn a_teacher_sees_skills_groups_and_misfits() {
    let sandbox = Sandbox::new();
    sandbox.write("answers.csv", answers().as_bytes());
    sandbox.write("school.yaml", EXPERIMENT.as_bytes());
    sandbox.run(&["experiment", "school.yaml", "--quiet"]).says(0, &[]);
    for figure in ["seen", "reliability", "profile", "contexts"] {
        for ending in ["svg", "png"] {
            assert!(sandbox.path(&format!("results/school/figures/{figure}.{ending}")).exists(), "{figure}");
        }
    }
    assert!(!sandbox.path("results/school/figures/misfit.svg").exists(), "nobody knows whose answers fit");
    assert!(!sandbox.path("results/school/figures/shots.svg").exists());

    let (header, rows) = table(&sandbox, "students");
    assert_eq!(header, "method,student,group,answers_seen,skill,predicted_success,low,high,mastered,truth");
    let number = |cell: &str| cell.parse::<f64>().expect("a number");
    let mut students = BTreeSet::new();
    for row in &rows {
        let (mean, low, high) = (number(&row[5]), number(&row[6]), number(&row[7]));
        assert!(low <= mean && mean <= high && low >= 0.0 && high <= 1.0, "{row:?}");
        let mastered = if low >= 0.8 {
            "yes"
        } else if high < 0.8 {
            "no"
        } else {
            "unsure"
        };
        assert!(row[8] == *mastered && row[9].is_empty(), "{row:?}");
        assert!(row[1].starts_with(NAME) && ["north", "south"].contains(&&row[2]), "{row:?}");
        students.insert(row[1].to_owned());
    }
    assert_eq!(rows.len(), students.len() * 2 * 3, "two skills, before and after 1 and 5 answers");

    let (header, rows) = table(&sandbox, "skills");
    assert_eq!((header.as_str(), rows.len()), ("method,skill,change_1,change_5", 2));
    let (header, rows) = table(&sandbox, "groups");
    assert_eq!(header, "method,group,students,share_right,skill,predicted_success");
    let members: usize = rows
        .iter()
        .filter(|row| &row[4] == "adding")
        .map(|row| row[2].parse::<usize>().expect("a number"))
        .sum();
    assert_eq!(members, students.len());
    let (_, rows) = table(&sandbox, "misfits");
    assert_eq!(rows.len(), students.len());
    assert!(
        rows.windows(2).all(|pair| number(&pair[0][3]) >= number(&pair[1][3])),
        "the least fitting first"
    );
    let (header, rows) = table(&sandbox, "by_group");
    assert!(header.starts_with("method,group,answers_seen,steps,students,log_loss,"), "{header}");
    let of_one = rows.iter().filter(|row| &row[2] == "1").map(|row| number(&row[4])).sum::<f64>();
    assert_eq!(of_one, students.len().min(12) as f64);
    let (_, rows) = table(&sandbox, "reliability");
    assert_eq!(rows.len(), 10);

    let page = sandbox.read("results/school/report.html");
    assert!(
        page.contains("What a teacher sees") && page.contains("&lt;script&gt;alert(1)"),
        "names are text"
    );
    assert!(!page.contains("<script>alert") && !page.contains("a<b>&c"), "names are no HTML");
    let summary = sandbox.read("results/school/summary.md");
    assert!(summary.contains("figures/profile.svg") && !summary.contains("<script>"), "nor in the summary");
    let markdown = sandbox.read("results/school/report.md");
    assert!(
        markdown.contains("### What a teacher sees") && !markdown.contains("<script>"),
        "nor in Markdown"
    );
}
