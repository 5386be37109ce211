//! What holds for every registered model: to register one is to have it tested here.

use quickstudy::{
    loss::{self, Loss, per_task},
    models::{Model, ModelSpec, Params, closed_form::Expectation, layers},
    random::{Purpose, stream},
};
use serde_json::json;
use tch::{Device, Kind, Tensor};

const TASKS: i64 = 3;
const ROWS: i64 = 5;
const INPUTS: i64 = 6;
const OUTPUTS: i64 = 4;

/// Every model with its defaults, and with its features.
fn registered() -> Vec<ModelSpec> {
    let features = [
        json!({"conv4": {"filters": 3, "halve": "pool", "end": "flatten"}}),
        json!({"mlp": {"hidden": []}}),
        json!({"mlp": {"hidden": [7, 5, 6], "activation": "tanh"}}),
        json!({"mlp": {"hidden": [7, 5], "batch_norm": true}}),
        json!({"mlp": {"hidden": [7], "context": 2, "init": {"truncated_normal": 0.01}}}),
    ];
    let features = features.map(|json| serde_json::from_value(json).expect("a model"));
    ModelSpec::all().into_iter().chain(features).collect()
}

/// Each with what is built of it.
fn built() -> impl Iterator<Item = (ModelSpec, Box<dyn Model>)> {
    registered().into_iter().map(|spec| (spec.clone(), spec.build(INPUTS as usize, OUTPUTS as usize)))
}

fn drawn(model: &dyn Model, seed: u64) -> Params {
    model.init(&mut stream(seed, Purpose::Init, 0))
}

fn wave(shape: &[i64], frequency: f64) -> Tensor {
    let at = Tensor::arange(shape.iter().product::<i64>(), (Kind::Double, Device::Cpu));
    ((at + 1.0) * frequency).sin().reshape(shape)
}

fn inputs() -> Tensor {
    wave(&[TASKS, ROWS, INPUTS], 12.9898)
}

/// Parameters of one per task, each task's others, in f64; none of them is where it starts.
fn of_tasks(model: &dyn Model) -> Vec<Tensor> {
    let theta = drawn(model, 0).tensors;
    theta
        .iter()
        .enumerate()
        .map(|(place, tensor)| {
            let shape = [&[TASKS], tensor.size().as_slice()].concat();
            tensor.to_kind(Kind::Double).unsqueeze(0) + wave(&shape, 1.1 + 0.3 * place as f64) * 0.3
        })
        .collect()
}

/// What goes into the body, and the parameters behind it.
fn body(model: &dyn Model, params: &[Tensor], x: &Tensor) -> (Tensor, Vec<Tensor>) {
    let (z, behind) = match model.has_linear_input() {
        true => (layers::linear(x, &params[0], &params[1]), &params[2..]),
        false => (x.shallow_clone(), params),
    };
    (z, behind.iter().map(Tensor::shallow_clone).collect())
}

fn far(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    if a.numel() == 0 { 0.0 } else { (a - b).abs().max().double_value(&[]) }
}

#[test]
fn theta_is_as_the_parameters_say_and_drawn_from_the_stream_alone() {
    for (spec, model) in built() {
        let parameters = model.parameters();
        let (theta, again) = (drawn(&*model, 0), drawn(&*model, 0));
        assert_eq!(theta.names.len(), parameters.len(), "{spec:?}");
        for (place, parameter) in parameters.iter().enumerate() {
            let unique = parameters[..place].iter().all(|other| other.name != parameter.name);
            assert!(unique, "{spec:?}: {} stands there twice", parameter.name);
            assert_eq!(theta.names[place], parameter.name, "{spec:?}");
            assert_eq!(theta.tensors[place].size(), parameter.shape, "{spec:?}");
            assert!(theta.tensors[place].equal(&again.tensors[place]), "{spec:?}");
        }
        let layers: Vec<usize> = parameters.iter().map(|parameter| parameter.layer).collect();
        assert!(layers.is_sorted(), "{spec:?}: {layers:?}");
        let other = drawn(&*model, 1);
        assert!(theta.tensors.iter().zip(&other.tensors).any(|(a, b)| !a.equal(b)), "{spec:?}");
        if model.has_linear_input() {
            assert_eq!(parameters[0].shape[1..], [INPUTS], "{spec:?}");
            assert_eq!(parameters[1].shape, parameters[0].shape[..1], "{spec:?}");
        }
    }
}

#[test]
fn a_task_with_parameters_of_its_own_is_as_one_alone_that_shares_them() {
    for (spec, model) in built() {
        let (params, x) = (of_tasks(&*model), inputs());
        let together = model.forward(&params, &x);
        assert_eq!(together.size(), [TASKS, ROWS, OUTPUTS], "{spec:?}");
        for task in 0..TASKS {
            let own: Vec<Tensor> = params.iter().map(|tensor| tensor.get(task)).collect();
            let alone = model.forward(&own, &x.narrow(0, task, 1));
            assert!(far(&together.narrow(0, task, 1), &alone) < 1e-12, "{spec:?}");
        }
        let (z, behind) = body(&*model, &params, &x);
        assert!(far(&model.body(&behind, &z, None), &together) < 1e-12, "{spec:?}");
    }
}

#[test]
fn rows_are_mixed_only_by_models_that_say_so() {
    for (spec, model) in built() {
        let (params, x) = (of_tasks(&*model), inputs());
        let other = x.copy();
        let _ = other.narrow(1, 0, 1).fill_(0.7);
        let rest = |x: &Tensor| model.forward(&params, x).narrow(1, 1, ROWS - 1);
        assert_eq!(far(&rest(&x), &rest(&other)) > 1e-9, model.mixes_rows(), "{spec:?}");
    }
}

#[test]
fn rows_without_weight_change_nothing() {
    for (spec, model) in built() {
        let (z, behind) = body(&*model, &of_tasks(&*model), &inputs());
        let kept = ROWS - 2;
        let weight = Tensor::full([TASKS, ROWS], 1.0 / kept as f64, (Kind::Double, Device::Cpu));
        let _ = weight.narrow(1, kept, 2).zero_();
        let garbage = z.copy();
        let _ = garbage.narrow(1, kept, 2).fill_(1e3);
        let weighted = model.body(&behind, &garbage, Some(&weight)).narrow(1, 0, kept);
        let without = model.body(&behind, &z.narrow(1, 0, kept), None);
        assert!(far(&weighted, &without) < 1e-10, "{spec:?}");
    }
}

/// Targets that every loss of their kind takes: labels, or zeros and ones.
fn targets(loss: &dyn Loss) -> Tensor {
    match loss.name() {
        "cross_entropy" => {
            let labels = Tensor::arange(TASKS * ROWS, (Kind::Int64, Device::Cpu));
            labels.remainder(OUTPUTS).reshape([TASKS, ROWS])
        }
        _ => wave(&[TASKS, ROWS, OUTPUTS], 1.7).gt(0.0).to_kind(Kind::Double),
    }
}

/// By automatic differentiation, in f64, with and without weights of rows, for every loss.
#[test]
fn derivatives_by_hand_are_the_derivatives() {
    let weight = wave(&[TASKS, ROWS], 0.7).abs();
    let weight = &weight / weight.sum_dim_intlist(1, true, None);
    let mut checked = 0;
    for (spec, model) in built() {
        let Some(by_hand) = model.closed_form() else { continue };
        let (z, behind) = body(&*model, &of_tasks(&*model), &inputs());
        for (loss, weight) in loss::ALL.iter().flat_map(|loss| [(*loss, None), (*loss, Some(&weight))]) {
            let leaves: Vec<Tensor> =
                [&z].into_iter().chain(&behind).map(|t| t.detach().set_requires_grad(true)).collect();
            let y = targets(loss);
            let outputs = model.body(&leaves[1..], &leaves[0], None);
            let value = per_task(loss, &outputs, &y, weight).sum(None::<Kind>);
            let gradient = Tensor::run_backward(&[value], &leaves, true, true);
            let goal = Expectation { loss, expected: &loss.expected(&y, OUTPUTS, &z), weight };
            let at = by_hand.backpropagate(&behind, &z, &goal);
            assert!(far(&at.outputs, &outputs) < 1e-12, "{spec:?}, {loss:?}");
            assert!(far(&at.linked, &loss.link(&outputs)) < 1e-12, "{spec:?}, {loss:?}");
            for (auto, own) in gradient.iter().zip(at.gradient.dense()) {
                assert!(far(auto, &own) < 1e-12, "{spec:?}, {loss:?}");
            }
            let direction: Vec<Tensor> = leaves.iter().map(|leaf| wave(&leaf.size(), 2.3)).collect();
            let along = gradient.iter().zip(&direction).map(|(g, d)| (g * d).sum(None::<Kind>));
            let along = along.reduce(|sum, next| sum + next).expect("an input");
            let auto = Tensor::run_backward(&[along], &leaves, false, false);
            let own = by_hand.hessian_product(&behind, &at, &direction[0], &direction[1..], &goal).dense();
            assert_eq!((auto.len(), own.len()), (leaves.len(), leaves.len()), "{spec:?}");
            for (auto, own) in auto.iter().zip(&own) {
                assert!(far(auto, own) < 1e-11, "{spec:?}, {loss:?}");
            }
            checked += 1;
        }
    }
    assert!(checked > 0, "no model has derivatives by hand");
}

#[test]
fn a_chain_is_its_linear_layers() {
    let mut chains = 0;
    for (spec, model) in built() {
        let Some(chain) = model.chain() else { continue };
        let params = of_tasks(&*model);
        let shapes = chain.sizes.windows(2).map(|size| [size[1] as i64, size[0] as i64]);
        let mut a = inputs();
        for (place, (layer, shape)) in params.chunks_exact(2).zip(shapes).enumerate() {
            assert_eq!(layer[0].size()[1..], shape, "{spec:?}");
            let input = if place == 0 { a } else { chain.activation.of(&a) };
            a = layers::linear(&input, &layer[0], &layer[1]);
        }
        assert_eq!(params.len(), 2 * (chain.sizes.len() - 1), "{spec:?}");
        assert!(far(&a, &model.forward(&params, &inputs())) < 1e-12, "{spec:?}");
        let values: usize = chain.sizes[1..].iter().sum();
        assert_eq!(model.activations_per_row(), values, "{spec:?}");
        chains += 1;
    }
    assert!(chains > 0, "no model is a chain");
}

#[test]
fn modules_hold_each_parameter_once_or_say_why_there_are_none() {
    for (spec, model) in built() {
        let theta = drawn(&*model, 0);
        match spec.modules(&theta) {
            Ok(modules) => {
                let held: Vec<_> = modules.iter().flat_map(|m| &m.tensors).map(|(_, name)| name).collect();
                assert_eq!(held, theta.names.iter().collect::<Vec<_>>(), "{spec:?}");
            }
            Err(reason) => assert!(reason.to_string().contains("nn.Sequential"), "{spec:?}: {reason}"),
        }
        assert!(spec.modules(&Params::default()).is_err(), "{spec:?}");
    }
}
