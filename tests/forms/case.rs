//! An adaptation in every form that it has, and the ways to its meta-gradient.

use quickstudy::{
    inner::{
        Adaptation, Adapts, Differentiation, Form, Grain, Objective, Order, RuleSpec, graph,
        meta_sgd::{Granularity, MetaSgd},
        sgd::Sgd,
    },
    loss::Loss,
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

pub const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: 0, first_task: 0 };
pub const OUTPUTS: usize = 3;

/// A model without its closed-form gradient.
pub struct Automatic(Box<dyn Model>);

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

    fn body(&self, params: &[Tensor], z: &Tensor, weight: Option<&Tensor>) -> Tensor {
        self.0.body(params, z, weight)
    }
}

pub fn wave(shape: &[i64], frequency: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    (Tensor::arange(count, (Kind::Double, Device::Cpu)) * frequency).sin().reshape(shape)
}

/// Four tasks of three support rows and four queries.
pub fn episode(loss: &dyn Loss) -> Episode {
    let y = match loss.name() {
        "cross_entropy" => Tensor::from_slice(&[0i64, 1, 2, 0, 1, 2, 1]).repeat([4, 1]),
        "logistic" => wave(&[4, 7, OUTPUTS as i64], 1.7).gt(0.0).to_kind(Kind::Double),
        _ => wave(&[4, 7, OUTPUTS as i64], 1.7),
    };
    Episode { x: wave(&[4, 7, 9], 12.9898), y, weight: None, support: 3 }
}

pub fn copier() -> Copier {
    let settings = JitteredCopies { copies: 2, ..JitteredCopies::default() };
    Copier { settings, height: 3, width: 3 }
}

/// An adaptation, with and without the closed form of its network.
pub struct Case {
    pub closed: Adaptation,
    pub automatic: Adaptation,
    pub theta: Vec<Tensor>,
    pub episode: Episode,
    /// What the query loss after each step counts.
    pub shares: Vec<f64>,
}

impl Case {
    pub fn new(network: &Mlp, rule: RuleSpec, loss: &'static dyn Loss, adapts: Adapts) -> Self {
        let build = || network.build(9, OUTPUTS);
        let adaptation = |model| Adaptation::new(rule.clone(), model, OUTPUTS, loss, adapts);
        let (closed, automatic) = (adaptation(build()), adaptation(Box::new(Automatic(build()))));
        let drawn = closed.init(&mut stream(1, Purpose::Init, 0));
        let theta = drawn.tensors.iter().map(|t| t.to_kind(Kind::Double).set_requires_grad(true)).collect();
        let mut shares = vec![0.0; rule.steps()];
        *shares.last_mut().expect("a step") = 1.0;
        Self { closed, automatic, theta, episode: episode(loss), shares }
    }

    /// The network's part of theta, and the rule's.
    pub fn split(&self) -> (&[Tensor], &[Tensor]) {
        self.theta.split_at(self.closed.model.parameters().len())
    }

    pub fn problem<'a>(&'a self, of: &'a Adaptation, form: Form, order: Order) -> Objective<'a> {
        Objective::new(of.network(), self.split().0, &self.episode, form, order, DRAWS)
    }

    /// The gradient with respect to theta by automatic differentiation, then the loss.
    pub fn by_graph(&self, objective: &Objective, recompute: Option<usize>) -> Vec<Tensor> {
        let rule = &*self.closed.rule;
        let own = self.split().1;
        let (loss, mut all) =
            graph::meta_gradient(rule, objective, &self.theta, own, &self.shares, recompute);
        all.push(loss);
        all
    }

    /// The same by hand.
    pub fn by_hand(&self, objective: &Objective, recompute: Option<usize>) -> Option<Vec<Tensor>> {
        let how = Differentiation { order: objective.order(), shares: &self.shares, recompute };
        let (loss, mut all) = self.closed.by_hand(objective, self.split().1, &how)?;
        all.push(loss);
        Some(all)
    }

    /// The forms that are exact for its rule.
    pub fn forms(&self) -> &'static [Form] {
        match self.closed.rule.descent() {
            Some(Grain::One | Grain::Unit) => &[Form::Explicit, Form::Implicit],
            _ => &[Form::Explicit],
        }
    }

    /// Checks every way to the meta-gradient against the plainest one: explicit, without closed form, through a graph.
    pub fn check(&self, what: &str) {
        for order in [Order::First, Order::Second] {
            let plain = self.by_graph(&self.problem(&self.automatic, Form::Explicit, order), None);
            for &form in self.forms() {
                let what = format!("{what} {order:?} {form:?}");
                let objective = || self.problem(&self.closed, form, order);
                assert_equal(&format!("{what} graph"), &self.by_graph(&objective(), None), &plain);
                if let Some(by_hand) = self.by_hand(&objective(), None) {
                    assert_equal(&format!("{what} by hand"), &by_hand, &plain);
                }
            }
        }
    }
}

pub fn assert_equal(what: &str, a: &[Tensor], b: &[Tensor]) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a.size(), b.size(), "{what}");
        let scale = a.abs().max().double_value(&[]).max(1e-3);
        let error = (a - b).abs().max().double_value(&[]) / scale;
        assert!(error < 1e-9, "{what}: off by {error:e}");
    }
}

pub fn networks() -> Vec<Mlp> {
    let mut all = Vec::new();
    for hidden in [vec![], vec![5], vec![6, 5, 4]] {
        for activation in [Activation::Relu, Activation::Tanh] {
            for batch_norm in [false, true] {
                all.push(Mlp { hidden: hidden.clone(), activation, batch_norm, ..Mlp::default() });
            }
        }
    }
    all
}

pub fn tanh() -> Mlp {
    Mlp { hidden: vec![5, 4], activation: Activation::Tanh, ..Mlp::default() }
}

pub fn sgd(steps: usize) -> RuleSpec {
    RuleSpec::Sgd(Sgd { lr: 0.3, steps })
}

pub fn learned_rates() -> impl Iterator<Item = RuleSpec> {
    let all =
        [Granularity::Elementwise, Granularity::PerUnit, Granularity::PerLayer, Granularity::PerLayerAndStep];
    all.into_iter().map(|rates| RuleSpec::MetaSgd(MetaSgd { rates, start: [0.1, 0.5], steps: 3 }))
}
