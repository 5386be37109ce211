//! The implicit form, the closed-form gradient and their plain counterparts are the same function.

use quickstudy::{
    inner::{Form, InnerRule, Objective, Order, Rows, RuleSpec, adam::Adam, adapt, adjoint, graph, sgd::Sgd},
    loss::CrossEntropy,
    models::{
        Architecture, Model, Parameter,
        mlp::{Activation, Mlp},
    },
    random::{Draws, Purpose, stream},
    tasks::{
        Episode,
        copies::{Copier, JitteredCopies},
    },
};
use tch::{Device, Kind, Tensor};

const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: 0, first_task: 0 };

/// A model without its closed-form gradient.
struct Automatic(Box<dyn Model>);

impl Model for Automatic {
    fn parameters(&self) -> Vec<Parameter> {
        self.0.parameters()
    }

    fn has_linear_input(&self) -> bool {
        self.0.has_linear_input()
    }

    fn activations_per_row(&self) -> usize {
        self.0.activations_per_row()
    }

    fn body(&self, params: &[Tensor], z: &Tensor) -> Tensor {
        self.0.body(params, z)
    }
}

fn episode() -> Episode {
    let kind = (Kind::Double, Device::Cpu);
    let x = (Tensor::arange(4 * 7 * 9, kind) * 12.9898).sin().reshape([4, 7, 9]);
    let y = Tensor::from_slice(&[0i64, 1, 2, 0, 1, 2, 1]).repeat([4, 1]);
    Episode { x, y, weight: None, support: 3 }
}

fn copier() -> Copier {
    let settings = JitteredCopies { copies: 2, ..JitteredCopies::default() };
    Copier { settings, height: 3, width: 3 }
}

/// The problem of adapting to copies, at most `steps` steps long.
fn on_copies<'a>(
    model: &'a dyn Model,
    theta: &'a [Tensor],
    copier: &'a Copier,
    batch: Option<usize>,
    steps: usize,
    form: Form,
    order: Order,
) -> Objective<'a> {
    Objective::on_copies(model, &CrossEntropy, theta, &episode(), copier, batch, steps, form, order, DRAWS)
}

fn theta(model: &dyn Model) -> Vec<Tensor> {
    let drawn = model.init(&mut stream(1, Purpose::Init, 0));
    drawn.tensors.iter().map(|t| t.to_kind(Kind::Double).set_requires_grad(true)).collect()
}

/// Query loss and meta-gradient.
fn meta_gradient(
    model: &dyn Model,
    rule: &dyn InnerRule,
    form: Form,
    order: Order,
    batch: Option<usize>,
) -> Vec<Tensor> {
    let (theta, episode) = (theta(model), episode());
    let objective =
        Objective::new(model, &CrossEntropy, &theta, &episode, form, order, DRAWS).with_batches(batch);
    meta_gradient_of(&objective, rule, &theta)
}

fn meta_gradient_of(objective: &Objective, rule: &dyn InnerRule, theta: &[Tensor]) -> Vec<Tensor> {
    let phi = adapt(rule, objective, rule.steps(), |_, _| {});
    let loss = objective.losses(&phi, Rows::Query).mean(None::<Kind>);
    let mut result = Tensor::run_backward(&[&loss], theta, false, false);
    result.push(loss.detach());
    result
}

fn assert_equal(what: &str, a: &[Tensor], b: &[Tensor]) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a.size(), b.size(), "{what}");
        let scale = a.abs().max().double_value(&[]).max(1e-3);
        let error = (a - b).abs().max().double_value(&[]) / scale;
        assert!(error < 1e-9, "{what}: off by {error:e}");
    }
}

fn networks() -> Vec<Mlp> {
    let mut all = Vec::new();
    for hidden in [vec![], vec![5], vec![6, 5, 4]] {
        for activation in [Activation::Relu, Activation::Tanh] {
            for batch_norm in [false, true] {
                all.push(Mlp { hidden: hidden.clone(), activation, batch_norm });
            }
        }
    }
    all
}

#[test]
fn the_implicit_form_is_exact() {
    let rule = Sgd { lr: 0.3, steps: 4 };
    for network in networks() {
        let model = network.build(9, 3);
        for order in [Order::First, Order::Second] {
            for batch in [None, Some(2)] {
                let gradient = |form| meta_gradient(&*model, &rule, form, order, batch);
                let what = format!("{network:?} {order:?} batch {batch:?}");
                assert_equal(&what, &gradient(Form::Implicit), &gradient(Form::Explicit));
            }
        }
    }
}

#[test]
fn the_closed_form_gradient_is_exact() {
    let rules = [
        RuleSpec::Sgd(Sgd { lr: 0.3, steps: 3 }),
        RuleSpec::Adam(Adam { lr: 0.01, steps: 3, ..Adam::default() }),
    ];
    for network in networks() {
        let (model, automatic) = (network.build(9, 3), Automatic(network.build(9, 3)));
        for rule in &rules {
            for order in [Order::First, Order::Second] {
                let closed = meta_gradient(&*model, &**rule, Form::Explicit, order, None);
                let plain = meta_gradient(&automatic, &**rule, Form::Explicit, order, None);
                assert_equal(&format!("{network:?} {rule:?} {order:?}"), &closed, &plain);
            }
        }
    }
}

/// The way back through the adaptation by hand, as MAML takes it, against automatic differentiation of the same adaptation.
#[test]
fn the_adjoint_is_exact() {
    let rule = Sgd { lr: 0.3, steps: 4 };
    for network in networks() {
        let (model, automatic) = (network.build(9, 3), Automatic(network.build(9, 3)));
        for form in [Form::Implicit, Form::Explicit] {
            for order in [Order::First, Order::Second] {
                let (theta, episode) = (theta(&*model), episode());
                let objective = Objective::new(&*model, &CrossEntropy, &theta, &episode, form, order, DRAWS);
                let by_hand = adjoint::meta_gradient(&objective, rule.lr, rule.steps, None);
                assert_eq!(by_hand.is_some(), !network.batch_norm, "{network:?}");
                let Some((loss, mut gradient)) = by_hand else { continue };
                gradient.push(loss);
                let plain = meta_gradient(&automatic, &rule, form, order, None);
                assert_equal(&format!("{network:?} {form:?} {order:?}"), &gradient, &plain);
            }
        }
    }
}

/// On copies: the implicit form is the explicit one, and the way back by hand is automatic differentiation, with steps recomputed or not.
#[test]
fn copies_are_seen_alike_by_all_forms() {
    let (rule, copier) = (Sgd { lr: 0.3, steps: 4 }, copier());
    for network in networks() {
        let (model, automatic) = (network.build(9, 3), Automatic(network.build(9, 3)));
        let theta = theta(&*model);
        for (order, batch) in [(Order::First, None), (Order::Second, None), (Order::Second, Some(2))] {
            let problem = |model, form| on_copies(model, &theta, &copier, batch, 4, form, order);
            let plain = meta_gradient_of(&problem(&automatic, Form::Explicit), &rule, &theta);
            for form in [Form::Implicit, Form::Explicit] {
                let what = format!("{network:?} {form:?} {order:?} {batch:?}");
                assert_equal(&what, &meta_gradient_of(&problem(&*model, form), &rule, &theta), &plain);
                for every in [None, Some(3)] {
                    let by_hand = adjoint::meta_gradient(&problem(&*model, form), rule.lr, 4, every);
                    let Some((loss, mut gradient)) = by_hand else { continue };
                    gradient.push(loss);
                    assert_equal(&format!("{what} {every:?}"), &gradient, &plain);
                }
                let (_, recomputed) =
                    graph::meta_gradient(&rule, &problem(&*model, form), &theta, 4, Some(3));
                assert_equal(&what, &recomputed, &plain[..theta.len()]);
            }
        }
    }
}

#[test]
fn reptile_finds_the_same_mean_weights_on_copies_in_both_forms() {
    let (rule, copier) = (Sgd { lr: 0.3, steps: 4 }, copier());
    let model = Mlp { hidden: vec![5], ..Mlp::default() }.build(9, 3);
    let theta = theta(&*model);
    let means = |form, batch| {
        let objective = on_copies(&*model, &theta, &copier, batch, 4, form, Order::Zero);
        objective.mean_weights(&adapt(&rule, &objective, 4, |_, _| {}))
    };
    for batch in [None, Some(2)] {
        assert_equal(&format!("{batch:?}"), &means(Form::Implicit, batch), &means(Form::Explicit, batch));
    }
}

#[test]
fn recomputed_steps_give_the_same_numbers() {
    let rules = [
        RuleSpec::Sgd(Sgd { lr: 0.3, steps: 7 }),
        RuleSpec::Adam(Adam { lr: 0.01, steps: 7, ..Adam::default() }),
    ];
    for network in networks() {
        let model = network.build(9, 3);
        for (rule, form) in [(0, Form::Implicit), (0, Form::Explicit), (1, Form::Explicit)] {
            let rule = &*rules[rule];
            let (theta, episode) = (theta(&*model), episode());
            let objective =
                || Objective::new(&*model, &CrossEntropy, &theta, &episode, form, Order::Second, DRAWS);
            let automatic = |recompute| graph::meta_gradient(rule, &objective(), &theta, 7, recompute);
            let by_hand = |recompute| adjoint::meta_gradient(&objective(), rule.descent()?, 7, recompute);
            let whole = automatic(None).1;
            for every in [1, 3, 7, 20] {
                let what = format!("{network:?} {form:?} every {every}");
                assert_equal(&what, &automatic(Some(every)).1, &whole);
                if let Some((_, gradient)) = by_hand(Some(every)) {
                    let kept = by_hand(None).expect("by hand too").1;
                    assert!(gradient == kept, "{what}: not the same numbers");
                    assert_equal(&what, &gradient, &whole);
                }
            }
        }
    }
}

/// The second-order meta-gradient against finite differences of the query loss after adaptation.
#[test]
fn the_second_order_gradient_is_the_slope_of_the_adapted_loss() {
    let network = Mlp { hidden: vec![5], activation: Activation::Tanh, batch_norm: false };
    let (model, rule, episode) = (network.build(9, 3), Sgd { lr: 0.3, steps: 3 }, episode());
    let (start, copier) = (theta(&*model), copier());
    let loss_at = |shift: f64, copies: bool| {
        let moved: Vec<Tensor> = start
            .iter()
            .map(|t| {
                let t = t.detach();
                &t + t.ones_like() * shift
            })
            .collect();
        let objective = if copies {
            on_copies(&*model, &moved, &copier, None, 3, Form::Implicit, Order::Zero)
        } else {
            Objective::new(&*model, &CrossEntropy, &moved, &episode, Form::Implicit, Order::Zero, DRAWS)
        };
        let phi = adapt(&rule, &objective, 3, |_, _| {});
        objective.losses(&phi, Rows::Query).mean(None::<Kind>).double_value(&[])
    };
    let plain = meta_gradient(&*model, &rule, Form::Implicit, Order::Second, None);
    let copied = on_copies(&*model, &start, &copier, None, 3, Form::Implicit, Order::Second);
    let copied = meta_gradient_of(&copied, &rule, &start);
    for (copies, mut gradient) in [(false, plain), (true, copied)] {
        let slope = (loss_at(1e-5, copies) - loss_at(-1e-5, copies)) / 2e-5;
        gradient.pop(); // the loss
        let along: f64 = gradient.iter().map(|g| g.sum(None::<Kind>).double_value(&[])).sum();
        assert!((slope - along).abs() < 1e-7, "copies {copies}: {slope} {along}");
    }
}

#[test]
fn without_steps_or_with_a_vanishing_rate_nothing_moves() {
    let model = Mlp { hidden: vec![5], ..Mlp::default() }.build(9, 3);
    let (theta, episode) = (theta(&*model), episode());
    for form in [Form::Implicit, Form::Explicit] {
        let objective = Objective::new(&*model, &CrossEntropy, &theta, &episode, form, Order::Zero, DRAWS);
        let still = objective.outputs(&objective.start(), Rows::Query);
        let plain = model.forward(&theta, &episode.query_x());
        assert!(still.allclose(&plain, 1e-12, 1e-12, false), "{form:?}");
        let rule = Sgd { lr: 1e-300, steps: 2 };
        let phi = adapt(&rule, &objective, 2, |_, _| {});
        assert!(objective.outputs(&phi, Rows::Query).allclose(&plain, 1e-12, 1e-12, false), "{form:?}");
    }
}

#[test]
fn the_support_loss_of_mini_batches_averages_to_that_of_the_support_set() {
    let model = Mlp { hidden: vec![5], ..Mlp::default() }.build(9, 3);
    let (theta, episode) = (theta(&*model), episode());
    for form in [Form::Implicit, Form::Explicit] {
        let objective = Objective::new(&*model, &CrossEntropy, &theta, &episode, form, Order::Zero, DRAWS);
        let fast = objective.start();
        let whole = objective.support_losses(0, &fast);
        let objective = objective.with_batches(Some(1));
        let rows: Vec<Tensor> = (0..3).map(|step| objective.support_losses(step, &fast)).collect();
        let mean = Tensor::stack(&rows, 0).mean_dim(0, false, None);
        assert!(mean.allclose(&whole, 1e-12, 1e-12, false), "{form:?}");
        assert!(!rows[0].allclose(&whole, 1e-6, 1e-6, false), "{form:?}");
    }
}
