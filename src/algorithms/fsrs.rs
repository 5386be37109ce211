//! FSRS-6, the scheduler of Anki, by its own crate `fsrs` (https://github.com/open-spaced-repetition/fsrs-rs): 21 parameters of how stability and
//! difficulty of a card change with each review, and a power law of forgetting.
//!
//! It counts whole days. What counts as a day here is a setting, so that practice within an hour is not all one moment to it. Cards that were
//! shown count as recalled, since it knows no such thing. Of a card with more reviews than the family shows, it sees the last ones.

use anyhow::Result;
use fsrs::{
    ComputeParametersInput, DEFAULT_PARAMETERS, FSRS, FSRSItem, FSRSReview, compute_parameters,
    current_retrievability,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::{
    Algorithm, Fitting, MetaLearner, Setting, Training,
    fitted::{ClosedForm, Fitted},
    review_rows,
};
use crate::{
    data::reviews::Grade,
    tasks::{Episode, Need, memory::layout::Layout},
    validity::positive,
};

/// Whose parameters, and what a day is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Fsrs {
    /// What its parameters are fitted to.
    #[garde(skip)]
    pub fitted_to: FittedTo,
    /// Seconds of what it takes for a day.
    #[garde(custom(positive))]
    pub day: f64,
}

/// What parameters are fitted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FittedTo {
    /// Each learner's support, as Anki does it. The crate leaves out intervals that occur fewer than six times, keeps the published parameters
    /// where fewer than 8 reviews remain, and changes the first four until there are 64: of few reviews it mostly learns nothing.
    #[default]
    Learner,
    /// The reviews of all meta-training learners; then the initial stabilities are scaled to each learner's support, by the factor that
    /// is most probable where its logarithm is normal about 0 with standard deviation 0.7.
    Both,
    /// The reviews of all meta-training learners.
    All,
    /// Nothing: those that are published.
    Nothing,
}

impl Default for Fsrs {
    fn default() -> Self {
        Self { fitted_to: FittedTo::default(), day: 86_400.0 }
    }
}

impl Algorithm for Fsrs {
    fn source(&self) -> &'static str {
        "https://github.com/open-spaced-repetition/fsrs4anki/wiki/The-Algorithm"
    }

    fn training(&self) -> Training {
        Training::Fit
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Reviews]
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Fitted(Model { layout: Layout::of(&setting.interface), settings: self.clone() }))
    }
}

struct Model {
    layout: Layout,
    settings: Fsrs,
}

/// Reviews that its optimiser does not take more of, to bound its time.
const MOST: usize = 100_000;

impl Model {
    /// The reviews of the card before that of a row, the first first.
    fn earlier(&self, row: &[f32]) -> Vec<FSRSReview> {
        let days = |seconds: f64| (seconds / self.settings.day).round().min(36_500.0) as u32;
        let history = self.layout.history(row).into_iter().enumerate();
        let review = |(place, (grade, seconds)): (usize, (Grade, f64))| FSRSReview {
            rating: if grade == Grade::Shown { Grade::Good as u32 } else { grade as u32 },
            delta_t: if place == 0 { 0 } else { days(seconds) },
        };
        history.map(review).collect()
    }

    /// A row as something to fit to, if FSRS can learn of it.
    fn item(&self, row: &[f32], recalled: bool) -> Option<FSRSItem> {
        let mut reviews = self.earlier(row);
        let delta_t = (self.layout.elapsed(row) / self.settings.day).round().min(36_500.0) as u32;
        let learns = !reviews.is_empty() && delta_t > 0;
        reviews.push(FSRSReview { rating: if recalled { 3 } else { 1 }, delta_t });
        learns.then_some(FSRSItem { reviews })
    }

    /// The parameters fitted to reviews; those published where they are too few, or make no sense to it.
    fn fitted(&self, items: Vec<FSRSItem>) -> Vec<f32> {
        let input =
            ComputeParametersInput { train_set: items, enable_short_term: true, ..Default::default() };
        compute_parameters(input).unwrap_or_else(|_| DEFAULT_PARAMETERS.to_vec())
    }

    /// The probability that a row's card is recalled; `None` where it was not met before.
    fn probability(&self, model: &FSRS, decay: f32, row: &[f32]) -> Option<f64> {
        let days = (self.layout.elapsed(row) / self.settings.day) as f32;
        recall(model, decay, self.earlier(row), days)
    }

    /// The probabilities of some rows; 1/2 of cards that were not met before.
    fn probabilities<'a>(&self, parameters: &[f32], rows: impl Iterator<Item = &'a [f32]>) -> Vec<f64> {
        let Ok(model) = FSRS::new(parameters) else { return rows.map(|_| 0.5).collect() };
        let decay = parameters.last().copied().unwrap_or(fsrs::FSRS6_DEFAULT_DECAY);
        rows.map(|row| self.probability(&model, decay, row).unwrap_or(0.5)).collect()
    }
}

/// The probability that a card is recalled so many days after some reviews; `None` where there are none.
fn recall(model: &FSRS, decay: f32, reviews: Vec<FSRSReview>, days: f32) -> Option<f64> {
    if reviews.is_empty() {
        return None;
    }
    let state = model.memory_state(FSRSItem { reviews }, None).ok()?;
    Some(f64::from(current_retrievability(state, days, decay))).filter(|p| p.is_finite())
}

/// Standard deviation of the logarithm of a learner's factor.
const SPREAD: f64 = 0.7;
/// Factors that are tried: powers of 2^(1/4), from a sixteenth to sixteen.
const FACTORS: std::ops::RangeInclusive<i32> = -16..=16;

/// Parameters whose initial stabilities, the first four, suit some reviews.
fn scaled(parameters: &[f32], items: &[FSRSItem]) -> Vec<f32> {
    let with = |power: i32| {
        let factor = 2f32.powf(power as f32 / 4.0);
        let scaled = parameters.iter().enumerate();
        scaled.map(|(place, value)| if place < 4 { value * factor } else { *value }).collect::<Vec<f32>>()
    };
    let cost = |power: i32| {
        let parameters = with(power);
        let Ok(model) = FSRS::new(&parameters) else { return f64::INFINITY };
        let decay = parameters.last().copied().unwrap_or(fsrs::FSRS6_DEFAULT_DECAY);
        let losses = items.iter().filter_map(|item| {
            let (last, earlier) = item.reviews.split_last()?;
            let p = recall(&model, decay, earlier.to_vec(), last.delta_t as f32)?;
            let p = p.clamp(review_rows::LEAST, 1.0 - review_rows::LEAST);
            Some(if last.rating > 1 { -p.ln() } else { -(1.0 - p).ln() })
        });
        let log = f64::from(power) / 4.0 * 2f64.ln();
        losses.sum::<f64>() + log * log / (2.0 * SPREAD * SPREAD)
    };
    with(FACTORS.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(0))
}

/// The values of a tensor, row by row.
fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(Vec::try_from(tensor.to_kind(Kind::Float).to_device(Device::Cpu).contiguous().flatten(0, -1))?)
}

impl ClosedForm for Model {
    fn shapes(&self) -> Vec<(&'static str, Vec<i64>)> {
        vec![("parameters", vec![DEFAULT_PARAMETERS.len() as i64])]
    }

    fn fit(&self, fitting: &Fitting) -> Option<Vec<Tensor>> {
        let parameters = match self.settings.fitted_to {
            FittedTo::Nothing | FittedTo::Learner => DEFAULT_PARAMETERS.to_vec(),
            FittedTo::All | FittedTo::Both => {
                let (x, y) = review_rows::all(fitting)?;
                let (x, y) = (values(&x).ok()?, values(&y).ok()?);
                let rows = x.chunks_exact(self.layout.width()).zip(y);
                let items = rows.filter_map(|(row, recalled)| self.item(row, recalled > 0.5));
                self.fitted(items.take(MOST).collect())
            }
        };
        Some(vec![Tensor::from_slice(&parameters).to_kind(Kind::Double)])
    }

    fn answer(&self, theta: &[Tensor], episode: &Episode) -> Tensor {
        let width = self.layout.width();
        let (tasks, seen, queries) =
            (episode.tasks() as usize, episode.support as usize, episode.queries() as usize);
        let read = || -> Result<[Vec<f32>; 4]> {
            let counts =
                episode.support_weight().unwrap_or_else(|| episode.support_y().squeeze_dim(2).ones_like());
            Ok([values(&theta[0])?, values(&episode.x)?, values(&episode.support_y())?, values(&counts)?])
        };
        let [parameters, x, y, counts] = read().unwrap_or_default();
        let mut p = Vec::with_capacity(tasks * queries);
        for (task, rows) in x.chunks_exact((seen + queries) * width).enumerate() {
            let (support, asked) = rows.split_at(seen * width);
            let seen_rows = support.chunks_exact(width).enumerate();
            let items: Vec<FSRSItem> = seen_rows
                .filter(|(row, _)| counts[task * seen + row] > 0.0)
                .filter_map(|(row, x)| self.item(x, y[task * seen + row] > 0.5))
                .collect();
            let own = match self.settings.fitted_to {
                FittedTo::Learner => Some(self.fitted(items)),
                FittedTo::Both => Some(scaled(&parameters, &items)),
                FittedTo::All | FittedTo::Nothing => None,
            };
            p.extend(self.probabilities(own.as_deref().unwrap_or(&parameters), asked.chunks_exact(width)));
        }
        let p = Tensor::from_slice(&p).reshape([tasks as i64, queries as i64]);
        review_rows::logits(&p).to_device(episode.x.device())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        algorithms::review_rows::tests::{fitted, log_loss},
        tasks::memory::layout::Past,
    };

    const LAYOUT: Layout = Layout { cards: 2, history: 6 };
    const DAY: f64 = 86_400.0;

    fn row(earlier: &[(Grade, f64)], elapsed: f64) -> Vec<f32> {
        let mut row = vec![0.0; LAYOUT.width()];
        let mut earlier = earlier.to_vec();
        earlier.reverse();
        LAYOUT.write(&Past { earlier, elapsed, ..Past::default() }, &mut row);
        row
    }

    /// Recalled on the days 0, 3 and 10, asked on day 20: the same as by the crate with these numbers of days.
    #[test]
    fn it_is_the_crates_own_prediction() {
        let model = Model { layout: LAYOUT, settings: Fsrs::default() };
        let history = [(Grade::Good, 0.0), (Grade::Hard, 3.0 * DAY), (Grade::Again, 7.0 * DAY)];
        let found =
            model.probabilities(&DEFAULT_PARAMETERS, [row(&history, 10.0 * DAY).as_slice()].into_iter());
        let reviews = [(3, 0), (2, 3), (1, 7)].map(|(rating, delta_t)| FSRSReview { rating, delta_t });
        let state =
            FSRS::default().memory_state(FSRSItem { reviews: reviews.into() }, None).expect("a state");
        let expected = current_retrievability(state, 10.0, fsrs::FSRS6_DEFAULT_DECAY);
        assert!((found[0] - f64::from(expected)).abs() < 1e-5, "{found:?} {expected}");
        assert_eq!(model.probabilities(&DEFAULT_PARAMETERS, [row(&[], 0.0).as_slice()].into_iter()), [0.5]);
    }

    #[test]
    fn what_is_a_day_is_a_setting_and_rows_of_the_same_day_are_not_learned_from() {
        let of = |day: f64| Model { layout: LAYOUT, settings: Fsrs { day, ..Fsrs::default() } };
        let row = row(&[(Grade::Shown, 0.0), (Grade::Again, 600.0)], 300.0);
        assert_eq!(of(DAY).item(&row, true), None);
        let item = of(60.0).item(&row, true).expect("days of a minute");
        let reviews = [(3, 0), (1, 10), (3, 5)].map(|(rating, delta_t)| FSRSReview { rating, delta_t });
        assert_eq!(item.reviews, reviews);
        assert_eq!(of(60.0).item(&self::row(&[], 0.0), true), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// Whatever learners do, their reviews can be fitted to and give probabilities.
        #[test]
        fn strange_reviews_are_no_harm(
            reviews in prop::collection::vec((prop::collection::vec((0u8..5, 0.0..1e9f64), 0..9), 0.0..1e10f64, any::<bool>()), 0..120),
            day in prop::sample::select(vec![1e-3, 10.0, DAY, 1e9]),
        ) {
            let model = Model { layout: LAYOUT, settings: Fsrs { day, ..Fsrs::default() } };
            let rows: Vec<(Vec<f32>, bool)> = reviews
                .iter()
                .map(|(earlier, elapsed, recalled)| {
                    let of = |(grade, interval): &(u8, f64)| (Grade::of(*grade).unwrap_or(Grade::Shown), *interval);
                    (row(&earlier.iter().map(of).collect::<Vec<_>>(), *elapsed), *recalled)
                })
                .collect();
            let parameters = model.fitted(rows.iter().filter_map(|(row, recalled)| model.item(row, *recalled)).collect());
            prop_assert!(parameters.iter().all(|parameter| parameter.is_finite()));
            let p = model.probabilities(&parameters, rows.iter().map(|(row, _)| row.as_slice()));
            prop_assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{:?}", p);
        }
    }

    /// Simulated learners review each card after days, as FSRS expects.
    #[test]
    fn fitting_helps() {
        let losses = [FittedTo::Nothing, FittedTo::Learner, FittedTo::All, FittedTo::Both].map(|fitted_to| {
            let (learner, theta) = fitted(&Fsrs { fitted_to, ..Fsrs::default() });
            log_loss(&*learner, &theta, 100).0
        });
        assert!(losses[2] < losses[0] - 0.01 && losses[1] < losses[0] && losses[3] < losses[2], "{losses:?}");
    }
}
