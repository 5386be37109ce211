//! A logistic regression of recall on all that a row says of a review: the card, the learner, how the card was met before, the time since.
//!
//! ```text
//!     logit P(recalled) = b + w . x         minimise the log loss of the meta-training reviews + 1/2 |w|^2
//! ```
//!
//! By Newton's method. The benchmark of spaced repetition fits one to each learner; one for all learners is better where reviews are few.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{
    Algorithm, Fitting, MetaLearner, Setting, Training,
    fitted::{ClosedForm, Fitted},
    review_rows,
};
use crate::tasks::{Episode, Need};

/// It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct RecallRegression {}

impl Algorithm for RecallRegression {
    fn source(&self) -> &'static str {
        "Cox 1958, https://doi.org/10.1111/j.2517-6161.1958.tb00292.x"
    }

    fn training(&self) -> Training {
        Training::Fit
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Reviews]
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Fitted(Model { inputs: setting.interface.inputs as i64 }))
    }
}

struct Model {
    inputs: i64,
}

/// How strongly weights are held at 0.
const RIDGE: f64 = 1.0;
/// The most Newton steps.
const STEPS: usize = 25;
/// A fall of the loss of all reviews together below which nothing is left to gain.
const FALL: f64 = 1e-7;
/// The most often that a step is halved.
const HALVINGS: i32 = 30;

/// Inputs with a 1 in front, which the intercept goes with.
fn with_one(x: &Tensor) -> Tensor {
    Tensor::cat(&[&x.narrow(-1, 0, 1).ones_like(), x], -1)
}

/// The weights `[D + 1]` that minimise the penalised loss, the intercept first and free.
fn minimise(x: &Tensor, y: &Tensor) -> Tensor {
    let design = with_one(x);
    let ridge = Tensor::full([design.size()[1]], RIDGE, (Kind::Double, x.device()));
    let _ = ridge.get(0).fill_(1e-6);
    let loss = |w: &Tensor| {
        let z = design.mv(w);
        ((z.softplus() - y * &z).sum(Kind::Double) + (&ridge * w.square()).sum(Kind::Double) * 0.5)
            .double_value(&[])
    };
    let mut w = ridge.zeros_like();
    for _ in 0..STEPS {
        let p = design.mv(&w).sigmoid();
        let slope = design.tr().mv(&(&p - y)) + &ridge * &w;
        let curvature = (&p - p.square()).unsqueeze(1); // [N, 1]
        let hessian = design.tr().matmul(&(&design * curvature)) + Tensor::diag(&ridge, 0);
        let step = Tensor::linalg_solve(&hessian, &slope, true);
        let before = loss(&w);
        let halved = (0..HALVINGS).map(|halvings| &w - &step * 0.5f64.powi(halvings));
        let Some(next) = halved.into_iter().find(|next| loss(next) <= before) else { break };
        w = next;
        if before - loss(&w) < FALL {
            break;
        }
    }
    w
}

impl ClosedForm for Model {
    fn shapes(&self) -> Vec<(&'static str, Vec<i64>)> {
        vec![("weights", vec![self.inputs + 1])]
    }

    fn fit(&self, fitting: &Fitting) -> Option<Vec<Tensor>> {
        let (x, y) = review_rows::all(fitting)?;
        Some(vec![minimise(&x, &y)])
    }

    fn answer(&self, theta: &[Tensor], episode: &Episode) -> Tensor {
        let x = with_one(&episode.query_x().to_kind(Kind::Double));
        review_rows::logits(&x.matmul(&theta[0]).sigmoid())
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::algorithms::{
        review_rows::tests::{fitted, log_loss},
        running_average::RunningAverage,
    };

    /// The loss is convex, so that where its gradient is zero is the minimum.
    #[test]
    fn the_gradient_is_zero_at_the_end() {
        let x = (Tensor::arange(600, (Kind::Double, Device::Cpu)) * 0.7).sin().reshape([200, 3]);
        let y = (x.select(1, 0) * 2.0 + x.select(1, 1) - 0.3).gt(0.1).to_kind(Kind::Double);
        let w = minimise(&x, &y);
        let design = with_one(&x);
        let slope = design.tr().mv(&(design.mv(&w).sigmoid() - &y)) + &w * RIDGE;
        let slope = slope - Tensor::from_slice(&[w.double_value(&[0]) * RIDGE, 0.0, 0.0, 0.0]); // the intercept is free
        assert!(slope.abs().max().double_value(&[]) < 1e-3, "{slope}");
    }

    #[test]
    fn it_knows_more_than_the_learners_share() {
        let [regression, average] = [fitted(&RecallRegression {}), fitted(&RunningAverage {})]
            .map(|(learner, theta)| log_loss(&*learner, &theta, 10).0);
        assert!(regression < average - 0.01, "{regression} {average}");
    }
}
