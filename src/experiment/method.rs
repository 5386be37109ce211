//! A method of an experiment: an algorithm, what it adapts to, and what its training does differently.

use std::{borrow::Cow, fmt};

use garde::{Path, Report, Validate, util::nested_path};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess},
    ser::SerializeMap,
};

use super::spec::{Initialisation, Train, Validation};
use crate::{
    algorithms::{AlgorithmSpec, Testing, Training},
    inner::Adapts,
    outer::OuterSpec,
    registry::{read_with, schema_with},
    tasks::copies::JitteredCopies,
};

/// `{maml: {...}}`, or with `adapt`, `adapts` or `train` beside it: `{reptile: {...}, adapt: {copies: 10}, train: {outer: {sgd: {lr: 1}}}}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    /// What learns.
    pub algorithm: AlgorithmSpec,
    /// What it adapts to, in training as in the test, in place of the support images.
    pub adapt: Option<JitteredCopies>,
    /// Which parameters of the network adapt.
    pub adapts: Adapts,
    /// What replaces parts of the experiment's `train`.
    pub train: TrainChanges,
}

impl JsonSchema for Method {
    fn schema_name() -> Cow<'static, str> {
        "Method".into()
    }

    /// The algorithms', each with `adapt`, `adapts` and `train` beside it.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let adapt = generator.subschema_for::<JitteredCopies>();
        let adapts = generator.subschema_for::<Adapts>();
        let train = generator.subschema_for::<TrainChanges>();
        let beside = [("adapt", adapt), ("adapts", adapts), ("train", train)];
        let mut schema = schema_with(AlgorithmSpec::json_schema(generator), &beside);
        schema.insert(
            "description".into(),
            "An algorithm, what it adapts to, and what its training does differently.".into(),
        );
        schema
    }
}

// By hand, because in YAML the algorithm stands beside `adapt`, `adapts` and `train`, not under a key of its own.
impl Validate for Method {
    type Context = ();

    fn validate_into(&self, context: &(), mut parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        self.algorithm.validate_into(context, parent, report);
        if let Some(adapt) = &self.adapt {
            let mut path = nested_path!(parent, "adapt");
            adapt.validate_into(context, &mut path, report);
            if self.algorithm.testing() == Testing::WholeDataset {
                let name = self.algorithm.name();
                let message = format!(
                    "{name} adapts to no support set of which there could be copies: leave adapt out"
                );
                report.append(path(), garde::Error::new(message));
            }
        }
        let mut train = nested_path!(parent, "train");
        self.train.validate_into(context, &mut train, report);
        if let (Training::SameTasks { tasks, .. }, Some(_)) =
            (self.algorithm.training(), self.train.meta_batch)
        {
            let name = self.algorithm.name();
            let message = format!("{name} takes its {tasks} tasks in every iteration: leave meta_batch out");
            report.append(train().join("meta_batch"), garde::Error::new(message));
        }
    }
}

/// Parts of `train` that a method changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct TrainChanges {
    /// Outer iterations, instead of the experiment's.
    #[garde(inner(range(min = 1, max = 100_000_000)))]
    #[schemars(range(min = 1, max = 100_000_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<usize>,
    /// Tasks per iteration, instead of the experiment's.
    #[garde(inner(range(min = 1, max = 100_000)))]
    #[schemars(range(min = 1, max = 100_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    meta_batch: Option<usize>,
    /// How theta moves, instead of the experiment's.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    outer: Option<OuterSpec>,
    /// Where theta starts, instead of the experiment's.
    #[garde(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    init: Option<Initialisation>,
    // `null` is a change too: no validation for this method.
    /// Validation, instead of the experiment's; `null` for none.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    validate: Option<Option<Validation>>,
}

/// A value that is there, be it `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Validation>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Method {
    /// The experiment's outer loop with this method's changes; a method that trains on the same tasks over and over has its own number
    /// of them.
    pub fn train(&self, train: &Train) -> Train {
        let changes = self.train.clone();
        Train {
            iterations: changes.iterations.unwrap_or(train.iterations),
            meta_batch: match self.algorithm.training() {
                Training::SameTasks { tasks, .. } => tasks,
                _ => changes.meta_batch.unwrap_or(train.meta_batch),
            },
            outer: changes.outer.unwrap_or_else(|| train.outer.clone()),
            init: changes.init.unwrap_or_else(|| train.init.clone()),
            validate: changes.validate.unwrap_or_else(|| train.validate.clone()),
        }
    }

    /// Whether the method itself says where theta starts.
    pub fn has_own_init(&self) -> bool {
        self.train.init.is_some()
    }

    /// Caps the method's own number of iterations and its validation, for a rehearsal.
    pub fn shorten(&mut self, iterations: usize, validation: &Validation) {
        self.train.iterations = self.train.iterations.map(|own| own.min(iterations));
        self.train.validate =
            self.train.validate.as_ref().map(|own| own.as_ref().map(|_| validation.clone()));
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changed = self.train != TrainChanges::default();
        let algorithm = serde_json::to_value(&self.algorithm).map_err(serde::ser::Error::custom)?;
        let mut map = serializer.serialize_map(None)?;
        for (name, config) in algorithm.as_object().into_iter().flatten() {
            map.serialize_entry(name, config)?;
        }
        if let Some(adapt) = &self.adapt {
            map.serialize_entry("adapt", adapt)?;
        }
        if self.adapts != Adapts::default() {
            map.serialize_entry("adapts", &self.adapts)?;
        }
        if changed {
            map.serialize_entry("train", &self.train)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Visitor)
    }
}

/// What may stand beside the algorithm.
const BESIDE: &[&str] = &["adapt", "adapts", "train"];

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Method;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an algorithm with its settings, for example {maml: {}}")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Method, M::Error> {
        let (mut adapt, mut adapts, mut train) = (None, Adapts::default(), TrainChanges::default());
        let algorithm = read_with(&mut map, AlgorithmSpec::NAMES, BESIDE, |key, map| {
            match key {
                "adapt" => adapt = Some(map.next_value()?),
                "adapts" => adapts = map.next_value()?,
                _ => train = map.next_value()?,
            }
            Ok(())
        })?;
        let algorithm = algorithm
            .ok_or_else(|| de::Error::custom("the method names no algorithm, for example {maml: {}}"))?;
        Ok(Method { algorithm, adapt, adapts, train })
    }
}
