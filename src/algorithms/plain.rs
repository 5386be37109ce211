//! Plain training: the network as an ordinary classifier of all classes, trained on all training images.
//!
//! With the defaults it is 784-64-64-10 with Adam 1e-3, full-batch steps on the 60,000 MNIST training images scaled to 0..1,
//! tested on the 10,000 test images.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Algorithm, MetaLearner, Setting, Testing, Training, scratch::Learner};
use crate::{
    inner::{RuleSpec, cost},
    tasks::Interface,
};

/// The rule that trains on all images, usually Adam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
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

    fn testing(&self) -> Testing {
        Testing::WholeDataset
    }

    /// Scratch with all classes of the data set as ways; of its images as many go through the network at once as there is memory for.
    fn rule(&self) -> Option<&RuleSpec> {
        Some(&self.0)
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        let interface = Interface { outputs: setting.whole_outputs, ..setting.interface.clone() };
        let all = Setting { interface, ..setting.clone() };
        let mut adaptation = all.adaptation(&self.0);
        if !adaptation.model.mixes_rows() {
            let rows = setting.memory / cost::row_bytes(&*adaptation.model, setting.interface.inputs);
            adaptation = adaptation.with_rows_at_once(usize::try_from(rows).unwrap_or(usize::MAX).max(1));
        }
        Box::new(Learner(adaptation))
    }
}
