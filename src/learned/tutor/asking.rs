//! Which question is worth asking next: each is answered ahead, right and wrong, and that is asked after which least is left uncertain.
//!
//! The uncertainty is the entropy of the answers to all problems that were not asked; its expected fall is what an answer tells of the
//! others (as mutual information in Ghosh & Lan 2021, https://arxiv.org/abs/2108.07386, summed over the problems).

use anyhow::Result;
use clap::Args;

use super::Tutor;
use crate::tasks::cohort::Given;

/// How questions are chosen.
#[derive(Clone, Debug, Default, Args)]
pub struct Policy {
    /// Ask what is answered right about so often, 0 to 1: among questions within 0.1 of it the one that tells most, else the nearest
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub target: Option<f32>,
    /// Ask of the skills in turn: the next question is of a skill of which fewest were asked
    #[arg(long)]
    pub balance: bool,
    /// Ask no question of more than this share of the students, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub exposure: Option<f32>,
    /// Stop when no question is expected to lower the entropy of the others by more than this, in nats
    #[arg(long, value_name = "NATS", value_parser = positive)]
    pub stop_gain: Option<f32>,
    /// Stop when the 95 % interval of each skill's success is narrower than this, 0 to 1
    #[arg(long, value_name = "WIDTH", value_parser = share)]
    pub stop_width: Option<f32>,
}

fn share(text: &str) -> Result<f32, String> {
    let value: f32 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(format!("{text} is not within 0 to 1")) }
}

fn positive(text: &str) -> Result<f32, String> {
    let value: f32 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if value >= 0.0 && value.is_finite() { Ok(value) } else { Err(format!("{text} is not 0 or more")) }
}

/// A student who may be asked something.
pub struct Learner<'a> {
    /// What she answered.
    pub given: &'a [Given],
    /// The problems that may be asked.
    pub candidates: Vec<u32>,
    /// The problems whose answers are of interest.
    pub open: Vec<u32>,
}

/// A question that may be asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
    /// The number of the problem.
    pub problem: u32,
    /// The predicted success.
    pub success: f32,
    /// The expected fall of the entropy of the open problems, nats.
    pub gain: f32,
}

/// The entropy of an answer that is right with this probability, nats.
fn entropy(p: f32) -> f32 {
    let term = |p: f32| if p > 0.0 { -p * p.ln() } else { 0.0 };
    term(p) + term(1.0 - p)
}

impl Tutor<'_> {
    /// What each question would tell of each student.
    ///
    /// # Errors
    /// The network's output is none.
    pub fn questions(&self, learners: &[Learner]) -> Result<Vec<Vec<Question>>> {
        let now: Vec<Vec<Given>> = learners.iter().map(|learner| learner.given.to_vec()).collect();
        let now = self.success(&now)?;
        let ahead = learners.iter().flat_map(|learner| {
            learner.candidates.iter().flat_map(|problem| {
                [true, false].map(|right| learner.given.iter().copied().chain([(*problem, right)]).collect())
            })
        });
        let ahead = self.success(&ahead.collect::<Vec<Vec<Given>>>())?;
        let mut pairs = ahead.chunks_exact(2);
        let of_learner = |(learner, now): (&Learner, &Vec<f32>)| {
            let question = |(problem, pair): (&u32, &[Vec<f32>])| {
                let success = now[*problem as usize];
                let open = learner.open.iter().filter(|open| *open != problem).map(|open| *open as usize);
                let fall = open.map(|open| {
                    let [right, wrong] = [pair[0][open], pair[1][open]].map(entropy);
                    entropy(now[open]) - success * right - (1.0 - success) * wrong
                });
                Question { problem: *problem, success, gain: fall.sum() }
            };
            learner.candidates.iter().zip(pairs.by_ref()).map(question).collect()
        };
        Ok(learners.iter().zip(&now).map(of_learner).collect())
    }
}

impl Policy {
    /// Whether the limit lets one more student be asked a problem, where each was asked so many times of so many students.
    pub fn may_ask(&self, problem: u32, asked: &[u32], students: usize) -> bool {
        self.exposure
            .is_none_or(|limit| (asked[problem as usize] as f32) < (limit * students as f32).max(1.0))
    }

    /// The questions that may be asked of a student who gave these answers, of those that she was not asked, where each problem was asked
    /// so many times of so many students.
    pub fn candidates(
        &self,
        unasked: &[u32],
        given: &[Given],
        skills_of: &[Vec<u32>],
        asked: &[u32],
        students: usize,
    ) -> Vec<u32> {
        let may = |problem: &u32| self.may_ask(*problem, asked, students);
        let mut some: Vec<u32> = unasked.iter().copied().filter(may).collect();
        if some.is_empty() {
            // A limit that leaves nothing gives way to the least asked.
            let least = unasked.iter().map(|problem| asked[*problem as usize]).min();
            some = unasked.iter().copied().filter(|p| Some(asked[*p as usize]) == least).collect();
        }
        if self.balance {
            let times = |skill: &u32| {
                given.iter().filter(|(problem, _)| skills_of[*problem as usize].contains(skill)).count()
            };
            let of = |problem: &u32| skills_of[*problem as usize].iter().map(times).min().unwrap_or(0);
            let fewest = some.iter().map(of).min();
            some.retain(|problem| Some(of(problem)) == fewest);
        }
        some
    }

    /// The question to ask: the first of those that tell most.
    pub fn choose(&self, questions: &[Question]) -> Option<Question> {
        const NEAR: f32 = 0.1;
        let most = |questions: &mut dyn Iterator<Item = Question>| {
            questions.reduce(|best, next| if next.gain > best.gain { next } else { best })
        };
        let Some(target) = self.target else { return most(&mut questions.iter().copied()) };
        let off = |question: &Question| (question.success - target).abs();
        most(&mut questions.iter().copied().filter(|question| off(question) <= NEAR))
            .or_else(|| questions.iter().copied().min_by(|a, b| off(a).total_cmp(&off(b))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(problem: u32, success: f32, gain: f32) -> Question {
        Question { problem, success, gain }
    }

    #[test]
    fn entropy_is_largest_where_nothing_is_known() {
        assert_eq!((entropy(0.0), entropy(1.0)), (0.0, 0.0));
        assert!((entropy(0.5) - 2f32.ln()).abs() < 1e-6 && entropy(0.4) < entropy(0.5));
    }

    #[test]
    fn what_tells_most_is_asked_near_the_target() {
        let all = [question(0, 0.9, 1.0), question(1, 0.55, 0.2), question(2, 0.45, 0.4)];
        assert_eq!(Policy::default().choose(&all).map(|q| q.problem), Some(0));
        let target = |target| Policy { target: Some(target), ..Policy::default() };
        assert_eq!(target(0.5).choose(&all).map(|q| q.problem), Some(2));
        assert_eq!(target(0.7).choose(&all).map(|q| q.problem), Some(1), "none is within 0.1");
        assert_eq!(Policy::default().choose(&[]), None);
    }

    #[test]
    fn a_limit_keeps_a_question_for_few_and_balance_goes_through_the_skills() {
        let skills_of = [vec![0], vec![0], vec![1], vec![]];
        let of = |policy: &Policy, given: &[Given], asked: &[u32]| {
            policy.candidates(&[0, 1, 2], given, &skills_of, asked, 10)
        };
        let limit = Policy { exposure: Some(0.3), ..Policy::default() };
        assert_eq!(of(&limit, &[], &[3, 2, 0, 0]), [1, 2]);
        assert_eq!(of(&limit, &[], &[4, 3, 3, 0]), [1, 2], "the least asked where all are too often");
        let balance = Policy { balance: true, ..Policy::default() };
        assert_eq!(of(&balance, &[], &[0; 4]), [0, 1, 2]);
        assert_eq!(of(&balance, &[(0, true)], &[0; 4]), [2]);
    }
}
