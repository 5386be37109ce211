//! Few-shot tasks with their images.

use anyhow::Result;
use serde_json::{Value, json};
use tch::Device;

use super::{
    AllClasses, Datasets, FewShot, FewShotSpec, ImageBank, TaskSize, check,
    class_split::{NamedClasses, Parts, listed},
    classes::Classes,
    example, whole_dataset,
};
use crate::{
    data::{self, Dataset, DatasetSpec},
    loss::CrossEntropy,
    misuse::misuse,
    tasks::{
        Extent, Family, FreezableSource, Interface, TaskSource,
        example::Example,
        family::{Asks, Part, Pool, Retest, Show, Tasks, Whole},
    },
};

/// In the order in which data sets, classes and parts are kept.
const PARTS: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

/// Data sets, divided for every fold.
pub struct Images {
    task: FewShotSpec,
    /// Each data set once.
    sets: Vec<Set>,
    /// The place among them of that of each part.
    of_part: [usize; 3],
    folds: Vec<Parts>,
}

/// A data set, ready to be drawn from.
struct Set {
    dataset: Dataset,
    /// The images, to be drawn onto the device.
    bank: ImageBank,
    /// SHA-256 of images and labels.
    digest: Vec<u8>,
}

impl Set {
    fn load(spec: &DatasetSpec, source: &data::Source, device: Device) -> Result<Self> {
        let dataset = spec.load(source)?;
        Ok(Self { bank: ImageBank::new(&dataset, device), digest: dataset.digest(), dataset })
    }
}

impl Images {
    /// Loads the data sets, fetching them on first use, and checks that they have enough.
    ///
    /// # Errors
    /// The data cannot be had or read; a `Misuse` where they hold less than is asked for.
    pub fn load(task: &FewShotSpec, asks: &Asks, source: &data::Source, device: Device) -> Result<Self> {
        let mut images = Self::read(task, source, device)?;
        let task = images.task.clone(); // whose classes were read
        if let Some((keys, message)) = check::problems(&task, asks, &images.classes()).first() {
            misuse!("task.{}: {message}", keys.join("."));
        }
        for fold in 0..task.classes.0.folds() {
            images.folds.push(images.parts_of(fold)?);
        }
        images.check(asks)?;
        Ok(images)
    }

    /// Loads the data sets for a test on fold `fold`; a warning if the run was trained on some of the test classes.
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
        let mut task = task.clone();
        if let Some(other) = &retest.dataset {
            task.dataset = Datasets::One(other.clone());
        }
        let mut images = Self::read(&task, source, device)?;
        let (dataset, ways) = (images.data(Part::Test), task.ways);
        let names = &dataset.classes;
        let of_run = match &retest.dataset {
            Some(_) => Parts::all_test(names.len()),
            None => images.parts_of(fold)?,
        };
        let classes = match &retest.classes {
            Some(wanted) => numbers(wanted, dataset)?,
            None => of_run.classes[Part::Test as usize].clone(),
        };
        if classes.len() < ways {
            misuse!(
                "the run's tasks have {ways} classes, but there are only {} to draw them from: give more --classes",
                classes.len()
            );
        }
        let same_set = images.of_part[Part::Train as usize] == images.of_part[Part::Test as usize];
        let trained = classes.iter().filter(|class| same_set && of_run.trains_on(**class));
        let trained: Vec<&str> = trained.map(|class| names[*class].as_str()).collect();
        let warning = (!trained.is_empty())
            .then(|| format!("the run was trained on images of these classes: {}", trained.join(", ")));
        images.folds = vec![of_run.only_test(classes); fold + 1];
        images.check(asks)?;
        Ok((images, warning))
    }

    /// Loads each data set once; nothing is divided yet.
    fn read(task: &FewShotSpec, source: &data::Source, device: Device) -> Result<Self> {
        let (specs, first) = (task.dataset.of_parts(), task.dataset.sets());
        let (mut sets, mut of_part) = (Vec::<Set>::new(), [0; 3]);
        for part in 0..3 {
            if first[part] < part {
                of_part[part] = of_part[first[part]];
                continue;
            }
            of_part[part] = sets.len();
            sets.push(Set::load(specs[part], source, device)?);
            let [one, other] = [&sets[0], &sets[of_part[part]]].map(|set| &set.dataset);
            let size = |data: &Dataset| format!("{} x {}", data.height, data.width);
            if size(one) != size(other) {
                misuse!(
                    "task.dataset: the images of {} are {}, but those of {} are {}: all parts need images of one size",
                    one.name,
                    size(one),
                    other.name,
                    size(other)
                );
            }
        }
        let classes = Classes(task.classes.0.read(source)?);
        Ok(Self { task: FewShotSpec { classes, ..task.clone() }, sets, of_part, folds: Vec::new() })
    }

    fn parts_of(&self, fold: usize) -> Result<Parts> {
        match self.task.classes.0.parts(fold, &self.classes()) {
            Ok(parts) => Ok(parts),
            Err(message) => misuse!("task.classes: {message}"),
        }
    }

    fn check(&self, asks: &Asks) -> Result<()> {
        let data = PARTS.map(|part| self.data(part));
        let problem = |parts| check::too_few_images(&self.task, asks, parts, data);
        match self.folds.iter().find_map(problem) {
            Some(message) => misuse!("{message}"),
            None => Ok(()),
        }
    }

    fn set(&self, part: Part) -> &Set {
        &self.sets[self.of_part[part as usize]]
    }

    /// The data set of a part.
    pub(super) fn data(&self, part: Part) -> &Dataset {
        &self.set(part).dataset
    }

    /// The classes that each part is chosen from.
    fn classes(&self) -> [NamedClasses<'_>; 3] {
        PARTS.map(|part| {
            let Dataset { classes, groups, .. } = self.data(part);
            NamedClasses { set: self.of_part[part as usize], names: classes, groups }
        })
    }

    /// Episodes of a part, whether or not it has enough classes.
    pub(super) fn episodes(&self, fold: usize, part: Part, size: TaskSize, seed: u64) -> FewShot {
        let Set { dataset, bank, digest } = self.set(part);
        let pools = self.folds[fold].images(part, dataset);
        let source = FewShot::new(bank.clone(), pools, size, seed, part.purpose()).of_digest(digest);
        match part {
            Part::Train => source.augmented(&self.task.augment),
            Part::Validation | Part::Test => source,
        }
    }
}

impl Tasks for Images {
    fn interface(&self) -> Interface {
        let (inputs, outputs) = (self.set(Part::Test).bank.inputs(), self.task.ways);
        Interface {
            inputs,
            outputs,
            items: 0,
            bins: None,
            loss: &CrossEntropy,
            measures: self.task.measures(),
        }
    }

    fn extent(&self, part: Part, shots: usize) -> Extent {
        self.task.size(part, shots).extent(self.set(part).bank.inputs())
    }

    fn source(&self, fold: usize, part: Part, shots: usize, seed: u64) -> Option<Box<dyn FreezableSource>> {
        let (size, turns) = (self.task.size(part, shots), self.task.augment.turns());
        let turns = if part == Part::Train { turns } else { 1 };
        let enough = self.folds[fold].classes[part as usize].len() * turns >= size.ways;
        enough.then(|| Box::new(self.episodes(fold, part, size, seed)) as Box<dyn FreezableSource>)
    }

    fn pooled(&self, fold: usize, pool: Pool, shots: usize, seed: u64) -> Box<dyn TaskSource> {
        let mut size = self.task.size(Part::Train, shots);
        if pool == Pool::Support {
            size.queries = 0;
        }
        Box::new(AllClasses(self.episodes(fold, Part::Train, size, seed)))
    }

    /// An output for each meta-training class, turned ones included.
    fn pooled_outputs(&self, fold: usize) -> Option<usize> {
        Some(self.folds[fold].classes[Part::Train as usize].len() * self.task.augment.turns())
    }

    /// That of the test part.
    fn whole(&self) -> Option<Whole<'_>> {
        let Set { dataset, bank, .. } = self.set(Part::Test);
        let classes = dataset.classes.len();
        Some(Whole {
            outputs: classes,
            shots: dataset.training / classes.max(1),
            episode: Box::new(|| whole_dataset(dataset, bank)),
        })
    }

    fn images(&self) -> Option<&Dataset> {
        Some(self.data(Part::Test))
    }

    fn parts(&self, fold: usize) -> Value {
        json!(self.folds[fold].named(&self.classes()))
    }

    fn example(&self, show: &Show) -> Example {
        let size = self.task.size(Part::Test, show.largest_shots);
        example::of(self.data(Part::Test), &self.episodes(show.fold, Part::Test, size, show.seed), show)
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
                listed(names)
            ),
        }
    }
    Ok(classes)
}
