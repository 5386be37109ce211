//! Few-shot tasks with their images.

use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tch::Device;

use super::{
    AllClasses, FewShot, FewShotSpec, ImageBank, TaskSize, check, class_split::Parts, example, whole_dataset,
};
use crate::{
    data::{self, Dataset},
    loss::CrossEntropy,
    misuse::misuse,
    tasks::{
        Extent, Family, FreezableSource, Interface, TaskSource,
        example::Example,
        family::{Asks, Part, Pool, Retest, Show, Tasks, Whole},
    },
};

/// A data set, divided for every fold.
pub struct Images {
    task: FewShotSpec,
    pub(super) dataset: Dataset,
    /// The images, to be drawn onto the device.
    bank: ImageBank,
    /// SHA-256 of images and labels.
    digest: Vec<u8>,
    folds: Vec<Parts>,
}

impl Images {
    /// Loads the data set, fetching it on first use, and checks that it has enough.
    ///
    /// # Errors
    /// The data cannot be had or read; a `Misuse` where they hold less than is asked for.
    pub fn load(task: &FewShotSpec, asks: &Asks, source: &data::Source, device: Device) -> Result<Self> {
        let dataset = task.dataset.load(source)?;
        if let Some((keys, message)) = check::problems(task, asks, &dataset.classes).first() {
            misuse!("task.{}: {message}", keys.join("."));
        }
        let split = &task.classes.0;
        let parts = (0..split.folds()).map(|fold| parts(task, fold, &dataset)).collect::<Result<_>>()?;
        Self::with_parts(task, asks, dataset, parts, device)
    }

    /// Loads the data set for a test on fold `fold`; a warning if the run was trained on some of the test classes.
    ///
    /// Of another data set all classes are new to the run.
    ///
    /// # Errors
    /// The data cannot be had or read; a `Misuse` where they have no such tasks.
    pub fn load_for_retest(
        task: &FewShotSpec,
        fold: usize,
        retest: &Retest,
        asks: &Asks,
        source: &data::Source,
        device: Device,
    ) -> Result<(Self, Option<String>)> {
        let dataset = retest.dataset.as_ref().unwrap_or(&task.dataset).load(source)?;
        let names = &dataset.classes;
        let of_run = match &retest.dataset {
            Some(_) => Parts::all_test(names.len()),
            None => parts(task, fold, &dataset)?,
        };
        let classes = match &retest.classes {
            Some(wanted) => numbers(wanted, &dataset)?,
            None => of_run.classes[Part::Test as usize].clone(),
        };
        if classes.len() < task.ways {
            misuse!(
                "the run's tasks have {} classes, but there are only {} to draw them from: give more --classes",
                task.ways,
                classes.len()
            );
        }
        let trained: Vec<&str> = classes
            .iter()
            .filter(|class| of_run.trains_on(**class))
            .map(|class| names[*class].as_str())
            .collect();
        let warning = (!trained.is_empty())
            .then(|| format!("the run was trained on images of these classes: {}", trained.join(", ")));
        let folds = vec![of_run.only_test(classes); fold + 1];
        Ok((Self::with_parts(task, asks, dataset, folds, device)?, warning))
    }

    fn with_parts(
        task: &FewShotSpec,
        asks: &Asks,
        dataset: Dataset,
        folds: Vec<Parts>,
        device: Device,
    ) -> Result<Self> {
        for parts in &folds {
            if let Some(message) = check::too_few_images(task, asks, parts, &dataset) {
                misuse!("{message}");
            }
        }
        let mut digest = Sha256::new();
        digest.update(&*dataset.pixels);
        digest.update(&dataset.labels);
        let bank = ImageBank::new(&dataset, device);
        Ok(Self { task: task.clone(), digest: digest.finalize().to_vec(), bank, dataset, folds })
    }

    fn size(&self, shots: usize) -> TaskSize {
        TaskSize { ways: self.task.ways, shots, queries: self.task.queries }
    }

    /// Episodes of a part, whether or not it has enough classes.
    pub(super) fn episodes(&self, fold: usize, part: Part, size: TaskSize, seed: u64) -> FewShot {
        let pools = self.folds[fold].images(part, &self.dataset);
        let source =
            FewShot::new(self.bank.clone(), pools, size, seed, part.purpose()).of_digest(&self.digest);
        match part {
            Part::Train => source.augmented(&self.task.augment),
            Part::Validation | Part::Test => source,
        }
    }
}

impl Tasks for Images {
    fn interface(&self) -> Interface {
        let (inputs, outputs) = (self.bank.inputs(), self.task.ways);
        Interface { inputs, outputs, loss: &CrossEntropy, measures: self.task.measures() }
    }

    fn extent(&self, _part: Part, shots: usize) -> Extent {
        self.size(shots).extent(self.bank.inputs())
    }

    fn source(&self, fold: usize, part: Part, shots: usize, seed: u64) -> Option<Box<dyn FreezableSource>> {
        let turns = if part == Part::Train { self.task.augment.turns() } else { 1 };
        let enough = self.folds[fold].classes[part as usize].len() * turns >= self.task.ways;
        enough
            .then(|| Box::new(self.episodes(fold, part, self.size(shots), seed)) as Box<dyn FreezableSource>)
    }

    fn pooled(&self, fold: usize, pool: Pool, shots: usize, seed: u64) -> Box<dyn TaskSource> {
        let mut size = self.size(shots);
        if pool == Pool::Support {
            size.queries = 0;
        }
        Box::new(AllClasses(self.episodes(fold, Part::Train, size, seed)))
    }

    /// An output for each meta-training class, turned ones included.
    fn pooled_outputs(&self, fold: usize) -> Option<usize> {
        Some(self.folds[fold].classes[Part::Train as usize].len() * self.task.augment.turns())
    }

    fn whole(&self) -> Option<Whole<'_>> {
        let classes = self.dataset.classes.len();
        Some(Whole {
            outputs: classes,
            shots: self.dataset.training / classes.max(1),
            episode: Box::new(|| whole_dataset(&self.dataset, &self.bank)),
        })
    }

    fn images(&self) -> Option<&Dataset> {
        Some(&self.dataset)
    }

    fn parts(&self, fold: usize) -> Value {
        json!(self.folds[fold].named(&self.dataset.classes))
    }

    fn example(&self, show: &Show) -> Example {
        example::of(
            self,
            &self.episodes(show.fold, Part::Test, self.size(show.largest_shots), show.seed),
            show,
        )
    }
}

fn parts(task: &FewShotSpec, fold: usize, dataset: &Dataset) -> Result<Parts> {
    match task.classes.0.parts(fold, &dataset.classes) {
        Ok(parts) => Ok(parts),
        Err(message) => misuse!("task.classes: {message}"),
    }
}

/// The numbers of classes that `--classes` names.
fn numbers(wanted: &[String], dataset: &Dataset) -> Result<Vec<usize>> {
    let names = &dataset.classes;
    let mut classes = Vec::new();
    for name in wanted {
        match names.iter().position(|known| known == name) {
            Some(class) if classes.contains(&class) => misuse!("--classes: {name} stands there twice"),
            Some(class) => classes.push(class),
            None => misuse!(
                "--classes: there is no class {name} in {}; there are {}",
                dataset.name,
                names.join(", ")
            ),
        }
    }
    Ok(classes)
}
