//! What holds for every registered algorithm and inner rule: to register one is to have it tested here.

mod toy;

use std::ops::Range;

use quickstudy::{
    algorithms::{AlgorithmSpec, Setting, Testing, Training},
    chunks::{self, Split},
    evaluate::score,
    experiment::read,
    inner::Answer,
    outer::{OuterSpec, adam, sgd},
    random::{Draws, Purpose, stream},
    tasks::{
        Episode, TaskSource,
        few_shot::{FewShot, ImageBank, TaskSize},
    },
};
use serde_json::json;
use tch::{Device, Tensor};

use toy::*;

#[test]
fn the_experiment_file_can_say_it_and_says_it_back() {
    for spec in registered() {
        let json = json!({
            "name": "contract",
            "task": {"dataset": "mnist", "ways": 2, "shots": 1, "classes": "shared"},
            "model": {"mlp": {"context": if spec.needs_context() { 4 } else { 0 }}},
            "methods": {"it": spec},
        });
        let yaml = serde_saphyr::to_string(&json).expect("YAML");
        let read = read::parse(&yaml, "contract").expect("sound");
        assert_eq!(read.methods["it"].algorithm, spec);
        assert!(!spec.source().is_empty());
    }
}

#[test]
fn theta_is_drawn_from_the_stream_alone() {
    for spec in registered() {
        let learner = spec.build(&setting_of(&spec));
        let draw = |seed| learner.init(&mut stream(seed, Purpose::Init, 0));
        assert!(same(&draw(0), &draw(0)), "{spec:?}");
        let has_theta = !draw(0).names.is_empty();
        assert_eq!(has_theta, !same(&draw(0), &draw(1)), "{spec:?}");
    }
}

#[test]
fn the_meta_gradient_is_finite_shaped_as_theta_and_reproducible() {
    for (spec, setting) in with_and_without_copies() {
        let learner = spec.build(&setting);
        let theta = learner.init(&mut stream(0, Purpose::Init, 0));
        let Some(source) = training_source(&spec) else {
            let episode = source().sample(0, 0..4);
            assert!(learner.meta_gradient(&theta, &episode, DRAWS).is_none(), "{spec:?}");
            continue;
        };
        let step = || learner.meta_gradient(&theta, &source.sample(0, 0..4), DRAWS).expect("it trains");
        let (first, second) = (step(), step());
        assert!(first.loss.double_value(&[]).is_finite(), "{spec:?}");
        assert_eq!(first.gradient.len(), theta.tensors.len(), "{spec:?}");
        for ((g, again), parameter) in first.gradient.iter().zip(&second.gradient).zip(&theta.tensors) {
            assert_eq!(g.size(), parameter.size(), "{spec:?}");
            assert!(values(g).iter().all(|v| v.is_finite()), "{spec:?}");
            assert!(g.equal(again), "{spec:?}");
        }
        assert!(first.gradient.iter().any(|g| g.abs().max().double_value(&[]) > 0.0), "{spec:?}");
    }
}

#[test]
fn threads_change_nothing_and_chunks_only_rounding() {
    for (spec, setting) in with_and_without_copies() {
        let learner = spec.build(&setting);
        let theta = learner.init(&mut stream(0, Purpose::Init, 0));
        let Some(source) = training_source(&spec) else { continue };
        let step = |threads| {
            chunks::meta_gradient(
                &*learner,
                &theta,
                &*source,
                0,
                5,
                DRAWS,
                &Split::new(threads).expect("threads").with_largest(2),
            )
        };
        let (one, three) = (step(1).expect("it trains"), step(3).expect("it trains"));
        assert!(one.gradient == three.gradient && one.loss == three.loss, "{spec:?}");
        let whole = Split::whole().expect("a thread");
        let three =
            chunks::meta_gradient(&*learner, &theta, &*source, 0, 5, DRAWS, &whole).expect("it trains");
        for (a, b) in one.gradient.iter().zip(&three.gradient) {
            assert!(a.allclose(b, 1e-4, 1e-5, false), "{spec:?}");
        }
        assert!((one.loss.double_value(&[]) - three.loss.double_value(&[])).abs() < 1e-5, "{spec:?}");
    }
}

#[test]
fn predictions_have_a_row_for_every_query_and_leave_theta_alone() {
    for (spec, setting) in with_and_without_copies() {
        let learner = spec.build(&setting);
        let theta = learner.checkpoint(&learner.init(&mut stream(0, Purpose::Init, 0)));
        let before = theta.detached(Device::Cpu);
        let episode = source().sample(0, 0..4);
        let answers = learner.predict(&theta, &episode, &STEPS, DRAWS);
        assert_eq!(answers.len(), STEPS.len(), "{spec:?}");
        for Answer { outputs, .. } in &answers {
            assert_eq!(outputs.size(), [4, 12, WAYS as i64], "{spec:?}");
            assert!(!outputs.requires_grad(), "{spec:?}");
            assert!(values(outputs).iter().all(|v| v.is_finite()), "{spec:?}");
        }
        assert!(same(&theta, &before), "{spec:?} changed theta");
        let last_only = learner.predict(&theta, &episode, &STEPS[2..], DRAWS);
        assert!(
            last_only[0].outputs.equal(&answers[2].outputs),
            "{spec:?}: which steps are asked for must not matter"
        );
    }
}

#[test]
fn a_task_is_solved_alike_whatever_tasks_are_beside_it() {
    for (spec, setting) in with_and_without_copies() {
        let learner = spec.build(&setting);
        let theta = learner.checkpoint(&learner.init(&mut stream(0, Purpose::Init, 0)));
        let predict = |tasks: Range<usize>| {
            let draws = DRAWS.from_task(tasks.start);
            learner.predict(&theta, &source().sample(0, tasks), &STEPS, draws)
        };
        let (together, alone) = (predict(0..4), predict(2..3));
        for (together, alone) in together.iter().zip(&alone) {
            assert!(together.outputs.narrow(0, 2, 1).allclose(&alone.outputs, 1e-4, 1e-4, false), "{spec:?}");
        }
    }
}

/// The number of support rows is what was looked at: in every step, or at once before the first. Copies are looked at in their place, or
/// beside them.
#[test]
fn copies_are_what_is_adapted_to() {
    for spec in registered().into_iter().filter(|spec| spec.testing() == Testing::Episodes) {
        let episode = source().sample(0, 0..2);
        let answers = |setting: &Setting| {
            let learner = spec.build(setting);
            let theta = learner.checkpoint(&learner.init(&mut stream(0, Purpose::Init, 0)));
            learner.predict(&theta, &episode, &STEPS, DRAWS)
        };
        let (plain, copied) = (answers(&setting_of(&spec)), answers(&on_copies(&spec)));
        let far = |a: &Tensor, b: &Tensor| (a - b).abs().max().double_value(&[]);
        let moved = far(&plain[0].outputs, &plain[2].outputs);
        assert!(far(&plain[2].outputs, &copied[2].outputs) > 1e-3 * moved, "{spec:?}");
        let rows = |answers: &[Answer]| answers.iter().map(|answer| answer.rows).collect::<Vec<_>>();
        let (plain, copied) = (rows(&plain), rows(&copied));
        if plain[0] == 0 {
            assert_eq!(plain, STEPS.map(|step| 6 * step), "{spec:?}");
            assert_eq!(copied, STEPS.map(|step| 18 * step), "{spec:?}");
        } else {
            assert_eq!((plain, copied), (vec![6; 3], vec![6 + 18; 3]), "{spec:?}");
        }
    }
}

/// What a method is for.
#[test]
fn adaptation_beats_chance_on_an_easy_task() {
    for spec in registered() {
        if matches!(spec.training(), Training::Episodes { .. } | Training::SameTasks { .. }) {
            continue; // their rates suit a trained theta, see below
        }
        if spec.needs_context() {
            continue; // what a context does is learned
        }
        let learner = spec.build(&setting_of(&spec));
        let theta = learner.checkpoint(&learner.init(&mut stream(0, Purpose::Init, 0)));
        let episode = source().sample(0, 0..8);
        let scores = score(&*learner, &interface(), &theta, &episode, 1, &[200], DRAWS).scores.concat();
        let mean = scores.iter().map(|s| s.judged()).sum::<f64>() / scores.len() as f64;
        assert!(mean > 0.7, "{spec:?}: {mean}");
    }
}

#[test]
fn training_lowers_the_loss_of_everything_that_trains() {
    for spec in registered() {
        let Some(source) = training_source(&spec) else { continue };
        let lowers = OUTER.iter().any(|outer| {
            let (before, after) = trained(&spec, &*source, &outer());
            after < before
        });
        assert!(lowers, "{spec:?}");
    }
}

/// Outer optimisers, of which one must suit: what is a gradient to one algorithm is a way to go to another.
const OUTER: [fn() -> OuterSpec; 2] = [
    || OuterSpec::Adam(adam::Adam { lr: 0.01, ..adam::Adam::default() }),
    || OuterSpec::Sgd(sgd::Sgd { lr: 0.3, ..sgd::Sgd::default() }),
];

/// The mean loss in the first and in the last ten of sixty iterations.
fn trained(spec: &AlgorithmSpec, source: &dyn TaskSource, outer: &OuterSpec) -> (f64, f64) {
    let learner = spec.build(&setting_of(spec));
    let mut theta = learner.init(&mut stream(0, Purpose::Init, 0));
    let mut state = outer.start(&theta.tensors);
    let split = Split::new(1).expect("a thread");
    let mut losses = Vec::new();
    for i in 0..60 {
        let draws = Draws { occasion: i, ..DRAWS };
        let step = chunks::meta_gradient(&*learner, &theta, source, i, 4, draws, &split).expect("it trains");
        losses.push(step.loss.double_value(&[]));
        (theta.tensors, state) = outer.advance(theta.tensors, &step.gradient, state, i as usize, 60);
    }
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    (mean(&losses[..10]), mean(&losses[50..]))
}

/// The episode itself: what every algorithm is given.
#[test]
fn an_episode_holds_each_image_once_and_labels_by_place() {
    let Episode { x, y, support, .. } = source().sample(7, 0..3);
    assert_eq!((x.size(), support), (vec![3, 18, 36], 6));
    let labels = values(&y.narrow(0, 0, 1));
    assert_eq!(labels[..6], [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
    assert_eq!(labels[6..], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
    for task in 0..3 {
        let rows: Vec<Vec<f64>> = (0..18).map(|row| values(&x.get(task).get(row))).collect();
        let twice = rows.iter().enumerate().any(|(i, row)| rows[..i].contains(row));
        assert!(!twice, "an image stands twice in task {task}");
        assert!(rows.concat().iter().all(|v| (0.0..=1.0).contains(v)));
    }
    let parts = [source().sample(7, 0..1).x, source().sample(7, 1..3).x];
    assert!(x.equal(&Tensor::cat(&parts, 0)), "drawing in parts must not matter");
}

#[test]
fn a_data_set_that_goes_through_in_parts_is_learned_alike() {
    let data = toy();
    let pools = (0..6).map(|class| (class..data.len()).step_by(6).collect()).collect();
    // More support rows than inputs, as a whole data set has.
    let size = TaskSize { ways: WAYS, shots: 20, queries: 4 };
    let episode =
        FewShot::new(ImageBank::new(&data, Device::Cpu), pools, size, 0, Purpose::Train).sample(0, 0..1);
    for plain in registered().iter().filter(|spec| spec.testing() == Testing::WholeDataset) {
        // 10 kB: a few rows at once instead of all.
        let [whole, parts] = [u64::MAX, 10_000].map(|memory| plain.build(&Setting { memory, ..setting() }));
        let theta = whole.init(&mut stream(0, Purpose::Init, 0));
        let [whole, parts] =
            [whole, parts].map(|learner| learner.predict(&theta, &episode, &[0, 1, 7], DRAWS));
        for (whole, parts) in whole.iter().zip(&parts) {
            let far = (&whole.outputs - &parts.outputs).abs().max().double_value(&[]);
            assert!(far < 1e-4, "{plain:?}: {far}");
        }
    }
}
