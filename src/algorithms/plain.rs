//! Plain training: the network as an ordinary classifier of all classes, trained on all training images.
//!
//! With the defaults it is 784-64-64-10 with Adam 1e-3, full-batch steps on the 60,000 MNIST training images scaled to 0..1,
//! tested on the 10,000 test images.

use garde::Validate;
use serde::{Deserialize, Serialize};

use super::{Algorithm, MetaLearner, Setting, Testing, scratch::Scratch};
use crate::{
    algorithms::{MetaGradient, Training},
    inner::RuleSpec,
    models::Params,
    random::{Draws, Stream},
    tasks::Episode,
};

/// The rule that trains on all images, usually Adam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate)]
#[garde(transparent)]
#[serde(transparent)]
pub struct Plain(#[garde(dive)] pub RuleSpec);

impl Default for Plain {
    fn default() -> Self {
        Self(RuleSpec::adam())
    }
}

impl Algorithm for Plain {
    fn source(&self) -> &'static str {
        "ordinary training"
    }

    fn training(&self) -> Training {
        Training::Nothing
    }

    /// Scratch with all classes of the data set as ways.
    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        let all = Setting { ways: setting.classes, ..setting.clone() };
        Box::new(WholeDataset(Scratch(self.0.clone()).build(&all)))
    }
}

/// A method that is tested on the whole data set as one task.
struct WholeDataset(Box<dyn MetaLearner>);

impl MetaLearner for WholeDataset {
    fn testing(&self) -> Testing {
        Testing::WholeDataset
    }

    fn validation_steps(&self) -> usize {
        self.0.validation_steps()
    }

    fn init(&self, stream: &mut Stream) -> Params {
        self.0.init(stream)
    }

    fn meta_gradient(&self, theta: &Params, episode: &Episode, draws: Draws) -> Option<MetaGradient> {
        self.0.meta_gradient(theta, episode, draws)
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<tch::Tensor> {
        self.0.predict(theta, episode, steps, draws)
    }
}
