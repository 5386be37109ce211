//! Meta-gradients against values that JAX computed in float64, in `fixtures/meta_gradients.json` with the weights and episodes that they
//! belong to.

use std::path::PathBuf;

use quickstudy::{
    inner::{Form, Objective, Order, Rows, RuleSpec, adapt, adjoint, sgd::Sgd},
    loss::CrossEntropy,
    models::{Architecture, Model, mlp::Mlp},
    random::{Draws, Purpose},
    tasks::Episode,
};
use serde_json::Value;
use tch::{Kind, Tensor};

const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: 0, first_task: 0 };

/// A nested JSON list as an f64 tensor.
fn tensor(value: &Value) -> Tensor {
    fn walk(value: &Value, depth: usize, shape: &mut Vec<i64>, flat: &mut Vec<f64>) {
        match value {
            Value::Array(items) => {
                if shape.len() == depth {
                    shape.push(items.len() as i64);
                }
                items.iter().for_each(|item| walk(item, depth + 1, shape, flat));
            }
            number => flat.push(number.as_f64().expect("a number")),
        }
    }
    let (mut shape, mut flat) = (Vec::new(), Vec::new());
    walk(value, 0, &mut shape, &mut flat);
    Tensor::from_slice(&flat).reshape(shape)
}

fn tensors(value: &Value) -> Vec<Tensor> {
    value.as_array().expect("a list").iter().map(tensor).collect()
}

struct Fixture {
    document: Value,
    episode: Episode,
    theta: Vec<Tensor>,
    model: Box<dyn Model>,
    rule: RuleSpec,
}

fn fixture() -> Fixture {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meta_gradients.json");
    let text = std::fs::read_to_string(path).expect("the fixtures");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let both =
        |support: &str, query: &str| Tensor::cat(&[tensor(&document[support]), tensor(&document[query])], 1);
    let episode = Episode {
        x: both("support_x", "query_x"),
        y: both("support_y", "query_y").to_kind(Kind::Int64),
        weight: None,
        support: 3,
    };
    let theta = tensors(&document["params"]).iter().map(|t| t.detach().set_requires_grad(true)).collect();
    let rule = RuleSpec::Sgd(Sgd {
        lr: document["lr"].as_f64().expect("lr"),
        steps: document["steps"].as_u64().expect("steps") as usize,
    });
    let model = Mlp { hidden: vec![5, 4], ..Mlp::default() }.build(6, 3);
    Fixture { document, episode, theta, model, rule }
}

fn assert_close(name: &str, form: Form, found: &[Tensor], expected: &Value) {
    assert_eq!(found.len(), expected.as_array().map_or(0, Vec::len));
    for (i, (found, expected)) in found.iter().zip(tensors(expected)).enumerate() {
        assert_eq!(found.size(), expected.size());
        let error = (found - expected).abs().max().double_value(&[]);
        assert!(error < 1e-9, "{name}, {form:?}: parameter {i} is off by {error:e}");
    }
}

#[test]
fn maml_and_fomaml_in_both_forms() {
    let f = fixture();
    for (name, order) in [("maml", Order::Second), ("fomaml", Order::First)] {
        for form in [Form::Explicit, Form::Implicit] {
            let objective =
                Objective::new(&*f.model, &CrossEntropy, &f.theta, &f.episode, form, order, DRAWS);
            let phi = adapt(&*f.rule, &objective, f.rule.steps(), |_, _| {});
            let loss = objective.losses(&phi, Rows::Query).mean(None::<Kind>);
            let gradient = Tensor::run_backward(&[&loss], &f.theta, false, false);
            let rate = f.rule.descent().expect("gradient descent");
            let by_hand =
                adjoint::meta_gradient(&objective, rate, f.rule.steps(), None).expect("a closed form");
            let expected = &f.document["expected"][name];
            for (loss, gradient) in [(loss, gradient), by_hand] {
                let error = loss.double_value(&[]) - expected["loss"].as_f64().expect("loss");
                assert!(error.abs() < 1e-9, "{name}, {form:?}: loss is off by {error:e}");
                assert_close(name, form, &gradient, &expected["gradient"]);
            }
        }
    }
}

#[test]
fn reptile_in_both_forms() {
    let f = fixture();
    let theta: Vec<Tensor> = f.theta.iter().map(Tensor::detach).collect();
    for form in [Form::Explicit, Form::Implicit] {
        let objective =
            Objective::new(&*f.model, &CrossEntropy, &theta, &f.episode, form, Order::Zero, DRAWS);
        let phi = adapt(&*f.rule, &objective, f.rule.steps(), |_, _| {});
        let means = objective.mean_weights(&phi);
        let gradient: Vec<Tensor> = theta.iter().zip(means).map(|(t, m)| t - m).collect();
        assert_close("reptile", form, &gradient, &f.document["expected"]["reptile"]["gradient"]);
    }
}
