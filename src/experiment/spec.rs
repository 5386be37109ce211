//! The experiment file as its author writes it. What is not said has a default; what is written is checked before anything runs.

use garde::Validate;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    expect::Expected,
    method::Method,
    outer_loop::{Train, Validation},
};
use crate::{
    measures::{self, Measure, Quantity},
    models::{ModelSpec, mlp::Mlp},
    tasks::{TaskSpec, form},
};

/// A whole experiment: every method is trained on the same tasks and tested on the same frozen episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Names the results folder: letters, digits, `-`, `_` and `.`.
    #[garde(custom(folder_name))]
    #[schemars(extend("pattern" = FOLDER_NAME))]
    pub name: String,
    /// What a task is: a family with its settings, or the settings of few-shot classification.
    #[garde(skip)] // see `form::validate`
    #[serde(with = "form")]
    #[schemars(schema_with = "form::schema")]
    pub task: TaskSpec,
    /// The network; `mlp` with two hidden layers of 64 unless said otherwise.
    #[garde(dive)]
    #[serde(default = "default_model")]
    pub model: ModelSpec,
    /// The outer loop.
    #[garde(dive)]
    #[serde(default)]
    pub train: Train,
    /// What is compared, by names of your choice.
    #[garde(custom(method_names))]
    #[schemars(extend("minProperties" = 1, "propertyNames" = {"pattern": FOLDER_NAME}))]
    pub methods: IndexMap<String, Method>,
    /// The test.
    #[garde(dive)]
    #[serde(default)]
    pub evaluate: Evaluate,
    /// Every method runs once with each.
    #[garde(length(min = 1, max = 10_000), custom(distinct))]
    #[serde(default = "default_seeds")]
    pub seeds: Vec<u64>,
    /// Published values by method, measure and number of adaptation steps, to be printed beside what is measured: `{maml: {mse: {1: [0.67],
    /// 5: [0.38, 0.05]}, source: "who, where", mark: unconfirmed}}`; several numbers of shots stand before the steps: `{mse: {5: {1: [0.67]}}}`.
    #[garde(skip)] // see `check_expect`
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub expect: IndexMap<String, Expected>,
}

impl Experiment {
    /// The numbers of shots that are tested.
    pub fn test_shots(&self) -> Vec<usize> {
        if self.evaluate.shots.is_empty() { vec![self.task.shots()] } else { self.evaluate.shots.clone() }
    }

    /// What tests measure, the judge first.
    pub fn measures(&self) -> Vec<&'static dyn Measure> {
        let mut measures = self.task.measures();
        for more in self.evaluate.measures.iter().filter_map(|name| measures::find(name)) {
            if measures.iter().all(|known| known.name() != more.name()) {
                measures.push(more);
            }
        }
        measures
    }

    /// What their values are.
    pub fn quantities(&self) -> Vec<Quantity> {
        self.measures().into_iter().map(|measure| measure.quantity()).collect()
    }

    /// What methods are judged by.
    pub fn judge(&self) -> Quantity {
        self.quantities().first().copied().unwrap_or(measures::LOSS)
    }

    /// The largest number of shots that validation or test episodes are asked for.
    pub fn largest_shots(&self) -> usize {
        self.test_shots().into_iter().fold(self.task.shots(), usize::max)
    }

    /// Makes it a rehearsal of itself: every method, one seed, few iterations, episodes and steps, in a folder of its own.
    pub fn shorten(&mut self) {
        const ITERATIONS: usize = 30;
        const EPISODES: usize = 40;
        const STEPS: usize = 10;
        let validation = Validation { every: 15, episodes: 30, patience: None };
        // Within the longest name allowed, so that the rehearsal's configuration can be read back.
        self.name = self.name.chars().take(94).chain("-quick".chars()).collect();
        self.seeds.truncate(1);
        self.train.iterations = self.train.iterations.min(ITERATIONS);
        self.train.validate = self.train.validate.as_ref().map(|_| validation.clone());
        self.methods.values_mut().for_each(|method| method.shorten(ITERATIONS, &validation));
        self.evaluate.episodes = self.evaluate.episodes.min(EPISODES);
        self.evaluate.steps.retain(|&step| step <= STEPS);
        if self.evaluate.steps.is_empty() {
            self.evaluate.steps.push(STEPS);
        }
        self.expect.clear(); // so short a training is nothing to compare
    }
}

fn default_model() -> ModelSpec {
    ModelSpec::Mlp(Mlp::default())
}

fn default_seeds() -> Vec<u64> {
    vec![0]
}

/// The test on frozen meta-test episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Evaluate {
    /// Frozen meta-test episodes.
    #[garde(range(min = 2, max = 1_000_000))]
    pub episodes: usize,
    /// The test measures after each of these numbers of adaptation steps.
    #[garde(length(min = 1), inner(range(max = 100_000)), custom(ascending))]
    pub steps: Vec<usize>,
    /// And for each of these numbers of support images per class; the task's `shots` if empty.
    #[garde(inner(range(min = 1, max = 10_000)), custom(ascending))]
    pub shots: Vec<usize>,
    /// Draws the frozen validation and test episodes; not the runs' seeds.
    #[garde(skip)]
    pub seed: u64,
    /// What is measured beside that which the tasks are judged by, by name.
    #[garde(custom(registered_measures))]
    #[schemars(schema_with = "measures_schema")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<String>,
    /// Whether the test leaves `predictions.safetensors`, from which other measures can be computed later; unless said otherwise, where
    /// answers are numbers or a measure looks at those of all episodes together.
    #[garde(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predictions: Option<bool>,
}

impl Default for Evaluate {
    fn default() -> Self {
        Self {
            episodes: 1000,
            steps: vec![0, 1, 5, 10, 50, 100],
            shots: Vec::new(),
            seed: 0,
            measures: Vec::new(),
            predictions: None,
        }
    }
}

/// What [`folder_name`] takes, for editors.
pub(crate) const FOLDER_NAME: &str = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$";

pub(crate) fn folder_name(name: &str, _: &()) -> garde::Result {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.is_empty() && name.len() <= 100 && name.chars().all(fits) && !name.starts_with('.') {
        return Ok(());
    }
    Err(garde::Error::new(format!(
        "{name:?} names a folder: use 1 to 100 letters, digits, '-', '_' and '.', no '.' first"
    )))
}

fn method_names(methods: &IndexMap<String, Method>, context: &()) -> garde::Result {
    if methods.is_empty() {
        return Err(garde::Error::new("name at least one, for example maml: {maml: {}}"));
    }
    methods.keys().try_for_each(|name| folder_name(name, context))
}

fn distinct(seeds: &[u64], _: &()) -> garde::Result {
    match seeds.iter().enumerate().find(|(i, seed)| seeds[..*i].contains(seed)) {
        Some((_, seed)) => Err(garde::Error::new(format!("{seed} stands there twice"))),
        None => Ok(()),
    }
}

fn registered_measures(names: &[String], _: &()) -> garde::Result {
    match names.iter().find(|name| measures::find(name).is_none()) {
        Some(name) => Err(garde::Error::new(format!(
            "there is no measure {name:?}; there is {}",
            measures::names().collect::<Vec<_>>().join(", ")
        ))),
        None => Ok(()),
    }
}

fn measures_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"enum": measures::names().collect::<Vec<_>>()}})
}

fn ascending(values: &[usize], _: &()) -> garde::Result {
    match values.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(garde::Error::new(format!(
            "must ascend, each value once, but {} follows {}",
            pair[1], pair[0]
        ))),
        None => Ok(()),
    }
}
