//! What the runs of an experiment are made of: data, class splits and frozen episodes.

use anyhow::Result;
use sha2::{Digest, Sha256};
use tch::Device;

use super::{
    check,
    dataset::DatasetSpec,
    spec::{Experiment, Task},
};
use crate::{
    data::{self, Dataset, Source},
    misuse::misuse,
    random::Purpose,
    tasks::{
        Interface,
        class_split::{NamedParts, Part, Parts},
        few_shot::{FewShot, ImageBank, TaskSize},
        frozen::FrozenEpisodes,
    },
};

/// The data of an experiment.
pub struct Material<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    /// Its data set.
    pub dataset: Dataset,
    /// The images, to be drawn onto the device.
    pub bank: ImageBank,
    /// SHA-256 of images and labels.
    digest: Vec<u8>,
}

/// The class split of one fold, with its test episodes.
pub struct Fold {
    number: usize,
    /// The split.
    pub parts: Parts,
    /// The same with the names of classes, to be recorded.
    pub classes: NamedParts,
    /// The frozen test episodes.
    pub test: FrozenEpisodes,
    /// Their hash.
    pub hash: String,
}

impl Fold {
    /// Number of meta-training classes, turned ones included.
    pub fn training_classes(&self, task: &Task) -> usize {
        self.parts.classes[Part::Train as usize].len() * task.augment.turns()
    }
}

impl<'a> Material<'a> {
    /// Loads the data set, fetching it on first use, and checks that the experiment fits it.
    ///
    /// # Errors
    /// The data cannot be had or read; a `Misuse` where the experiment asks for more than they hold.
    pub fn load(experiment: &'a Experiment, source: &Source, device: Device) -> Result<Self> {
        let material = Self::read(experiment, source, device)?;
        if let Some((keys, message)) = check::problems(experiment, Some(&material.dataset.classes)).first() {
            misuse!("{}: {message}", keys.join("."));
        }
        Ok(material)
    }

    /// Loads the data set, fetching it on first use, whether or not it has the classes to train on.
    ///
    /// # Errors
    /// The data cannot be had or read.
    pub fn read(experiment: &'a Experiment, source: &Source, device: Device) -> Result<Self> {
        let dataset = match &experiment.task.dataset {
            DatasetSpec::Named(name) => match data::find(name) {
                Some(entry) => entry.load(source)?,
                None => misuse!("there is no data set {name}"),
            },
            DatasetSpec::Folder { idx } => data::idx_folder(idx, source)?,
        };
        let mut digest = Sha256::new();
        digest.update(&*dataset.pixels);
        digest.update(&dataset.labels);
        let bank = ImageBank::new(&dataset, device);
        Ok(Self { experiment, bank, digest: digest.finalize().to_vec(), dataset })
    }

    /// What a network must know of the tasks.
    pub fn interface(&self) -> Interface {
        let Task { ways, shots, queries, .. } = self.experiment.task;
        TaskSize { ways, shots, queries }.interface(self.bank.inputs())
    }

    /// Every fold of the class split with its test episodes.
    ///
    /// # Errors
    /// Classes with too few images.
    pub fn folds(&self) -> Result<Vec<Fold>> {
        (0..self.experiment.task.classes.0.folds()).map(|number| self.fold(number)).collect()
    }

    fn fold(&self, number: usize) -> Result<Fold> {
        let split = &self.experiment.task.classes.0;
        let parts = match split.parts(number, &self.dataset.classes) {
            Ok(parts) => parts,
            Err(message) => misuse!("task.classes: {message}"),
        };
        self.fold_of(number, parts)
    }

    /// A fold with these parts, and its test episodes.
    ///
    /// # Errors
    /// Classes with too few images.
    pub fn fold_of(&self, number: usize, parts: Parts) -> Result<Fold> {
        if let Some(message) = check::too_few_images(self.experiment, &parts, &self.dataset) {
            misuse!("{message}");
        }
        let test = self.frozen(&parts, Part::Test, self.experiment.evaluate.episodes, number);
        let classes = parts.named(&self.dataset.classes);
        Ok(Fold { number, hash: test.hash(&self.digest), parts, classes, test })
    }

    /// So many frozen validation episodes; `None` where there are too few validation classes for any.
    pub fn validation(&self, fold: &Fold, episodes: usize) -> Option<FrozenEpisodes> {
        let enough = fold.parts.classes[Part::Validation as usize].len() >= self.experiment.task.ways;
        enough.then(|| self.frozen(&fold.parts, Part::Validation, episodes, fold.number))
    }

    /// Refuses an experiment that is to be judged by validation tasks and has none.
    ///
    /// # Errors
    /// A `Misuse` that says what it lacks.
    pub fn require_validation(&self, folds: &[Fold]) -> Result<()> {
        if folds.iter().any(|fold| self.validation(fold, 1).is_none()) {
            misuse!(
                "there are no validation classes to judge by: set task.classes so that there are at least task.ways of them"
            );
        }
        Ok(())
    }

    /// Meta-training episodes of a run, with so many shots.
    pub fn training(&self, fold: &Fold, shots: usize, seed: u64) -> FewShot {
        let task = &self.experiment.task;
        let size = TaskSize { ways: task.ways, shots, queries: task.queries };
        let pools = fold.parts.images(Part::Train, &self.dataset);
        FewShot::new(self.bank.clone(), pools, size, seed, Purpose::Train).augmented(&task.augment)
    }

    fn frozen(&self, parts: &Parts, part: Part, count: usize, fold: usize) -> FrozenEpisodes {
        let task = &self.experiment.task;
        let size =
            TaskSize { ways: task.ways, shots: self.experiment.largest_shots(), queries: task.queries };
        let purpose = if part == Part::Validation { Purpose::Validation } else { Purpose::Test };
        let seed = self.experiment.evaluate.seed;
        let pools = parts.images(part, &self.dataset);
        let source = FewShot::new(self.bank.clone(), pools, size, seed, purpose);
        FrozenEpisodes::draw(source, count, seed, purpose, fold)
    }
}
