//! Rows of padding: whatever stands in them, and however many there are, a task's result is the same.

use proptest::prelude::*;
use quickstudy::{
    inner::{Adaptation, Adapts, Answer, Differentiation, Order, RuleSpec, adam::Adam, sgd::Sgd},
    loss::{CrossEntropy, Logistic, Loss},
    models::{
        Architecture, Params,
        mlp::{Activation, Mlp},
    },
    random::{Draws, Purpose, stream},
    tasks::Episode,
};
use tch::{Device, Kind, Tensor};

const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Adapt, occasion: 0, first_task: 0 };
const INPUTS: i64 = 6;
const OUTPUTS: usize = 3;

/// Support and query rows of each of three tasks, and how many rows each is padded to.
#[derive(Clone, Debug)]
struct Padded {
    support: [i64; 3],
    queries: [i64; 3],
    more_support: i64,
    more_queries: i64,
    /// What stands in padding.
    garbage: f64,
}

fn padded() -> impl Strategy<Value = Padded> {
    let rows = || [1i64..6, 1i64..6, 1i64..6];
    let garbage = prop_oneof![-1e3..1e3, Just(f64::NAN), Just(f64::INFINITY)];
    (rows(), rows(), 0i64..5, 0i64..5, garbage).prop_map(
        |(support, queries, more_support, more_queries, garbage)| Padded {
            support,
            queries,
            more_support,
            more_queries,
            garbage,
        },
    )
}

/// The rows of a task: inputs `[R, D]` and targets, other ones for each task and each of the two sets.
fn rows(loss: &dyn Loss, task: usize, set: usize, count: i64) -> (Tensor, Tensor) {
    let wave = |columns: i64, frequency: f64| {
        let at = Tensor::arange(count * columns, (Kind::Double, Device::Cpu));
        ((at + (17 * task + 5 * set) as f64) * frequency).sin().reshape([count, columns])
    };
    let y = match loss.name() {
        "cross_entropy" => (wave(1, 3.1).squeeze_dim(1) * 1.49 + 1.5).floor().to_kind(Kind::Int64),
        _ => wave(OUTPUTS as i64, 1.7).gt(0.0).to_kind(Kind::Double),
    };
    (wave(INPUTS, 12.9898), y)
}

/// Rows, and padding up to a number of them, with their weights.
fn fill(x: &Tensor, y: &Tensor, to: i64, garbage: f64) -> (Tensor, Tensor, Tensor) {
    let missing = to - x.size()[0];
    let x_garbage = Tensor::full([missing, x.size()[1]], garbage, (x.kind(), x.device()));
    let mut shape = y.size();
    shape[0] = missing;
    let y_garbage = if y.kind() == Kind::Int64 {
        Tensor::full(&shape, 2, (y.kind(), y.device()))
    } else {
        Tensor::full(&shape, garbage, (y.kind(), y.device()))
    };
    let options = (Kind::Double, Device::Cpu);
    let weight = Tensor::cat(&[Tensor::ones([x.size()[0]], options), Tensor::zeros([missing], options)], 0);
    (Tensor::cat(&[x, &x_garbage], 0), Tensor::cat(&[y, &y_garbage], 0), weight)
}

impl Padded {
    /// All three tasks in one episode.
    fn together(&self, loss: &dyn Loss, garbage: f64) -> Episode {
        let most = |of: &[i64; 3]| of.iter().copied().max().unwrap_or(0);
        let (s, q) = (most(&self.support) + self.more_support, most(&self.queries) + self.more_queries);
        let (mut x, mut y, mut weight) = (vec![], vec![], vec![]);
        for task in 0..3 {
            let of = |set, count, to| {
                let (x, y) = rows(loss, task, set, count);
                fill(&x, &y, to, garbage)
            };
            let (support, query) = (of(0, self.support[task], s), of(1, self.queries[task], q));
            x.push(Tensor::cat(&[support.0, query.0], 0));
            y.push(Tensor::cat(&[support.1, query.1], 0));
            weight.push(Tensor::cat(&[support.2, query.2], 0));
        }
        let stack = |of: &[Tensor]| Tensor::stack(of, 0);
        Episode { x: stack(&x), y: stack(&y), weight: Some(stack(&weight)), support: s }
    }

    /// One of them without padding.
    fn alone(&self, loss: &dyn Loss, task: usize) -> Episode {
        let (support, query) =
            (rows(loss, task, 0, self.support[task]), rows(loss, task, 1, self.queries[task]));
        Episode {
            x: Tensor::cat(&[support.0, query.0], 0).unsqueeze(0),
            y: Tensor::cat(&[support.1, query.1], 0).unsqueeze(0),
            weight: None,
            support: self.support[task],
        }
    }
}

fn adaptations() -> Vec<(Adaptation, Params)> {
    let mut all = Vec::new();
    let losses: [&'static dyn Loss; 2] = [&CrossEntropy, &Logistic];
    for loss in losses {
        for batch_norm in [false, true] {
            for rule in [
                RuleSpec::Sgd(Sgd { lr: 0.3, steps: 3 }),
                RuleSpec::Adam(Adam { lr: 0.05, steps: 3, ..Adam::default() }),
            ] {
                let network =
                    Mlp { hidden: vec![5], activation: Activation::Tanh, batch_norm, ..Mlp::default() };
                let model = network.build(INPUTS as usize, OUTPUTS);
                let adaptation = Adaptation::new(rule, model, OUTPUTS, loss, Adapts::All);
                let mut theta = adaptation.init(&mut stream(1, Purpose::Init, 0));
                theta.tensors = theta.tensors.iter().map(|t| t.to_kind(Kind::Double)).collect();
                all.push((adaptation, theta));
            }
        }
    }
    all
}

/// The loss, the meta-gradient and predictions after three steps.
fn results(adaptation: &Adaptation, theta: &Params, episode: &Episode) -> (Vec<Tensor>, Tensor) {
    let how = Differentiation { order: Order::Second, shares: &[0.0, 0.0, 1.0], recompute: None };
    let (loss, mut gradient) = adaptation.meta_gradient(theta, episode, &how, DRAWS);
    gradient.push(loss);
    let answer = adaptation.predict(theta, episode, &[3], DRAWS).pop();
    let Answer { outputs, .. } = answer.expect("one");
    (gradient, outputs)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn padding_changes_no_task(padded in padded()) {
        for (adaptation, theta) in adaptations() {
            let loss = adaptation.loss;
            let (gradient, outputs) = results(&adaptation, &theta, &padded.together(loss, padded.garbage));
            // Not a bit depends on what stands in padding.
            let (clean, clean_outputs) = results(&adaptation, &theta, &padded.together(loss, 0.0));
            prop_assert!(gradient.iter().zip(&clean).all(|(a, b)| a.equal(b)));
            let mut alone: Option<Vec<Tensor>> = None;
            for task in 0..3 {
                let queries = padded.queries[task];
                let of = |outputs: &Tensor| outputs.get(task as i64).narrow(0, 0, queries);
                prop_assert!(of(&outputs).equal(&of(&clean_outputs)));
                // Sums over more rows are added up in another order: rounding is all that padding can change.
                let (gradient, outputs) = results(&adaptation, &theta, &padded.alone(loss, task));
                let far = (of(&clean_outputs) - outputs.get(0)).abs().max().double_value(&[]);
                prop_assert!(far < 1e-9, "task {task}: {far:e}");
                alone = Some(match alone {
                    None => gradient,
                    Some(sum) => sum.iter().zip(&gradient).map(|(a, b)| a + b).collect(),
                });
            }
            for (together, sum) in gradient.iter().zip(alone.expect("three")) {
                let scale = together.abs().max().double_value(&[]).max(1.0);
                let far = (together - sum / 3.0).abs().max().double_value(&[]) / scale;
                prop_assert!(far < 1e-9, "gradient: {far:e}");
            }
        }
    }
}
