//! Testing: loss and measures of each episode after each number of adaptation steps, and what they cost.

use std::ops::Range;

use tch::{Device, Kind, Tensor};

use crate::{
    algorithms::MetaLearner,
    chunks::{self, Split},
    inner::Answer,
    loss,
    measures::Predictions,
    models::Params,
    random::{Draws, Purpose},
    tasks::{Episode, Interface, frozen::FrozenEpisodes},
};

/// Whether long work shall go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Yes.
    Continue,
    /// No.
    Stop,
}

/// Loss and measures on the queries of an episode, or their means over episodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Mean loss.
    pub loss: f64,
    /// What the family measures, in its order; not a number where it is not defined.
    pub measured: Vec<f64>,
}

impl Score {
    /// By what methods are judged: the first measure, without one the loss.
    pub fn judged(&self) -> f64 {
        self.measured.first().copied().unwrap_or(self.loss)
    }
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
    /// What was answered after each of the steps, if it is kept.
    pub predictions: Vec<Predictions>,
}

impl Tested {
    /// Joins other episodes, tested after the same steps.
    fn join(mut self, others: Self) -> Self {
        let [n, m] = [&self, &others].map(|part| part.scores.len() as f64);
        let mean = |(a, b): (&Cost, &Cost)| Cost {
            seconds: (n * a.seconds + m * b.seconds) / (n + m).max(1.0),
            rows: a.rows,
        };
        self.costs = self.costs.iter().zip(&others.costs).map(mean).collect();
        self.scores.extend(others.scores);
        self.predictions.iter_mut().zip(others.predictions).for_each(|(before, next)| before.extend(next));
        self
    }
}

impl Tested {
    /// Fills in the measures that look at all episodes, once all are there.
    pub fn pool(&mut self, interface: &Interface) {
        for (place, measure) in interface.measures.iter().enumerate().filter(|(_, measure)| measure.pooled())
        {
            for (step, predictions) in self.predictions.iter().enumerate() {
                let of_each = measure.of_each(predictions);
                self.scores
                    .iter_mut()
                    .zip(of_each)
                    .for_each(|(scores, value)| scores[step].measured[place] = value);
            }
        }
    }
}

/// How frozen episodes are tested.
pub struct Protocol<'a> {
    /// Their loss and measures.
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
    /// Whether what is answered is kept, by some of it.
    pub keeps: &'a (dyn Fn(&Predictions) -> bool + Sync),
}

impl Protocol<'_> {
    /// Tests every episode.
    ///
    /// `observe` is told how many more episodes are done; `None` when it stops the test.
    pub fn evaluate(
        &self,
        learner: &dyn MetaLearner,
        theta: &Params,
        observe: &(dyn Fn(usize) -> Signal + Sync),
    ) -> Option<Tested> {
        let mut tested: Option<Tested> = None;
        let work = |theta: &Params, chunk: Range<usize>| {
            let count = chunk.len();
            let draws = self.draws.from_task(chunk.start * self.episodes.draws());
            let episode = self.episodes.batch(chunk, self.shots);
            let mut tested =
                score(learner, self.interface, theta, &episode, self.episodes.draws(), self.steps, draws);
            if !self.interface.measures.iter().any(|measure| measure.pooled()) {
                self.drop_what_is_not_kept(&mut tested);
            }
            (observe(count) == Signal::Continue).then_some(tested)
        };
        chunks::in_chunks(self.episodes.len(), self.split, theta, work, |part| {
            tested = Some(match tested.take() {
                Some(before) => before.join(part),
                None => part,
            });
        })?;
        tested.map(|mut tested| {
            tested.pool(self.interface);
            self.drop_what_is_not_kept(&mut tested);
            tested
        })
    }

    fn drop_what_is_not_kept(&self, tested: &mut Tested) {
        if !tested.predictions.iter().all(self.keeps) {
            tested.predictions.clear();
        }
    }
}

/// Tests each task of a meta-batch after each of `steps`; so many `drawn` one after the other are judged as one.
pub fn score(
    learner: &dyn MetaLearner,
    interface: &Interface,
    theta: &Params,
    episode: &Episode,
    drawn: usize,
    steps: &[usize],
    draws: Draws,
) -> Tested {
    let tasks = episode.tasks() as usize / drawn;
    let queries = Queries::of(episode, interface, drawn);
    let answers = learner.predict(theta, episode, steps, draws);
    let (mut by_step, mut predictions) = (Vec::new(), Vec::new());
    for answer in &answers {
        let losses =
            loss::per_task(interface.loss, &answer.outputs, &queries.targets, queries.share.as_ref());
        let given = queries.predictions(answer);
        let measured = interface.measures.iter().map(|measure| match measure.pooled() {
            true => vec![f64::NAN; tasks], // see `Tested::pool`
            false => measure.of_each(&given),
        });
        let losses = losses.reshape([-1, drawn as i64]).mean_dim(1, false, None);
        by_step.push((numbers::<f64>(&losses, Kind::Double), measured.collect::<Vec<_>>()));
        predictions.push(given);
    }
    let of_task = |task: usize| {
        let score = |(losses, measured): &(Vec<f64>, Vec<Vec<f64>>)| Score {
            loss: losses[task],
            measured: measured.iter().map(|of_each| of_each[task]).collect(),
        };
        by_step.iter().map(score).collect()
    };
    let cost = |answer: &Answer| Cost {
        rows: answer.rows,
        seconds: answer.time.as_secs_f64() / tasks.max(1) as f64,
    };
    Tested {
        scores: (0..tasks).map(of_task).collect(),
        costs: answers.iter().map(cost).collect(),
        predictions,
    }
}

/// What is to be answered in a meta-batch.
struct Queries {
    targets: Tensor,
    /// The share of each query in its task's loss, if they are not alike.
    share: Option<Tensor>,
    /// The same numbers, off the device.
    plain: Predictions,
}

impl Queries {
    fn of(episode: &Episode, interface: &Interface, drawn: usize) -> Self {
        let (targets, weight) = (episode.query_y(), episode.query_weight());
        let share = weight.as_ref().map(|weight| weight / weight.sum_dim_intlist(1, true, None));
        let plain = Predictions {
            outputs: Vec::new(),
            targets: numbers(&targets, Kind::Float),
            weights: weight.map(|weight| numbers(&weight, Kind::Float)),
            bins: interface.bins.map(|bins| {
                numbers::<i64>(&bins(&episode.query_x()), Kind::Int64)
                    .into_iter()
                    .map(|bin| bin as u32)
                    .collect()
            }),
            episodes: episode.tasks() as usize / drawn,
            queries: episode.queries() as usize * drawn,
        };
        Self { targets, share, plain }
    }

    /// With the answers to them.
    fn predictions(&self, answer: &Answer) -> Predictions {
        Predictions { outputs: numbers(&answer.outputs, Kind::Float), ..self.plain.clone() }
    }
}

/// The values of a tensor, row by row.
fn numbers<T: tch::kind::Element + Copy>(values: &Tensor, kind: Kind) -> Vec<T>
where
    Vec<T>: TryFrom<Tensor>,
{
    let flat = values.to_kind(kind).to_device(Device::Cpu).flatten(0, -1);
    Vec::<T>::try_from(flat).unwrap_or_default() // a vector of this kind, which the conversion takes
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
    let protocol = Protocol { interface, episodes, shots, steps: &[step], draws, split, keeps: &|_| false };
    let tested = protocol.evaluate(learner, theta, &|_| Signal::Continue);
    let scores = tested.map_or_else(Vec::new, |tested| tested.scores.concat());
    let n = scores.len().max(1) as f64;
    let mean = |of: &dyn Fn(&Score) -> f64| scores.iter().map(of).sum::<f64>() / n;
    // What judges is to show that an output was not finite; other measures are not defined on every episode anyway.
    let defined = |place: usize| {
        let values = scores.iter().map(|score| score.measured[place]).filter(|value| value.is_finite());
        let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
        sum / f64::from(count)
    };
    let measured =
        |place: usize| if place == 0 { mean(&|score| score.measured[place]) } else { defined(place) };
    Score { loss: mean(&|score| score.loss), measured: (0..interface.measures.len()).map(measured).collect() }
}
