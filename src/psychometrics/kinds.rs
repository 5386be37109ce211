//! Students as a mixture of kinds.
//!
//! ```text
//!     P(right | kind k, item i) = p[k,i] = sigma(logits[k,i])             answers are independent, given the kind
//!     r[u,k] = share[k] prod_i p[k,i]^right[u,i] (1 - p[k,i])^(seen[u,i] - right[u,i]) / evidence[u]             Bayes' rule
//!     P(right | seen) = sum_k r[u,k] p[k,i]                               the posterior mean (EAP)
//! ```

use tch::{Kind, Tensor};

use super::responses::{Responses, counted, rights, shares};
use crate::tasks::Episode;

/// A finite mixture of kinds of students, each answering every item by a probability of its own.
#[derive(Debug)]
pub struct Kinds {
    /// The logarithm of the share of each kind among students, `[K]`, f64.
    pub log_share: Tensor,
    /// The logit of a right answer, `[K, I]`, f64.
    pub logits: Tensor,
}

/// What students of each kind are expected to have answered.
#[derive(Debug)]
pub struct Expected {
    /// How many students are of the kind, `[K]`.
    pub students: Tensor,
    /// Their answers to each item, `[K, I]`.
    pub seen: Tensor,
    /// Those that are right, `[K, I]`.
    pub right: Tensor,
}

impl Kinds {
    /// What students of each kind are expected to have answered, given all responses; and the log evidence, summed over students.
    pub fn expect(&self, responses: &Responses) -> (Expected, f64) {
        let Responses { right, seen } = responses;
        let log_wrong = self.logits.softplus(); // -log (1 - p)
        let joint = right.matmul(&self.logits.tr()) - seen.matmul(&log_wrong.tr()) + &self.log_share; // [U, K]
        let highest = joint.amax(1, true);
        let odds = (joint - &highest).exp_(); // in place, since it is the largest tensor there is
        let total = odds.sum_dim_intlist(1, true, None);
        let evidence = (highest + total.log()).sum(Kind::Double).double_value(&[]);
        let posterior = odds / total;
        let expected = Expected {
            students: posterior.sum_dim_intlist(0, false, None),
            seen: posterior.tr().matmul(seen),
            right: posterior.tr().matmul(right),
        };
        (expected, evidence)
    }

    /// The logits of right answers to the queries of each task, `[T, Q, 1]`, f32: the posterior mean, given the task's support answers.
    ///
    /// The first I inputs of a row are the shares that items have in it, and so in its probability; rows of weight 0 tell nothing.
    pub fn predict(&self, episode: &Episode) -> Tensor {
        let items = self.logits.size()[1] as usize;
        let by_kind = |x: &Tensor, sign: f64| shares(x, items).matmul(&(&self.logits * sign).sigmoid().tr()); // [T, R, K]
        let x = episode.support_x();
        let (right, wrong) = (by_kind(&x, 1.0), by_kind(&x, -1.0));
        let is_right = rights(&episode.support_y());
        let counts = counted(episode.support_weight(), &is_right).unsqueeze(2); // [T, S, 1]
        let likelihood = right.where_self(&is_right.unsqueeze(2).gt(0.5), &wrong);
        let known = likelihood.where_self(&counts.gt(0.0), &likelihood.ones_like());
        let joint = known.log().sum_dim_intlist(1, false, None) + &self.log_share; // [T, K]
        let posterior = joint.softmax(1, Kind::Double).unsqueeze(2); // [T, K, 1]
        let x = episode.query_x();
        let [right, wrong] = [1.0, -1.0].map(|sign| by_kind(&x, sign).matmul(&posterior));
        (right.log() - wrong.log()).to_kind(Kind::Float)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tasks of three support answers and one query, with three inputs, of which two are items.
    fn episode(answers: [f32; 8], weight: [f32; 8]) -> Episode {
        let one = |item: [f32; 2]| [item[0], item[1], 9.0];
        let rows = [one([1.0, 0.0]), one([0.0, 1.0]), one([1.0, 0.0]), one([0.5, 0.5])].concat();
        Episode {
            x: Tensor::from_slice(&rows).reshape([1, 4, 3]).repeat([2, 1, 1]),
            y: Tensor::from_slice(&answers).reshape([2, 4, 1]),
            weight: Some(Tensor::from_slice(&weight).reshape([2, 4])),
            support: 3,
        }
    }

    fn kinds() -> Kinds {
        let p = Tensor::from_slice(&[0.9, 0.6, 0.2, 0.3f64]).reshape([2, 2]);
        Kinds { log_share: Tensor::from_slice(&[0.7, 0.3f64]).log(), logits: p.logit(None) }
    }

    /// Right, wrong and (of the second task only) right again: the posterior odds are products of the probabilities above.
    #[test]
    fn the_posterior_mean_is_that_by_enumeration() {
        let weight = [1.0, 1.0, 0.0, 1.0, 0.2, 0.2, 0.2, 1.0];
        let given = kinds().predict(&episode([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], weight));
        assert_eq!((given.size(), given.kind()), (vec![2, 1, 1], Kind::Float));
        let (one, two) = (0.7 * 0.9 * 0.4, 0.3 * 0.2 * 0.7);
        for (task, odds) in [(0, one / two), (1, one * 0.9 / (two * 0.2))] {
            let p = (odds * 0.75 + 0.25) / (odds + 1.0);
            let found: f64 = given.double_value(&[task, 0, 0]);
            assert!((found - (p / (1.0f64 - p)).ln()).abs() < 1e-6, "{found} {p}");
        }
    }

    #[test]
    fn neither_padding_nor_queries_tell_anything() {
        let weight = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        let of = |answers| kinds().predict(&episode(answers, weight));
        let known = of([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        assert!(known.equal(&of([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])));
        assert!(!known.equal(&of([1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0])));
    }

    /// A row whose items are not known at all, as padding is, must not spoil the task.
    #[test]
    fn padding_may_be_of_no_item() {
        let weight = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0];
        let clean = episode([1.0; 8], weight).without_padding();
        assert!(kinds().predict(&clean).isfinite().all().int64_value(&[]) == 1);
        assert!(kinds().predict(&clean).equal(&kinds().predict(&episode([1.0; 8], weight))));
    }
}
