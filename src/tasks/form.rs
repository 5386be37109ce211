//! How the experiment file writes a family: `{name: {...}}`, or the settings of few-shot classification as they are.

use std::{fmt, sync::LazyLock};

use garde::{Path, Report, Validate, util::nested_path};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        self, IgnoredAny, IntoDeserializer, MapAccess,
        value::{EnumAccessDeserializer, MapAccessDeserializer, StrDeserializer},
    },
};

use super::{TaskSpec, family::Problem, few_shot::FewShotSpec};
use crate::registry::Tagged;

/// What may stand in `task` itself, in the order of [`FewShotSpec`].
const KEYS: &[&str] = &["dataset", "ways", "shots", "queries", "classes", "augment"];
/// What a task may begin with.
static FIRST: LazyLock<Vec<&str>> = LazyLock::new(|| [KEYS, TaskSpec::NAMES].concat());

/// The flat form for few-shot classification, so that results of older versions compare equal.
///
/// # Errors
/// Those of the serialiser.
pub fn serialize<S: Serializer>(task: &TaskSpec, serializer: S) -> Result<S::Ok, S::Error> {
    match task {
        TaskSpec::FewShot(flat) => flat.serialize(serializer),
        tagged => tagged.serialize(serializer),
    }
}

/// Either form.
///
/// # Errors
/// What is wrong, where it stands.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TaskSpec, D::Error> {
    deserializer.deserialize_map(Visitor)
}

/// Either form, for editors.
pub fn schema(generator: &mut SchemaGenerator) -> Schema {
    let (flat, tagged) = (generator.subschema_for::<FewShotSpec>(), generator.subschema_for::<TaskSpec>());
    json_schema!({"anyOf": [flat, tagged]})
}

/// Checks the settings' values, with paths as they are in the file.
pub fn validate(task: &TaskSpec, mut parent: &mut dyn FnMut() -> Path, report: &mut Report) {
    let mut path = nested_path!(parent, "task");
    match task {
        TaskSpec::FewShot(flat) => flat.validate_into(&(), &mut path, report),
        tagged => tagged.validate_into(&(), &mut path, report),
    }
}

/// The path in the file of a problem's key.
pub fn path(task: &TaskSpec, problem: &Problem) -> Vec<&'static str> {
    let name = match task {
        TaskSpec::FewShot(_) => None,
        tagged => Some(tagged.name()),
    };
    ["task"].into_iter().chain(name).chain(problem.0.iter().copied()).collect()
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = TaskSpec;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a family of tasks with its settings, for example {few_shot: {...}}")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<TaskSpec, M::Error> {
        match map.next_key::<FirstKey>()? {
            Some(FirstKey::Family(name)) => {
                let entry = Tagged { name, map: &mut map };
                let task = TaskSpec::deserialize(EnumAccessDeserializer::new(entry))?;
                if map.next_key::<IgnoredAny>()?.is_some() {
                    return Err(de::Error::custom(format!(
                        "a task is of one family, here {name}: nothing stands beside it"
                    )));
                }
                Ok(task)
            }
            first => {
                let first = first.and_then(|key| match key {
                    FirstKey::Setting(key) => Some(key),
                    FirstKey::Family(_) => None,
                });
                let whole = MapAccessDeserializer::new(Replayed { first, map });
                Ok(TaskSpec::FewShot(FewShotSpec::deserialize(whole)?))
            }
        }
    }
}

/// The first key of a task; unknown ones are refused where they stand, so that the error points at them.
enum FirstKey {
    Family(&'static str),
    Setting(&'static str),
}

impl<'de> Deserialize<'de> for FirstKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl de::Visitor<'_> for Key {
            type Value = FirstKey;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a family of tasks, or a setting of few_shot")
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<FirstKey, E> {
                let known = |names: &'static [&'static str]| names.iter().find(|name| **name == key);
                match (known(TaskSpec::NAMES), known(KEYS)) {
                    (Some(name), _) => Ok(FirstKey::Family(name)),
                    (_, Some(key)) => Ok(FirstKey::Setting(key)),
                    _ => Err(E::unknown_field(key, &FIRST)),
                }
            }
        }
        deserializer.deserialize_identifier(Key)
    }
}

/// A map whose first key was read already.
struct Replayed<M> {
    first: Option<&'static str>,
    map: M,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Replayed<M> {
    type Error = M::Error;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        match self.first.take() {
            Some(key) => {
                let key: StrDeserializer<M::Error> = key.into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.map.next_value_seed(seed)
    }
}
