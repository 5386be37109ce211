//! Pretraining and fine-tuning: an ordinary network, trained on rows of all meta-training tasks at once, gives the initialisation.
//!
//! Where those rows have other answers than a task, as a classifier of all meta-training classes has, a task gets a new random output
//! layer; else the whole network is fine-tuned.

use std::fmt;

use garde::{Path, Report, Validate};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess},
};
use tch::{Kind, Tensor};

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use crate::{
    inner::{Adaptation, Answer, Order, RuleSpec},
    loss,
    models::{Model, Parameter, Params},
    random::{Draws, Stream},
    registry::{read_with, schema_with},
    tasks::{Episode, Extent, Pool},
};

/// The rule that fine-tunes on the support set, and what is trained on: `{adam: {lr: 0.001}, on: support}`. `train` says how; by default
/// on as many rows an iteration as the meta-learners see.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pretrained {
    /// How fast weights move in fine-tuning, usually by Adam.
    #[serde(flatten)]
    pub rule: RuleSpec,
    /// Which rows of the tasks are trained on.
    #[serde(skip_serializing_if = "is_all")]
    pub on: Pool,
}

fn is_all(pool: &Pool) -> bool {
    *pool == Pool::All
}

impl Default for Pretrained {
    fn default() -> Self {
        Self { rule: RuleSpec::adam(), on: Pool::All }
    }
}

impl JsonSchema for Pretrained {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pretrained".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let on = generator.subschema_for::<Pool>();
        schema_with(RuleSpec::json_schema(generator), &[("on", on)])
    }
}

// By hand, because in YAML the rule stands beside `on`, not under a key of its own.
impl Validate for Pretrained {
    type Context = ();

    fn validate_into(&self, context: &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        self.rule.validate_into(context, parent, report);
    }
}

impl<'de> Deserialize<'de> for Pretrained {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Pretrained;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an inner rule with its settings, for example {adam: {lr: 0.001}, on: support}")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pretrained, M::Error> {
        let mut on = Pool::All;
        let rule = read_with(&mut map, RuleSpec::NAMES, &["on"], |_, map| {
            on = map.next_value()?;
            Ok(())
        })?;
        Ok(Pretrained { rule: rule.unwrap_or_else(RuleSpec::adam), on })
    }
}

impl Algorithm for Pretrained {
    fn source(&self) -> &'static str {
        "the usual baseline, as in Finn et al. 2017, section 5.1"
    }

    fn training(&self) -> Training {
        Training::Pooled(self.on)
    }

    fn rule(&self) -> Option<&RuleSpec> {
        Some(&self.rule)
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        let (adaptation, inputs) = (setting.adaptation(&self.rule), setting.interface.inputs);
        let of_task = adaptation.model.parameters().len();
        let (outputs, kept) = match setting.pooled_outputs {
            Some(outputs) => (outputs, of_task - OUTPUT_LAYER),
            None => (setting.interface.outputs, of_task),
        };
        Box::new(Learner { pooled: setting.model.build(inputs, outputs), adaptation, kept })
    }
}

struct Learner {
    /// The network that is trained.
    pooled: Box<dyn Model>,
    /// Of the network for a task.
    adaptation: Adaptation,
    /// How many tensors of the former the latter starts with.
    kept: usize,
}

/// Names of what a task gets untrained, among theta's, start with this.
const NEW: &str = "new.";
/// Weight and bias.
const OUTPUT_LAYER: usize = 2;

impl Learner {
    /// What a task gets untrained: the output layer, unless it is kept, and what the rule would learn.
    fn untrained(&self) -> Vec<Parameter> {
        self.adaptation.parameters().split_off(self.kept)
    }
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        self.adaptation.rule.steps()
    }

    /// The pooled network's parameters, then what a task gets untrained.
    fn init(&self, stream: &mut Stream) -> Params {
        let mut parameters = self.pooled.parameters();
        let new = self.untrained().into_iter().map(|p| Parameter { name: format!("{NEW}{}", p.name), ..p });
        parameters.extend(new);
        Params::init(&parameters, stream)
    }

    fn checkpoint(&self, theta: &Params) -> Params {
        let untrained = &theta.tensors[theta.tensors.len() - self.untrained().len()..];
        Params {
            names: self.adaptation.parameters().into_iter().map(|p| p.name).collect(),
            tensors: theta.tensors[..self.kept].iter().chain(untrained).map(Tensor::shallow_clone).collect(),
        }
    }

    /// What a task keeps of the pooled network only: a checkpoint has no classifier of training classes, and an output layer for tasks
    /// starts untrained.
    fn starts_from_checkpoint(&self, name: &str) -> bool {
        self.pooled.parameters()[..self.kept].iter().any(|parameter| parameter.name == name)
    }

    fn meta_gradient(&self, theta: &Params, episode: &Episode, _: Draws) -> Option<MetaGradient> {
        let theta = theta.leaves();
        let (trained, untrained) = theta.split_at(theta.len() - self.untrained().len());
        let outputs = self.pooled.forward(trained, &episode.query_x());
        let share = episode.query_weight().map(|weight| &weight / weight.sum_dim_intlist(1, true, None));
        let loss = loss::per_task(self.adaptation.loss, &outputs, &episode.query_y(), share.as_ref())
            .mean(None::<Kind>);
        let mut gradient = Tensor::run_backward(&[&loss], trained, false, false);
        gradient.extend(untrained.iter().map(Tensor::zeros_like));
        Some(MetaGradient { loss: loss.detach(), gradient, weight: episode.tasks() as f64 })
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
    use super::*;
    use crate::{
        inner::{Adapts, sgd::Sgd},
        loss::SquaredError,
        models::{ModelSpec, mlp::Mlp},
        outer::{OuterSpec, adam::Adam},
        random::{Purpose, stream},
        tasks::Interface,
    };

    const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: 0, first_task: 0 };

    fn read(yaml: &str) -> Pretrained {
        serde_saphyr::from_str(yaml).expect("settings")
    }

    #[test]
    fn what_is_trained_on_stands_beside_the_rule() {
        let rule = RuleSpec::Sgd(Sgd { lr: 0.3, ..Sgd::default() });
        assert_eq!(read("{sgd: {lr: 0.3}}"), Pretrained { rule: rule.clone(), on: Pool::All });
        let support = Pretrained { rule, on: Pool::Support };
        for yaml in ["{sgd: {lr: 0.3}, on: support}", "{on: support, sgd: {lr: 0.3}}"] {
            assert_eq!(read(yaml), support, "{yaml}");
        }
        assert_eq!(read("{on: support}").rule, RuleSpec::adam());
        let text = serde_saphyr::to_string(&Pretrained::default()).expect("YAML");
        assert!(!text.contains("\non:"), "as before there was a choice: {text}");
        for (yaml, says) in
            [("{sgd: {}, adam: {}}", "sgd and adam"), ("{sgdd: {}}", "sgdd"), ("{on: some}", "some")]
        {
            let error = serde_saphyr::from_str::<Pretrained>(yaml).expect_err(yaml).to_string();
            assert!(error.contains(says), "{yaml}: {error}");
        }
    }

    /// Three rows of y = 2 x in one task: all of the network learns them, and a task starts from all of it.
    #[test]
    fn where_rows_are_those_of_tasks_the_whole_network_is_kept() {
        let interface =
            Interface { inputs: 1, outputs: 1, items: 0, bins: None, loss: &SquaredError, measures: vec![] };
        let learner = Pretrained::default().build(&Setting {
            model: ModelSpec::Mlp(Mlp { hidden: vec![], ..Mlp::default() }),
            interface,
            pooled_outputs: None,
            whole_outputs: 1,
            memory: u64::MAX,
            adapts: Adapts::All,
            copier: None,
        });
        let x = Tensor::from_slice(&[-1.0f32, 0.0, 2.0]).reshape([1, 3, 1]);
        let rows = Episode { y: &x * 2.0, x, weight: None, support: 0 };
        let outer = OuterSpec::Adam(Adam { lr: 0.05, ..Adam::default() });
        let mut theta = learner.init(&mut stream(0, Purpose::Init, 0));
        let mut state = outer.start(&theta.tensors);
        for i in 0..300 {
            let step = learner.meta_gradient(&theta, &rows, DRAWS).expect("it trains");
            (theta.tensors, state) = outer.advance(theta.tensors, &step.gradient, state, i, 300);
        }
        let checkpoint = learner.checkpoint(&theta);
        assert_eq!(checkpoint.names, ["layer0.weight", "layer0.bias"]);
        assert!(checkpoint.names.iter().all(|name| learner.starts_from_checkpoint(name)));
        let learned: Vec<f64> =
            checkpoint.tensors.iter().map(|t| t.sum(Kind::Double).double_value(&[])).collect();
        assert!((learned[0] - 2.0).abs() < 0.01 && learned[1].abs() < 0.01, "{learned:?}");
    }
}
