//! Ensembles (Lakshminarayanan, Pritzel & Blundell 2017, https://arxiv.org/abs/1612.01474): the same method several times from different
//! initialisations; they adapt apart, and what is answered is the mean of their predictions.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Tensor, no_grad};

use super::{
    Algorithm, AlgorithmSpec, Fitting, MetaGradient, MetaLearner, Setting, Testing, Training, maml::Maml,
};
use crate::{
    inner::{Answer, RuleSpec},
    loss::Loss,
    models::Params,
    random::{Draws, Stream},
    tasks::{Episode, Extent, Need},
};

/// A method and how many of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Ensemble {
    /// How many there are.
    #[garde(range(min = 2, max = 100))]
    pub members: usize,
    /// The method, `{maml: {...}}` for example.
    #[garde(dive)]
    pub of: Box<AlgorithmSpec>,
}

impl Default for Ensemble {
    fn default() -> Self {
        Self { members: 3, of: Box::new(AlgorithmSpec::Maml(Maml::default())) }
    }
}

impl Algorithm for Ensemble {
    fn source(&self) -> &'static str {
        "Lakshminarayanan et al. 2017, https://arxiv.org/abs/1612.01474"
    }

    fn training(&self) -> Training {
        self.of.training()
    }

    fn testing(&self) -> Testing {
        self.of.testing()
    }

    fn takes_any_ways(&self) -> bool {
        self.of.takes_any_ways()
    }

    fn training_steps(&self) -> Option<usize> {
        self.of.training_steps()
    }

    fn rule(&self) -> Option<&RuleSpec> {
        self.of.rule()
    }

    fn needs_context(&self) -> bool {
        self.of.needs_context()
    }

    fn needs(&self) -> &'static [Need] {
        self.of.needs()
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        let loss = setting.interface.loss;
        Box::new(Learner { member: self.of.build(setting), members: self.members, loss })
    }
}

struct Learner {
    /// What each of them is.
    member: Box<dyn MetaLearner>,
    members: usize,
    loss: &'static dyn Loss,
}

impl Learner {
    /// What belongs to each member.
    fn split(&self, theta: &Params) -> Vec<Params> {
        let each = theta.tensors.len() / self.members;
        let of = |member: usize| {
            let (names, tensors) = (theta.names.iter(), theta.tensors.iter());
            let prefix = prefix(member);
            let own = |name: &String| name.strip_prefix(&prefix).unwrap_or(name).to_owned();
            Params {
                names: names.skip(member * each).take(each).map(own).collect(),
                tensors: tensors.skip(member * each).take(each).map(Tensor::shallow_clone).collect(),
            }
        };
        (0..self.members).map(of).collect()
    }
}

/// What the names of a member's tensors begin with.
fn prefix(member: usize) -> String {
    format!("member{member}.")
}

/// All members' parameters.
fn join(members: impl IntoIterator<Item = Params>) -> Params {
    let mut all = Params::default();
    for (member, Params { names, tensors }) in members.into_iter().enumerate() {
        all.names.extend(names.into_iter().map(|name| prefix(member) + &name));
        all.tensors.extend(tensors);
    }
    all
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        self.member.validation_steps()
    }

    fn init(&self, stream: &mut Stream) -> Params {
        join((0..self.members).map(|_| self.member.init(stream)))
    }

    fn checkpoint(&self, theta: &Params) -> Params {
        join(self.split(theta).iter().map(|theta| self.member.checkpoint(theta)))
    }

    fn starts_from_checkpoint(&self, name: &str) -> bool {
        self.member.starts_from_checkpoint(name.split_once('.').map_or(name, |(_, own)| own))
    }

    /// Each member's own on the same tasks.
    fn meta_gradient(&self, theta: &Params, episode: &Episode, draws: Draws) -> Option<MetaGradient> {
        let mut all: Option<MetaGradient> = None;
        for theta in self.split(theta) {
            let MetaGradient { loss, gradient, weight } =
                self.member.meta_gradient(&theta, episode, draws)?;
            let loss = no_grad(|| loss / self.members as f64);
            match &mut all {
                None => all = Some(MetaGradient { loss, gradient, weight }),
                Some(all) => {
                    all.loss = no_grad(|| &all.loss + loss);
                    all.gradient.extend(gradient);
                }
            }
        }
        all
    }

    /// Each from a seed of its own.
    fn fit(&self, fitting: &Fitting) -> Option<Params> {
        let of = |member: usize| {
            let seed = fitting.seed.wrapping_mul(self.members as u64).wrapping_add(member as u64);
            // A theta of one member is judged as if all were like it.
            let judge = |theta: &Params| (fitting.judge)(&join((0..self.members).map(|_| theta.share())));
            let tasks = || (fitting.tasks)();
            self.member.fit(&Fitting { tasks: &tasks, episodes: fitting.episodes, judge: &judge, seed })
        };
        (0..self.members).map(of).collect::<Option<Vec<_>>>().map(join)
    }

    fn training_bytes(&self, rows: Extent) -> usize {
        self.member.training_bytes(rows)
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        self.member.testing_bytes(rows)
    }

    /// Those of the first member: contexts of different members mean different things.
    fn contexts(&self, theta: &Params, episode: &Episode, steps: usize, draws: Draws) -> Option<Tensor> {
        self.member.contexts(self.split(theta).first()?, episode, steps, draws)
    }

    /// The mean of the members' predictions; looked at and waited for is what all of them take.
    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        let mut sum: Vec<Answer> = Vec::new();
        for theta in self.split(theta) {
            let answers = self.member.predict(&theta, episode, steps, draws);
            let linked = answers.into_iter().map(|answer| Answer {
                outputs: no_grad(|| self.loss.link(&answer.outputs) / self.members as f64),
                ..answer
            });
            if sum.is_empty() {
                sum = linked.collect();
                continue;
            }
            for (sum, answer) in sum.iter_mut().zip(linked) {
                sum.outputs = no_grad(|| &sum.outputs + answer.outputs);
                sum.time += answer.time;
            }
        }
        sum.into_iter()
            .map(|answer| Answer { outputs: no_grad(|| self.loss.unlink(&answer.outputs)), ..answer })
            .collect()
    }
}
