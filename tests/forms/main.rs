//! The implicit form, the closed-form gradient, the way back by hand and their plain counterparts are the same function.

mod case;

use case::*;
use quickstudy::{
    inner::{Adapts, Form, Objective, Order, Rows, RuleSpec, adam::Adam, adapt, compact::Compact, sgd::Sgd},
    loss::{self, CrossEntropy},
    models::mlp::Mlp,
    tasks::Episode,
};
use tch::{Kind, Tensor};

#[test]
fn every_network_has_the_same_gradient_by_hand_and_by_graph() {
    let adam = RuleSpec::Adam(Adam { lr: 0.01, steps: 3, ..Adam::default() });
    for network in networks() {
        for rule in [sgd(4), adam.clone()] {
            let case = Case::new(&network, rule.clone(), &CrossEntropy, Adapts::All);
            let by_hand = case.by_hand(&case.problem(&case.closed, Form::Explicit, Order::Second), None);
            let closed = !network.batch_norm && rule.descent().is_some();
            assert_eq!(by_hand.is_some(), closed, "{network:?} {rule:?}");
            case.check(&format!("{network:?} {rule:?}"));
        }
    }
}

#[test]
fn every_loss_has_the_same_gradient_by_hand_and_by_graph() {
    for loss in loss::ALL {
        for network in networks() {
            Case::new(&network, sgd(2), loss, Adapts::All).check(&format!("{loss:?} {network:?}"));
        }
    }
}

#[test]
fn learned_rates_have_the_same_gradient_by_hand_and_by_graph() {
    for rule in learned_rates() {
        for network in networks() {
            Case::new(&network, rule.clone(), &CrossEntropy, Adapts::All)
                .check(&format!("{rule:?} {network:?}"));
        }
    }
}

#[test]
fn what_does_not_adapt_stays_where_theta_has_it() {
    let adam = RuleSpec::Adam(Adam { lr: 0.01, steps: 3, ..Adam::default() });
    let context = Mlp { context: 2, ..tanh() };
    for adapts in [Adapts::Head, Adapts::Body, Adapts::Context] {
        for rule in learned_rates().chain([sgd(3), adam.clone()]) {
            let network = if adapts == Adapts::Context { &context } else { &tanh() };
            let case = Case::new(network, rule.clone(), &CrossEntropy, adapts);
            let what = format!("{adapts:?} {rule:?}");
            case.check(&what);
            for &form in case.forms() {
                let objective = case.problem(&case.closed, form, Order::Zero);
                let (theta, own) = case.split();
                let phi = adapt(&*rule, &objective, own, 3, |_, _| {});
                let means = objective.mean_weights(&phi);
                let moves = case.closed.network().moves;
                for ((theta, mean), moves) in theta.iter().zip(&means).zip(moves) {
                    let moved = (theta - mean).abs().max().double_value(&[]);
                    assert_eq!(*moves, moved > 1e-12, "{what} {form:?}: moved by {moved}");
                }
            }
        }
    }
}

#[test]
fn query_losses_after_every_step_add_up() {
    for rule in learned_rates().chain([sgd(3)]) {
        let mut case = Case::new(&tanh(), rule.clone(), &CrossEntropy, Adapts::All);
        case.shares = vec![0.2, 0.0, 0.5];
        case.check(&format!("{rule:?}"));
        for &form in case.forms() {
            let problem = || case.problem(&case.closed, form, Order::Second);
            let whole = case.by_graph(&problem(), None);
            assert_equal("in parts", &case.by_graph(&problem(), Some(2)), &whole);
            assert_equal("in parts by hand", &case.by_hand(&problem(), Some(2)).expect("by hand"), &whole);
        }
    }
}

/// On copies: the implicit form is the explicit one, and the way back by hand is automatic differentiation, with steps recomputed or not.
#[test]
fn copies_are_seen_alike_by_all_forms() {
    let copier = copier();
    for network in networks() {
        let case = Case::new(&network, sgd(4), &CrossEntropy, Adapts::All);
        for (order, batch) in [(Order::First, None), (Order::Second, None), (Order::Second, Some(2))] {
            let problem = |of: &'static str, form| {
                let of = if of == "closed" { &case.closed } else { &case.automatic };
                Objective::on_copies(
                    of.network(),
                    case.split().0,
                    &case.episode,
                    &copier,
                    batch,
                    4,
                    form,
                    order,
                    DRAWS,
                )
            };
            let plain = case.by_graph(&problem("automatic", Form::Explicit), None);
            for form in [Form::Implicit, Form::Explicit] {
                let what = format!("{network:?} {form:?} {order:?} {batch:?}");
                assert_equal(&what, &case.by_graph(&problem("closed", form), None), &plain);
                for every in [None, Some(3)] {
                    if let Some(by_hand) = case.by_hand(&problem("closed", form), every) {
                        assert_equal(&format!("{what} {every:?}"), &by_hand, &plain);
                    }
                }
                assert_equal(&what, &case.by_graph(&problem("closed", form), Some(3)), &plain);
            }
        }
    }
}

#[test]
fn mini_batches_are_seen_alike_by_both_forms() {
    for network in networks() {
        let case = Case::new(&network, sgd(4), &CrossEntropy, Adapts::All);
        for order in [Order::First, Order::Second] {
            let gradient =
                |form| case.by_graph(&case.problem(&case.closed, form, order).with_batches(Some(2)), None);
            assert_equal(
                &format!("{network:?} {order:?}"),
                &gradient(Form::Implicit),
                &gradient(Form::Explicit),
            );
        }
    }
}

#[test]
fn reptile_finds_the_same_mean_weights_in_both_forms() {
    let copier = copier();
    for (rule, adapts) in learned_rates()
        .chain([sgd(4)])
        .flat_map(|rule| [Adapts::All, Adapts::Head, Adapts::Body].map(|adapts| (rule.clone(), adapts)))
    {
        let case = Case::new(&Mlp { hidden: vec![5], ..Mlp::default() }, rule.clone(), &CrossEntropy, adapts);
        let (theta, own) = case.split();
        for batch in [None, Some(2)] {
            let means = |form, copies: bool| {
                let network = case.closed.network();
                let objective = if copies {
                    Objective::on_copies(
                        network,
                        theta,
                        &case.episode,
                        &copier,
                        batch,
                        4,
                        form,
                        Order::Zero,
                        DRAWS,
                    )
                } else {
                    case.problem(&case.closed, form, Order::Zero).with_batches(batch)
                };
                objective.mean_weights(&adapt(&*rule, &objective, own, 4, |_, _| {}))
            };
            for copies in [false, true] {
                for &form in case.forms() {
                    let what = format!("{rule:?} {adapts:?} {batch:?} {copies}");
                    assert_equal(&what, &means(form, copies), &means(Form::Explicit, copies));
                }
            }
        }
    }
}

#[test]
fn recomputed_steps_give_the_same_numbers() {
    let rules = [sgd(7), RuleSpec::Adam(Adam { lr: 0.01, steps: 7, ..Adam::default() })];
    for network in networks() {
        for rule in &rules {
            let case = Case::new(&network, rule.clone(), &CrossEntropy, Adapts::All);
            for &form in case.forms() {
                let problem = || case.problem(&case.closed, form, Order::Second);
                let whole = case.by_graph(&problem(), None);
                for every in [1, 3, 7, 20] {
                    let what = format!("{network:?} {form:?} every {every}");
                    assert_equal(&what, &case.by_graph(&problem(), Some(every)), &whole);
                    if let Some(gradient) = case.by_hand(&problem(), Some(every)) {
                        let kept = case.by_hand(&problem(), None).expect("by hand too");
                        assert!(gradient == kept, "{what}: not the same numbers");
                        assert_equal(&what, &gradient, &whole);
                    }
                }
            }
        }
    }
}

/// The second-order meta-gradient against finite differences of the query loss after adaptation.
#[test]
fn the_second_order_gradient_is_the_slope_of_the_adapted_loss() {
    let copier = copier();
    for loss in loss::ALL {
        for rule in learned_rates().chain([sgd(3)]) {
            let case = Case::new(&tanh(), rule.clone(), loss, Adapts::All);
            let parameters = case.split().0.len();
            for &form in case.forms() {
                for copies in [false, true] {
                    let problem = |theta: &[Tensor], order| -> f64 {
                        let (theta, own) = theta.split_at(parameters);
                        let network = case.closed.network();
                        let objective = if copies {
                            Objective::on_copies(
                                network,
                                theta,
                                &case.episode,
                                &copier,
                                None,
                                3,
                                form,
                                order,
                                DRAWS,
                            )
                        } else {
                            Objective::new(network, theta, &case.episode, form, order, DRAWS)
                        };
                        let phi = adapt(&*rule, &objective, own, 3, |_, _| {});
                        objective.losses(&phi, Rows::Query).mean(None::<Kind>).double_value(&[])
                    };
                    let loss_at = |shift: f64| {
                        let moved: Vec<Tensor> = case.theta.iter().map(|t| t.detach() + shift).collect();
                        problem(&moved, Order::Zero)
                    };
                    let objective = if copies {
                        Objective::on_copies(
                            case.closed.network(),
                            case.split().0,
                            &case.episode,
                            &copier,
                            None,
                            3,
                            form,
                            Order::Second,
                            DRAWS,
                        )
                    } else {
                        case.problem(&case.closed, form, Order::Second)
                    };
                    let mut gradient = case.by_hand(&objective, None).expect("a closed form");
                    gradient.pop(); // the loss
                    let slope = (loss_at(1e-5) - loss_at(-1e-5)) / 2e-5;
                    let along: f64 = gradient.iter().map(|g| g.sum(None::<Kind>).double_value(&[])).sum();
                    assert!(
                        (slope - along).abs() < 1e-7,
                        "{loss:?} {rule:?} {form:?} copies {copies}: {slope} {along}"
                    );
                }
            }
        }
    }
}

#[test]
fn without_steps_or_with_a_vanishing_rate_nothing_moves() {
    let rule = RuleSpec::Sgd(Sgd { lr: 1e-300, steps: 2 });
    let case =
        Case::new(&Mlp { hidden: vec![5], ..Mlp::default() }, rule.clone(), &CrossEntropy, Adapts::All);
    for form in [Form::Implicit, Form::Explicit] {
        let objective = case.problem(&case.closed, form, Order::Zero);
        let still = objective.outputs(&objective.start(), Rows::Query);
        let plain = case.closed.model.forward(&case.theta, &case.episode.query_x());
        assert!(still.allclose(&plain, 1e-12, 1e-12, false), "{form:?}");
        let phi = adapt(&*rule, &objective, &[], 2, |_, _| {});
        assert!(objective.outputs(&phi, Rows::Query).allclose(&plain, 1e-12, 1e-12, false), "{form:?}");
    }
}

#[test]
fn the_support_loss_of_mini_batches_averages_to_that_of_the_support_set() {
    let case = Case::new(&Mlp { hidden: vec![5], ..Mlp::default() }, sgd(3), &CrossEntropy, Adapts::All);
    for form in [Form::Implicit, Form::Explicit] {
        let objective = case.problem(&case.closed, form, Order::Zero);
        let fast = objective.start();
        let whole = objective.support_losses(0, &fast);
        let objective = objective.with_batches(Some(1));
        let rows: Vec<Tensor> = (0..3).map(|step| objective.support_losses(step, &fast)).collect();
        let mean = Tensor::stack(&rows, 0).mean_dim(0, false, None);
        assert!(mean.allclose(&whole, 1e-12, 1e-12, false), "{form:?}");
        assert!(!rows[0].allclose(&whole, 1e-6, 1e-6, false), "{form:?}");
    }
}

/// On plain numbers, in single precision, against automatic differentiation in double precision.
#[test]
fn the_compact_way_is_the_same_gradient() {
    for loss in loss::ALL {
        for network in networks().into_iter().filter(|network| !network.batch_norm) {
            for steps in [1, 3] {
                for order in [Order::First, Order::Second] {
                    let case = Case::new(&network, sgd(steps), loss, Adapts::All);
                    let plain = case.by_graph(&case.problem(&case.automatic, Form::Explicit, order), None);
                    let chain = case.closed.model.chain().expect("nothing but layers");
                    let compact = Compact { chain, loss, rate: 0.3, steps, order };
                    let single = |t: &Tensor| t.detach().to_kind(Kind::Float);
                    let theta: Vec<Tensor> = case.theta.iter().map(single).collect();
                    let Episode { x, y, support, .. } = &case.episode;
                    let y = if y.kind() == Kind::Double { single(y) } else { y.shallow_clone() };
                    let episode = Episode { x: single(x), y, weight: None, support: *support };
                    let (value, mut found) = compact.meta_gradient(&theta, &episode).expect("small enough");
                    found.push(value);
                    for (found, plain) in found.iter().zip(&plain) {
                        assert_eq!(found.size(), plain.size());
                        let far = (found - plain).abs().max().double_value(&[]);
                        let scale = plain.abs().max().double_value(&[]).max(0.1);
                        assert!(
                            far / scale < 1e-4,
                            "{loss:?} {network:?} {steps} {order:?}: {far:e} of {scale}"
                        );
                    }
                }
            }
        }
    }
}
