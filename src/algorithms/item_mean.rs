//! The share of students who answer an item right: what is known of an item without knowing the student.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Algorithm, MetaLearner, Setting, Training, fitted::Fitted, latent_classes::Classes};
use crate::tasks::Need;

/// It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ItemMean {}

impl Algorithm for ItemMean {
    fn source(&self) -> &'static str {
        "the usual baseline"
    }

    fn training(&self) -> Training {
        Training::Fit
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Items]
    }

    /// One latent class.
    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Fitted(Classes { items: setting.interface.items, numbers: vec![1], starts: 1 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::fitted::tests::{fitted, log_loss};

    /// Answers that are seen change nothing; chance has a loss of log 2.
    #[test]
    fn items_differ_and_students_do_not() {
        let (learner, theta) = fitted(&ItemMean {});
        let loss = log_loss(&*learner, &theta, 1, 5);
        assert!(loss < 0.97 * 2.0f64.ln(), "{loss}");
        assert!((log_loss(&*learner, &theta, 1, 0) - loss).abs() < 1e-6);
    }
}
