//! Item response theory, see [`crate::psychometrics::irt`].

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{
    Algorithm, Fitting, MetaLearner, Setting, Training,
    fitted::{ClosedForm, Fitted},
};
use crate::{
    psychometrics::{
        Responses,
        irt::{self, Items},
        regression::Slopes,
    },
    random::{Purpose, stream},
    tasks::{Episode, Need},
};

/// The one-parameter model has `slopes: one`, the two-parameter model is the default, the multidimensional one has more dimensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Irt {
    /// D, of a student's ability.
    #[garde(range(min = 1, max = 2))]
    pub dimensions: usize,
    /// Whether items discriminate alike.
    #[garde(custom(fits(self.dimensions)))]
    pub slopes: Slopes,
}

impl Default for Irt {
    fn default() -> Self {
        Self { dimensions: 1, slopes: Slopes::Own }
    }
}

/// One slope in common says nothing of a second dimension.
fn fits(dimensions: usize) -> impl Fn(&Slopes, &()) -> garde::Result {
    move |slopes, ()| match slopes {
        Slopes::One if dimensions > 1 => {
            Err(garde::Error::new("one slope in common is for 1 dimension: leave it out, or dimensions"))
        }
        _ => Ok(()),
    }
}

impl Algorithm for Irt {
    fn source(&self) -> &'static str {
        "Bock & Aitkin 1981, https://doi.org/10.1007/BF02293801"
    }

    fn training(&self) -> Training {
        Training::Fit
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Items]
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Fitted(Model { items: setting.interface.items, settings: self.clone() }))
    }
}

struct Model {
    items: usize,
    settings: Irt,
}

impl ClosedForm for Model {
    fn shapes(&self) -> Vec<(&'static str, Vec<i64>)> {
        let items = self.items as i64;
        vec![("intercepts", vec![items]), ("slopes", vec![items, self.settings.dimensions as i64])]
    }

    fn fit(&self, fitting: &Fitting) -> Option<Vec<Tensor>> {
        let responses = Responses::of_queries((fitting.tasks)(), self.items)?;
        let Irt { dimensions, slopes } = self.settings;
        let mut stream = stream(fitting.seed, Purpose::Inner, 0);
        let Items { intercepts, slopes } = irt::fit(&responses, dimensions, slopes, &mut stream).mixture;
        Some(vec![intercepts, slopes])
    }

    fn answer(&self, theta: &[Tensor], episode: &Episode) -> Tensor {
        let [intercepts, slopes] = [0, 1].map(|place| theta[place].shallow_clone());
        Items { intercepts, slopes }.kinds().predict(episode)
    }

    fn row_numbers(&self, inputs: usize) -> usize {
        inputs + 5 * irt::nodes(self.settings.dimensions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::fitted::tests::{fitted, log_loss};

    /// Students are simulated from the one-parameter model, which the others hold as well.
    #[test]
    fn answers_that_are_seen_tell_of_the_others() {
        let models = [(1, Slopes::One), (1, Slopes::Own), (2, Slopes::Own)];
        let losses = models.map(|(dimensions, slopes)| {
            let (learner, theta) = fitted(&Irt { dimensions, slopes });
            let losses = [0, 1, 5].map(|support| log_loss(&*learner, &theta, 1, support));
            assert!(losses[2] < losses[1] - 0.01 && losses[1] < losses[0] - 0.002, "{losses:?}");
            losses[2]
        });
        assert!(losses.iter().all(|loss| (loss - losses[0]).abs() < 0.005), "{losses:?}");
    }

    #[test]
    fn one_slope_is_for_one_dimension() {
        let of = |dimensions, slopes| Irt { dimensions, slopes }.validate();
        assert!(of(1, Slopes::One).is_ok() && of(2, Slopes::Own).is_ok());
        let error = of(2, Slopes::One).expect_err("of the second dimension").to_string();
        assert!(error.starts_with("slopes: "), "{error}");
    }
}
