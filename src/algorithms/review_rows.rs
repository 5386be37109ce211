//! The reviews of all meta-training tasks as one table, for methods that are fitted to them.

use tch::{Device, Kind, Tensor};

use super::Fitting;
use crate::tasks::Episode;

/// Probabilities of such methods stay this far from 0 and 1, where a single surprise would cost everything.
pub(super) const LEAST: f64 = 1e-4;

/// The queries of all tasks that count: inputs `[N, D]` and whether they were recalled `[N]`, f64 on the CPU; `None` where there are none.
pub(super) fn all(fitting: &Fitting) -> Option<(Tensor, Tensor)> {
    let (x, y): (Vec<Tensor>, Vec<Tensor>) = (fitting.tasks)().map(|episode| counted(&episode)).unzip();
    (!x.is_empty()).then(|| (Tensor::cat(&x, 0), Tensor::cat(&y, 0)))
}

fn counted(episode: &Episode) -> (Tensor, Tensor) {
    let (x, y) = (episode.query_x().flatten(0, 1), episode.query_y().flatten(0, 2));
    let counts = episode.query_weight().map_or_else(|| y.ones_like(), |weight| weight.flatten(0, 1)).gt(0.0);
    let places = counts.nonzero().squeeze_dim(1);
    let kept = |t: &Tensor| t.index_select(0, &places).to_kind(Kind::Double).to_device(Device::Cpu);
    (kept(&x), kept(&y))
}

/// The logits `[T, Q, 1]` in f32 of probabilities `[T, Q]`.
pub(super) fn logits(p: &Tensor) -> Tensor {
    p.logit(LEAST).to_kind(Kind::Float).unsqueeze(-1)
}

/// Simulated learners, for the tests of such methods.
#[cfg(test)]
pub(super) mod tests {
    use tch::Device;

    use super::*;
    use crate::{
        algorithms::{Algorithm, MetaLearner, Setting},
        data::Source,
        inner::Adapts,
        loss,
        models::{ModelSpec, Params, mlp::Mlp},
        random::{Draws, Purpose},
        tasks::{
            Asks, Family, Part, Tasks,
            memory::{Memory, simulated::Simulated},
        },
    };

    const ASKS: Asks =
        Asks { training_shots: Some(50), fixed_ways: None, pools: false, validates: false, test_shots: 100 };

    fn learners() -> Box<dyn Tasks> {
        let simulated = Simulated { learners: 200, ..Simulated::default() };
        let memory = Memory { simulated: Some(simulated), ..Memory::default() };
        memory.load(&ASKS, &Source::default(), Device::Cpu).expect("learners")
    }

    /// A method, fitted to simulated learners.
    pub fn fitted(algorithm: &dyn Algorithm) -> (Box<dyn MetaLearner>, Params) {
        let learners = learners();
        let learner = algorithm.build(&Setting {
            model: ModelSpec::Mlp(Mlp::default()),
            interface: learners.interface(),
            pooled_outputs: None,
            whole_outputs: 1,
            memory: u64::MAX,
            adapts: Adapts::All,
            copier: None,
        });
        let source = learners.source(0, Part::Train, 50, 0).expect("training learners");
        let all = || learners.every(0).expect("an end of them");
        let fitting = Fitting { tasks: &all, episodes: &*source, judge: &|_| 0.0, seed: 0 };
        let theta = learner.fit(&fitting).expect("there are learners");
        (learner, theta)
    }

    /// The log loss on reviews of test learners, of whom the first so many are seen; and that of the share of all of these reviews that
    /// are recalled.
    pub fn log_loss(learner: &dyn MetaLearner, theta: &Params, seen: usize) -> (f64, f64) {
        let learners = learners();
        let source = learners.source(0, Part::Test, 100, 0).expect("test learners");
        let episode = source.sample_with(0, 0..40, seen);
        let draws = Draws { seed: 0, purpose: Purpose::Adapt, occasion: 0, first_task: 0 };
        let [answer] = &learner.predict(theta, &episode, &[0], draws)[..] else { panic!("one answer") };
        assert_eq!((answer.outputs.size(), answer.outputs.kind()), (episode.query_y().size(), Kind::Float));
        let weight = episode.query_weight().expect("weights");
        let share = &weight / weight.sum_dim_intlist(1, true, None);
        let of = |outputs: &Tensor| {
            let losses = loss::per_task(&loss::Logistic, outputs, &episode.query_y(), Some(&share));
            losses.mean(Kind::Double).double_value(&[])
        };
        let all = (episode.query_y().squeeze_dim(2) * &weight).sum(Kind::Double) / weight.sum(Kind::Double);
        (of(&answer.outputs), of(&(answer.outputs.zeros_like() + all.logit(None).to_kind(Kind::Float))))
    }
}
