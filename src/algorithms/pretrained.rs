//! Pretraining and fine-tuning: an ordinary classifier of all meta-training classes gives the initialisation, with a new
//! random output layer for the task's classes.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use crate::{
    inner::{Adaptation, Answer, Order, RuleSpec},
    loss,
    models::{Model, Params},
    random::{Draws, Stream},
    tasks::{Episode, Extent},
};

/// The rule that fine-tunes on the support set, usually Adam. `train` says how the classifier is trained, on as many images
/// an iteration as the meta-learners see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(transparent)]
#[serde(transparent)]
pub struct Pretrained(#[garde(dive)] pub RuleSpec);

impl Default for Pretrained {
    fn default() -> Self {
        Self(RuleSpec::adam())
    }
}

impl Algorithm for Pretrained {
    fn source(&self) -> &'static str {
        "the usual baseline, as in Finn et al. 2017, section 5.1"
    }

    fn training(&self) -> Training {
        Training::AllClasses
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Learner {
            classifier: setting.model.build(setting.interface.inputs, setting.pooled_outputs),
            adaptation: setting.adaptation(&self.0),
        })
    }
}

struct Learner {
    /// With an output for each meta-training class.
    classifier: Box<dyn Model>,
    /// Of a network with an output for each way.
    adaptation: Adaptation,
}

/// Names of the new output layer's tensors among theta's start with this.
const NEW: &str = "new.";
/// Weight and bias.
const OUTPUT_LAYER: usize = 2;

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        self.adaptation.rule.steps()
    }

    fn init(&self, stream: &mut Stream) -> Params {
        let mut parameters = self.classifier.parameters();
        let mut output = self.adaptation.model.parameters().split_off(parameters.len() - OUTPUT_LAYER);
        output.iter_mut().for_each(|p| p.name.insert_str(0, NEW));
        parameters.append(&mut output);
        Params::init(&parameters, stream)
    }

    /// Theta holds the classifier's parameters, then the untrained output layer for tasks.
    fn checkpoint(&self, theta: &Params) -> Params {
        let body = self.adaptation.model.parameters().len() - OUTPUT_LAYER;
        let tensors = theta.tensors[..body].iter().chain(&theta.tensors[body + OUTPUT_LAYER..]);
        Params {
            names: self.adaptation.model.parameters().into_iter().map(|p| p.name).collect(),
            tensors: tensors.map(Tensor::shallow_clone).collect(),
        }
    }

    /// The body only: a checkpoint has no classifier of training classes, and an output layer for tasks starts untrained.
    fn starts_from_checkpoint(&self, name: &str) -> bool {
        let parameters = self.adaptation.model.parameters();
        let body = parameters.len() - OUTPUT_LAYER;
        parameters[..body].iter().any(|parameter| parameter.name == name)
    }

    fn meta_gradient(&self, theta: &Params, episode: &Episode, _: Draws) -> Option<MetaGradient> {
        let theta = theta.leaves();
        let trained = theta.len() - OUTPUT_LAYER;
        let logits = self.classifier.forward(&theta[..trained], &episode.query_x());
        let loss = loss::per_task(self.adaptation.loss, &logits, &episode.query_y(), None).mean(None::<Kind>);
        let mut gradient = Tensor::run_backward(&[&loss], &theta[..trained], false, false);
        gradient.extend(theta[trained..].iter().map(Tensor::zeros_like));
        Some(MetaGradient { loss: loss.detach(), gradient, weight: episode.tasks() as f64 })
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        self.adaptation.task_bytes(rows, Order::Zero, None)
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        self.adaptation.predict(theta, episode, steps, draws)
    }
}
