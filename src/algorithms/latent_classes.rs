//! Latent classes of students, see [`crate::psychometrics::classes`]; their number is chosen on validation tasks.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{
    Algorithm, Fitting, MetaLearner, Setting, Training,
    fitted::{ClosedForm, Fitted},
};
use crate::{
    psychometrics::{Kinds, Responses, classes},
    random::{Purpose, stream},
    tasks::{Episode, Need},
};

/// Numbers of classes, and how often each is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct LatentClasses {
    /// Numbers of classes, of which the one with the lowest loss on validation tasks is kept; the first where there are no such tasks.
    #[garde(length(min = 1, max = 20), inner(range(min = 1, max = 1000)))]
    #[schemars(length(min = 1, max = 20), inner(range(min = 1, max = 1000)))]
    pub classes: Vec<usize>,
    /// How often each is fitted from another start; the most probable fit is kept.
    #[garde(range(min = 1, max = 1000))]
    pub starts: usize,
}

impl Default for LatentClasses {
    fn default() -> Self {
        Self { classes: vec![2, 4, 8, 16, 32], starts: 5 }
    }
}

impl Algorithm for LatentClasses {
    fn source(&self) -> &'static str {
        "Goodman 1974, https://doi.org/10.1093/biomet/61.2.215"
    }

    fn training(&self) -> Training {
        Training::Fit
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Items]
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        let (items, numbers) = (setting.interface.items, self.classes.clone());
        Box::new(Fitted(Classes { items, numbers, starts: self.starts }))
    }
}

/// Theta has a place for as many classes as there can be.
pub(super) struct Classes {
    pub items: usize,
    /// Of classes.
    pub numbers: Vec<usize>,
    pub starts: usize,
}

impl Classes {
    /// K, the largest number of classes.
    fn places(&self) -> usize {
        self.numbers.iter().copied().max().unwrap_or(1)
    }

    /// The values of theta with these classes; no student is of those that are not there.
    fn values(&self, kinds: &Kinds) -> Vec<Tensor> {
        let absent = self.places() as i64 - kinds.log_share.size()[0];
        let nobody = Tensor::full([absent], f64::NEG_INFINITY, (Kind::Double, kinds.log_share.device()));
        let log_share = Tensor::cat(&[&kinds.log_share, &nobody], 0);
        vec![log_share, kinds.logits.constant_pad_nd([0, 0, 0, absent])]
    }
}

impl ClosedForm for Classes {
    fn shapes(&self) -> Vec<(&'static str, Vec<i64>)> {
        let places = self.places() as i64;
        vec![("log_share", vec![places]), ("logits", vec![places, self.items as i64])]
    }

    fn fit(&self, fitting: &Fitting) -> Option<Vec<Tensor>> {
        let responses = Responses::of_queries((fitting.tasks)(), self.items)?;
        let of_number = |place: usize| {
            let mut stream = stream(fitting.seed, Purpose::Inner, place as u64);
            let kinds = classes::fit(&responses, self.numbers[place], self.starts, &mut stream).mixture;
            self.values(&kinds)
        };
        if self.numbers.len() == 1 {
            return Some(of_number(0)); // nothing to choose
        }
        let judged = (0..self.numbers.len()).map(|place| {
            let values = of_number(place);
            ((fitting.judge)(&self.theta(&values)), values)
        });
        let best = judged.reduce(|best, next| if next.0 < best.0 { next } else { best });
        best.map(|(_, values)| values)
    }

    fn answer(&self, theta: &[Tensor], episode: &Episode) -> Tensor {
        let [log_share, logits] = [0, 1].map(|place| theta[place].shallow_clone());
        Kinds { log_share, logits }.predict(episode)
    }

    fn row_numbers(&self, inputs: usize) -> usize {
        inputs + 5 * self.places()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::{
        fitted::tests::{fitted, fitted_with, log_loss},
        item_mean::ItemMean,
    };

    fn classes(numbers: &[usize]) -> LatentClasses {
        LatentClasses { classes: numbers.to_vec(), starts: 2 }
    }

    #[test]
    fn answers_that_are_seen_tell_of_the_others() {
        let (learner, theta) = fitted(&classes(&[4]));
        let losses = [0, 1, 5].map(|support| log_loss(&*learner, &theta, 1, support));
        assert!(losses[2] < losses[1] - 0.01 && losses[1] < losses[0] - 0.002, "{losses:?}");
        let (mean, of_mean) = fitted(&ItemMean {});
        assert!((log_loss(&*mean, &of_mean, 1, 5) - losses[0]).abs() < 0.003, "{losses:?}");
    }

    /// How many classes have students.
    fn number(theta: &crate::models::Params) -> i64 {
        theta.tensors[0].isfinite().sum(Kind::Int64).int64_value(&[])
    }

    #[test]
    fn the_number_is_that_which_validation_wants() {
        for (wanted, least) in [(2, 2.0), (3, 3.0), (5, 5.0)] {
            let judge =
                |_: &dyn MetaLearner, theta: &crate::models::Params| (number(theta) as f64 - least).abs();
            assert_eq!(number(&fitted_with(&classes(&[2, 3, 5]), &judge).1), wanted);
        }
        let without = fitted_with(&classes(&[3, 2]), &|_, _| f64::NAN).1;
        assert_eq!(number(&without), 3, "the first");
    }

    #[test]
    fn places_without_a_class_change_nothing() {
        let losses = [vec![3], vec![3, 9]].map(|numbers| {
            let (learner, theta) = fitted_with(&classes(&numbers), &|_, theta| number(theta) as f64);
            log_loss(&*learner, &theta, 1, 5)
        });
        assert!((losses[0] - losses[1]).abs() < 1e-12, "{losses:?}");
    }
}
