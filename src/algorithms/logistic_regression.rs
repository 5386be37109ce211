//! A logistic regression of answers on the item and on how many of the student's answers so far were right.
//!
//! ```text
//!     logit P(right | item i, support) = b[i] + w (logit a - logit m)
//!     a: the moving average of the support, m: the mean of all answers, so that without support the second term is 0
//! ```
//!
//! Fitted by Newton's method to as many meta-training episodes as there are meta-training tasks.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::{
    Algorithm, Fitting, MetaLearner, Setting, Training,
    fitted::{ClosedForm, Fitted},
    moving_average::{logits, values},
};
use crate::{
    psychometrics::{
        Responses,
        beta_binomial::BetaBinomial,
        regression::{Regression, Slopes},
        responses::support_totals,
    },
    tasks::{Episode, Need},
};

/// It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LogisticRegression {}

impl Algorithm for LogisticRegression {
    fn source(&self) -> &'static str {
        "Cox 1958, https://doi.org/10.1111/j.2517-6161.1958.tb00292.x"
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

/// How strongly coefficients are held at the logits of the items' means and at 1: next to not at all.
const RIDGE: f64 = 0.01;

/// Episodes that are drawn at once.
const AT_ONCE: usize = 16;

/// `logit a - logit m` of each task, `[T]`, f64, from the logit of the mean and the logarithm of the strength.
fn known([mean, strength]: [&Tensor; 2], episode: &Episode) -> Tensor {
    logits(mean, strength, &support_totals(episode)) - mean
}

impl ClosedForm for Model {
    fn shapes(&self) -> Vec<(&'static str, Vec<i64>)> {
        let items = self.items as i64;
        vec![
            ("intercepts", vec![items]),
            ("weight", vec![1]),
            ("logit_mean", vec![1]),
            ("log_strength", vec![1]),
        ]
    }

    fn fit(&self, fitting: &Fitting) -> Option<Vec<Tensor>> {
        let all = Responses::of_queries((fitting.tasks)(), self.items)?;
        let [mean, strength] = values(BetaBinomial::fit(&all));
        let students = all.seen.size()[0] as usize;
        let item_logits = all.item_means().logit(None);
        drop(all); // as large as what comes
        let mut of_students = Vec::new();
        let episodes = (0..students.div_ceil(AT_ONCE)).map(|batch| {
            let episode = fitting.episodes.sample(batch as u64, 0..AT_ONCE);
            let [mean, strength] = [&mean, &strength].map(|t| t.to_device(episode.x.device()));
            of_students.push(known([&mean, &strength], &episode).to_device(Device::Cpu));
            episode
        });
        let Responses { right, seen } = Responses::of_queries(episodes, self.items)?;
        let of_students = Tensor::cat(&of_students, 0);
        let start = Tensor::stack(&[item_logits.shallow_clone(), item_logits.ones_like()], 1);
        let regression = Regression {
            design: Tensor::stack(&[of_students.ones_like(), of_students], 1),
            slopes: Slopes::One,
            mean: start.shallow_clone(),
            precision: Tensor::from_slice(&[RIDGE; 2]),
        };
        let fitted = regression.minimise(&start, &seen, &right);
        Some(vec![fitted.select(1, 0), fitted.narrow(0, 0, 1).select(1, 1), mean, strength])
    }

    fn answer(&self, theta: &[Tensor], episode: &Episode) -> Tensor {
        let of_items =
            episode.query_x().narrow(2, 0, self.items as i64).to_kind(Kind::Double).matmul(&theta[0]);
        let of_student = known([&theta[2], &theta[3]], episode) * &theta[1];
        (of_items + of_student.unsqueeze(1)).unsqueeze(2).to_kind(Kind::Float)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::{
        fitted::tests::{fitted, log_loss},
        item_mean::ItemMean,
        moving_average::MovingAverage,
    };

    #[test]
    fn it_knows_the_item_and_the_student() {
        let (learner, theta) = fitted(&LogisticRegression {});
        let loss = log_loss(&*learner, &theta, 1, 5);
        for (other, theta) in [fitted(&ItemMean {}), fitted(&MovingAverage {})] {
            let other = log_loss(&*other, &theta, 1, 5);
            assert!(loss < other - 0.02, "{loss} {other}");
        }
        let losses = [0, 1, 5].map(|support| log_loss(&*learner, &theta, 1, support));
        assert!(losses[2] < losses[1] - 0.01 && losses[1] < losses[0], "{losses:?}");
    }
}
