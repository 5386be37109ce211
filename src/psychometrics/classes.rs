//! Latent classes (Lazarsfeld & Henry 1968; Goodman 1974, https://doi.org/10.1093/biomet/61.2.215): the shares of kinds and all their
//! probabilities are free.
//!
//! Weak priors keep them from 0 and 1: one pseudo-student of each class, and two pseudo-answers at the item's mean of each class and item.
//! A single class is the items' means.

use rand::RngExt;
use rand_distr::StandardNormal;
use tch::{Kind, Tensor};

use super::{
    em::{self, Fit, Mixture},
    kinds::{Expected, Kinds},
    responses::Responses,
};
use crate::random::Stream;

/// Pseudo-answers of each class to each item.
const ANSWERS: f64 = 2.0;

/// How far the probabilities of a start are scattered about the items' means.
const SCATTER: f64 = 0.25;

/// Probabilities between which a start is held.
const START: [f64; 2] = [0.05, 0.95];

/// So many classes as responses have them, the best of several starts, which `stream` draws.
pub fn fit(responses: &Responses, classes: usize, starts: usize, stream: &mut Stream) -> Fit<Kinds> {
    let means = responses.item_means();
    let best = (0..starts.max(1)).map(|_| {
        let start = Model { means: &means, kinds: start(&means, classes, stream) };
        em::maximise(start, responses)
    });
    let Fit { mixture, trace } = best
        .reduce(|best, next| if next.height() > best.height() { next } else { best })
        .unwrap_or_else(|| unreachable!("at least one start"));
    Fit { mixture: mixture.kinds, trace }
}

/// Classes of the same share, whose probabilities are scattered about the items' means.
fn start(means: &Tensor, classes: usize, stream: &mut Stream) -> Kinds {
    let classes = classes as i64;
    let count = classes * means.size()[0];
    let normal: Vec<f64> = (0..count).map(|_| stream.sample(StandardNormal)).collect();
    let p = Tensor::from_slice(&normal).reshape([classes, -1]) * SCATTER + means;
    let log_share = Tensor::full([classes], -(classes as f64).ln(), (Kind::Double, means.device()));
    Kinds { log_share, logits: p.clamp(START[0], START[1]).logit(None) }
}

/// The classes while they are fitted.
struct Model<'a> {
    /// Of the items, `[I]`.
    means: &'a Tensor,
    kinds: Kinds,
}

impl Mixture for Model<'_> {
    fn kinds(&self) -> Kinds {
        Kinds { log_share: self.kinds.log_share.shallow_clone(), logits: self.kinds.logits.shallow_clone() }
    }

    fn log_prior(&self) -> f64 {
        let logits = &self.kinds.logits;
        let of_answers = (self.means * logits - logits.softplus()).sum(Kind::Double) * ANSWERS;
        (self.kinds.log_share.sum(Kind::Double) + of_answers).double_value(&[])
    }

    /// The most probable: the shares that are expected, with pseudo-students and pseudo-answers.
    fn improved(&self, expected: &Expected) -> Self {
        let students = &expected.students + 1.0;
        let total = students.sum(Kind::Double);
        let right = &expected.right + self.means * ANSWERS;
        let wrong = &expected.seen + ANSWERS - &right;
        let kinds = Kinds { log_share: (students / total).log(), logits: right.log() - wrong.log() };
        Self { means: self.means, kinds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        psychometrics::em::tests::{never_falls, simulated},
        random::{Purpose, stream},
    };

    fn draws() -> Stream {
        stream(0, Purpose::Inner, 0)
    }

    #[test]
    fn expectation_and_maximisation_never_lose() {
        for answered in [1.0, 0.4] {
            let responses = simulated(1000, answered, None).responses;
            for classes in [2, 8, 16] {
                never_falls(&fit(&responses, classes, 1, &mut draws()));
            }
        }
    }

    #[test]
    fn of_several_starts_the_best_is_kept() {
        let responses = simulated(300, 1.0, None).responses;
        let mut stream = draws();
        let each: Vec<f64> = (0..4).map(|_| fit(&responses, 8, 1, &mut stream).height()).collect();
        let best = each.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(each.iter().any(|height| *height < best), "{each:?}");
        assert_eq!(fit(&responses, 8, 4, &mut draws()).height(), best);
    }

    /// Of n answers of which r are right, with the item's mean m = (r + 1/2) / (n + 1): (r + 2 m) / (n + 2).
    #[test]
    fn one_class_is_the_means_of_items() {
        let responses = simulated(300, 0.5, None).responses;
        let total = |counts: &Tensor| counts.sum_dim_intlist(0, false, None);
        let means = (total(&responses.right) + responses.item_means() * 2.0) / (total(&responses.seen) + 2.0);
        let Fit { mixture, .. } = fit(&responses, 1, 1, &mut draws());
        assert!(mixture.logits.sigmoid().squeeze_dim(0).allclose(&means, 1e-9, 1e-9, false));
        assert_eq!(mixture.log_share.double_value(&[0]), 0.0);
    }

    /// Two kinds of students that could not be more different.
    #[test]
    fn classes_are_found_again() {
        let items = Tensor::from_slice(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.0f64]);
        let right = Tensor::cat(&[items.repeat([30, 1]), (1.0f64 - &items).repeat([10, 1])], 0);
        let responses = Responses { seen: right.ones_like(), right };
        let Fit { mixture, .. } = fit(&responses, 2, 3, &mut draws());
        let shares: Vec<f64> = Vec::try_from(mixture.log_share.exp()).expect("a vector");
        let larger = usize::from(shares[1] > shares[0]);
        assert!((shares[larger] - 31.0 / 42.0).abs() < 1e-3, "{shares:?}");
        let far = mixture.logits.get(larger as i64).sigmoid() - items;
        assert!(far.abs().max().double_value(&[]) < 0.05);
    }
}
