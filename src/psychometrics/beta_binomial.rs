//! Students who differ in their share of right answers alone, whatever the items: the shares have a beta distribution (Skellam 1948,
//! https://doi.org/10.1111/j.2517-6161.1948.tb00014.x), and the share of a student is expected between the student's and that of all.
//!
//! ```text
//!     share[u] ~ Beta(s m, s (1 - m))             m: the mean of all answers;  s: how many answers the others' are worth
//!     E(share[u] | right, seen) = (s m + right[u]) / (s + seen[u])
//! ```

use statrs::function::gamma::ln_gamma;

use super::responses::Responses;

/// The distribution of the students' shares of right answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BetaBinomial {
    /// m, above 0 and below 1.
    pub mean: f64,
    /// s, above 0.
    pub strength: f64,
}

/// Natural logarithms of strengths between which the best is sought: from students who are all right or all wrong to students who are alike.
const LOG_STRENGTHS: [f64; 2] = [-5.0, 12.0];

/// How near to the best the logarithm of the strength is found.
const NEAR: f64 = 1e-6;

impl BetaBinomial {
    /// The mean of all answers, and the strength that makes the students' numbers of right answers most probable.
    pub fn fit(responses: &Responses) -> Self {
        let [right, seen] = responses.totals();
        let mean = (right.iter().sum::<f64>() + 0.5) / (seen.iter().sum::<f64>() + 1.0);
        let students: Vec<(f64, f64)> = right.into_iter().zip(seen).filter(|(_, seen)| *seen > 0.0).collect();
        let height = |log: f64| Self { mean, strength: log.exp() }.log_likelihood(&students);
        Self { mean, strength: highest(height, LOG_STRENGTHS).exp() }
    }

    /// Of numbers of right answers among all of a student, but for what does not depend on the distribution.
    fn log_likelihood(&self, students: &[(f64, f64)]) -> f64 {
        let ln_beta = |a: f64, b: f64| ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
        let (a, b) = (self.strength * self.mean, self.strength * (1.0 - self.mean));
        students.iter().map(|(right, seen)| ln_beta(a + right, b + seen - right) - ln_beta(a, b)).sum()
    }
}

/// Where a function with one peak has it, by golden sections.
fn highest(of: impl Fn(f64) -> f64, [mut low, mut high]: [f64; 2]) -> f64 {
    let section = (5.0f64.sqrt() - 1.0) / 2.0;
    let inner = |low: f64, high: f64| [high - section * (high - low), low + section * (high - low)];
    let [mut left, mut right] = inner(low, high);
    let (mut at_left, mut at_right) = (of(left), of(right));
    while high - low > NEAR {
        if at_left > at_right {
            (high, right, at_right) = (right, left, at_left);
            left = inner(low, high)[0];
            at_left = of(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = inner(low, high)[1];
            at_right = of(right);
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_distr::{Beta, Distribution};
    use tch::Tensor;

    use super::*;
    use crate::random::{Purpose, stream};

    /// Answers of 3,000 students to 20 items, with shares of right answers from this distribution.
    fn simulated(from: BetaBinomial) -> Responses {
        let mut stream = stream(5, Purpose::Test, 0);
        let shares =
            Beta::new(from.strength * from.mean, from.strength * (1.0 - from.mean)).expect("above 0");
        let mut right = Vec::new();
        for _ in 0..3000 {
            let share: f64 = shares.sample(&mut stream);
            right.extend((0..20).map(|_| f64::from(u8::from(stream.random::<f64>() < share))));
        }
        let right = Tensor::from_slice(&right).reshape([3000, 20]);
        Responses { seen: right.ones_like(), right }
    }

    #[test]
    fn what_students_were_simulated_with_is_found_again() {
        for from in [BetaBinomial { mean: 0.7, strength: 4.0 }, BetaBinomial { mean: 0.4, strength: 15.0 }] {
            let fitted = BetaBinomial::fit(&simulated(from));
            let near =
                (fitted.mean - from.mean).abs() < 0.01 && (fitted.strength / from.strength - 1.0).abs() < 0.1;
            assert!(near, "{fitted:?} {from:?}");
        }
    }

    /// Everyone answers half of the items right: nothing is learned of a student, however many answers there are.
    #[test]
    fn students_who_are_alike_are_worth_nothing() {
        let right = Tensor::from_slice(&[1.0, 0.0, 1.0, 0.0f64]).repeat([50, 1]);
        let fitted = BetaBinomial::fit(&Responses { seen: right.ones_like(), right });
        assert!(fitted.strength > 1e4, "{fitted:?}");
    }
}
