//! What holds for every registered algorithm that needs timed reviews: to register one is to have it tested here.

use std::ops::Range;

use quickstudy::{
    algorithms::{AlgorithmSpec, Fitting, MetaLearner, Setting},
    data::Source,
    inner::Adapts,
    models::{ModelSpec, Params, forgetting::Forgetting},
    random::{Draws, Purpose, stream},
    tasks::{
        Asks, Episode, Family, FreezableSource, Need, Part, Tasks,
        memory::{Memory, simulated::Simulated},
    },
};
use serde_json::json;
use tch::{Device, Kind, Tensor};

const DRAWS: Draws = Draws { seed: 3, purpose: Purpose::Adapt, occasion: 0, first_task: 0 };
const SEEN: usize = 20;

fn registered() -> Vec<AlgorithmSpec> {
    let settings = ["all", "both", "nothing"].map(|to| json!({"fsrs": {"fitted_to": to}}));
    let settings = settings.map(|json| serde_json::from_value(json).expect("an algorithm"));
    let all: Vec<AlgorithmSpec> = AlgorithmSpec::all()
        .into_iter()
        .chain(settings)
        .filter(|spec| spec.needs().contains(&Need::Reviews))
        .collect();
    assert!(all.len() >= 7);
    all
}

fn learners() -> Box<dyn Tasks> {
    let asks = Asks {
        training_shots: Some(SEEN),
        fixed_ways: None,
        pools: false,
        validates: false,
        test_shots: SEEN,
    };
    let simulated = Simulated { learners: 40, reviews: 60, ..Simulated::default() };
    let memory = Memory { simulated: Some(simulated), ..Memory::default() };
    memory.load(&asks, &Source::default(), Device::Cpu).expect("learners")
}

fn fitted(spec: &AlgorithmSpec, tasks: &dyn Tasks) -> (Box<dyn MetaLearner>, Params) {
    let learner = spec.build(&Setting {
        model: ModelSpec::Forgetting(Forgetting::default()),
        interface: tasks.interface(),
        pooled_outputs: None,
        whole_outputs: 1,
        memory: u64::MAX,
        adapts: Adapts::All,
        copier: None,
    });
    let source = tasks.source(0, Part::Train, SEEN, 0).expect("training learners");
    let all = || tasks.every(0).expect("an end of them");
    let fitting = Fitting { tasks: &all, episodes: &*source, judge: &|_| 0.0, seed: 0 };
    let theta = learner.fit(&fitting).expect("it is fitted");
    (learner, theta)
}

fn test(tasks: &dyn Tasks) -> Box<dyn FreezableSource> {
    tasks.source(0, Part::Test, SEEN, 0).expect("test learners")
}

fn answers(learner: &dyn MetaLearner, theta: &Params, episode: &Episode, first: usize) -> Tensor {
    let draws = DRAWS.from_task(first);
    let [before, after] = &learner.predict(theta, episode, &[0, 5], draws)[..] else { panic!("two answers") };
    assert!(before.outputs.equal(&after.outputs), "there are no steps");
    before.outputs.shallow_clone()
}

#[test]
fn theta_is_as_it_begins_and_the_same_every_time() {
    let tasks = learners();
    for spec in registered() {
        let ((learner, theta), (_, again)) = (fitted(&spec, &*tasks), fitted(&spec, &*tasks));
        let init = learner.init(&mut stream(0, Purpose::Init, 0));
        let shapes = |theta: &Params| theta.tensors.iter().map(Tensor::size).collect::<Vec<_>>();
        assert_eq!((&init.names, shapes(&init)), (&theta.names, shapes(&theta)), "{spec:?}");
        assert!(theta.tensors.iter().zip(&again.tensors).all(|(a, b)| a.equal(b)), "{spec:?}");
        assert!(!spec.source().is_empty());
    }
}

#[test]
fn every_review_has_a_finite_answer_that_padding_and_neighbours_do_not_change() {
    let tasks = learners();
    let source = test(&*tasks);
    for spec in registered() {
        let (learner, theta) = fitted(&spec, &*tasks);
        let of = |range: Range<usize>| {
            let first = range.start;
            answers(&*learner, &theta, &source.sample_with(0, range, SEEN), first)
        };
        let (together, alone) = (of(0..6), of(3..4));
        assert_eq!(together.size()[0], 6);
        assert!(bool::try_from(together.isfinite().all()).expect("one"), "{spec:?}");
        assert!(together.narrow(0, 3, 1).allclose(&alone, 1e-5, 1e-5, false), "{spec:?}");
        let mut padded = source.sample_with(0, 0..6, SEEN);
        let weight = padded.weight.as_ref().expect("weights").copy();
        let _ = weight.narrow(1, SEEN as i64 - 5, 5).fill_(0.0);
        let short = source.sample_with(0, 0..6, SEEN - 5);
        padded.weight = Some(weight);
        let rows = padded.queries();
        let of_padded = answers(&*learner, &theta, &padded.without_padding(), 0);
        let of_short = answers(&*learner, &theta, &short, 0);
        let asked = padded.query_weight().expect("weights").gt(0.0).unsqueeze(-1);
        assert_eq!(short.queries(), rows);
        let apart = (of_padded - of_short) * asked;
        assert!(apart.abs().max().double_value(&[]) < 1e-4, "{spec:?}: {apart}");
    }
}

/// Rows say nothing of their own outcome, and answers of queries are never looked at.
#[test]
fn outcomes_that_are_asked_do_not_matter() {
    let tasks = learners();
    let source = test(&*tasks);
    for spec in registered() {
        let (learner, theta) = fitted(&spec, &*tasks);
        let episode = source.sample_with(0, 0..6, SEEN);
        let own = answers(&*learner, &theta, &episode, 0);
        let _ = episode.query_y().fill_(1.0);
        assert!(own.equal(&answers(&*learner, &theta, &episode, 0)), "{spec:?}");
        assert!(own.std(true).double_value(&[]) > 1e-3 && own.kind() == Kind::Float, "{spec:?}: all alike");
    }
}
