//! Which classes, or which of their images, are for meta-training, meta-validation and meta-test.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::{
    data::Dataset,
    random::{Purpose, stream},
    tasks::family::Part,
};

/// How the classes of a data set are divided, as the experiment file says it.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassSplit {
    /// Named classes for each part.
    Lists {
        /// Meta-train classes.
        train: Vec<usize>,
        /// Meta-validation classes.
        validation: Vec<usize>,
        /// Meta-test classes.
        test: Vec<usize>,
    },
    /// So many classes for meta-train, meta-validation and meta-test, drawn by a seed of its own.
    Drawn {
        /// Numbers of classes.
        sizes: [usize; 3],
        /// Not the run's seed: all runs share the split.
        seed: u64,
    },
    /// Cross-validation: every class is a test class in exactly one fold; the next fold's classes validate.
    Folds {
        /// Number of folds.
        folds: usize,
        /// Deals the classes into folds.
        seed: u64,
    },
    /// All classes in every part, with different images; tasks are new by their choice of classes and labels only.
    Shared,
}

/// The classes of the three parts in one fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Class numbers of meta-train, meta-validation and meta-test.
    pub classes: [Vec<usize>; 3],
    /// Whether the parts share classes and differ in their images.
    shared: bool,
}

impl ClassSplit {
    /// Number of runs that a method and seed need: the folds of a cross-validation, otherwise 1.
    pub fn folds(&self) -> usize {
        match self {
            Self::Folds { folds, .. } => *folds,
            _ => 1,
        }
    }

    /// The parts of one fold for a data set with classes of these names; lists name classes by them.
    ///
    /// # Errors
    /// What is wrong, for a user, when the split does not fit the number of classes or its parts overlap.
    pub fn parts(&self, fold: usize, names: &[String]) -> Result<Parts, String> {
        let classes = names.len();
        let disjoint = |classes| Parts { classes, shared: false };
        let dealt = |seed| {
            let mut order: Vec<usize> = (0..classes).collect();
            order.shuffle(&mut stream(seed, Purpose::Split, 0));
            order
        };
        let sorted = |mut classes: Vec<usize>| {
            classes.sort_unstable();
            classes
        };
        match self {
            Self::Lists { train, validation, test } => {
                let mut owner = vec![None; classes];
                let mut parts = [const { Vec::new() }; 3];
                let lists = [("train", train), ("validation", validation), ("test", test)];
                for ((part, list), found) in lists.into_iter().zip(&mut parts) {
                    for class in list {
                        let Some(number) = names.iter().position(|name| *name == class.to_string()) else {
                            return Err(format!(
                                "{part} names class {class}, but the data set's classes are {}",
                                names.join(", ")
                            ));
                        };
                        found.push(number);
                        if let Some(other) = owner[number].replace(part) {
                            return Err(format!(
                                "class {class} is in {other} and in {part}; each class may be in one part, once \
                                 (for the same classes everywhere write `classes: shared`)"
                            ));
                        }
                    }
                }
                Ok(disjoint(parts))
            }
            Self::Drawn { sizes: [train, validation, test], seed } => {
                let wanted = train.saturating_add(*validation).saturating_add(*test);
                if wanted > classes {
                    return Err(format!(
                        "split asks for {train} + {validation} + {test} = {wanted} classes, but the data set has {classes}"
                    ));
                }
                let order = dealt(*seed);
                let (a, b) = (*train, train + validation);
                let part = |from: usize, to: usize| sorted(order[from..to].to_vec());
                Ok(disjoint([part(0, a), part(a, b), part(b, wanted)]))
            }
            Self::Folds { folds, seed } => {
                if *folds < 3 || *folds > classes {
                    return Err(format!(
                        "folds must be 3 (train, validation and test need one each) to {classes} (the data set's classes), \
                         not {folds}"
                    ));
                }
                let order = dealt(*seed);
                let next = (fold + 1) % folds;
                let part = |wanted: &dyn Fn(usize) -> bool| {
                    let dealt = order.iter().enumerate().filter(|(place, _)| wanted(place % folds));
                    sorted(dealt.map(|(_, &class)| class).collect())
                };
                Ok(disjoint([part(&|f| f != fold && f != next), part(&|f| f == next), part(&|f| f == fold)]))
            }
            Self::Shared => {
                let all: Vec<usize> = (0..classes).collect();
                Ok(Parts { classes: [all.clone(), all.clone(), all], shared: true })
            }
        }
    }
}

/// The classes of the three parts as they are recorded: each by its number and its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedParts {
    /// Meta-train.
    pub train: Vec<(usize, String)>,
    /// Meta-validation.
    pub validation: Vec<(usize, String)>,
    /// Meta-test.
    pub test: Vec<(usize, String)>,
}

impl Parts {
    /// With the names of the data set's classes.
    pub fn named(&self, names: &[String]) -> NamedParts {
        let [train, validation, test] = self.classes.each_ref().map(|classes| {
            classes.iter().map(|&class| (class, names.get(class).cloned().unwrap_or_default())).collect()
        });
        NamedParts { train, validation, test }
    }

    /// All of so many classes, with all their images, for meta-test alone.
    pub fn all_test(classes: usize) -> Self {
        Self { classes: [vec![], vec![], (0..classes).collect()], shared: false }
    }

    /// These classes for meta-test and none for anything else; their images are those that meta-test has here.
    pub fn only_test(&self, classes: Vec<usize>) -> Self {
        Self { classes: [vec![], vec![], classes], shared: self.shared }
    }

    /// Whether images of this class that meta-test has are trained on too.
    pub fn trains_on(&self, class: usize) -> bool {
        !self.shared && self.classes[Part::Train as usize].contains(&class)
    }

    /// The image numbers of each class of a part.
    ///
    /// Parts with classes of their own use all images. Where classes are shared, meta-test has the data set's test images,
    /// meta-validation the last sixth of each class's training images and meta-train the others.
    pub fn images(&self, part: Part, data: &Dataset) -> Vec<Vec<usize>> {
        let mut of_class = vec![Vec::new(); data.classes.len()];
        for (image, &label) in data.labels.iter().enumerate() {
            of_class[usize::from(label)].push(image);
        }
        let wanted = &self.classes[part as usize];
        let images = wanted.iter().map(|&class| std::mem::take(&mut of_class[class]));
        if !self.shared {
            return images.collect();
        }
        images
            .map(|images| {
                let training = images.partition_point(|&image| image < data.training);
                let validation = training - training / 6;
                match part {
                    Part::Train => images[..validation].to_vec(),
                    Part::Validation => images[validation..training].to_vec(),
                    Part::Test => images[training..].to_vec(),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(classes: usize) -> Vec<String> {
        (0..classes).map(|class| class.to_string()).collect()
    }

    fn all(split: &ClassSplit, classes: usize) -> Vec<Parts> {
        (0..split.folds()).map(|f| split.parts(f, &names(classes)).expect("fits")).collect()
    }

    #[test]
    fn folds_hold_every_class_out_exactly_once() {
        for folds in [3, 4, 5, 10] {
            let split = ClassSplit::Folds { folds, seed: 1 };
            let mut tested: Vec<usize> = Vec::new();
            for parts in all(&split, 10) {
                tested.extend(&parts.classes[2]);
                let mut every: Vec<usize> = parts.classes.concat();
                every.sort_unstable();
                assert_eq!(every, (0..10).collect::<Vec<_>>(), "each fold uses each class once");
            }
            tested.sort_unstable();
            assert_eq!(tested, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_drawn_split_is_disjoint_and_depends_on_its_seed() {
        let split = |seed| ClassSplit::Drawn { sizes: [5, 2, 3], seed };
        let parts = split(0).parts(0, &names(10)).expect("fits");
        assert_eq!(parts.classes.each_ref().map(Vec::len), [5, 2, 3]);
        let mut every = parts.classes.concat();
        every.sort_unstable();
        assert_eq!(every, (0..10).collect::<Vec<_>>());
        assert_eq!(parts, split(0).parts(0, &names(10)).expect("fits"));
        assert_ne!(parts, split(1).parts(0, &names(10)).expect("fits"));
    }

    #[test]
    fn overlaps_and_misfits_are_named() {
        let lists = |test| ClassSplit::Lists { train: vec![0, 1], validation: vec![2], test };
        assert!(
            lists(vec![1])
                .parts(0, &names(10))
                .expect_err("overlap")
                .contains("class 1 is in train and in test")
        );
        assert!(lists(vec![10]).parts(0, &names(10)).expect_err("unknown").contains("class 10"));
        let drawn = ClassSplit::Drawn { sizes: [8, 2, 3], seed: 0 };
        assert!(drawn.parts(0, &names(10)).expect_err("too many").contains("= 13 classes"));
        assert!(ClassSplit::Folds { folds: 2, seed: 0 }.parts(0, &names(10)).is_err());
    }

    #[test]
    fn shared_classes_have_images_of_their_own_in_each_part() {
        let data = Dataset {
            name: "toy".into(),
            height: 1,
            width: 1,
            pixels: Default::default(),
            labels: (0..28).map(|i| i % 2).collect(),
            classes: vec!["a".into(), "b".into()],
            training: 24,
        };
        let parts = ClassSplit::Shared.parts(0, &names(2)).expect("fits");
        let images = |part| parts.images(part, &data).concat();
        assert_eq!(images(Part::Train).len(), 20);
        assert_eq!(images(Part::Validation), [20, 22, 21, 23]);
        assert_eq!(images(Part::Test), [24, 26, 25, 27]);
    }
}
