//! `tutor`: a dialogue, what is wrong in it, and that nothing acknowledged is lost.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::sandbox::{Ended, Sandbox};

const RUN: &str = "results/small/cavia-seed0";

const EXPERIMENT: &str = "\
name: small
task: {students: {simulated: {students: 300, problems: 24, answers: 16}, shots: 5}}
model: {decoder: {context: 2, hidden: []}}
train: {iterations: 60, meta_batch: 16, outer: {adam: {lr: 0.02}}}
methods:
  cavia: {maml: {inner: {map: {steps: 3}}}, adapts: context}
  irt: {irt: {}}
evaluate: {episodes: 50, steps: [0, 3], shots: [2, 5]}
seeds: [0]
";

fn trained() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("small.yaml", EXPERIMENT.as_bytes());
    sandbox.experiment(&["--quiet"]).says(0, &[]);
    sandbox
}

/// A tutor that listens.
struct Listening {
    child: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Listening {
    /// The reply to a request, if the tutor still lives.
    fn ask(&mut self, request: &str) -> Option<Value> {
        writeln!(self.requests, "{request}").ok()?;
        self.reply()
    }

    fn reply(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.replies.read_line(&mut line).ok()?;
        (read > 0 && line.ends_with('\n')).then(|| serde_json::from_str(&line).expect("JSON"))
    }
}

impl Sandbox {
    fn tutor_command(&self, arguments: &[&str]) -> Command {
        self.command(&[&["tutor", RUN, "--threads", "1", "--quiet"], arguments].concat())
    }

    fn listening(&self, arguments: &[&str]) -> Listening {
        let mut child = self
            .tutor_command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("started");
        let requests = child.stdin.take().expect("piped");
        let replies = BufReader::new(child.stdout.take().expect("piped"));
        Listening { child, requests, replies }
    }

    /// The replies to some lines.
    fn dialogue(&self, arguments: &[&str], lines: &[u8]) -> (Vec<Value>, Ended) {
        let mut child = self
            .tutor_command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let mut requests = child.stdin.take().expect("piped");
        let lines = lines.to_vec();
        let writing = std::thread::spawn(move || requests.write_all(&lines));
        let ended = Ended::from(child.wait_with_output().expect("ended"));
        let _ = writing.join();
        let replies = ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (replies, ended)
    }
}

#[test]
fn it_knows_asks_stops_and_forgets() {
    let sandbox = trained();
    let lines = "\
{\"next\": {\"student\": \"Ada\"}}
student,item,correct
Ada,problem 01,1
\"Doe, \"\"J\"\" <b>\",problem 02,0
{\"answer\": {\"student\": \"Ada\", \"item\": \"problem 02\", \"correct\": true}}
{\"predict\": {\"student\": \"Ada\", \"items\": [\"problem 03\", \"problem 01\"]}}
{\"predict\": {\"student\": \"Doe, \\\"J\\\" <b>\"}}
{\"state\": {\"student\": \"Ada\"}}
{\"next\": {\"student\": \"Ada\"}}
";
    let (replies, ended) = sandbox.dialogue(&[], lines.as_bytes());
    ended.says(0, &[]);
    assert_eq!(replies.len(), 8, "a header asks nothing: {replies:?}");
    assert!(replies[0]["next"]["item"].is_string() && replies[0]["next"]["gain"].as_f64() > Some(0.0));
    assert_eq!(
        replies[1],
        json!({"answer": {"student": "Ada", "item": "problem 01", "correct": 1, "seen": 1}})
    );
    let success = |reply: &Value, item: &str| reply["predict"]["success"][item].as_f64().expect("a share");
    assert_eq!(replies[4]["predict"]["success"].as_object().map(serde_json::Map::len), Some(2));
    assert!(
        success(&replies[4], "problem 03") > success(&replies[5], "problem 03"),
        "who answers rightly is able"
    );
    let skills = replies[6]["state"]["skills"].as_array().expect("skills");
    for skill in skills {
        let of = |key: &str| skill[key].as_f64().expect("a share");
        assert!(
            of("low") <= of("success") && of("success") <= of("high") && of("low") < of("high"),
            "{skill}"
        );
    }
    let next = replies[7]["next"]["item"].as_str().expect("an item");
    assert!(!["problem 01", "problem 02"].contains(&next), "it was asked already");

    // After a restart it says the same to the last byte.
    let again = "{\"state\": {\"student\": \"Ada\"}}\n{\"next\": {\"student\": \"Ada\"}}\n";
    let (once_more, _) = sandbox.dialogue(&[], again.as_bytes());
    assert_eq!(once_more, replies[6..]);

    let rules = ["--stop-gain", "1000"];
    let (stopped, _) = sandbox.dialogue(&rules, b"{\"next\": {\"student\": \"Ada\"}}\n");
    assert!(stopped[0]["next"]["item"].is_null() && stopped[0]["next"]["stop"].is_string(), "{stopped:?}");
    let (wide, _) = sandbox.dialogue(&["--stop-width", "1"], b"{\"next\": {\"student\": \"Ada\"}}\n");
    assert!(wide[0]["next"]["stop"].as_str().expect("a reason").contains("narrower"), "{wide:?}");

    let (forgotten, _) = sandbox.dialogue(&[], b"{\"forget\": {\"student\": \"Ada\"}}\n");
    assert_eq!(forgotten[0], json!({"forget": {"student": "Ada", "answers": 2}}));
    let journal = sandbox.read("tutor.jsonl");
    assert!(!journal.contains("Ada") && journal.contains("Doe"), "{journal}");
}

#[test]
fn what_is_wrong_is_said_and_it_goes_on() {
    let sandbox = trained();
    let mut lines =
        b"{\"next\": \nAda,problem 99,1\nAda,problem 01,2\n{\"state\": {\"student\": \"Bob\"}}\n\xff\xfe\n"
            .to_vec();
    lines.extend(vec![b'a'; 10 << 20]);
    lines.extend(b"\nAda,problem 01,1\n");
    let (replies, ended) = sandbox.dialogue(&[], &lines);
    ended.says(0, &[]);
    let said = [
        "no JSON",
        "no item \"problem 99\"",
        "0 or 1, not \"2\"",
        "student \"Bob\"",
        "no UTF-8",
        "more than 1048576 bytes",
    ];
    assert_eq!(replies.len(), said.len() + 1, "{replies:?}");
    for (reply, said) in replies.iter().zip(said) {
        assert!(reply["error"].as_str().is_some_and(|error| error.contains(said)), "{said}: {reply}");
    }
    assert_eq!(replies[said.len()]["answer"]["seen"], 1, "what was wrong left no trace");

    // A line that a crash left half-written.
    let whole = sandbox.read("tutor.jsonl");
    sandbox.write("tutor.jsonl", (whole.clone() + "{\"student\": \"Ada\", \"it").as_bytes());
    let (replies, ended) = sandbox.dialogue(&[], b"{\"predict\": {\"student\": \"Ada\", \"items\": []}}\n");
    ended.says(0, &["half-written", "dropped"]);
    assert_eq!(replies[0]["predict"]["seen"], 1);
    assert_eq!(sandbox.read("tutor.jsonl"), whole);

    sandbox.write("tutor.jsonl", (whole.clone() + "nonsense\n").as_bytes());
    sandbox.dialogue(&[], b"").1.says(1, &["tutor.jsonl", "line 3"]);
    sandbox.write("tutor.jsonl", whole.replace("cavia", "other").as_bytes());
    sandbox.dialogue(&[], b"").1.says(2, &["another run", "--journal"]);
    sandbox.write("tutor.jsonl", b"a file of mine\n");
    sandbox.dialogue(&[], b"").1.says(2, &["no journal"]);
    assert_eq!(sandbox.read("tutor.jsonl"), "a file of mine\n");
    fs::remove_file(sandbox.path("tutor.jsonl")).expect("removed");

    let mut first = sandbox.listening(&[]);
    assert!(first.ask("Ada,problem 01,1").is_some());
    sandbox.dialogue(&[], b"").1.says(2, &["another tutor", "--journal"]);
    drop(first.requests);
    assert!(first.child.wait().expect("ended").success());
    sandbox.run(&["tutor", RUN, "--target", "2"]).says(2, &["within 0 to 1"]);
    sandbox.run(&["tutor", "results", "--demo"]).says(2, &["no run's folder"]);
}

#[test]
#[ignore = "takes half a minute; .ci/run has it"]
fn no_kill_loses_an_acknowledged_answer() {
    let sandbox = trained();
    let (mut acknowledged, mut state) = (0u64, 1u64);
    for _ in 0..200 {
        let mut tutor = sandbox.listening(&[]);
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // It has begun to listen when it answers; then it is killed at any moment.
        let Some(reply) = tutor.ask("Ada,problem 01,1") else { panic!("it did not start") };
        let seen = reply["answer"]["seen"].as_u64().expect("a number");
        // What was sent last may be kept though its acknowledgement was not read.
        assert!(seen > acknowledged && seen <= acknowledged + 2, "{seen} after {acknowledged}");
        acknowledged = seen;
        let id = tutor.child.id();
        let killing = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_micros((state >> 33) % 3000));
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        });
        while let Some(reply) = tutor.ask("Ada,problem 02,0") {
            acknowledged = reply["answer"]["seen"].as_u64().expect("a number");
        }
        killing.join().expect("killed");
        tutor.child.wait().expect("ended");
    }
    let (replies, _) = sandbox.dialogue(&[], b"{\"predict\": {\"student\": \"Ada\", \"items\": []}}\n");
    let seen = replies[0]["predict"]["seen"].as_u64().expect("a number");
    assert!(seen == acknowledged || seen == acknowledged + 1, "{seen} of {acknowledged}");
}

#[test]
fn it_can_be_watched_and_rehearsed() {
    let sandbox = trained();
    let demo = sandbox.run(&["tutor", RUN, "--demo", "--threads", "1"]);
    demo.says(0, &[]);
    for part in ["is a test student", " 1. problem", "It stops: ", "skill 1", "it predicts"] {
        assert!(demo.stdout.contains(part), "{part}: {}", demo.stdout);
    }
    assert!(!sandbox.path("tutor.jsonl").exists(), "a demonstration keeps nothing");
    let rehearse = |arguments: &[&str]| {
        let all =
            [&["tutor", RUN, "--rehearse", "test", "--asked", "2,4", "--threads", "1", "--quiet"], arguments];
        let ended = sandbox.run(&all.concat());
        ended.says(0, &[]);
        let rows = ended.stdout.lines().filter(|line| line.contains("chosen") || line.contains("random   "));
        rows.map(|row| row.split_whitespace().map(str::to_owned).collect()).collect::<Vec<Vec<String>>>()
    };
    let all = rehearse(&[]);
    assert_eq!(all.len(), 4, "{all:?}");
    let asked_most = |rows: &[Vec<String>]| rows[3][4].parse::<f64>().expect("percent");
    let limited = rehearse(&["--exposure", "0.3"]);
    assert!(asked_most(&all) > 40.0 && asked_most(&limited) < 31.0, "{all:?} {limited:?}");
    sandbox
        .run(&["tutor", RUN, "--rehearse", "test", "--asked", "14", "--threads", "1"])
        .says(2, &["no such student has 14", "--asked"]);
}

/// The program of docs/tutor.md.
#[test]
#[ignore = "needs python3; .ci/run has it"]
fn a_program_of_ones_own_can_ask_over_the_pipe() {
    let sandbox = trained();
    let guide = include_str!("../../docs/tutor.md");
    let program = guide.split("## From a program").nth(1).expect("the last part");
    let lines =
        program.lines().filter_map(|line| line.strip_prefix("    ").or(line.is_empty().then_some("")));
    let program: Vec<&str> = lines.collect();
    let program = program.join("\n").replace("results/students/cavia-seed0", RUN);
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_quickstudy")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("a path"));
    let mut child = Command::new("python3")
        .args(["-c", &program])
        .current_dir(sandbox.path(""))
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut answers = child.stdin.take().expect("piped");
    answers.write_all("y\nn\n".repeat(12).as_bytes()).expect("written");
    drop(answers);
    let ended = Ended::from(child.wait_with_output().expect("ended"));
    ended.says(0, &[]);
    assert_eq!(ended.stdout.matches("was Ada right?").count(), 24, "{}", ended.stdout);
    assert!(ended.stdout.contains("'seen': 24"), "{}", ended.stdout);
}
