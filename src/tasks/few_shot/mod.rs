//! Few-shot classification of images: N classes, K support images and Q queries of each.

mod check;
pub mod class_split;
pub mod classes;
mod episodes;
mod example;
mod images;

use anyhow::Result;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Device;

use super::{
    augmentation::Augmentation,
    family::{Asks, Family, Need, Problem, Retest, Tasks},
    words::{Words, in_one_line},
};
use crate::{
    data::{self, DatasetSpec, registered},
    measures::{Accuracy, Measure},
};
use class_split::ClassSplit;
use classes::Classes;
pub use episodes::{AllClasses, FewShot, ImageBank, TaskSize, whole_dataset};
use images::Images;

/// A few-shot classification task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct FewShotSpec {
    /// A registered data set, or `{idx: FOLDER}`.
    #[garde(custom(registered))]
    pub dataset: DatasetSpec,
    /// N, classes per task.
    #[garde(range(min = 2, max = 1000))]
    pub ways: usize,
    /// K, support images per class.
    #[garde(range(min = 1, max = 10_000))]
    pub shots: usize,
    /// Q, queries per class.
    #[garde(range(min = 1, max = 10_000))]
    #[serde(default = "default_queries")]
    pub queries: usize,
    /// Which classes train, validate and test.
    #[garde(skip)]
    pub classes: Classes,
    /// New classes for meta-training made from old ones.
    #[garde(dive)]
    #[serde(default)]
    pub augment: Augmentation,
}

fn default_queries() -> usize {
    15
}

impl Default for FewShotSpec {
    fn default() -> Self {
        Self {
            dataset: DatasetSpec::Named("mnist".into()),
            ways: 3,
            shots: 1,
            queries: default_queries(),
            classes: Classes(ClassSplit::Drawn { sizes: [4, 3, 3], seed: 0 }),
            augment: Augmentation::default(),
        }
    }
}

impl Family for FewShotSpec {
    fn source(&self) -> &'static str {
        "Vinyals et al. 2016, https://arxiv.org/abs/1606.04080"
    }

    fn folds(&self) -> usize {
        self.classes.0.folds()
    }

    fn shots(&self) -> usize {
        self.shots
    }

    fn words(&self) -> Words {
        let Self { dataset, ways, queries, classes, augment, .. } = self;
        Words {
            title: format!("{ways}-way"),
            shots: |shots| format!("{shots}-shot"),
            shots_axis: "support images per class",
            classes: Some(*ways),
            task: format!("of {ways} classes from {}", in_one_line(dataset)),
            support: "labelled images of each",
            axes: None,
            facts: vec![
                ("data set", in_one_line(dataset)),
                ("classes", in_one_line(classes)),
                ("ways (classes per task)", ways.to_string()),
                ("queries per class", queries.to_string()),
                ("rotated classes", if augment.rotations { "yes".into() } else { "no".into() }),
                ("augmentation", in_one_line(augment)),
            ],
        }
    }

    fn measures(&self) -> Vec<&'static dyn Measure> {
        vec![&Accuracy]
    }

    fn offers(&self) -> &'static [Need] {
        &[Need::Classes, Need::Images, Need::WholeDataset]
    }

    fn datasets(&self) -> Vec<&DatasetSpec> {
        vec![&self.dataset]
    }

    fn check(&self, asks: &Asks) -> Vec<Problem> {
        self.dataset.known_classes().map_or_else(Vec::new, |classes| check::problems(self, asks, &classes))
    }

    fn load(&self, asks: &Asks, source: &data::Source, device: Device) -> Result<Box<dyn Tasks>> {
        Ok(Box::new(Images::load(self, asks, source, device)?))
    }

    fn load_for_retest(
        &self,
        fold: usize,
        retest: &Retest,
        asks: &Asks,
        source: &data::Source,
        device: Device,
    ) -> Result<(Box<dyn Tasks>, Option<String>)> {
        let (images, warning) = Images::load_for_retest(self, fold, retest, asks, source, device)?;
        Ok((Box::new(images), warning))
    }
}
