//! A learned initialisation, adapted to one's own images.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tch::{Kind, Tensor};

use super::{
    Learned,
    pictures::{Class, classes, queries},
};
use crate::{
    data::{Dataset, Source, image},
    experiment::{material::Material, plan::Run, start::learner, workplace::Machine},
    misuse::misuse,
    random::{Purpose, stream},
    tasks::{Episode, Extent, few_shot::ImageBank},
};

/// One task of one's own.
pub struct OwnTask<'a> {
    /// A folder for each class, with the images to adapt to.
    pub support: &'a Path,
    /// The images to classify.
    pub query: &'a Path,
    /// Adaptation steps; those that did best on the run's validation tasks unless given.
    pub steps: Option<usize>,
    /// Whether black and white change places.
    pub invert: bool,
}

/// How an image was classified: a line of the CSV file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Its file.
    pub image: String,
    /// Its class, where its folder tells.
    pub class: Option<String>,
    /// The class that it was taken for.
    pub predicted: String,
    /// The probability of that class by the network, 0 to 1.
    pub probability: f64,
}

/// What came of a task.
pub struct Adapted {
    /// Every query, in the order of the files.
    pub predictions: Vec<Prediction>,
    /// Adaptation steps that were taken.
    pub steps: usize,
    /// What is to be said about the images.
    pub warnings: Vec<String>,
}

impl Adapted {
    /// Of the queries whose class is known, how many were right and how many there are.
    pub fn hits(&self) -> (usize, usize) {
        let known = self.predictions.iter().filter(|p| p.class.is_some());
        (known.clone().filter(|p| p.class.as_ref() == Some(&p.predicted)).count(), known.count())
    }
}

/// Adapts a run's initialisation to the support images and classifies the queries.
///
/// # Errors
/// The folders do not hold such a task, the data set of the run cannot be had, or memory is short.
pub fn adapt(learned: &Learned, task: &OwnTask, source: &Source, machine: &Machine) -> Result<Adapted> {
    let experiment = &learned.experiment;
    let run = learned.few_shot_run(experiment)?;
    let material = Material::load(experiment, source, machine.device)?;
    let Some(like) = material.tasks.images() else {
        misuse!(
            "{} learned tasks of {}, but one's own tasks can only be of images",
            learned.folder.display(),
            experiment.task.name()
        )
    };
    let support = classes(task.support)?;
    let interface = material.tasks.interface();
    let ways = interface.outputs;
    if support.len() != ways {
        let names: Vec<&str> = support.iter().map(|class| class.name.as_str()).collect();
        misuse!(
            "{} has {} classes ({}), but this run learned tasks of {ways} (task.ways): give it {ways} class folders, or train \
             one with task.ways={}",
            task.support.display(),
            support.len(),
            names.join(", "),
            support.len()
        );
    }
    let queries = queries(task.query, &support)?;
    let files: Vec<&PathBuf> =
        support.iter().flat_map(|class| &class.files).chain(queries.iter().map(|(file, _)| file)).collect();
    let (images, warnings) = read(&files, like, task.invert)?;

    let learner = learner(&material, &run, machine.budget);
    let theta = learner.checkpoint(&learner.init(&mut stream(run.seed, Purpose::Init, 0)));
    let theta = learned.initialisation(&theta, machine.device)?;
    let rows = files.len() - queries.len();
    let extent = Extent { support: rows, queries: queries.len(), inputs: interface.inputs };
    let split = machine.split.within(machine.budget, learner.testing_bytes(extent))?;
    let labels = support.iter().enumerate().flat_map(|(label, class)| vec![label as i64; class.files.len()]);
    let labels: Vec<i64> = labels.chain(queries.iter().map(|_| 0)).collect(); // those of queries are not looked at
    // One task: x [1, S+Q, D], y [1, S+Q].
    let episode = Episode {
        x: ImageBank::new(&images, machine.device).gather(&(0..files.len()).collect::<Vec<_>>()).unsqueeze(0),
        y: Tensor::from_slice(&labels).to_device(machine.device).unsqueeze(0),
        weight: None,
        support: rows as i64,
    };
    let steps = task.steps.map_or_else(|| default_steps(learned, &run, rows.div_ceil(ways)), Ok)?;
    tch::set_num_threads(split.threads() as i32); // a single task
    let answers = learner.predict(&theta, &episode, &[steps], run.draws());
    let logits = answers.first().context("the method predicts nothing")?.outputs.squeeze_dim(0); // [Q, N]
    let predictions = predictions(&logits, &support, &queries)?;
    Ok(Adapted { predictions, steps, warnings })
}

/// The steps that did best in the run's validation with the number of shots that is nearest, else the most that it was tested with.
fn default_steps(learned: &Learned, run: &Run, shots: usize) -> Result<usize> {
    let chosen = learned.chosen_steps()?;
    let nearest = chosen.into_iter().min_by_key(|(tested, _)| tested.abs_diff(shots)).map(|(_, step)| step);
    let last = run.steps.last().copied();
    nearest.or(last).with_context(|| format!("{} was tested with no number of steps", run.folder))
}

/// The images as a data set like that of the run, and what is to be said about them.
fn read(files: &[&PathBuf], like: &Dataset, invert: bool) -> Result<(Dataset, Vec<String>)> {
    let (height, width) = (like.height, like.width);
    let (mut pixels, mut stretched) = (Vec::with_capacity(files.len() * height * width), Vec::new());
    for file in files {
        let image = image::read(file, height, width)?;
        pixels.extend(image.pixels);
        if image.stretched {
            stretched.push(file);
        }
    }
    if invert {
        pixels.iter_mut().for_each(|grey| *grey = 255 - *grey);
    }
    let mut warnings = Vec::new();
    if let Some(first) = stretched.first() {
        warnings.push(format!(
            "{} of {} images have another shape than {width} x {height} and were stretched to it, {} for one",
            stretched.len(),
            files.len(),
            first.display()
        ));
    }
    let (ours, theirs) = (mean(&pixels), mean(&like.pixels));
    if (1.0 - ours - theirs).abs() < (ours - theirs).abs() {
        let remedy = if invert { "leave --invert out" } else { "if so, add --invert" };
        warnings.push(format!(
            "the images look inverted: their mean grey value is {ours:.2} (0 black, 1 white), that of {} is {theirs:.2}; {remedy}",
            like.name
        ));
    }
    let dataset = Dataset {
        name: "images".into(),
        pixels: Arc::new(pixels),
        labels: Vec::new(),
        classes: Vec::new(),
        groups: Vec::new(),
        training: 0,
        ..*like
    };
    Ok((dataset, warnings))
}

/// Mean grey value, 0 to 1.
fn mean(pixels: &[u8]) -> f64 {
    pixels.iter().map(|&grey| u64::from(grey)).sum::<u64>() as f64 / 255.0 / pixels.len().max(1) as f64
}

/// The likeliest class of each query by logits `[Q, N]`.
fn predictions(
    logits: &Tensor,
    support: &[Class],
    queries: &[(PathBuf, Option<usize>)],
) -> Result<Vec<Prediction>> {
    let (probability, class) = logits.softmax(-1, Kind::Double).max_dim(-1, false);
    let probability = Vec::<f64>::try_from(probability)?;
    if probability.iter().any(|p| !p.is_finite()) {
        bail!("the weights became NaN or infinite while adapting: take fewer --steps");
    }
    let name = |class: usize| support.get(class).map(|class| class.name.clone());
    let mut predictions = Vec::new();
    for (((file, class), predicted), probability) in
        queries.iter().zip(Vec::<i64>::try_from(class)?).zip(probability)
    {
        predictions.push(Prediction {
            image: file.display().to_string(),
            class: class.and_then(name),
            predicted: name(predicted as usize).context("a class that is not there")?,
            probability,
        });
    }
    Ok(predictions)
}
