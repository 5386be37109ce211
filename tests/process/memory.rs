//! Learners who practise cards over time, from CSV and from Anki.

use rusqlite::Connection;

use crate::sandbox::Sandbox;

const EXPERIMENT: &str = "\
name: practice
task:
  memory:
    reviews: {csv: {file: reviews.csv}}
    shots: 5
    training: {shots: [1, 5], strangers: 0.3}
    known_from: 5
model: {forgetting: {context: 2, hidden: [4]}}
train: {iterations: 4, meta_batch: 8, validate: {every: 2, episodes: 8}}
methods:
  cavia: {maml: {inner: {map: {}}}, adapts: context}
  population: {pretrained: {}}
  running_average: {running_average: {}}
  recall_regression: {recall_regression: {}}
  half_life_regression: {half_life_regression: {}}
  fsrs: {fsrs: {}}
  fsrs_all: {fsrs: {fitted_to: all}}
evaluate: {episodes: 12, steps: [0, 2], shots: [5, 10]}
seeds: [0]
";

const DAY: i64 = 86_400;

/// Thirty learners who review eight cards every third day, ten times each: who has a higher number forgets less.
fn reviews() -> String {
    let mut text = "student,time,problem,correct\n".to_owned();
    for learner in 0..30i64 {
        for round in 0..10 {
            for card in 0..8 {
                let time = 1_500_000_000 + DAY * 3 * round + 20 * card;
                let recalled = i64::from((learner * 7 + card * 13 + round * 5) % 40 < learner + round);
                text += &format!("learner {learner},{time},card {card},{recalled}\n");
            }
        }
    }
    text
}

/// A collection of two cards, learned and then reviewed every second day.
fn collection(sandbox: &Sandbox, name: &str, schema: i64) {
    let made = Connection::open(sandbox.path(name)).expect("a new file");
    made.execute_batch(&format!(
        "create table col (ver integer); insert into col values ({schema});
         create table cards (id integer primary key); insert into cards values (1), (2), (3);
         create table revlog (id integer primary key, cid integer, usn integer, ease integer, ivl integer, lastIvl integer,
                              factor integer, time integer, type integer);"
    ))
    .expect("tables");
    for review in 0..24i64 {
        let (card, kind) = (1 + review % 2, i64::from(review > 1));
        let time = 1000 * (1_500_000_000 + DAY * review + card);
        let ease = if review % 5 == 4 { 1 } else { 3 };
        let row = (time, card, ease, kind);
        made.execute("insert into revlog values (?1, ?2, -1, ?3, 1, 1, 2500, 4000, ?4)", row).expect("a row");
    }
}

#[test]
fn what_was_learned_of_a_file_is_tested_on_a_collection_of_anki() {
    let sandbox = Sandbox::new();
    sandbox.write("reviews.csv", reviews().as_bytes());
    sandbox.write("practice.yaml", EXPERIMENT.as_bytes());
    sandbox.run(&["experiment", "practice.yaml", "--quiet"]).says(0, &[]);
    for figure in ["seen", "fits", "reliability"] {
        assert!(sandbox.path(&format!("results/practice/figures/{figure}.png")).exists(), "{figure}");
    }
    let rows = sandbox.read("results/practice/fsrs-seed0/evaluation.csv");
    assert!(rows.lines().next().is_some_and(|header| header.contains("log_loss,auc,rmse_bins")), "{rows}");
    assert!(!rows.contains("NaN"), "{rows}");

    collection(&sandbox, "collection.anki2", 18);
    for run in ["cavia-seed0", "fsrs-seed0"] {
        let run = format!("results/practice/{run}");
        let evaluate = ["evaluate", &run, "--reviews", "collection.anki2", "--out", "mine.csv"];
        let said = sandbox.run(&evaluate);
        said.says(0, &["cards without reviews: 1"]);
        assert!(said.stdout.contains("log loss"), "{}", said.stdout);
        assert_eq!(
            sandbox.read("mine.csv").lines().count(),
            1 + 2 * 2,
            "one learner, two shots, two numbers of steps"
        );
    }
    sandbox
        .run(&["export", "results/practice/cavia-seed0", "--out", "net"])
        .says(2, &["has no context parameters"]);
    // The same file gives the run's own test again.
    let own = ["evaluate", "results/practice/cavia-seed0", "--out", "own.csv", "--quiet"];
    sandbox.run(&own).says(0, &[]);
    assert_eq!(sandbox.read("own.csv"), sandbox.read("results/practice/cavia-seed0/evaluation.csv"));

    collection(&sandbox, "newer.anki2", 19);
    sandbox.write("text.apkg", b"front\tback\n");
    for (file, text) in [
        ("newer.anki2", "schema 19"),
        ("text.apkg", "no SQLite database, or an encrypted one"),
        ("nowhere.anki2", "there is no file"),
    ] {
        sandbox.run(&["evaluate", "results/practice/cavia-seed0", "--reviews", file]).says(2, &[text]);
    }
    let many = ["evaluate", "results/practice/cavia-seed0", "--reviews", "collection.anki2", "--shots", "30"];
    sandbox.run(&many).says(2, &["after the 30 that are seen", "--shots"]);
}

#[test]
fn simulated_learners_need_no_file() {
    let sandbox = Sandbox::new();
    let simulated = EXPERIMENT
        .replace("reviews: {csv: {file: reviews.csv}}", "simulated: {learners: 40, reviews: 40}")
        .replace("fitted_to: all", "fitted_to: nothing");
    sandbox.write("practice.yaml", simulated.as_bytes());
    sandbox.run(&["experiment", "practice.yaml", "--quiet"]).says(0, &[]);
    let example = sandbox.read("results/practice/cavia-seed0/example.json");
    let example: serde_json::Value = serde_json::from_str(&example).expect("JSON");
    assert_eq!(example["curves"][0]["truth"].as_array().map(Vec::len), Some(81), "how they forget is known");
}

#[test]
fn what_is_wrong_with_reviews_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write("practice.yaml", EXPERIMENT.as_bytes());
    let check = || sandbox.run(&["experiment", "practice.yaml", "--quiet"]);
    check().says(2, &["there is no file reviews.csv", "--data-dir"]);
    for (text, expected) in [
        (reviews().replace(",1500000000,", ",yesterday,"), "line 2: time is \"yesterday\""),
        (reviews().replace("time,", "when,"), "columns: {time: NAME}"),
        (reviews().replace(",15", ",1500000000015"), "are these milliseconds?"),
        (reviews().lines().take(25).collect::<Vec<_>>().join("\n"), "of 1 people"),
        ("student,time,problem,correct\n".to_owned(), "holds no reviews"),
    ] {
        sandbox.write("reviews.csv", text.as_bytes());
        check().says(2, &[expected]);
    }
    let images = "name: x\ntask: {dataset: mnist, ways: 2, shots: 1, classes: shared}\nmodel: {forgetting: {}}\nmethods: {maml: {maml: {}}}\n";
    sandbox.write("x.yaml", images.as_bytes());
    sandbox.run(&["check", "x.yaml"]).says(2, &["timed reviews", "memory"]);
    let students = "name: x\ntask: {students: {}}\nmethods: {fsrs: {fsrs: {}}}\n";
    sandbox.write("x.yaml", students.as_bytes());
    sandbox.run(&["check", "x.yaml"]).says(2, &["fsrs needs timed reviews"]);
}
