//! What a family of tasks is: as the experiment file names it, and loaded.

use std::path::PathBuf;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tch::{Device, Tensor};

use super::{
    Episode, Extent, FreezableSource, Interface, TaskSource, cohort::Cohort, example::Example, words::Words,
};
use crate::{
    data::{self, Dataset, DatasetSpec},
    measures::{Measure, Predictions},
    misuse::misuse,
    random::Purpose,
};

/// A part of a family's tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Meta-train.
    Train,
    /// Meta-validation.
    Validation,
    /// Meta-test.
    Test,
}

impl Part {
    /// The random streams that its tasks are drawn from.
    pub fn purpose(self) -> Purpose {
        match self {
            Self::Train => Purpose::Train,
            Self::Validation => Purpose::Validation,
            Self::Test => Purpose::Test,
        }
    }
}

/// What some methods need of tasks, and not every family has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Rows that belong to classes.
    Classes,
    /// Rows that are images, so that there can be jittered copies of them.
    Images,
    /// All rows there are, as one task.
    WholeDataset,
    /// Tasks that are simulated from a model whose best possible prediction is known.
    Truth,
    /// Rows that are answers to items which tasks have in common.
    Items,
    /// Rows that are reviews, each with the time since the one before.
    Reviews,
}

impl Need {
    /// What it is, to say who lacks it.
    pub fn what(self) -> &'static str {
        match self {
            Self::Classes => "class labels",
            Self::Images => "images",
            Self::WholeDataset => "a whole data set",
            Self::Truth => "tasks simulated from a known model",
            Self::Items => "items that tasks have in common",
            Self::Reviews => "timed reviews",
        }
    }
}

/// What an experiment asks of its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asks {
    /// The largest number of shots of a method that is trained on episodes, if any is.
    pub training_shots: Option<usize>,
    /// A method that is trained on episodes and has a network whose outputs fit tasks of one number of classes only, if any has.
    pub fixed_ways: Option<&'static str>,
    /// Whether a method is trained on pooled rows.
    pub pools: bool,
    /// Whether a method that trains is validated.
    pub validates: bool,
    /// The largest number of shots of validation and test.
    pub test_shots: usize,
}

/// A key of the family's settings, by its path, and what is wrong with its value.
pub type Problem = (&'static [&'static str], String);

/// Which rows are pooled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// As many as the support sets hold.
    Support,
    /// As many as whole tasks hold.
    #[default]
    All,
}

/// What is to be other in a test of what was learned than in the run's own test.
#[derive(Clone, Debug, Default)]
pub struct Retest {
    /// Where the images come from.
    pub dataset: Option<DatasetSpec>,
    /// Names of the test classes.
    pub classes: Option<Vec<String>>,
    /// A file of reviews.
    pub reviews: Option<PathBuf>,
}

impl Retest {
    /// Refuses what is for images.
    ///
    /// # Errors
    /// A `Misuse`: some of it is given.
    pub fn without_images(&self) -> Result<()> {
        let given = [("--dataset", self.dataset.is_some()), ("--classes", self.classes.is_some())];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                misuse!("{option}: the run's tasks are of no data set with classes: leave it out")
            }
            None => Ok(()),
        }
    }

    /// Refuses what is for learners.
    ///
    /// # Errors
    /// A `Misuse`: it is given.
    pub fn without_reviews(&self) -> Result<()> {
        if self.reviews.is_some() {
            misuse!("--reviews: the run's tasks are not of memory: leave it out");
        }
        Ok(())
    }
}

/// A distribution over tasks as the experiment file describes it. Nothing here needs its data.
pub trait Family {
    /// The paper it is from.
    fn source(&self) -> &'static str;

    /// Folds of a cross-validation; 1 without.
    fn folds(&self) -> usize {
        1
    }

    /// K, the size of a support set in validation and test, unless the experiment names others there.
    fn shots(&self) -> usize;

    /// The same in meta-training, unless a method says otherwise.
    fn training_shots(&self) -> usize {
        self.shots()
    }

    /// What figures, tables and reports call its tasks.
    fn words(&self) -> Words;

    /// What is measured on the queries; the first judges.
    fn measures(&self) -> Vec<&'static dyn Measure>;

    /// What it has of that which only some methods need.
    fn offers(&self) -> &'static [Need];

    /// The data sets that it draws from.
    fn datasets(&self) -> Vec<&DatasetSpec> {
        Vec::new()
    }

    /// What is wrong with it, as far as can be told without its data.
    fn check(&self, asks: &Asks) -> Vec<Problem>;

    /// Its tasks, onto `device`; data are fetched on first use.
    ///
    /// # Errors
    /// The data cannot be had or read; a `Misuse` where they hold less than the experiment asks for.
    fn load(&self, asks: &Asks, source: &data::Source, device: Device) -> Result<Box<dyn Tasks>>;

    /// Its tasks for another test, on fold `fold`, of what was learned on it, whether or not there is enough to train on; and a warning,
    /// if there is cause for one.
    ///
    /// # Errors
    /// As for [`Family::load`]; a `Misuse` where the family has nothing like what is to be other.
    fn load_for_retest(
        &self,
        _fold: usize,
        retest: &Retest,
        asks: &Asks,
        source: &data::Source,
        device: Device,
    ) -> Result<(Box<dyn Tasks>, Option<String>)> {
        retest.without_images()?;
        retest.without_reviews()?;
        Ok((self.load(asks, source, device)?, None))
    }
}

/// A family loaded: where episodes come from.
pub trait Tasks: Sync {
    /// What a network and a test must know of a task.
    fn interface(&self) -> Interface;

    /// Rows of a task of a part, with so many shots.
    fn extent(&self, part: Part, shots: usize) -> Extent;

    /// The episodes of a part of a fold with so many shots; `None` where the part has not enough for any.
    fn source(&self, fold: usize, part: Part, shots: usize, seed: u64) -> Option<Box<dyn FreezableSource>>;

    /// Rows of many meta-training tasks as ordinary supervised batches: episodes without support, each of as many queries as a task with
    /// so many shots has rows in the pool.
    fn pooled(&self, fold: usize, pool: Pool, shots: usize, seed: u64) -> Box<dyn TaskSource>;

    /// Outputs of a network for pooled rows; `None` where their problem is that of a task, so that the network for it serves both.
    fn pooled_outputs(&self, _fold: usize) -> Option<usize> {
        None
    }

    /// How many tasks a part of a fold has; `None` where there is no end of them.
    fn count(&self, _fold: usize, _part: Part) -> Option<usize> {
        None
    }

    /// How many tasks a thread works on at once at most, where other than the usual number is faster.
    fn at_once(&self) -> Option<usize> {
        None
    }

    /// How often each frozen task is drawn, each time with another support set; its answers are judged together.
    fn draws(&self) -> usize {
        1
    }

    /// Every meta-training task of a fold once, with all its rows as queries, some tasks at a time; `None` where there is no end of them.
    fn every(&self, _fold: usize) -> Option<Box<dyn Iterator<Item = Episode> + '_>> {
        None
    }

    /// The best possible answers to the first so many frozen test tasks of a fold, from so many shots of as many as episodes are drawn with,
    /// `(largest, shots)`; `None` where it is not known what tasks are drawn from.
    fn best_possible(
        &self,
        _fold: usize,
        _seed: u64,
        _tasks: usize,
        _shots: (usize, usize),
    ) -> Option<Predictions> {
        None
    }

    /// What was merged, left out or counted when the data were read: a sentence each.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// All there is as one task, if there is such a thing.
    fn whole(&self) -> Option<Whole<'_>> {
        None
    }

    /// The data set of the images that test tasks are made of, if they are.
    fn images(&self) -> Option<&Dataset> {
        None
    }

    /// The students whose answers the tasks are, if they are that.
    fn cohort(&self) -> Option<&dyn Cohort> {
        None
    }

    /// What each part of a fold is made of, to be recorded; null where nothing is divided.
    fn parts(&self, _fold: usize) -> Value {
        Value::Null
    }

    /// Whether examples of runs with further seeds say more than those of the first.
    fn shows_every_seed(&self) -> bool {
        false
    }

    /// Some of the first test episodes, for people to look at.
    fn example(&self, show: &Show) -> Example;
}

/// All that a family has, as one task.
pub struct Whole<'a> {
    /// Outputs of a network for it.
    pub outputs: usize,
    /// Support rows per class.
    pub shots: usize,
    /// Makes the task.
    pub episode: Box<dyn Fn() -> Episode + 'a>,
}

/// What an example is to show.
pub struct Show<'a> {
    /// Of which fold.
    pub fold: usize,
    /// What draws the test episodes.
    pub seed: u64,
    /// The shots of the example.
    pub shots: usize,
    /// The largest number of shots that the test episodes are drawn with.
    pub largest_shots: usize,
    /// Numbers of adaptation steps.
    pub steps: &'a [usize],
    /// Outputs `[T, Q, O]` for the queries of an episode after each number of steps.
    pub answer: &'a dyn Fn(&Episode) -> Vec<Tensor>,
    /// Contexts `[T, C]` after the last number of steps, of a method that has such.
    pub contexts: &'a dyn Fn(&Episode) -> Option<Tensor>,
}
