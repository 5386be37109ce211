//! Meta-gradients against values that JAX computed in float64, in `fixtures/meta_gradients.json` with the weights and episodes that they
//! belong to.

use std::path::PathBuf;

use quickstudy::{
    inner::{
        Adaptation, Adapts, Differentiation, Form, Objective, Order, RuleSpec, adapt, graph,
        meta_sgd::{Granularity, MetaSgd},
        sgd::Sgd,
    },
    loss::CrossEntropy,
    models::{Architecture, mlp::Mlp},
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
    steps: usize,
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
    let theta = leaves(&document["params"]);
    let steps = document["steps"].as_u64().expect("steps") as usize;
    Fixture { document, episode, theta, steps }
}

fn leaves(value: &Value) -> Vec<Tensor> {
    tensors(value).iter().map(|t| t.detach().set_requires_grad(true)).collect()
}

impl Fixture {
    fn sgd(&self) -> RuleSpec {
        RuleSpec::Sgd(Sgd { lr: self.document["lr"].as_f64().expect("lr"), steps: self.steps })
    }

    fn adaptation(&self, rule: RuleSpec, adapts: Adapts) -> Adaptation {
        let model = Mlp { hidden: vec![5, 4], ..Mlp::default() }.build(6, 3);
        Adaptation::new(rule, model, 3, &CrossEntropy, adapts)
    }

    /// Checks the meta-gradient by hand and by graph, in a form, against the values of that name; theta holds the learned rates, too.
    fn check(&self, name: &str, adaptation: &Adaptation, theta: &[Tensor], form: Form, order: Order) {
        let (parameters, own) = theta.split_at(self.theta.len());
        let objective = Objective::new(adaptation.network(), parameters, &self.episode, form, order, DRAWS);
        let shares: Vec<f64> =
            (1..=self.steps).map(|step| if step == self.steps { 1.0 } else { 0.0 }).collect();
        let how = Differentiation { order, shares: &shares, recompute: None };
        let by_hand = adaptation.by_hand(&objective, own, &how).expect("a closed form");
        let by_graph = graph::meta_gradient(&*adaptation.rule, &objective, theta, own, &shares, None);
        let expected = &self.document["expected"][name];
        for (loss, gradient) in [by_hand, by_graph] {
            let error = loss.double_value(&[]) - expected["loss"].as_f64().expect("loss");
            assert!(error.abs() < 1e-9, "{name}, {form:?}: loss is off by {error:e}");
            let (of_theta, of_rates) = gradient.split_at(parameters.len());
            assert_close(name, form, of_theta, &expected["gradient"]);
            if !own.is_empty() {
                assert_close(name, form, of_rates, &expected["rate_gradient"]);
            }
        }
    }
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
fn maml_fomaml_and_anil_in_both_forms() {
    let f = fixture();
    for (name, order, adapts) in [
        ("maml", Order::Second, Adapts::All),
        ("fomaml", Order::First, Adapts::All),
        ("anil", Order::Second, Adapts::Head),
    ] {
        let adaptation = f.adaptation(f.sgd(), adapts);
        for form in [Form::Explicit, Form::Implicit] {
            f.check(name, &adaptation, &f.theta, form, order);
        }
    }
}

/// Rates for single elements have no implicit form.
#[test]
fn meta_sgd_and_its_rates() {
    let f = fixture();
    let rule = MetaSgd { rates: Granularity::Elementwise, steps: f.steps, ..MetaSgd::default() };
    let adaptation = f.adaptation(RuleSpec::MetaSgd(rule), Adapts::All);
    let theta: Vec<Tensor> =
        leaves(&f.document["params"]).into_iter().chain(leaves(&f.document["meta_sgd_rates"])).collect();
    f.check("meta_sgd", &adaptation, &theta, Form::Explicit, Order::Second);
}

#[test]
fn reptile_in_both_forms() {
    let f = fixture();
    let adaptation = f.adaptation(f.sgd(), Adapts::All);
    let theta: Vec<Tensor> = f.theta.iter().map(Tensor::detach).collect();
    for form in [Form::Explicit, Form::Implicit] {
        let objective = Objective::new(adaptation.network(), &theta, &f.episode, form, Order::Zero, DRAWS);
        let phi = adapt(&*adaptation.rule, &objective, &[], f.steps, |_, _| {});
        let means = objective.mean_weights(&phi);
        let gradient: Vec<Tensor> = theta.iter().zip(means).map(|(t, m)| t - m).collect();
        assert_close("reptile", form, &gradient, &f.document["expected"]["reptile"]["gradient"]);
    }
}
