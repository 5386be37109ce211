//! Memory: a task is a learner who practises cards over time. After her first reviews, which of the cards that she met will she recall, how
//! long after she saw them last?
//!
//! What all learners have in common, a forgetting curve for a card of some history, is learned in meta-training; how fast a learner forgets is
//! adaptation. A learner belongs to one part alone.

mod example;
pub mod layout;
mod loaded;
mod practice;
pub mod simulated;
mod source;

use anyhow::{Context, Result};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Device;

pub use loaded::Loaded;

use super::{
    family::{Asks, Family, Need, Problem, Retest, Tasks},
    seen,
    students::split::SplitSpec,
    words::{REVIEWS_SEEN, Words, in_one_line},
};
use crate::{
    data::{self, reviews::ReviewsSpec},
    measures::{Accuracy, Auc, BinError, CalibrationError, LogLoss, Measure},
    validity::share,
};
use simulated::Simulated;

/// Learners and their reviews, from a file or simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// Where the reviews are; without it, learners are simulated.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviews: Option<ReviewsSpec>,
    /// Learners who are simulated, so that how they forget is known.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<Simulated>,
    /// Which learners are for meta-training, validation and test.
    #[garde(dive)]
    pub split: SplitSpec,
    /// K, how many reviews of a learner are seen in validation, and in the test unless `evaluate.shots` says otherwise; the first ones.
    #[garde(range(min = 1, max = 10_000))]
    pub shots: usize,
    /// How many of the reviews that follow are asked in validation and test, if their card was met before; all of them unless said otherwise.
    #[garde(inner(range(min = 1, max = 10_000)))]
    #[schemars(range(min = 1, max = 10_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
    /// What is other in meta-training.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Training::is_none")]
    pub training: Training,
    /// The most reviews of a learner that are looked at, the first ones.
    #[garde(range(min = 2, max = 10_000))]
    pub longest: usize,
    /// A card that so many learners have met is known by itself, others by their history alone.
    #[garde(range(min = 1, max = 1_000_000))]
    pub known_from: u32,
    /// How many of the last reviews of a card are seen one by one; those before them are counted.
    #[garde(range(min = 1, max = 64))]
    pub history: usize,
}

/// What is other in meta-training than in validation and test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// How many reviews of a learner are seen, from least to most; 1 to 50 unless said otherwise.
    #[garde(custom(seen::ascending))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shots: Option<[usize; 2]>,
    /// The share of learners whose cards are taken for cards that nobody else knows, so that theta learns to do with their history alone.
    #[garde(custom(share))]
    #[schemars(extend("minimum" = 0, "maximum" = 1))]
    #[serde(skip_serializing_if = "is_zero")]
    pub strangers: f64,
}

fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

impl Training {
    /// Whether nothing is.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            reviews: None,
            simulated: None,
            split: SplitSpec::default(),
            shots: 10,
            next: None,
            training: Training::default(),
            longest: 500,
            known_from: 10,
            history: 12,
        }
    }
}

impl Memory {
    /// The settings of the learners, where they are simulated.
    pub fn simulation(&self) -> Simulated {
        self.simulated.clone().unwrap_or_default()
    }

    /// How many reviews are seen in meta-training, from least to most.
    pub fn training_range(&self) -> [usize; 2] {
        self.training.shots.unwrap_or([1, 50])
    }
}

impl Family for Memory {
    fn source(&self) -> &'static str {
        "https://github.com/open-spaced-repetition/srs-benchmark, for learners as tasks"
    }

    fn folds(&self) -> usize {
        self.split.folds()
    }

    fn shots(&self) -> usize {
        self.shots
    }

    fn training_shots(&self) -> usize {
        self.training_range()[1]
    }

    fn words(&self) -> Words {
        let [least, most] = self.training_range();
        let mut facts = vec![
            ("reviews", self.reviews.as_ref().map_or_else(|| in_one_line(&self.simulation()), in_one_line)),
            ("split", in_one_line(&self.split)),
            ("reviews seen in meta-training", format!("{least} to {most}")),
        ];
        facts.extend(
            self.next
                .map(|next| ("reviews asked", format!("those of cards met before among the next {next}"))),
        );
        Words {
            title: match &self.reviews {
                Some(reviews) => format!("learners of {}", reviews.title()),
                None => "simulated learners".into(),
            },
            shots: |shots| if shots == 1 { "1 review".into() } else { format!("{shots} reviews") },
            shots_axis: REVIEWS_SEEN,
            classes: None,
            task: "of a new learner".into(),
            support: "reviews",
            axes: Some(["seconds since the last review, as a power of ten", "probability of recall"]),
            facts,
        }
    }

    fn measures(&self) -> Vec<&'static dyn Measure> {
        vec![&LogLoss, &Auc, &BinError, &Accuracy, &CalibrationError]
    }

    fn offers(&self) -> &'static [Need] {
        &[Need::Reviews]
    }

    fn check(&self, asks: &Asks) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        match (&self.reviews, &self.simulated) {
            (Some(_), Some(_)) => problems.push((
                &["simulated"],
                "reviews come from a file already: leave one of reviews and simulated out".into(),
            )),
            (None, _) if self.simulation().reviews <= asks.test_shots => problems.push((
                &["simulated", "reviews"],
                format!("{} reviews are to be seen in the test: simulate more", asks.test_shots),
            )),
            _ => {}
        }
        if self.longest <= asks.test_shots {
            problems.push((
                &["longest"],
                format!(
                    "{} reviews are to be seen in the test, and more to be asked: allow as many",
                    asks.test_shots
                ),
            ));
        }
        problems
    }

    fn load(&self, asks: &Asks, source: &data::Source, device: Device) -> Result<Box<dyn Tasks>> {
        Ok(Box::new(Loaded::new(self, asks, source, device)?))
    }

    fn load_for_retest(
        &self,
        fold: usize,
        retest: &Retest,
        asks: &Asks,
        source: &data::Source,
        device: Device,
    ) -> Result<(Box<dyn Tasks>, Option<String>)> {
        retest.without_images()?;
        let Some(file) = &retest.reviews else {
            return Ok((Box::new(Loaded::new(self, asks, source, device)?), None));
        };
        let others = ReviewsSpec::of(file).load(source)?;
        let few = Asks { test_shots: 1, validates: false, ..*asks }; // its own learners are not tested
        let own = Loaded::new(self, &few, source, device)
            .context("which cards the run knows is read from the reviews that it was trained on")?;
        let (other, said) = own.of_others(fold, others, asks.test_shots)?;
        Ok((Box::new(other), said))
    }
}
