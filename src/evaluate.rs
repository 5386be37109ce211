//! Testing: loss and accuracy of each episode after each number of adaptation steps.

use std::ops::Range;

use tch::{Kind, Tensor};

use crate::{
    algorithms::MetaLearner,
    chunks::{self, Split},
    loss,
    models::Params,
    random::{Draws, Purpose},
    tasks::{Episode, frozen::FrozenEpisodes},
};

/// Whether long work shall go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Continue,
    /// No.
    Stop,
}

/// Loss and accuracy on the queries of an episode, or their means over episodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of hits, 0 to 1.
    pub accuracy: f64,
}

/// Scores of one episode after each of the steps asked for.
pub type Scores = Vec<Score>;

/// How frozen episodes are tested.
pub struct Protocol<'a> {
    /// The episodes.
    pub episodes: &'a FrozenEpisodes,
    /// Support images per class.
    pub shots: usize,
    /// Numbers of adaptation steps after which scores are taken, ascending.
    pub steps: &'a [usize],
    /// What the method draws from.
    pub draws: Draws,
    /// How the episodes are split.
    pub split: &'a Split,
}

impl Protocol<'_> {
    /// Scores of every episode after each of the steps: `[episodes][steps]`.
    ///
    /// `observe` is told how many more episodes are done; `None` when it stops the test.
    pub fn evaluate(
        &self,
        learner: &dyn MetaLearner,
        theta: &Params,
        observe: &(dyn Fn(usize) -> Verdict + Sync),
    ) -> Option<Vec<Scores>> {
        let mut scores = Vec::with_capacity(self.episodes.len());
        let work = |theta: &Params, chunk: Range<usize>| {
            let count = chunk.len();
            let episode = self.episodes.batch(chunk, self.shots);
            let scores = score(learner, theta, &episode, self.steps, self.draws);
            (observe(count) == Verdict::Continue).then_some(scores)
        };
        chunks::in_chunks(self.episodes.len(), self.split, theta, work, |part| scores.extend(part))?;
        Some(scores)
    }
}

/// Scores of each task of a meta-batch after each of `steps`: `[T][steps]`.
pub fn score(
    learner: &dyn MetaLearner,
    theta: &Params,
    episode: &Episode,
    steps: &[usize],
    draws: Draws,
) -> Vec<Scores> {
    let labels = episode.query_y();
    let column = |values: Tensor| {
        let values = values.to_kind(Kind::Double).to_device(tch::Device::Cpu);
        Vec::<f64>::try_from(values).unwrap_or_default() // a vector, which the conversion takes
    };
    let by_step: Vec<(Vec<f64>, Vec<f64>)> = learner
        .predict(theta, episode, steps, draws)
        .iter()
        .map(|logits| (column(loss::per_task(logits, &labels)), column(loss::accuracy(logits, &labels))))
        .collect();
    (0..episode.tasks() as usize)
        .map(|task| {
            by_step
                .iter()
                .map(|(loss, accuracy)| Score { loss: loss[task], accuracy: accuracy[task] })
                .collect()
        })
        .collect()
}

/// Mean score over frozen episodes after `step` adaptation steps.
pub fn mean_scores(
    learner: &dyn MetaLearner,
    theta: &Params,
    episodes: &FrozenEpisodes,
    shots: usize,
    step: usize,
    split: &Split,
) -> Score {
    let draws = Draws { seed: 0, purpose: Purpose::Adapt, occasion: 0 };
    let protocol = Protocol { episodes, shots, steps: &[step], draws, split };
    let scores = protocol.evaluate(learner, theta, &|_| Verdict::Continue).unwrap_or_default().concat();
    let n = scores.len().max(1) as f64;
    Score {
        loss: scores.iter().map(|s| s.loss).sum::<f64>() / n,
        accuracy: scores.iter().map(|s| s.accuracy).sum::<f64>() / n,
    }
}
