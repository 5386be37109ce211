//! A small data set, and every registered algorithm with every inner rule on it.

use quickstudy::{
    algorithms::{AlgorithmSpec, Setting, Training},
    data::Dataset,
    inner::{Adapts, RuleSpec},
    models::{ModelSpec, Params, mlp::Mlp},
    random::{Draws, Purpose, stream},
    tasks::{
        Interface, Need, TaskSource,
        copies::{Copier, JitteredCopies},
        few_shot::{AllClasses, FewShot, ImageBank, TaskSize},
        same::SameTasks,
    },
};
use rand::RngExt;
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

pub const WAYS: usize = 3;
pub const SIDE: usize = 6;
pub const STEPS: [usize; 3] = [0, 1, 4];
pub const DRAWS: Draws = Draws { seed: 3, purpose: Purpose::Adapt, occasion: 0, first_task: 0 };

/// Six classes of 6x6 images, each a random pattern of its own with noise.
pub fn toy() -> Dataset {
    let mut draw = stream(0, Purpose::Split, 0);
    let patterns: Vec<Vec<u8>> =
        (0..6).map(|_| (0..SIDE * SIDE).map(|_| draw.random_range(0..200)).collect()).collect();
    let labels: Vec<u16> = (0..180).map(|i| i % 6).collect();
    let noisy = |&label: &u16| patterns[usize::from(label)].clone();
    let mut pixels: Vec<u8> = labels.iter().flat_map(noisy).collect();
    pixels.iter_mut().for_each(|pixel| *pixel += draw.random_range(0..55));
    Dataset {
        name: "toy".into(),
        height: SIDE,
        width: SIDE,
        pixels: pixels.into(),
        labels,
        classes: (0..6).map(|class| class.to_string()).collect(),
        groups: Vec::new(),
        training: 120,
    }
}

pub fn source() -> FewShot {
    let data = toy();
    let pools = (0..6).map(|class| (class..data.len()).step_by(6).collect()).collect();
    let size = TaskSize { ways: WAYS, shots: 2, queries: 4 };
    FewShot::new(ImageBank::new(&data, Device::Cpu), pools, size, 0, Purpose::Train)
}

pub fn interface() -> Interface {
    TaskSize { ways: WAYS, shots: 2, queries: 4 }.interface(SIDE * SIDE)
}

pub fn setting() -> Setting {
    let model = ModelSpec::Mlp(Mlp { hidden: vec![16, 16], ..Mlp::default() });
    Setting {
        model,
        interface: interface(),
        pooled_outputs: Some(6),
        whole_outputs: WAYS,
        memory: u64::MAX,
        adapts: Adapts::All,
        copier: None,
    }
}

/// The same with a context, for algorithms that need one.
pub fn setting_of(spec: &AlgorithmSpec) -> Setting {
    let context = if spec.needs_context() { 4 } else { 0 };
    Setting { model: ModelSpec::Mlp(Mlp { hidden: vec![16, 16], context, ..Mlp::default() }), ..setting() }
}

/// The same, to adapt to jittered copies.
pub fn on_copies(spec: &AlgorithmSpec) -> Setting {
    let settings = JitteredCopies { copies: 3, ..JitteredCopies::default() };
    Setting { copier: Some(Copier { settings, height: SIDE, width: SIDE }), ..setting_of(spec) }
}

/// Settings that change what is computed, beside the defaults.
pub fn settings() -> Vec<AlgorithmSpec> {
    let settings = [json!({"reptile": {"train_shots": 3, "batch": 4}})];
    settings.map(|json| serde_json::from_value(json).expect("an algorithm")).into()
}

/// Every algorithm with its defaults and with other settings, and those that adapt with every rule.
pub fn registered() -> Vec<AlgorithmSpec> {
    let of_images = |spec: &AlgorithmSpec| {
        ![Need::Items, Need::Truth, Need::Reviews].iter().any(|need| spec.needs().contains(need))
    };
    let all: Vec<AlgorithmSpec> =
        AlgorithmSpec::all().into_iter().chain(settings()).filter(of_images).collect();
    let with_rules: Vec<_> = all.iter().flat_map(with_each_rule).collect();
    all.into_iter().chain(with_rules).collect()
}

/// An algorithm with every inner rule, if its settings name one under `inner` or are one.
pub fn with_each_rule(spec: &AlgorithmSpec) -> Vec<AlgorithmSpec> {
    let name = spec.name();
    let config = serde_json::to_value(spec).expect("JSON")[name].take();
    let is_rule = serde_json::from_value::<RuleSpec>(config.clone()).is_ok();
    let with = |rule: Value| {
        let mut config = config.clone();
        match config.get_mut("inner") {
            Some(inner) => *inner = rule,
            None if is_rule => config = rule,
            None => return None,
        }
        Some(serde_json::from_value(json!({name: config})).expect("an algorithm"))
    };
    RuleSpec::all().iter().filter_map(|rule| with(brisk(rule))).collect()
}

/// A rule in a hurry: some default rates are for long training, and these tests are short.
pub fn brisk(rule: &RuleSpec) -> Value {
    let mut json = serde_json::to_value(rule).expect("JSON");
    if let Some(rate) = json[rule.name()].get_mut("lr")
        && rate.as_f64().is_some_and(|rate| rate < 0.01)
    {
        *rate = json!(0.01);
    }
    json
}

pub fn with_and_without_copies() -> impl Iterator<Item = (AlgorithmSpec, Setting)> {
    registered()
        .into_iter()
        .flat_map(|spec| [(spec.clone(), setting_of(&spec)), (spec.clone(), on_copies(&spec))])
}

pub fn training_source(spec: &AlgorithmSpec) -> Option<Box<dyn TaskSource>> {
    match spec.training() {
        Training::Nothing | Training::Fit => None,
        Training::Episodes { .. } => Some(Box::new(source())),
        Training::SameTasks { .. } => Some(Box::new(SameTasks(Box::new(source())))),
        Training::Pooled(_) => Some(Box::new(AllClasses(source()))),
    }
}

pub fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(Kind::Double).flatten(0, -1)).expect("a vector")
}

pub fn same(a: &Params, b: &Params) -> bool {
    a.names == b.names && a.tensors.iter().zip(&b.tensors).all(|(a, b)| a.equal(b))
}
