//! A logistic regression for each item, on what is known of students, by Newton's method with halved steps.
//!
//! ```text
//!     logit P(right | q, i) = b[i] . d[q]         d[q] = (1, what is known of students of place q): a node of a grid, or one student
//!     minimise  sum_qi (seen[q,i] log(1 + exp z[q,i]) - right[q,i] z[q,i]) + 1/2 sum_i precision . (b[i] - mean[i])^2
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// Whether items discriminate alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Slopes {
    /// Each item has slopes of its own.
    #[default]
    Own,
    /// All items have one slope in common.
    One,
}

/// What the regressions have in common. Shapes: Q places, I items, P = 1 + the number of slopes.
#[derive(Debug)]
pub struct Regression {
    /// d: a one, then what is known, `[Q, P]`; with one slope in common, P is 2.
    pub design: Tensor,
    /// Whether items discriminate alike.
    pub slopes: Slopes,
    /// Where coefficients are expected, `[I, P]`.
    pub mean: Tensor,
    /// How strongly, `[P]`.
    pub precision: Tensor,
}

/// The most Newton steps; from a good start a few are enough.
const STEPS: usize = 10;

/// The most often that a step is halved.
const HALVINGS: usize = 30;

/// A Newton decrement below which nothing is left to gain, in units of log-likelihood.
const DECREMENT: f64 = 1e-7;

impl Regression {
    /// The logits `[Q, I]` with coefficients `[I, P]`.
    pub fn logits(&self, coefficients: &Tensor) -> Tensor {
        self.design.matmul(&coefficients.tr())
    }

    /// What the prior adds to each item's loss, `[I]`.
    pub fn penalty(&self, coefficients: &Tensor) -> Tensor {
        (&self.precision * (coefficients - &self.mean).square()).sum_dim_intlist(1, false, None) * 0.5
    }

    /// The coefficients `[I, P]` that minimise the loss with answers `[Q, I]`, or lie below the start. One slope in common must be one there.
    pub fn minimise(&self, start: &Tensor, seen: &Tensor, right: &Tensor) -> Tensor {
        let mut at = start.shallow_clone();
        for _ in 0..STEPS {
            let (slope, step) = self.newton(&at, seen, right);
            at = self.descend(&at, &step, seen, right);
            if (slope * step).sum(Kind::Double).double_value(&[]) < DECREMENT {
                break;
            }
        }
        at
    }

    /// The loss of each item, `[I]`; where they share a slope of all, `[1]`.
    fn loss(&self, at: &Tensor, seen: &Tensor, right: &Tensor) -> Tensor {
        let z = self.logits(at);
        let of_items = (seen * z.softplus() - right * z).sum_dim_intlist(0, false, None) + self.penalty(at);
        match self.slopes {
            Slopes::Own => of_items,
            Slopes::One => of_items.sum_dim_intlist(0, true, None),
        }
    }

    /// Gradient and Newton step, `[I, P]` each.
    fn newton(&self, at: &Tensor, seen: &Tensor, right: &Tensor) -> (Tensor, Tensor) {
        let p = self.logits(at).sigmoid();
        let size = self.design.size()[1];
        let slope = (seen * &p - right).tr().matmul(&self.design) + &self.precision * (at - &self.mean);
        let squares = (self.design.unsqueeze(2) * self.design.unsqueeze(1)).reshape([-1, size * size]); // d d^T
        let weight = Tensor::sigmoid_backward(seen, &p); // seen p (1 - p)
        let hessian =
            weight.tr().matmul(&squares).reshape([-1, size, size]) + Tensor::diag(&self.precision, 0);
        let step = match self.slopes {
            Slopes::Own => Tensor::linalg_solve(&hessian, &slope, true),
            Slopes::One => common_step(&slope, &hessian),
        };
        (slope, step)
    }

    /// Where the step leads, halved for each item until its loss does not rise; nowhere if it always does.
    fn descend(&self, at: &Tensor, step: &Tensor, seen: &Tensor, right: &Tensor) -> Tensor {
        let before = self.loss(at, seen, right);
        let mut scale = before.ones_like();
        for _ in 0..HALVINGS {
            let next = at - scale.unsqueeze(1) * step;
            let falls = self.loss(&next, seen, right).less_equal_tensor(&before);
            if falls.all().int64_value(&[]) == 1 {
                return next;
            }
            scale = scale.where_self(&falls, &(&scale * 0.5));
        }
        let next = at - scale.unsqueeze(1) * step;
        let falls = self.loss(&next, seen, right).less_equal_tensor(&before);
        next.where_self(&falls.unsqueeze(1), at)
    }
}

/// The Newton step `[I, 2]` of an intercept a for each item and a slope s that all share, from each item's gradient `[I, 2]` and Hessian
/// `[I, 2, 2]`: the intercepts are eliminated.
fn common_step(slope: &Tensor, hessian: &Tensor) -> Tensor {
    let h = |row: i64, column: i64| hessian.select(1, row).select(1, column); // [I]
    let (of_a, of_s) = (slope.select(1, 0), slope.select(1, 1));
    let share = h(0, 1) / h(0, 0);
    let left = (of_s - &share * &of_a).sum(Kind::Double);
    let curvature = (h(1, 1) - &share * h(0, 1)).sum(Kind::Double);
    let step_s = left / curvature; // a scalar
    let step_a = (of_a - h(0, 1) * &step_s) / h(0, 0);
    Tensor::stack(&[&step_a, &step_s.expand_as(&step_a)], 1)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::psychometrics::em::tests::simulated;

    /// Thirty items, 200 students with two things that are known of each; a student may have answered an item several times.
    fn answers(slopes: Slopes) -> (Regression, Tensor, Tensor) {
        let simulated = simulated(200, 0.8, None);
        let known = Tensor::linspace(-2.0, 3.0, 200, (Kind::Double, Device::Cpu));
        let columns = [known.ones_like(), known.shallow_clone(), (known * 5.0).sin()];
        let columns = &columns[..if slopes == Slopes::One { 2 } else { 3 }];
        let mean = Tensor::zeros([30, columns.len() as i64], (Kind::Double, Device::Cpu));
        let precision = Tensor::full([columns.len() as i64], 0.01, (Kind::Double, Device::Cpu));
        let regression = Regression { design: Tensor::stack(columns, 1), slopes, mean, precision };
        (regression, simulated.responses.seen * 2.0, simulated.responses.right * 2.0)
    }

    /// The loss is convex, so that where its gradient is zero is the minimum.
    #[test]
    fn the_gradient_is_zero_at_the_end() {
        for slopes in [Slopes::Own, Slopes::One] {
            let (regression, seen, right) = answers(slopes);
            for start in [0.0, 4.0] {
                let found = regression.minimise(&(&regression.mean + start), &seen, &right);
                let leaf = found.set_requires_grad(true);
                let gradient = Tensor::run_backward(
                    &[regression.loss(&leaf, &seen, &right).sum(Kind::Double)],
                    &[&leaf],
                    false,
                    false,
                );
                let mut gradient = gradient[0].shallow_clone();
                if slopes == Slopes::One {
                    let of_slope = gradient.select(1, 1);
                    gradient.select(1, 1).copy_(&of_slope.sum(Kind::Double).expand_as(&of_slope));
                }
                let largest = gradient.abs_().max().double_value(&[]);
                assert!(largest < 1e-3, "{slopes:?} from {start}: {largest}");
            }
        }
    }
}
