//! The learner's share of recalled reviews before each review, drawn towards that of all learners: neither cards nor time matter. It is the
//! moving average of https://github.com/open-spaced-repetition/srs-benchmark, which has no parameters and beats most that have.
//!
//! ```text
//!     P(recalled) = (s m + recalled so far) / (s + asked so far)         m, s: fitted to the meta-training reviews
//! ```
//!
//! "So far" is up to the review itself, also beyond the support.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{
    Algorithm, Fitting, MetaLearner, Setting, Training,
    fitted::{ClosedForm, Fitted},
    review_rows,
};
use crate::tasks::{Episode, Need, memory::layout::Layout};

/// It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct RunningAverage {}

impl Algorithm for RunningAverage {
    fn source(&self) -> &'static str {
        "https://github.com/open-spaced-repetition/srs-benchmark, \"moving average\""
    }

    fn training(&self) -> Training {
        Training::Fit
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Reviews]
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Fitted(Model { layout: Layout::of(&setting.interface) }))
    }
}

struct Model {
    layout: Layout,
}

/// Natural logarithms of strengths that are tried: from a tenth of a review to 1000 of them.
const LOG_STRENGTHS: [f64; 2] = [-2.3, 6.9];
const TRIED: i64 = 93;

impl Model {
    /// Recalled reviews and all so far, of rows `[..., D]`.
    fn so_far(&self, x: &Tensor) -> [Tensor; 2] {
        let [recalled, asked] = self.layout.so_far(x);
        [recalled, asked].map(|count| count.to_kind(Kind::Double))
    }
}

fn probability([recalled, asked]: &[Tensor; 2], mean: &Tensor, strength: &Tensor) -> Tensor {
    (strength * mean + recalled) / (strength + asked)
}

impl ClosedForm for Model {
    fn shapes(&self) -> Vec<(&'static str, Vec<i64>)> {
        vec![("logit_mean", vec![1]), ("log_strength", vec![1])]
    }

    fn fit(&self, fitting: &Fitting) -> Option<Vec<Tensor>> {
        let (x, y) = review_rows::all(fitting)?;
        let so_far = self.so_far(&x);
        let mean = (y.sum(Kind::Double) + 0.5) / (y.numel() as f64 + 1.0);
        let logs = Tensor::linspace(LOG_STRENGTHS[0], LOG_STRENGTHS[1], TRIED, (Kind::Double, y.device()));
        let loss = |place: i64| {
            let p = probability(&so_far, &mean, &logs.get(place).exp());
            let none: Option<&Tensor> = None;
            p.binary_cross_entropy(&y, none, tch::Reduction::Mean).double_value(&[])
        };
        let best = (0..TRIED).min_by(|a, b| loss(*a).total_cmp(&loss(*b)))?;
        Some(vec![mean.logit(None).reshape([1]), logs.narrow(0, best, 1)])
    }

    fn answer(&self, theta: &[Tensor], episode: &Episode) -> Tensor {
        let so_far = self.so_far(&episode.query_x());
        review_rows::logits(&probability(&so_far, &theta[0].sigmoid(), &theta[1].exp()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::review_rows::tests::{fitted, log_loss};

    /// Of simulated learners the share says something, though not much.
    #[test]
    fn it_is_better_than_what_all_learners_share() {
        let (learner, theta) = fitted(&RunningAverage {});
        let strength = theta.tensors[1].exp().double_value(&[0]);
        assert!((1.0..1000.0).contains(&strength), "{strength}");
        let (loss, all) = log_loss(&*learner, &theta, 10);
        assert!(loss < all - 0.002, "{loss} {all}");
    }
}
