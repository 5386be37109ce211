//! Students: a task is a student, of whom some answers are seen; asked is whether others are right.
//!
//! What all students have in common is learned in meta-training; what is personal is adaptation. A student belongs to one part alone, and
//! no input says anything about her.

mod cohort;
mod contexts;
mod example;
pub mod inputs;
mod loaded;
mod origin;
mod pooled;
pub mod posterior;
pub mod protocol;
pub mod simulated;
pub mod source;
pub mod split;

use anyhow::Result;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Device;

pub use loaded::Loaded;

use super::{
    family::{Asks, Family, Need, Problem, Tasks},
    seen,
    words::{ANSWERS_SEEN, Words, in_one_line},
};
use crate::{
    data::{self, answers::AnswersSpec},
    measures::{Accuracy, Auc, Brier, CalibrationError, LogLoss, Measure, StudentAuc},
};
use inputs::InputsSpec;
use protocol::{Published, Queries, Support};
use simulated::Simulated;
use split::SplitSpec;

/// Students and their answers, from a file or simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Students {
    /// The file of answers; without one, students are simulated.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswersSpec>,
    /// Students who are simulated from a model whose best possible prediction is known.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<Simulated>,
    /// Which students are for meta-training, validation and test.
    #[garde(dive)]
    pub split: SplitSpec,
    /// Whose protocol; what is said besides wins over it.
    #[garde(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Published>,
    /// K, how many answers of a student are seen in validation, and in the test unless `evaluate.shots` says otherwise.
    #[garde(range(min = 1, max = 10_000))]
    pub shots: usize,
    /// Which answers may be seen: any, or the first ones, where their order is time.
    #[garde(skip)]
    pub support: Support,
    /// Which answers are asked: the rest, a random fifth, or `{next: 10}`.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<Queries>,
    /// How often each student is tested, each time with other answers seen.
    #[garde(range(min = 1, max = 100))]
    pub draws: usize,
    /// What is other in meta-training.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Training::is_none")]
    pub training: Training,
    /// The most answers of a student that are looked at, the first ones.
    #[garde(range(min = 2, max = 10_000))]
    pub longest: usize,
    /// Items with fewer answers of training students than this count as unknown: others of their skill stand for them.
    #[garde(range(min = 1, max = 1_000_000))]
    pub known_from: u32,
    /// What a network sees of an answer beside the item.
    #[garde(dive)]
    pub inputs: InputsSpec,
}

/// What is other in meta-training than in validation and test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// How many answers of a student are seen, from least to most; 1 to 20 unless said otherwise.
    #[garde(custom(seen::ascending))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shots: Option<[usize; 2]>,
}

impl Training {
    /// Whether nothing is.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Students {
    fn default() -> Self {
        Self {
            answers: None,
            simulated: None,
            split: SplitSpec::default(),
            protocol: None,
            shots: 5,
            support: Support::default(),
            queries: None,
            draws: 1,
            training: Training::default(),
            longest: 200,
            known_from: 1,
            inputs: InputsSpec::default(),
        }
    }
}

impl Students {
    /// Which answers are asked.
    pub fn queries(&self) -> Queries {
        self.queries.unwrap_or(match self.protocol {
            None => Queries::Rest,
            Some(Published::Bobcat) => Queries::Fifth,
        })
    }

    /// The settings of the students, where they are simulated.
    pub fn simulation(&self) -> Simulated {
        self.simulated.clone().unwrap_or_default()
    }

    /// How many answers are seen in meta-training, from least to most.
    pub fn training_range(&self) -> [usize; 2] {
        self.training.shots.unwrap_or([1, 20])
    }

    /// What its answers are called in titles.
    fn title(&self) -> String {
        match &self.answers {
            Some(answers) => format!("students of {}", answers.title()),
            None => "simulated students".into(),
        }
    }
}

impl Family for Students {
    fn source(&self) -> &'static str {
        "Ghosh & Lan 2021, https://arxiv.org/abs/2108.07386, for students as tasks"
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
        let mut facts = vec![
            ("students", self.answers.as_ref().map_or_else(|| in_one_line(&self.simulation()), in_one_line)),
            ("split", in_one_line(&self.split)),
            ("answers seen", in_one_line(&self.support)),
            ("answers asked", in_one_line(&self.queries())),
            (
                "answers seen in meta-training",
                format!("{} to {}", self.training_range()[0], self.training_range()[1]),
            ),
        ];
        if self.draws > 1 {
            facts.push(("draws of each student", self.draws.to_string()));
        }
        Words {
            title: self.title(),
            shots: |shots| if shots == 1 { "1 answer".into() } else { format!("{shots} answers") },
            shots_axis: ANSWERS_SEEN,
            classes: None,
            task: "of a new student".into(),
            support: "answers",
            axes: None,
            facts,
        }
    }

    fn measures(&self) -> Vec<&'static dyn Measure> {
        vec![&LogLoss, &Auc, &StudentAuc, &Accuracy, &Brier, &CalibrationError]
    }

    fn offers(&self) -> &'static [Need] {
        if self.answers.is_some() { &[Need::Items] } else { &[Need::Items, Need::Truth] }
    }

    fn check(&self, asks: &Asks) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        if self.answers.is_none() {
            problems.extend(self.simulation().check());
        } else if self.simulated.is_some() {
            problems.push((
                &["simulated"],
                "answers come from a file already: leave one of answers and simulated out".into(),
            ));
        }
        if self.support == Support::First && self.draws > 1 {
            problems
                .push((&["draws"], "the first answers are the same in every draw: leave draws out".into()));
        }
        let least = self.queries().least(asks.test_shots);
        if least > self.longest {
            problems.push((
                &["longest"],
                format!(
                    "{} answers are to be seen in the test, for which a student needs {least}: allow as many",
                    asks.test_shots
                ),
            ));
        }
        problems
    }

    fn load(&self, asks: &Asks, source: &data::Source, device: Device) -> Result<Box<dyn Tasks>> {
        Ok(Box::new(Loaded::new(self, asks, source, device)?))
    }
}
