//! The workloads on which meta-learning libraries are compared.

use anyhow::Result;

use crate::{
    algorithms::{AlgorithmSpec, MetaLearner, Setting, maml::Maml},
    inner::{Adapts, Order, RuleSpec, sgd::Sgd},
    loss::{CrossEntropy, Loss, SquaredError},
    misuse::misuse,
    models::{ModelSpec, mlp::Mlp},
    tasks::{Extent, Interface, few_shot::TaskSize},
};

/// D of classification: MNIST's and Omniglot's 28 x 28 pixels.
pub const PIXELS: usize = 784;

/// One MAML step: T tasks of N ways, K shots and Q queries through an MLP, adapted by gradient descent.
#[derive(Clone, Debug)]
pub struct Workload {
    /// What it is called.
    pub name: &'static str,
    /// What it stands for.
    pub about: &'static str,
    /// N, K and Q; for regression N is 1.
    pub size: TaskSize,
    /// D.
    pub inputs: usize,
    /// What is lowered.
    pub loss: &'static dyn Loss,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// T.
    pub tasks: usize,
    /// Inner steps.
    pub steps: usize,
    /// Inner rate.
    pub rate: f64,
}

impl Workload {
    /// All workloads.
    pub fn all() -> [Self; 7] {
        let workload = |name, about, size: [usize; 3], hidden: &[usize], tasks, steps, rate| Self {
            name,
            about,
            size: TaskSize { ways: size[0], shots: size[1], queries: size[2] },
            inputs: PIXELS,
            loss: &CrossEntropy,
            hidden: hidden.to_vec(),
            tasks,
            steps,
            rate,
        };
        let small = [64, 64];
        [
            workload("w1", "5-way 1-shot, as on MNIST", [5, 1, 15], &small, 32, 5, 0.4),
            workload("w2", "5 shots", [5, 5, 15], &small, 32, 5, 0.4),
            workload("w3", "20 ways", [20, 1, 5], &small, 16, 5, 0.1),
            workload(
                "w4",
                "the MAML paper's fully connected Omniglot network, without batch norm",
                [5, 1, 1],
                &[256, 128, 64, 64],
                32,
                1,
                0.4,
            ),
            workload("w5", "20 inner steps", [5, 1, 15], &small, 32, 20, 0.1),
            workload("w6", "512 tasks in a meta-batch", [5, 1, 15], &small, 512, 5, 0.4),
            Self {
                inputs: 1,
                loss: &SquaredError,
                ..workload("s1", "the MAML paper's sinusoid regressor", [1, 10, 10], &[40, 40], 25, 1, 0.01)
            },
        ]
    }

    /// The workload of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(name: &str) -> Result<Self> {
        let all = Self::all();
        let names = all.iter().map(|workload| workload.name).collect::<Vec<_>>().join(", ");
        match all.into_iter().find(|workload| workload.name == name) {
            Some(workload) => Ok(workload),
            None => misuse!("there is no workload {name}; there is {names}"),
        }
    }

    /// MAML of this order on this workload.
    pub fn learner(&self, order: Order, recompute: Option<usize>) -> Box<dyn MetaLearner> {
        let inner = RuleSpec::Sgd(Sgd { lr: self.rate, steps: self.steps });
        let setting = Setting {
            model: ModelSpec::Mlp(Mlp { hidden: self.hidden.clone(), ..Mlp::default() }),
            interface: self.interface(),
            pooled_outputs: None,
            whole_outputs: self.size.ways,
            adapts: Adapts::All,
            copier: None,
            memory: u64::MAX,
        };
        AlgorithmSpec::Maml(Maml { inner, order, recompute }).build(&setting)
    }

    /// What a network must know of it.
    pub fn interface(&self) -> Interface {
        let Self { size, inputs, loss, .. } = *self;
        Interface { inputs, outputs: size.ways, items: 0, bins: None, loss, measures: vec![] }
    }

    /// Whether targets are numbers, not labels.
    pub fn is_regression(&self) -> bool {
        self.loss.name() != CrossEntropy.name()
    }

    /// Rows of a task.
    pub fn extent(&self) -> Extent {
        self.size.extent(self.inputs)
    }
}
