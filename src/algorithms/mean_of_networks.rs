//! The mean of many networks, each trained on a task of its own, as an initialisation (Finn, Abbeel & Levine 2017,
//! https://arxiv.org/abs/1703.03400, appendix C, "multi-task baselines").
//!
//! ```text
//!     theta_m <- minimise  L(theta_m, task_m) + strength * |theta_m - towards|^2        m = 1 .. M; towards: 0, or the mean of all theta_m
//!     theta = 1/M sum_m theta_m
//! ```
//!
//! The paper trains one network after another, and draws each towards the mean of those before it. Here all are trained at once, as one
//! batch, each towards the mean of all as they are at that iteration.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, no_grad};

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use crate::{
    inner::{Adaptation, Answer, Order, RuleSpec, cost},
    loss,
    models::{Parameter, Params},
    random::{Draws, Stream},
    tasks::{Episode, Extent},
    validity::positive,
};

/// The mean of networks, fine-tuned with any inner rule. `train` says how the networks are trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct MeanOfNetworks {
    /// How fast weights move in fine-tuning.
    #[garde(dive)]
    pub inner: RuleSpec,
    /// M, networks: as many tasks are trained on, the same in every iteration.
    #[garde(range(min = 1, max = 100_000))]
    pub networks: usize,
    /// Shots while training, instead of the experiment's: each network is trained on the support set of its task.
    #[garde(inner(range(min = 1, max = 10_000)))]
    #[schemars(range(min = 1, max = 10_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_shots: Option<usize>,
    /// What draws the networks' weights together, so that their mean means something; nothing unless said otherwise.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub penalty: Option<Penalty>,
}

/// What is added to the loss of each network, times a strength.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// The sum of the squares of its parameters.
    L2(f64),
    /// The squared distance of its parameters to the mean of all networks.
    ToMean(f64),
}

// By hand, so that paths in errors have the names in YAML.
impl Validate for Penalty {
    type Context = ();

    fn validate_into(
        &self,
        context: &(),
        mut parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        let (name, strength) = match self {
            Self::L2(strength) => ("l2", strength),
            Self::ToMean(strength) => ("to_mean", strength),
        };
        if let Err(error) = positive(strength, context) {
            report.append(garde::util::nested_path!(parent, name)(), error);
        }
    }
}

impl Penalty {
    /// Its gradient at the networks' parameters `own` `[T, ...]`, some of `all` `[M, ...]`; the mean counts as a constant.
    fn gradient(self, own: &Tensor, all: &Tensor) -> Tensor {
        match self {
            Self::L2(strength) => own * (2.0 * strength),
            Self::ToMean(strength) => (own - mean(all)) * (2.0 * strength),
        }
    }
}

/// The mean over networks of `[M, ...]`.
fn mean(all: &Tensor) -> Tensor {
    all.mean_dim(0, false, None)
}

impl Default for MeanOfNetworks {
    fn default() -> Self {
        Self { inner: RuleSpec::default(), networks: 500, train_shots: None, penalty: None }
    }
}

impl Algorithm for MeanOfNetworks {
    fn source(&self) -> &'static str {
        "Finn et al. 2017, https://arxiv.org/abs/1703.03400, appendix C"
    }

    fn training(&self) -> Training {
        Training::SameTasks { shots: self.train_shots, tasks: self.networks }
    }

    fn rule(&self) -> Option<&RuleSpec> {
        Some(&self.inner)
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        let adaptation = setting.adaptation(&self.inner);
        Box::new(Learner { adaptation, networks: self.networks as i64, penalty: self.penalty })
    }
}

struct Learner {
    /// Of the mean.
    adaptation: Adaptation,
    /// M.
    networks: i64,
    penalty: Option<Penalty>,
}

/// Names of the networks' parameters among theta's start with this.
const EACH: &str = "each.";

impl Learner {
    /// How many tensors a network has.
    fn of_network(&self) -> usize {
        self.adaptation.model.parameters().len()
    }
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        self.adaptation.rule.steps()
    }

    /// The networks' parameters, `[M, ...]` of each; then what the rule would learn.
    fn init(&self, stream: &mut Stream) -> Params {
        let mut parameters = self.adaptation.parameters();
        for parameter in &mut parameters[..self.of_network()] {
            parameter.name.insert_str(0, EACH);
            parameter.shape.insert(0, self.networks);
        }
        Params::init(&parameters, stream)
    }

    /// The mean of the networks.
    fn checkpoint(&self, theta: &Params) -> Params {
        let (each, own) = theta.tensors.split_at(self.of_network());
        let names = self.adaptation.parameters().into_iter().map(|Parameter { name, .. }| name).collect();
        Params {
            names,
            tensors: each.iter().map(mean).chain(own.iter().map(Tensor::shallow_clone)).collect(),
        }
    }

    /// Each network's own gradient, and zeros for those of other tasks: network m is that of task m of the meta-batch.
    fn meta_gradient(&self, theta: &Params, episode: &Episode, draws: Draws) -> Option<MetaGradient> {
        let (first, tasks) = (draws.first_task as i64, episode.tasks());
        let (each, own) = theta.tensors.split_at(self.of_network());
        let networks: Vec<Tensor> =
            each.iter().map(|all| all.narrow(0, first, tasks).detach().set_requires_grad(true)).collect();
        let outputs = self.adaptation.model.forward(&networks, &episode.support_x());
        let weight = episode.support_weight().map(|weight| {
            let total = weight.sum_dim_intlist(1, true, None).clamp_min(f64::from(f32::MIN_POSITIVE));
            weight / total
        });
        let losses = loss::per_task(self.adaptation.loss, &outputs, &episode.support_y(), weight.as_ref()); // [T]
        let gradients = Tensor::run_backward(&[losses.sum(None::<Kind>)], &networks, false, false);
        // A meta-gradient is a mean over tasks; here each task is to count as if it were alone.
        let share = self.networks as f64 / tasks as f64;
        let gradient = no_grad(|| {
            let of_networks =
                gradients.into_iter().zip(&networks).zip(each).map(|((mut gradient, network), all)| {
                    if let Some(penalty) = self.penalty {
                        gradient += penalty.gradient(network, all);
                    }
                    let whole = all.zeros_like();
                    whole.narrow(0, first, tasks).copy_(&(gradient * share));
                    whole
                });
            of_networks.chain(own.iter().map(Tensor::zeros_like)).collect()
        });
        Some(MetaGradient { loss: losses.detach().mean(None::<Kind>), gradient, weight: tasks as f64 })
    }

    fn training_bytes(&self, rows: Extent) -> usize {
        let model = &*self.adaptation.model;
        let weights: i64 = model.parameters().iter().map(|p| p.shape.iter().product::<i64>()).sum();
        rows.support * cost::row_bytes(model, rows.inputs) as usize + 6 * weights as usize * size_of::<f32>()
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        self.adaptation.task_bytes(rows, Order::Zero, None)
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        self.adaptation.predict(theta, episode, steps, draws)
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::{
        chunks::{self, Split},
        inner::Adapts,
        loss::SquaredError,
        models::{ModelSpec, mlp::Mlp},
        outer::{OuterSpec, adam::Adam},
        random::{Purpose, stream},
        tasks::{Interface, TaskSource},
    };

    const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: 0, first_task: 0 };

    /// Task m is y = (m + 1) x, seen at -1 and 1, and asked for at 0.
    struct Slopes;

    impl TaskSource for Slopes {
        fn sample(&self, _: u64, tasks: Range<usize>) -> Episode {
            let x = Tensor::from_slice(&[-1.0f32, 1.0, 0.0]).reshape([1, 3, 1]);
            let slopes: Vec<f32> = tasks.map(|task| task as f32 + 1.0).collect();
            let y = Tensor::from_slice(&slopes).reshape([-1, 1, 1]) * &x;
            Episode { x: x.repeat([slopes.len() as i64, 1, 1]), y, weight: None, support: 2 }
        }
    }

    /// Two networks, each a weight and a bias.
    fn learner(penalty: Option<Penalty>) -> Box<dyn MetaLearner> {
        MeanOfNetworks { networks: 2, penalty, ..MeanOfNetworks::default() }.build(&Setting {
            model: ModelSpec::Mlp(Mlp { hidden: vec![], ..Mlp::default() }),
            interface: Interface {
                inputs: 1,
                outputs: 1,
                items: 0,
                bins: None,
                loss: &SquaredError,
                measures: vec![],
            },
            pooled_outputs: None,
            whole_outputs: 1,
            memory: u64::MAX,
            adapts: Adapts::All,
            copier: None,
        })
    }

    fn values(tensor: &Tensor) -> Vec<f64> {
        Vec::try_from(tensor.to_kind(Kind::Double).view(-1)).expect("a vector")
    }

    /// The weights of the networks once they are trained, and of their mean.
    fn trained(penalty: Option<Penalty>) -> (Vec<f64>, f64) {
        let (learner, split) = (learner(penalty), Split::new(1).expect("a thread"));
        let outer = OuterSpec::Adam(Adam { lr: 0.02, ..Adam::default() });
        let mut theta = learner.init(&mut stream(0, Purpose::Init, 0));
        let mut state = outer.start(&theta.tensors);
        for i in 0..1000 {
            let step =
                chunks::meta_gradient(&*learner, &theta, &Slopes, i, 2, DRAWS, &split).expect("it trains");
            (theta.tensors, state) = outer.advance(theta.tensors, &step.gradient, state, i as usize, 1000);
        }
        let mean = learner.checkpoint(&theta);
        assert_eq!(mean.names, ["layer0.weight", "layer0.bias"]);
        assert_eq!(mean.tensors[0].size(), [1, 1]);
        (values(&theta.tensors[0]), values(&mean.tensors[0])[0])
    }

    /// The loss of weight w at slope a is (w - a)^2, its best weight with a penalty of strength 1 half way to what it is drawn to.
    #[test]
    fn each_network_learns_its_task_and_is_drawn_as_said() {
        let cases = [
            (None, [1.0, 2.0], 1.5),
            (Some(Penalty::L2(1.0)), [0.5, 1.0], 0.75),
            (Some(Penalty::ToMean(1.0)), [1.25, 1.75], 1.5),
        ];
        for (penalty, weights, of_mean) in cases {
            let (found, mean) = trained(penalty);
            let far =
                found.iter().zip(weights).map(|(a, b)| (a - b).abs()).fold((mean - of_mean).abs(), f64::max);
            assert!(far < 0.01, "{penalty:?}: {found:?}, mean {mean}");
        }
    }

    #[test]
    fn a_task_moves_its_own_network_alone_whatever_the_chunks() {
        let learner = learner(Some(Penalty::ToMean(0.3)));
        let theta = learner.init(&mut stream(0, Purpose::Init, 0));
        let gradient = |tasks: Range<usize>| {
            let draws = DRAWS.from_task(tasks.start);
            let step = learner.meta_gradient(&theta, &Slopes.sample(0, tasks), draws).expect("it trains");
            values(&step.gradient[0]).into_iter().map(|g| g * step.weight / 2.0).collect::<Vec<_>>()
        };
        let (both, first, second) = (gradient(0..2), gradient(0..1), gradient(1..2));
        assert!(first[1] == 0.0 && second[0] == 0.0 && both.iter().all(|g| *g != 0.0));
        assert!(
            (both[0] - first[0]).abs() < 1e-6 && (both[1] - second[1]).abs() < 1e-6,
            "{both:?} {first:?} {second:?}"
        );
    }
}
