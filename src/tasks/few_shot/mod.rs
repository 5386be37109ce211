//! Few-shot classification of images: N classes, K support images and Q queries of each.

mod check;
mod class_list;
pub mod class_split;
pub mod classes;
mod datasets;
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
    family::{Asks, Family, Need, Part, Problem, Retest, Tasks},
    words::{Words, in_one_line},
};
use crate::{
    data::{self, DatasetSpec},
    measures::{Accuracy, Measure},
};
use class_split::ClassSplit;
use classes::Classes;
use datasets::{Datasets, all_registered};
pub use episodes::{AllClasses, FewShot, ImageBank, TaskSize, whole_dataset};
use images::Images;

/// A few-shot classification task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct FewShotSpec {
    /// A registered data set, or `{idx: FOLDER}`, or `{train: ..., test: ...}` with one for each part.
    #[garde(custom(all_registered))]
    pub dataset: Datasets,
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
    /// What is other in meta-training than in validation and test.
    #[garde(dive)]
    #[serde(default, skip_serializing_if = "Training::is_none")]
    pub training: Training,
}

fn default_queries() -> usize {
    15
}

/// What is other in meta-training than in validation and test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Classes per task; for methods whose network is not bound to a number of classes.
    #[garde(inner(range(min = 2, max = 1000)))]
    #[schemars(range(min = 2, max = 1000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ways: Option<usize>,
    /// Support images per class.
    #[garde(inner(range(min = 1, max = 10_000)))]
    #[schemars(range(min = 1, max = 10_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shots: Option<usize>,
    /// Queries per class.
    #[garde(inner(range(min = 1, max = 10_000)))]
    #[schemars(range(min = 1, max = 10_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queries: Option<usize>,
}

impl Training {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl FewShotSpec {
    /// The sizes of a task of a part, with so many shots.
    fn size(&self, part: Part, shots: usize) -> TaskSize {
        let Self { ways, queries, training, .. } = *self;
        match part {
            Part::Train => {
                let (ways, queries) = (training.ways.unwrap_or(ways), training.queries.unwrap_or(queries));
                TaskSize { ways, shots, queries }
            }
            Part::Validation | Part::Test => TaskSize { ways, shots, queries },
        }
    }
}

impl Default for FewShotSpec {
    fn default() -> Self {
        Self {
            dataset: Datasets::One(DatasetSpec::Named("mnist".into())),
            ways: 3,
            shots: 1,
            queries: default_queries(),
            classes: Classes(ClassSplit::Drawn { sizes: [4, 3, 3], seed: 0 }),
            augment: Augmentation::default(),
            training: Training::default(),
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

    fn training_shots(&self) -> usize {
        self.training.shots.unwrap_or(self.shots)
    }

    fn words(&self) -> Words {
        let Self { dataset, ways, queries, classes, augment, training, .. } = self;
        let [.., test] = dataset.of_parts();
        let mut facts = vec![
            ("data set", in_one_line(dataset)),
            ("classes", in_one_line(classes)),
            ("ways (classes per task)", ways.to_string()),
            ("queries per class", queries.to_string()),
            ("rotated classes", if augment.rotations { "yes".into() } else { "no".into() }),
            ("augmentation", in_one_line(augment)),
        ];
        if !training.is_none() {
            facts.push(("otherwise while training", in_one_line(training)));
        }
        Words {
            title: format!("{ways}-way"),
            shots: |shots| format!("{shots}-shot"),
            shots_axis: "support images per class",
            classes: Some(*ways),
            task: format!("of {ways} classes from {}", in_one_line(test)),
            support: "labelled images of each",
            axes: None,
            facts,
        }
    }

    fn measures(&self) -> Vec<&'static dyn Measure> {
        vec![&Accuracy]
    }

    fn offers(&self) -> &'static [Need] {
        &[Need::Classes, Need::Images, Need::WholeDataset]
    }

    fn datasets(&self) -> Vec<&DatasetSpec> {
        self.dataset.of_parts().into()
    }

    fn check(&self, asks: &Asks) -> Vec<Problem> {
        let known = self.dataset.of_parts().map(DatasetSpec::known_classes);
        let listed = matches!(self.classes.0, ClassSplit::Listed(_));
        let ([Some(train), Some(validation), Some(test)], false) = (&known, listed) else {
            return check::other_ways(self, asks).into_iter().collect();
        };
        let (names, sets) = ([train, validation, test], self.dataset.sets());
        let classes = [0, 1, 2].map(|part| class_split::NamedClasses {
            set: sets[part],
            names: names[part],
            groups: &[],
        });
        check::problems(self, asks, &classes)
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
        retest.without_reviews()?;
        let (images, warning) = Images::load_for_retest(self, fold, retest, asks, source, device)?;
        Ok((Box::new(images), warning))
    }
}
