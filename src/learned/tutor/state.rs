//! What is known of a student: predicted success with each skill, and how sure that is.
//!
//! The interval comes from futures: again and again the student is imagined to go on, her answers drawn as they are predicted and adapted to,
//! and the success that is predicted in the end is noted (the martingale posterior of Fong, Holmes & Walker 2023,
//! https://doi.org/10.1093/jrsssb/qkad005). It needs nothing but predictions, so that every method has it, and narrows as answers come in.

use anyhow::Result;
use rand::{RngExt, seq::SliceRandom};
use serde::Serialize;

use super::Tutor;
use crate::{random::Stream, tasks::cohort::Given};

/// Success from which a skill is mastered.
pub const MASTERY: f32 = 0.8;
/// Futures that are imagined.
const FUTURES: usize = 64;
/// Adaptations in a future.
const STAGES: usize = 4;
/// The fewest answers in a future, if there are so many problems.
const FEWEST: usize = 10;

/// What is known of a student's skill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SkillState {
    /// Its name.
    pub skill: String,
    /// Mean predicted success with its problems.
    pub success: f32,
    /// The lower end of the 95 % interval.
    pub low: f32,
    /// The upper end.
    pub high: f32,
    /// Whether the success is at least 0.8.
    pub mastered: bool,
}

impl Tutor<'_> {
    /// What is known of a student who gave these answers, for each skill.
    ///
    /// # Errors
    /// The network's output is none.
    pub fn state(&self, given: &[Given], stream: &mut Stream) -> Result<Vec<SkillState>> {
        let now = self.by_skill(&self.success(&[given.to_vec()])?.concat());
        let futures = self.futures(given, stream)?;
        let state = |(skill, name): (usize, &String)| {
            let mut values: Vec<f32> = futures.iter().map(|future| future[skill]).collect();
            values.sort_by(f32::total_cmp);
            let at = |share: f32| values[(share * (values.len() - 1) as f32).round() as usize];
            SkillState {
                skill: name.clone(),
                success: now[skill],
                low: at(0.025).min(now[skill]),
                high: at(0.975).max(now[skill]),
                mastered: now[skill] >= MASTERY,
            }
        };
        Ok(self.skills.names.iter().enumerate().map(state).collect())
    }

    /// The success with each skill in which each future ends: `[futures][skills]`.
    fn futures(&self, given: &[Given], stream: &mut Stream) -> Result<Vec<Vec<f32>>> {
        let count = self.problems()?.len() as u32;
        let unasked: Vec<u32> =
            (0..count).filter(|problem| given.iter().all(|(asked, _)| asked != problem)).collect();
        let more = self.trained_shots().saturating_sub(given.len()).max(FEWEST).min(unasked.len());
        let mut orders = vec![unasked; FUTURES];
        orders.iter_mut().for_each(|order| order.shuffle(stream));
        let mut futures = vec![given.to_vec(); FUTURES];
        let mut success = vec![self.success(&futures[..1])?.concat(); FUTURES];
        for stage in 0..STAGES {
            let [from, to] = [stage, stage + 1].map(|stage| stage * more / STAGES);
            if from == to {
                continue;
            }
            for ((future, order), success) in futures.iter_mut().zip(&orders).zip(&success) {
                future.extend(
                    order[from..to].iter().map(|p| (*p, stream.random::<f32>() < success[*p as usize])),
                );
            }
            success = self.success(&futures)?;
        }
        Ok(success.iter().map(|success| self.by_skill(success)).collect())
    }
}
