//! First-order MAML (Finn et al. 2017, section 5.2; Nichol et al. 2018, https://arxiv.org/abs/1803.02999, equation 6):
//! MAML whose inner gradients count as constants, so that d phi / d theta is the identity.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Algorithm, MetaLearner, Setting, Training, maml::Maml};
use crate::inner::{Order, RuleSpec};

/// First-order MAML with any inner rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Fomaml {
    /// How fast weights move.
    #[garde(dive)]
    pub inner: RuleSpec,
}

impl Algorithm for Fomaml {
    fn source(&self) -> &'static str {
        "Finn et al. 2017, https://arxiv.org/abs/1703.03400, section 5.2"
    }

    fn training(&self) -> Training {
        Training::Episodes { shots: None }
    }

    fn training_steps(&self) -> Option<usize> {
        Some(self.inner.steps())
    }

    fn rule(&self) -> Option<&RuleSpec> {
        Some(&self.inner)
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Maml { inner: self.inner.clone(), order: Order::First, recompute: None }.build(setting)
    }
}
