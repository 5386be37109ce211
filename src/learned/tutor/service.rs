//! The service: a request a line, a reply a line. What is wrong with a request is said in a reply, and the service goes on.

use std::io::{BufRead, Read, Write};

use anyhow::{Context, Result};
use rand::SeedableRng;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    Tutor,
    asking::{Learner, Policy},
    journal::Journal,
    request::Request,
};
use crate::{
    misuse::{Misuse, similar},
    random::Stream,
    tasks::cohort::Given,
};

/// The most bytes of a request.
const LONGEST_REQUEST: u64 = 1 << 20;

/// A tutor at work.
pub struct Service<'a> {
    /// What it knows of all students.
    pub tutor: Tutor<'a>,
    /// What it knows of each.
    pub journal: Journal,
    /// How it asks.
    pub policy: Policy,
}

impl Service<'_> {
    /// Replies to each request until there are no more.
    ///
    /// # Errors
    /// Requests cannot be read, or replies cannot be written.
    pub fn serve(&mut self, mut requests: impl BufRead, mut replies: impl Write) -> Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = requests.by_ref().take(LONGEST_REQUEST).read_until(b'\n', &mut line);
            if read.context("cannot read requests")? == 0 {
                return Ok(());
            }
            let reply = if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_REQUEST {
                skip_line(&mut requests).context("cannot read requests")?;
                Some(error(&format!("the line has more than {LONGEST_REQUEST} bytes, and was not looked at")))
            } else {
                self.reply(&line)
            };
            let Some(reply) = reply else { continue };
            match writeln!(replies, "{reply}").and_then(|()| replies.flush()) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                written => written.context("cannot write replies")?,
            }
        }
    }

    /// The reply to a line; none to one that asks nothing.
    pub fn reply(&mut self, line: &[u8]) -> Option<Value> {
        let Ok(line) = std::str::from_utf8(line) else { return Some(error("the line is no UTF-8 text")) };
        let request = match Request::read(line) {
            Ok(request) => request?,
            Err(wrong) => return Some(error(&wrong)),
        };
        Some(self.answer(&request).unwrap_or_else(|wrong| error(&format!("{wrong:#}"))))
    }

    fn answer(&mut self, request: &Request) -> Result<Value> {
        match request {
            Request::Answer(answer) => {
                let problem = self.problem(&answer.item)?;
                let problems = self.tutor.problems()?;
                self.journal.append(&answer.student, (problem, answer.correct), problems)?;
                let seen = self.journal.given(&answer.student).map_or(0, <[Given]>::len);
                let correct = u8::from(answer.correct);
                Ok(
                    json!({"answer": {"student": answer.student, "item": answer.item, "correct": correct, "seen": seen}}),
                )
            }
            Request::Predict(about) => {
                let given = self.known(&about.student)?;
                let problems = self.tutor.problems()?;
                let asked = match &about.items {
                    None => (0..problems.len() as u32).collect(),
                    Some(items) => items.iter().map(|item| self.problem(item)).collect::<Result<Vec<_>>>()?,
                };
                let success = self.tutor.success(&[given.to_vec()])?.concat();
                let success: Map<String, Value> = asked
                    .into_iter()
                    .map(|problem| (problems[problem as usize].clone(), rounded(success[problem as usize])))
                    .collect();
                Ok(json!({"predict": {"student": about.student, "seen": given.len(), "success": success}}))
            }
            Request::Next(who) => self.next(&who.student),
            Request::State(who) => {
                let given = self.known(&who.student)?;
                let skills = self.tutor.state(given, &mut self.stream(&who.student, given))?;
                let skills: Vec<Value> = skills
                    .iter()
                    .map(|skill| {
                        json!({
                            "skill": skill.skill,
                            "success": rounded(skill.success),
                            "low": rounded(skill.low),
                            "high": rounded(skill.high),
                            "mastered": skill.mastered,
                        })
                    })
                    .collect();
                Ok(json!({"state": {"student": who.student, "seen": given.len(), "skills": skills}}))
            }
            Request::Forget(who) => {
                self.known(&who.student)?;
                let answers = self.journal.forget(&who.student, self.tutor.problems()?)?;
                Ok(json!({"forget": {"student": who.student, "answers": answers}}))
            }
        }
    }

    /// What to ask a student, who may be new.
    fn next(&self, student: &str) -> Result<Value> {
        let given = self.journal.given(student).unwrap_or_default();
        let stopped = |why: &str| {
            Ok(json!({"next": {"student": student, "seen": given.len(), "item": null, "stop": why}}))
        };
        let answers = self.tutor.cohort()?.answers();
        let problems = answers.problems.len() as u32;
        let open: Vec<u32> = (0..problems).filter(|p| given.iter().all(|(asked, _)| asked != p)).collect();
        if open.is_empty() {
            return stopped("every item was asked");
        }
        if let Some(width) = self.policy.stop_width
            && !given.is_empty()
        {
            let state = self.tutor.state(given, &mut self.stream(student, given))?;
            if state.iter().all(|skill| skill.high - skill.low < width) {
                return stopped(&format!("the interval of every skill is narrower than {width}"));
            }
        }
        let (asked, students) = self.exposure(problems as usize);
        let candidates = self.policy.candidates(&open, given, &answers.skills_of, &asked, students);
        let questions = self.tutor.questions(&[Learner { given, candidates, open }])?.concat();
        let Some(question) = self.policy.choose(&questions) else { return stopped("every item was asked") };
        if let Some(least) = self.policy.stop_gain
            && questions.iter().all(|question| question.gain <= least)
        {
            return stopped(&format!("no question gains more than {least}"));
        }
        Ok(json!({"next": {
            "student": student,
            "seen": given.len(),
            "item": answers.problems[question.problem as usize],
            "success": rounded(question.success),
            "gain": rounded(question.gain),
        }}))
    }

    /// Of how many students each problem was asked, and how many students there are.
    fn exposure(&self, problems: usize) -> (Vec<u32>, usize) {
        let mut asked = vec![0; problems];
        let mut students = 0;
        for (_, given) in self.journal.students() {
            let mut of_student: Vec<u32> = given.iter().map(|(problem, _)| *problem).collect();
            of_student.sort_unstable();
            of_student.dedup();
            of_student.iter().for_each(|problem| asked[*problem as usize] += 1);
            students += 1;
        }
        (asked, students)
    }

    fn problem(&self, item: &str) -> Result<u32> {
        let Some(problem) = self.tutor.problem(item) else {
            let near = similar(item, self.tutor.problems()?.iter().map(String::as_str));
            let near = near.map(|near| near.replace('\n', "; ")).unwrap_or_default();
            return Err(Misuse(format!("there is no item {item:?} in this run{near}")).into());
        };
        Ok(problem)
    }

    fn known(&self, student: &str) -> Result<&[Given]> {
        let given = self.journal.given(student);
        given.with_context(|| {
            format!("no answer of a student {student:?} is known; her first answers make her known")
        })
    }

    /// What is drawn for a student depends on her name, her answers and the run's seed alone.
    fn stream(&self, student: &str, given: &[Given]) -> Stream {
        let mut hash = Sha256::new();
        hash.update(self.tutor.seed().to_le_bytes());
        hash.update(student);
        given.iter().for_each(|(problem, right)| {
            hash.update([&problem.to_le_bytes()[..], &[u8::from(*right)]].concat())
        });
        Stream::from_seed(hash.finalize().into())
    }
}

/// Reads up to the end of a line, and keeps nothing of it.
fn skip_line(requests: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = requests.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let read = end.map_or(buffer.len(), |end| end + 1);
        requests.consume(read);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn error(what: &str) -> Value {
    json!({"error": what})
}

/// With four digits after the point, as JSON.
fn rounded(value: f32) -> Value {
    json!((f64::from(value) * 1e4).round() / 1e4)
}
