//! The share of right answers among those that are seen of a student, drawn towards that of all students, see
//! [`crate::psychometrics::beta_binomial`]; items do not matter.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{
    Algorithm, Fitting, MetaLearner, Setting, Training,
    fitted::{ClosedForm, Fitted},
};
use crate::{
    psychometrics::{Responses, beta_binomial::BetaBinomial, responses::support_totals},
    tasks::{Episode, Need},
};

/// It has no settings: how strongly is fitted to the meta-training tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MovingAverage {}

impl Algorithm for MovingAverage {
    fn source(&self) -> &'static str {
        "Skellam 1948, https://doi.org/10.1111/j.2517-6161.1948.tb00014.x"
    }

    fn training(&self) -> Training {
        Training::Fit
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Items]
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Fitted(Model { items: setting.interface.items }))
    }
}

struct Model {
    items: usize,
}

impl ClosedForm for Model {
    fn shapes(&self) -> Vec<(&'static str, Vec<i64>)> {
        vec![("logit_mean", vec![1]), ("log_strength", vec![1])]
    }

    fn fit(&self, fitting: &Fitting) -> Option<Vec<Tensor>> {
        Some(values(BetaBinomial::fit(&Responses::of_queries((fitting.tasks)(), self.items)?)).into())
    }

    fn answer(&self, theta: &[Tensor], episode: &Episode) -> Tensor {
        let logits = logits(&theta[0], &theta[1], &support_totals(episode));
        logits.to_kind(Kind::Float).reshape([-1, 1, 1]).expand([-1, episode.queries(), 1], false).contiguous()
    }
}

/// The logit of the mean and the logarithm of the strength, `[1]` each, f64.
pub(super) fn values(shares: BetaBinomial) -> [Tensor; 2] {
    let BetaBinomial { mean, strength } = shares;
    [mean.ln() - (1.0 - mean).ln(), strength.ln()].map(|value| Tensor::from_slice(&[value]))
}

/// The logit of the share of right answers that is expected of each task, `[T]`, from the numbers of right answers and of all, `[T]` each.
pub(super) fn logits(logit_mean: &Tensor, log_strength: &Tensor, [right, seen]: &[Tensor; 2]) -> Tensor {
    let strength = log_strength.exp();
    let of_right = logit_mean.sigmoid() * &strength + right;
    let of_wrong = (-logit_mean).sigmoid() * &strength + seen - right;
    of_right.log() - of_wrong.log()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::fitted::tests::{fitted, log_loss};

    /// A mean of 1/2 that counts like two answers; one task has three right answers of four, the other no answers.
    #[test]
    fn it_lies_between_the_students_share_and_that_of_all() {
        let [mean, strength] = values(BetaBinomial { mean: 0.5, strength: 2.0 });
        let totals = [[3.0, 0.0f64], [4.0, 0.0]].map(|of_tasks| Tensor::from_slice(&of_tasks));
        let p = logits(&mean, &strength, &totals).sigmoid();
        assert!(p.allclose(&Tensor::from_slice(&[4.0 / 6.0, 0.5]), 1e-12, 1e-12, false), "{p}");
    }

    #[test]
    fn answers_that_are_seen_tell_of_the_others() {
        let (learner, theta) = fitted(&MovingAverage {});
        let losses = [0, 5].map(|support| log_loss(&*learner, &theta, 1, support));
        assert!(losses[1] < losses[0] - 0.01, "{losses:?}");
    }
}
