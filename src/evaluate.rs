//! Testing: loss and accuracy of each episode after each number of adaptation steps, and what they cost.

use std::ops::Range;

use tch::{Kind, Tensor};

use crate::{
    algorithms::MetaLearner,
    chunks::{self, Split},
    inner::Answer,
    loss,
    models::Params,
    random::{Draws, Purpose},
    tasks::{Episode, Interface, frozen::FrozenEpisodes},
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

/// What it took to answer the queries of a task after one number of steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Support rows that were looked at, each as often as it was.
    pub rows: usize,
    /// Seconds of one thread for each task: the time of a chunk of tasks, all done by one thread, divided by their number.
    pub seconds: f64,
}

/// What a test gave.
pub struct Tested {
    /// Scores of every episode after each of the steps: `[episodes][steps]`.
    pub scores: Vec<Scores>,
    /// What they cost, after each of the steps; means over episodes.
    pub costs: Vec<Cost>,
}

impl Tested {
    /// Joins other episodes, tested after the same steps.
    fn join(self, others: Self) -> Self {
        let [n, m] = [&self, &others].map(|part| part.scores.len() as f64);
        let mean = |(a, b): (&Cost, &Cost)| Cost {
            seconds: (n * a.seconds + m * b.seconds) / (n + m).max(1.0),
            rows: a.rows,
        };
        Self {
            costs: self.costs.iter().zip(&others.costs).map(mean).collect(),
            scores: [self.scores, others.scores].concat(),
        }
    }
}

/// How frozen episodes are tested.
pub struct Protocol<'a> {
    /// Their loss.
    pub interface: &'a Interface,
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
    /// Tests every episode.
    ///
    /// `observe` is told how many more episodes are done; `None` when it stops the test.
    pub fn evaluate(
        &self,
        learner: &dyn MetaLearner,
        theta: &Params,
        observe: &(dyn Fn(usize) -> Verdict + Sync),
    ) -> Option<Tested> {
        let mut tested: Option<Tested> = None;
        let work = |theta: &Params, chunk: Range<usize>| {
            let count = chunk.len();
            let draws = self.draws.from_task(chunk.start);
            let episode = self.episodes.batch(chunk, self.shots);
            let tested = score(learner, self.interface, theta, &episode, self.steps, draws);
            (observe(count) == Verdict::Continue).then_some(tested)
        };
        chunks::in_chunks(self.episodes.len(), self.split, theta, work, |part| {
            tested = Some(match tested.take() {
                Some(before) => before.join(part),
                None => part,
            });
        })?;
        tested
    }
}

/// Tests each task of a meta-batch after each of `steps`.
pub fn score(
    learner: &dyn MetaLearner,
    interface: &Interface,
    theta: &Params,
    episode: &Episode,
    steps: &[usize],
    draws: Draws,
) -> Tested {
    let labels = episode.query_y();
    let column = |values: Tensor| {
        let values = values.to_kind(Kind::Double).to_device(tch::Device::Cpu);
        Vec::<f64>::try_from(values).unwrap_or_default() // a vector, which the conversion takes
    };
    let answers = learner.predict(theta, episode, steps, draws);
    let by_step: Vec<(Vec<f64>, Vec<f64>)> = answers
        .iter()
        .map(|Answer { outputs, .. }| {
            let losses = loss::per_task(interface.loss, outputs, &labels, None);
            (column(losses), column(accuracy(outputs, &labels)))
        })
        .collect();
    let tasks = episode.tasks() as usize;
    let cost = |answer: &Answer| Cost {
        rows: answer.rows,
        seconds: answer.time.as_secs_f64() / tasks.max(1) as f64,
    };
    let scores = (0..tasks)
        .map(|task| {
            by_step
                .iter()
                .map(|(loss, accuracy)| Score { loss: loss[task], accuracy: accuracy[task] })
                .collect()
        })
        .collect();
    Tested { scores, costs: answers.iter().map(cost).collect() }
}

/// Share of rows whose largest logit is the label's, for each task: `[T]`, 0 to 1.
///
/// Not a number for a task with a logit `[T, R, N]` that is not finite: a network that diverged chooses no class, and the first one,
/// which `argmax` names then, would be right as often as chance is.
fn accuracy(logits: &Tensor, labels: &Tensor) -> Tensor {
    let hits = logits.argmax(-1, false).eq_tensor(labels); // [T, R]
    let finite = logits.isfinite().flatten(1, -1).all_dim(1, false); // [T]
    hits.to_kind(Kind::Double).mean_dim(1, false, None).where_scalarother(&finite, f64::NAN)
}

/// Mean score over frozen episodes after `step` adaptation steps.
pub fn mean_scores(
    learner: &dyn MetaLearner,
    interface: &Interface,
    theta: &Params,
    episodes: &FrozenEpisodes,
    shots: usize,
    step: usize,
    split: &Split,
) -> Score {
    let draws = Draws { seed: 0, purpose: Purpose::Adapt, occasion: 0, first_task: 0 };
    let protocol = Protocol { interface, episodes, shots, steps: &[step], draws, split };
    let tested = protocol.evaluate(learner, theta, &|_| Verdict::Continue);
    let scores = tested.map_or_else(Vec::new, |tested| tested.scores.concat());
    let n = scores.len().max(1) as f64;
    Score {
        loss: scores.iter().map(|s| s.loss).sum::<f64>() / n,
        accuracy: scores.iter().map(|s| s.accuracy).sum::<f64>() / n,
    }
}
