//! Half-life regression (Settles & Meeder 2016, https://doi.org/10.18653/v1/P16-1174).
//!
//! ```text
//!     P(recalled after t) = 2^(-t / h)                                                                  equation 1
//!     h = 2^(b + w_1 sqrt(1 + recalled) + w_2 sqrt(1 + forgotten) + weight of the card)                 equation 2, section 5.1
//! ```
//!
//! Fitted to all meta-training reviews at once, by their log loss in place of the paper's squared errors, which serves it better here; without
//! the paper's limits of half-lives, a quarter of an hour and nine months, which are for days of practice.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor};

use super::{
    Algorithm, Fitting, MetaLearner, Setting, Training,
    fitted::{ClosedForm, Fitted},
    review_rows::{self, LEAST},
};
use crate::tasks::{Episode, Need, memory::layout::Layout};

/// It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct HalfLifeRegression {}

impl Algorithm for HalfLifeRegression {
    fn source(&self) -> &'static str {
        "Settles & Meeder 2016, https://doi.org/10.18653/v1/P16-1174"
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

/// Where the logarithm of the half-life starts, to base 2, of seconds: about a day.
const START: f64 = 16.0;
/// Logarithms of half-lives stay between these, in which they are numbers.
const LIMITS: [f64; 2] = [-10.0, 60.0];
/// Steps of Adam, its rate, and how strongly weights are held at 0 (the paper's 0.1 for each review is too much for cards that have few).
const STEPS: i32 = 400;
const RATE: f64 = 0.2;
const RIDGE: f64 = 1e-4;
/// Decay rates of Adam.
const BETAS: [f64; 2] = [0.9, 0.99];

impl Model {
    /// What half-lives depend on, `[..., 3 + cards]`, and seconds since the last review `[...]`, f64.
    fn read(&self, x: &Tensor) -> [Tensor; 2] {
        let x = x.to_kind(Kind::Double);
        let at = |place: usize| x.select(-1, place as i64);
        let counts = self.layout.counts();
        let root = |place: usize| (at(counts.start + place).exp()).sqrt(); // of 1 + the count
        let numbers = Tensor::stack(&[root(1).ones_like(), root(1), root(2)], -1);
        let cards = x.narrow(-1, 0, self.layout.cards as i64);
        [Tensor::cat(&[numbers, cards], -1), at(counts.end).expm1()]
    }

    fn weights(&self) -> i64 {
        3 + self.layout.cards as i64
    }
}

fn probability(features: &Tensor, seconds: &Tensor, w: &Tensor) -> Tensor {
    let half_life = (features.matmul(w) + START).clamp(LIMITS[0], LIMITS[1]).exp2();
    (-(seconds / half_life)).exp2() * (1.0 - 2.0 * LEAST) + LEAST // so that what surprises has a slope
}

impl ClosedForm for Model {
    fn shapes(&self) -> Vec<(&'static str, Vec<i64>)> {
        vec![("weights", vec![self.weights()])]
    }

    fn fit(&self, fitting: &Fitting) -> Option<Vec<Tensor>> {
        let (x, y) = review_rows::all(fitting)?;
        let [features, seconds] = self.read(&x);
        let mut w = Tensor::zeros([self.weights()], (Kind::Double, x.device()));
        let mut moments = [w.zeros_like(), w.zeros_like()];
        for step in 1..=STEPS {
            let leaf = w.detach().set_requires_grad(true);
            let loss = tch::with_grad(|| {
                let none: Option<&Tensor> = None;
                let p = probability(&features, &seconds, &leaf);
                p.binary_cross_entropy(&y, none, Reduction::Mean) + leaf.square().sum(Kind::Double) * RIDGE
            });
            let gradient = Tensor::run_backward(&[&loss], &[&leaf], false, false).remove(0);
            moments[0] = &moments[0] * BETAS[0] + &gradient * (1.0 - BETAS[0]);
            moments[1] = &moments[1] * BETAS[1] + gradient.square() * (1.0 - BETAS[1]);
            let [first, second] = [0, 1].map(|i| &moments[i] / (1.0 - BETAS[i].powi(step)));
            let rate = RATE * (1.0 - f64::from(step - 1) / f64::from(STEPS));
            w -= first * rate / (second.sqrt() + 1e-8);
        }
        Some(vec![w])
    }

    fn answer(&self, theta: &[Tensor], episode: &Episode) -> Tensor {
        let [features, seconds] = self.read(&episode.query_x());
        review_rows::logits(&probability(&features, &seconds, &theta[0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::{
        review_rows::tests::{fitted, log_loss},
        running_average::RunningAverage,
    };

    #[test]
    fn it_forgets_with_time() {
        let (learner, theta) = fitted(&HalfLifeRegression {});
        let weights: Vec<f64> = Vec::try_from(theta.tensors[0].to_kind(Kind::Double)).expect("weights");
        assert!(
            weights[1] > 0.2 && weights[1] > weights[2],
            "who recalled, recalls longer: {:?}",
            &weights[..3]
        );
        let average = {
            let (learner, theta) = fitted(&RunningAverage {});
            log_loss(&*learner, &theta, 10).0
        };
        let (loss, _) = log_loss(&*learner, &theta, 10);
        assert!(loss < average - 0.003, "{loss} {average}");
    }

    /// A half-life of 2^16 seconds after which half is left.
    #[test]
    fn after_a_half_life_half_is_recalled() {
        let features = Tensor::from_slice(&[1.0, 1.0, 1.0f64]).reshape([1, 3]);
        let at = |seconds: f64| {
            let w = Tensor::zeros([3], (Kind::Double, tch::Device::Cpu));
            probability(&features, &Tensor::from_slice(&[seconds]), &w).double_value(&[0])
        };
        assert!((at(65_536.0) - 0.5).abs() < 1e-12 && (at(131_072.0) - 0.25).abs() < 1e-4);
        assert_eq!((at(0.0), at(1e12)), (1.0 - LEAST, LEAST));
    }
}
