//! Prototypical networks (Snell, Swersky & Zemel 2017, https://arxiv.org/abs/1703.05175).
//!
//! ```text
//!     c_n = mean of f_theta(x) over the support images x of class n                     equation 1
//!     logit_n(x) = -|f_theta(x) - c_n|^2                                                equation 2
//! ```

use garde::Validate;
use quickstudy::{
    algorithms::{Algorithm, MetaGradient, MetaLearner, Setting, Training},
    inner::Answer,
    loss::{self, Loss},
    models::{Model, Params},
    random::{Draws, Stream},
    tasks::{Episode, Need},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// Classifies by the nearest mean of a class in a learned space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Prototypical {
    /// Dimensions of the space.
    #[garde(range(min = 1, max = 8192))]
    pub dimensions: usize,
}

impl Default for Prototypical {
    fn default() -> Self {
        Self { dimensions: 64 }
    }
}

impl Algorithm for Prototypical {
    fn source(&self) -> &'static str {
        "Snell et al. 2017, https://arxiv.org/abs/1703.05175"
    }

    fn training(&self) -> Training {
        Training::Episodes { shots: None }
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Classes]
    }

    /// There is a prototype for each class of a task, however many it has.
    fn takes_any_ways(&self) -> bool {
        true
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        let model = setting.model.build(setting.interface.inputs, self.dimensions);
        Box::new(Learner { model, loss: setting.interface.loss })
    }
}

struct Learner {
    model: Box<dyn Model>,
    loss: &'static dyn Loss,
}

impl Learner {
    /// Logits `[T, Q, N]`; E are the dimensions of the space.
    fn logits(&self, theta: &[Tensor], episode: &Episode) -> Tensor {
        let support = self.model.forward(theta, &episode.support_x()); // [T, S, E]
        let query = self.model.forward(theta, &episode.query_x()); // [T, Q, E]
        let of_class = episode.support_y().one_hot(-1).to_kind(support.kind()); // [T, S, N]
        let counts = of_class.sum_dim_intlist(1, false, None).unsqueeze(-1); // [T, N, 1]
        let prototypes = of_class.transpose(1, 2).bmm(&support) / counts; // [T, N, E]
        let between = query.unsqueeze(2) - prototypes.unsqueeze(1); // [T, Q, N, E]
        -between.square().sum_dim_intlist(-1, false, None)
    }
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        0
    }

    fn init(&self, stream: &mut Stream) -> Params {
        self.model.init(stream)
    }

    fn meta_gradient(&self, theta: &Params, episode: &Episode, _: Draws) -> Option<MetaGradient> {
        let theta = theta.leaves();
        let logits = self.logits(&theta, episode);
        let loss = loss::per_task(self.loss, &logits, &episode.query_y(), None).mean(None::<Kind>);
        let gradient = Tensor::run_backward(&[&loss], &theta, false, false);
        Some(MetaGradient { loss: loss.detach(), gradient, weight: episode.tasks() as f64 })
    }

    /// The same after any number of steps: nothing is adapted.
    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], _: Draws) -> Vec<Answer> {
        Answer::without_steps(steps, episode.support as usize, || self.logits(&theta.tensors, episode))
    }
}
