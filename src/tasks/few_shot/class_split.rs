//! Which classes, or which of their images, are for meta-training, meta-validation and meta-test.

use std::collections::BTreeMap;

use anyhow::Result;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::class_list::ClassList;
use crate::{
    data::{Dataset, Source},
    random::{Purpose, stream},
    tasks::family::Part,
};

/// How the classes of a data set are divided, as the experiment file says it.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassSplit {
    /// Named classes for meta-train, meta-validation and meta-test.
    Lists([Vec<String>; 3]),
    /// The classes of named groups for each of them.
    Groups([Vec<String>; 3]),
    /// The classes of a list for each of them, which is to be read first.
    Listed(ClassList),
    /// So many classes for each of them, drawn by a seed of its own.
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

/// What the parts are called.
const PARTS: [&str; 3] = ["train", "validation", "test"];

/// The classes that a part is chosen from.
#[derive(Clone, Copy, Debug)]
pub struct NamedClasses<'a> {
    /// Tells its data set from those of other parts.
    pub set: usize,
    /// The classes' names.
    pub names: &'a [String],
    /// The classes' groups; empty where they have none.
    pub groups: &'a [String],
}

/// The classes of the three parts in one fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Class numbers of meta-train, meta-validation and meta-test, each in the data set of its part.
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

    /// The same, with the classes of a list by their names.
    ///
    /// # Errors
    /// A `Misuse`: the list cannot be read.
    pub fn read(&self, source: &Source) -> Result<Self> {
        match self {
            Self::Listed(list) => Ok(Self::Lists(list.read(source)?)),
            other => Ok(other.clone()),
        }
    }

    /// The parts of one fold, each of its own classes.
    ///
    /// # Errors
    /// What is wrong, for a user, when the split does not fit the classes or its parts overlap.
    pub fn parts(&self, fold: usize, of: &[NamedClasses; 3]) -> Result<Parts, String> {
        let classes = match self {
            Self::Lists(lists) => {
                let number = |part: usize, class: &String| {
                    let number = of[part].names.iter().position(|name| name == class);
                    number.map(|number| vec![number]).ok_or_else(|| {
                        let (part, known) = (PARTS[part], listed(of[part].names));
                        format!("{part} names class {class}, but the data set's classes are {known}")
                    })
                };
                apart(of, lists, number)?
            }
            Self::Groups(lists) => {
                let members = |part: usize, group: &String| {
                    let NamedClasses { groups, .. } = of[part];
                    let members = groups.iter().enumerate().filter(|(_, of)| *of == group);
                    let members: Vec<usize> = members.map(|(class, _)| class).collect();
                    if members.is_empty() {
                        return Err(no_group(PARTS[part], group, groups));
                    }
                    Ok(members)
                };
                apart(of, lists, members)?
            }
            Self::Listed(_) => return Err("the list of classes was not read".into()), // see `ClassSplit::read`
            Self::Drawn { sizes, seed } => drawn(of, *sizes, *seed)?,
            Self::Folds { folds, seed } => dealt_into(of, *folds, *seed, fold)?,
            Self::Shared => of.map(|classes| (0..classes.names.len()).collect()),
        };
        Ok(Parts { classes, shared: *self == Self::Shared })
    }
}

/// The classes that the parts name, each thing by `find`; no class of a data set may be named twice.
fn apart(
    of: &[NamedClasses; 3],
    lists: &[Vec<String>; 3],
    find: impl Fn(usize, &String) -> Result<Vec<usize>, String>,
) -> Result<[Vec<usize>; 3], String> {
    let mut owners = BTreeMap::new();
    let mut parts = [const { Vec::new() }; 3];
    for (part, list) in lists.iter().enumerate() {
        for found in list.iter().map(|thing| find(part, thing)) {
            for class in found? {
                if let Some(other) = owners.insert((of[part].set, class), PARTS[part]) {
                    return Err(format!(
                        "class {} is in {other} and in {}; each class may be in one part, once (for the same classes everywhere \
                         write `classes: shared`)",
                        of[part].names[class], PARTS[part]
                    ));
                }
                parts[part].push(class);
            }
        }
    }
    Ok(parts)
}

fn no_group(part: &str, group: &str, groups: &[String]) -> String {
    let mut known = groups.to_vec();
    known.sort_unstable();
    known.dedup();
    match known.is_empty() {
        true => format!(
            "{part} names group {group}, but the data set's classes have no groups: name classes, or give it a classes.csv"
        ),
        false => format!("{part} names group {group}, but the data set's groups are {}", listed(&known)),
    }
}

/// So many classes for each part; parts of one data set have different ones.
fn drawn(of: &[NamedClasses; 3], sizes: [usize; 3], seed: u64) -> Result<[Vec<usize>; 3], String> {
    let mut parts = [const { Vec::new() }; 3];
    for part in 0..3 {
        let NamedClasses { set, names, .. } = of[part];
        let sharing: Vec<usize> = (0..3).filter(|other| of[*other].set == set).collect();
        let wanted = sharing.iter().fold(0usize, |sum, other| sum.saturating_add(sizes[*other]));
        if wanted > names.len() {
            let sum = sharing.iter().map(|other| sizes[*other].to_string()).collect::<Vec<_>>().join(" + ");
            let total = if sharing.len() > 1 { format!(" = {wanted}") } else { String::new() };
            return Err(format!("split asks for {sum}{total} classes, but the data set has {}", names.len()));
        }
        let before: usize = sharing.iter().filter(|other| **other < part).map(|other| sizes[*other]).sum();
        parts[part] = dealt(names.len(), seed)[before..before + sizes[part]].to_vec();
        parts[part].sort_unstable();
    }
    Ok(parts)
}

/// The classes of one of so many folds, of the next, and of the others, for test, validation and training.
fn dealt_into(
    of: &[NamedClasses; 3],
    folds: usize,
    seed: u64,
    fold: usize,
) -> Result<[Vec<usize>; 3], String> {
    let classes = of[0].names.len();
    if of.iter().any(|other| other.set != of[0].set) {
        return Err("folds divide the classes of one data set, but task.dataset names several: write \
                    {split: [10, 0, 5]}, say, for so many classes of each part's own"
            .into());
    }
    if folds < 3 || folds > classes {
        return Err(format!(
            "folds must be 3 (train, validation and test need one each) to {classes} (the data set's classes), not {folds}"
        ));
    }
    let order = dealt(classes, seed);
    let next = (fold + 1) % folds;
    let part = |wanted: &dyn Fn(usize) -> bool| {
        let dealt = order.iter().enumerate().filter(|(place, _)| wanted(place % folds));
        let mut part: Vec<usize> = dealt.map(|(_, &class)| class).collect();
        part.sort_unstable();
        part
    };
    Ok([part(&|f| f != fold && f != next), part(&|f| f == next), part(&|f| f == fold)])
}

/// So many classes in an order that a seed gives.
fn dealt(classes: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..classes).collect();
    order.shuffle(&mut stream(seed, Purpose::Split, 0));
    order
}

/// Names for a message: all of them if they are few.
pub fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    match names.len() {
        ..=MOST => names.join(", "),
        many => format!("{}, ... ({many} in all)", names[..MOST].join(", ")),
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
    /// With the names of the classes.
    pub fn named(&self, of: &[NamedClasses; 3]) -> NamedParts {
        let [train, validation, test] = [0, 1, 2].map(|part| {
            let name = |class: usize| of[part].names.get(class).cloned().unwrap_or_default();
            self.classes[part].iter().map(|&class| (class, name(class))).collect()
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

    /// Whether images of this class that meta-test has are trained on too, if both have the same data set.
    pub fn trains_on(&self, class: usize) -> bool {
        !self.shared && self.classes[Part::Train as usize].contains(&class)
    }

    /// The image numbers of each class of a part, in the data set of that part.
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
mod tests;
