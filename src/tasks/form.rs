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
const KEYS: &[&str] = &["dataset", "ways", "shots", "queries", "classes", "augment", "training"];
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Within {
        #[serde(with = "super")]
        task: TaskSpec,
    }

    fn read(yaml: &str) -> Result<TaskSpec, String> {
        let within: Result<Within, _> = serde_saphyr::from_str(yaml);
        within.map(|within| within.task).map_err(|error| error.to_string())
    }

    #[test]
    fn the_keys_of_the_flat_form_are_those_of_few_shot() {
        let schema = schemars::schema_for!(FewShotSpec);
        let properties = schema.get("properties").and_then(Value::as_object).expect("a map");
        let mut keys: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut known = KEYS.to_vec();
        keys.sort_unstable();
        known.sort_unstable();
        assert_eq!(keys, known);
    }

    #[test]
    fn every_family_is_read_as_it_is_written_and_few_shot_is_written_flat() {
        for task in TaskSpec::all() {
            let text = serde_saphyr::to_string(&Within { task: task.clone() }).expect("YAML");
            assert_eq!(read(&text).as_ref(), Ok(&task), "{text}");
            let tagged = serde_saphyr::to_string(&json!({"task": task})).expect("YAML");
            assert_eq!(read(&tagged).as_ref(), Ok(&task), "{tagged}");
        }
        let written = serde_json::to_value(Within { task: TaskSpec::FewShot(FewShotSpec::default()) });
        assert_eq!(written.expect("JSON")["task"]["ways"], 3);
    }

    #[test]
    fn mistakes_are_told_where_they_stand() {
        let refuses = |yaml: &str, parts: &[&str]| {
            let error = read(yaml).expect_err(yaml);
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        };
        refuses("task: {wayz: 3}", &["line 1 column 8", "wayz", "ways", "sinusoid"]);
        refuses("task: {ways: 3, shotz: 1}", &["line 1 column 17", "shotz"]);
        refuses("task: {few_shot: {ways: 3, shotz: 1}}", &["line 1 column 28", "shotz"]);
        refuses("task: {ways: three}", &["line 1 column 14", "three"]);
        refuses("task: {}", &["missing field `dataset`"]);
        refuses("task: {sinusoid: {}, ways: 3}", &["one family, here sinusoid"]);
        refuses("task: {sinusoid: {queries: {gird: 3}}}", &["line 1 column 29", "gird"]);
        refuses("task: 3", &["line 1 column 7"]);
    }
}
