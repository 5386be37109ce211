//! How the experiment file says where the images come from.

use std::{borrow::Cow, fmt, path::PathBuf};

use anyhow::Result;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, value::MapAccessDeserializer},
};
use serde_json::{Value, json};

use super::{Dataset, REGISTRY, Source, find, idx_folder};
use crate::misuse::misuse;

/// Where the images come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DatasetSpec {
    /// By registered name.
    Named(String),
    /// A folder that holds any data set in IDX form.
    Folder {
        /// The folder.
        idx: PathBuf,
    },
}

impl DatasetSpec {
    /// Loads it, fetching it on first use.
    ///
    /// # Errors
    /// It cannot be had or read.
    pub fn load(&self, source: &Source) -> Result<Dataset> {
        match self {
            Self::Named(name) => match find(name) {
                Some(entry) => entry.load(source),
                None => misuse!("there is no data set {name}"),
            },
            Self::Folder { idx } => idx_folder(idx, source),
        }
    }

    /// The names of its classes, where they are known without loading it.
    pub fn known_classes(&self) -> Option<Vec<String>> {
        let Self::Named(name) = self else { return None };
        Some((0..find(name)?.classes).map(|class| class.to_string()).collect())
    }
}

impl JsonSchema for DatasetSpec {
    fn schema_name() -> Cow<'static, str> {
        "Dataset".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let named = |entry: &super::DatasetEntry| json!({"description": entry.summary, "const": entry.name});
        let mut forms: Vec<Value> = REGISTRY.iter().map(named).collect();
        forms.push(json!({
            "description": "A folder that holds any data set in IDX form.",
            "type": "object",
            "properties": {"idx": {"description": "The folder.", "type": "string"}},
            "required": ["idx"],
            "additionalProperties": false,
        }));
        json_schema!({"oneOf": forms})
    }
}

/// Refuses names that are not registered.
pub fn registered(dataset: &DatasetSpec, _: &()) -> garde::Result {
    let DatasetSpec::Named(name) = dataset else { return Ok(()) };
    if find(name).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = REGISTRY.iter().map(|entry| entry.name).collect();
    Err(garde::Error::new(format!(
        "there is no data set {name:?}; there is {}, and {{idx: FOLDER}} reads any in IDX form",
        known.join(", ")
    )))
}

impl<'de> Deserialize<'de> for DatasetSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = DatasetSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("the name of a data set, or {idx: FOLDER}")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<DatasetSpec, E> {
                Ok(DatasetSpec::Named(name.to_owned()))
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<DatasetSpec, M::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Keys {
                    idx: PathBuf,
                }
                let Keys { idx } = Keys::deserialize(MapAccessDeserializer::new(map))?;
                Ok(DatasetSpec::Folder { idx })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
