//! The implicit form, the closed-form gradient and their plain counterparts are the same function.

use quickstudy::{
    inner::{Form, InnerRule, Objective, Order, Rows, RuleSpec, adam::Adam, adapt, adjoint, graph, sgd::Sgd},
    models::{
        Architecture, Model, Parameter,
        mlp::{Activation, Mlp},
    },
    random::{Draws, Purpose, stream},
    tasks::Episode,
};
use tch::{Device, Kind, Tensor};

const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: 0 };

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
    Episode { x, y, support: 3 }
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
    let objective = Objective::new(model, &theta, &episode, form, order, DRAWS).with_batches(batch);
    let phi = adapt(rule, &objective, rule.steps(), |_, _| {});
    let loss = objective.losses(&phi, Rows::Query).mean(None::<Kind>);
    let mut result = Tensor::run_backward(&[&loss], &theta, false, false);
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
                let objective = Objective::new(&*model, &theta, &episode, form, order, DRAWS);
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
            let objective = || Objective::new(&*model, &theta, &episode, form, Order::Second, DRAWS);
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
    let start = theta(&*model);
    let loss_at = |shift: f64| {
        let moved: Vec<Tensor> = start
            .iter()
            .map(|t| {
                let t = t.detach();
                &t + t.ones_like() * shift
            })
            .collect();
        let objective = Objective::new(&*model, &moved, &episode, Form::Implicit, Order::Zero, DRAWS);
        let phi = adapt(&rule, &objective, 3, |_, _| {});
        objective.losses(&phi, Rows::Query).mean(None::<Kind>).double_value(&[])
    };
    let slope = (loss_at(1e-5) - loss_at(-1e-5)) / 2e-5;
    let mut gradient = meta_gradient(&*model, &rule, Form::Implicit, Order::Second, None);
    gradient.pop(); // the loss
    let along: f64 = gradient.iter().map(|g| g.sum(None::<Kind>).double_value(&[])).sum();
    assert!((slope - along).abs() < 1e-7, "{slope} {along}");
}

#[test]
fn without_steps_or_with_a_vanishing_rate_nothing_moves() {
    let model = Mlp { hidden: vec![5], ..Mlp::default() }.build(9, 3);
    let (theta, episode) = (theta(&*model), episode());
    for form in [Form::Implicit, Form::Explicit] {
        let objective = Objective::new(&*model, &theta, &episode, form, Order::Zero, DRAWS);
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
        let objective = Objective::new(&*model, &theta, &episode, form, Order::Zero, DRAWS);
        let fast = objective.start();
        let whole = objective.support_losses(0, &fast);
        let objective = objective.with_batches(Some(1));
        let rows: Vec<Tensor> = (0..3).map(|step| objective.support_losses(step, &fast)).collect();
        let mean = Tensor::stack(&rows, 0).mean_dim(0, false, None);
        assert!(mean.allclose(&whole, 1e-12, 1e-12, false), "{form:?}");
        assert!(!rows[0].allclose(&whole, 1e-6, 1e-6, false), "{form:?}");
    }
}
