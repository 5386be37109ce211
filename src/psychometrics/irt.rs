//! Item response theory: a student is an ability theta in D dimensions, standard normal, and the probability of a right answer to item i is
//! `sigma(c[i] + a[i] . theta)`.
//!
//! With one slope in common it is the one-parameter model (Rasch 1960; Thissen 1982, https://doi.org/10.1007/BF02296273), with slopes of
//! their own the two-parameter model (Birnbaum 1968), in several dimensions the multidimensional one (Reckase 2009). Fitted by marginal
//! maximum likelihood (Bock & Aitkin 1981, https://doi.org/10.1007/BF02293801) on a grid of abilities, with weak priors (Mislevy 1986,
//! https://doi.org/10.1007/BF02293979): c[i] about the logit of the item's mean, with variance 100; a[i] about (1, 0, ...), with variance
//! 1; a slope in common has none.

use std::iter;

use rand::RngExt;
use rand_distr::StandardNormal;
use tch::{Device, Kind, Tensor};

use super::{
    em::{self, Fit, Mixture},
    kinds::{Expected, Kinds},
    regression::{Regression, Slopes},
    responses::Responses,
};
use crate::random::Stream;

/// What is known of the items.
#[derive(Debug)]
pub struct Items {
    /// c, `[I]`, f64.
    pub intercepts: Tensor,
    /// a, `[I, D]`, f64.
    pub slopes: Tensor,
}

/// The largest ability of the grid.
const REACH: f64 = 5.0;

/// How far starts in several dimensions are scattered, since the dimensions must not start alike.
const SCATTER: f64 = 0.3;

/// How many abilities stand on the grid in so many dimensions.
pub fn nodes(dimensions: usize) -> usize {
    side(dimensions).saturating_pow(dimensions as u32)
}

/// The same along each dimension.
fn side(dimensions: usize) -> usize {
    if dimensions == 1 { 61 } else { 21 }
}

/// The grid: a one, then the abilities, `[Q, 1 + D]`; and the logarithm of the share of each, `[Q]`.
fn grid(dimensions: usize) -> (Tensor, Tensor) {
    let axis = Tensor::linspace(-REACH, REACH, side(dimensions) as i64, (Kind::Double, Device::Cpu));
    let axes = Tensor::meshgrid_indexing(&vec![&axis; dimensions], "ij");
    let abilities = Tensor::stack(&axes, -1).reshape([-1, dimensions as i64]);
    let log_share = (abilities.square().sum_dim_intlist(1, false, None) * -0.5).log_softmax(0, Kind::Double);
    (Tensor::cat(&[abilities.narrow(1, 0, 1).ones_like(), abilities], 1), log_share)
}

impl Items {
    /// From coefficients `[I, 1 + D]`.
    fn of(coefficients: &Tensor) -> Self {
        let dimensions = coefficients.size()[1] - 1;
        Self { intercepts: coefficients.select(1, 0), slopes: coefficients.narrow(1, 1, dimensions) }
    }

    /// The students of every ability of the grid.
    pub fn kinds(&self) -> Kinds {
        let device = self.slopes.device();
        let (design, log_share) = grid(self.slopes.size()[1] as usize);
        let coefficients = Tensor::cat(&[&self.intercepts.unsqueeze(1), &self.slopes], 1);
        Kinds {
            log_share: log_share.to_device(device),
            logits: design.to_device(device).matmul(&coefficients.tr()),
        }
    }
}

/// The items of the model with so many dimensions, as responses have them. `stream` draws the start in several dimensions.
pub fn fit(responses: &Responses, dimensions: usize, slopes: Slopes, stream: &mut Stream) -> Fit<Items> {
    let (design, log_share) = grid(dimensions);
    let mut precision = vec![1.0; dimensions + 1];
    precision[0] = 0.01;
    if slopes == Slopes::One {
        precision[1] = 0.0;
    }
    let means = responses.item_means();
    let first = |slope: usize| Tensor::full_like(&means, if slope == 0 { 1.0 } else { 0.0 });
    let mean: Vec<Tensor> = iter::once(means.logit(None)).chain((0..dimensions).map(first)).collect();
    let mean = Tensor::stack(&mean, 1);
    let start = match dimensions {
        1 => mean.shallow_clone(),
        _ => &mean + normal(&mean, stream) * SCATTER,
    };
    let regression = Regression { design, slopes, mean, precision: Tensor::from_slice(&precision) };
    let start = Model { regression: &regression, log_share: &log_share, coefficients: start };
    let Fit { mixture, trace } = em::maximise(start, responses);
    Fit { mixture: Items::of(&mixture.coefficients), trace }
}

/// Independent standard normal numbers of this shape.
fn normal(like: &Tensor, stream: &mut Stream) -> Tensor {
    let values: Vec<f64> = (0..like.numel()).map(|_| stream.sample(StandardNormal)).collect();
    Tensor::from_slice(&values).reshape(like.size())
}

/// The model while it is fitted: maximisation is a logistic regression of each item on the abilities of the grid.
struct Model<'a> {
    regression: &'a Regression,
    log_share: &'a Tensor,
    /// `[I, 1 + D]`.
    coefficients: Tensor,
}

impl Mixture for Model<'_> {
    fn kinds(&self) -> Kinds {
        let logits = self.regression.logits(&self.coefficients);
        Kinds { log_share: self.log_share.shallow_clone(), logits }
    }

    fn log_prior(&self) -> f64 {
        -self.regression.penalty(&self.coefficients).sum(Kind::Double).double_value(&[])
    }

    fn improved(&self, expected: &Expected) -> Self {
        let coefficients = self.regression.minimise(&self.coefficients, &expected.seen, &expected.right);
        Self { coefficients, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        psychometrics::em::tests::{never_falls, simulated},
        random::{Purpose, stream},
    };

    fn fitted(responses: &Responses, dimensions: usize, slopes: Slopes) -> Fit<Items> {
        fit(responses, dimensions, slopes, &mut stream(0, Purpose::Inner, 0))
    }

    fn root_mean_square(difference: &Tensor) -> f64 {
        difference.square().mean(Kind::Double).sqrt().double_value(&[])
    }

    #[test]
    fn expectation_and_maximisation_never_lose() {
        for answered in [1.0, 0.4] {
            let responses = simulated(300, answered, None).responses;
            for (dimensions, slopes) in [(1, Slopes::One), (1, Slopes::Own), (2, Slopes::Own)] {
                never_falls(&fitted(&responses, dimensions, slopes));
            }
        }
    }

    /// The bounds are those of the field's rule of thumb for 4,000 students: errors of a few hundredths.
    #[test]
    fn what_students_were_simulated_with_is_found_again() {
        let simulated = simulated(4000, 1.0, None);
        let items = fitted(&simulated.responses, 1, Slopes::Own).mixture;
        let far = [
            root_mean_square(&(&items.intercepts - &simulated.intercepts)),
            root_mean_square(&(items.slopes.squeeze_dim(1) - &simulated.slopes)),
        ];
        assert!(far[0] < 0.06 && far[1] < 0.08, "{far:?}");
    }

    #[test]
    fn one_slope_is_found_again_and_is_one() {
        let simulated = simulated(4000, 1.0, Some(1.4));
        let slopes = fitted(&simulated.responses, 1, Slopes::One).mixture.slopes;
        let (least, most) = (slopes.min().double_value(&[]), slopes.max().double_value(&[]));
        assert!(most - least < 1e-9 && (most - 1.4).abs() < 0.05, "{least} {most}");
    }

    /// Log evidence plus log prior, computed anew on another, finer grid.
    fn height(responses: &Responses, items: &Items, means: &Tensor) -> f64 {
        let nodes = Tensor::linspace(-6.0, 6.0, 241, (Kind::Double, Device::Cpu)).unsqueeze(1);
        let p = (nodes.matmul(&items.slopes.tr()) + &items.intercepts).sigmoid();
        let share = (nodes.square() * -0.5).exp();
        let share = &share / share.sum(Kind::Double);
        let wrong = &responses.seen - &responses.right;
        let likelihood = responses.right.matmul(&p.log().tr()) + wrong.matmul(&(1.0f64 - &p).log().tr());
        let evidence = likelihood.exp().matmul(&share).log().sum(Kind::Double);
        let of_intercepts = (&items.intercepts - means.logit(None)).square().sum(Kind::Double) * 0.01;
        let of_slopes = (&items.slopes - 1.0).square().sum(Kind::Double);
        (evidence - (of_intercepts + of_slopes) * 0.5).double_value(&[])
    }

    #[test]
    fn what_is_fitted_is_a_maximum() {
        let responses = simulated(4000, 1.0, None).responses;
        let Fit { mixture: items, trace } = fitted(&responses, 1, Slopes::Own);
        let means = responses.item_means();
        let best = height(&responses, &items, &means);
        assert!((best - trace[trace.len() - 1]).abs() < 0.5, "{best} {:?}", trace.last());
        for (item, move_by) in [(0, 0.02), (7, -0.02), (13, 0.02), (29, -0.02)] {
            let moved = |t: &Tensor| {
                let copy = t.copy();
                let _ = copy.get(item).g_add_scalar_(move_by);
                copy
            };
            let other = Items { intercepts: moved(&items.intercepts), slopes: items.slopes.shallow_clone() };
            assert!(height(&responses, &other, &means) < best, "the intercept of item {item}");
            let other = Items { intercepts: items.intercepts.shallow_clone(), slopes: moved(&items.slopes) };
            assert!(height(&responses, &other, &means) < best, "the slope of item {item}");
        }
    }
}
