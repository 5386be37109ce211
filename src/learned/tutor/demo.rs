//! A tutor that is watched: it asks a test student, whose answers are known, one question after the other until it knows enough.

use std::fmt::Write;

use anyhow::{Context, Result};
use rand::SeedableRng;

use super::{
    Tutor,
    asking::{Learner, Policy},
    state::SkillState,
};
use crate::{
    random::Stream,
    tasks::{Part, cohort::Given},
};

/// The most questions.
const MOST: usize = 20;
/// Where no rule for stopping is given: no question tells more than this, in nats.
const LEAST_GAIN: f32 = 0.1;

impl Tutor<'_> {
    /// Asks the first test student; `say` is called with each part of the dialogue.
    ///
    /// # Errors
    /// The network's output is none, or `say` fails.
    pub fn demo(&self, policy: &Policy, mut say: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let cohort = self.cohort()?;
        let answers = cohort.answers();
        let student =
            *cohort.students(self.fold(), Part::Test).first().context("there is no test student")?;
        let stop_gain = policy.stop_gain.or_else(|| policy.stop_width.is_none().then_some(LEAST_GAIN));
        let mut left: Vec<Given> =
            answers.of(student).map(|row| (answers.problem[row], answers.correct[row])).collect();
        left.sort_unstable();
        left.dedup_by_key(|(problem, _)| *problem);
        let name = &answers.students[student as usize];
        let mut given: Vec<Given> = Vec::new();
        let mut stream = Stream::seed_from_u64(self.seed());
        say(&format!(
            "{name} is a test student: nothing of her was seen in training. Of her, {} answers are known.\n\n",
            left.len()
        ))?;
        let start = self.state(&given, &mut stream)?;
        let why = loop {
            if left.is_empty() {
                break "she was asked everything".to_owned();
            }
            if given.len() == MOST {
                break format!("{MOST} questions are enough for a demonstration");
            }
            if let Some(width) = policy.stop_width {
                let state = self.state(&given, &mut stream)?;
                if state.iter().all(|skill| skill.high - skill.low < width) {
                    break format!("the interval of every skill is narrower than {width}");
                }
            }
            let open: Vec<u32> = left.iter().map(|(problem, _)| *problem).collect();
            let none = vec![0; answers.problems.len()];
            let candidates = policy.candidates(&open, &given, &answers.skills_of, &none, 1);
            let questions = self.questions(&[Learner { given: &given, candidates, open }])?.concat();
            let Some(question) = policy.choose(&questions) else {
                break "there is nothing to ask".to_owned();
            };
            if let Some(least) = stop_gain
                && questions.iter().all(|question| question.gain <= least)
            {
                break format!("no question gains more than {least} nats");
            }
            let Some(place) = left.iter().position(|(problem, _)| *problem == question.problem) else {
                break String::new();
            };
            let answer = left.remove(place);
            given.push(answer);
            let skills = answers.skills_of[answer.0 as usize]
                .iter()
                .map(|skill| answers.skills[*skill as usize].as_str());
            let skills: Vec<&str> = skills.collect();
            let of = if skills.is_empty() { String::new() } else { format!(" ({})", skills.join(", ")) };
            say(&format!(
                "{:2}. {}{of}: expected to be right with {:.0} %, tells {:.2} nats of the others. {}\n",
                given.len(),
                answers.problems[answer.0 as usize],
                100.0 * question.success,
                question.gain,
                if answer.1 { "Right." } else { "Wrong." }
            ))?;
        };
        say(&format!("\nIt stops: {why}.\n\n"))?;
        say(&table(&start, &self.state(&given, &mut stream)?))?;
        let seen = given.len();
        let success = self.success(&[given])?.concat();
        let hits =
            left.iter().filter(|(problem, right)| (success[*problem as usize] >= 0.5) == *right).count();
        if !left.is_empty() {
            say(&format!(
                "\nOf the {} answers that it did not see, it predicts {hits} rightly after {seen}.\n",
                left.len()
            ))?;
        }
        Ok(())
    }
}

/// Success before and after, with 95 % intervals.
fn table(before: &[SkillState], after: &[SkillState]) -> String {
    let width = before.iter().map(|skill| skill.skill.chars().count()).max().unwrap_or(0).clamp(5, 40);
    let mut text = format!("{:width$}  before             now\n", "skill");
    let cell = |skill: &SkillState| {
        let [success, low, high] = [skill.success, skill.low, skill.high].map(|share| 100.0 * share);
        format!("{success:3.0} % [{low:3.0}, {high:3.0}]")
    };
    for (before, after) in before.iter().zip(after) {
        let mastered = if after.mastered { "  mastered" } else { "" };
        let _ = writeln!(text, "{:width$}  {}  {}{mastered}", after.skill, cell(before), cell(after));
    }
    text
}
