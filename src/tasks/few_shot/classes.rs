//! How the experiment file says which classes train, validate and test.

use std::{borrow::Cow, fmt, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, value::MapAccessDeserializer},
};
use serde_json::json;

use super::{
    class_list::{ClassList, PublishedSplit},
    class_split::ClassSplit,
};

/// How classes are divided, in the file's form of [`ClassSplit`].
#[derive(Clone, Debug, PartialEq)]
pub struct Classes(pub ClassSplit);

/// The map form of [`Classes`]: one of the six sets of keys.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassKeys {
    #[serde(skip_serializing_if = "Option::is_none")]
    train: Option<Vec<Name>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Vec<Name>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Vec<Name>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Groups>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<PublishedSplit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<[usize; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    folds: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

/// Named groups for each part.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Groups {
    train: Vec<Name>,
    #[serde(default)]
    validation: Vec<Name>,
    test: Vec<Name>,
}

/// A name, which may be a number.
struct Name(String);

impl Serialize for Name {
    /// A number where that is the same name.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.parse::<u64>() {
            Ok(number) if number.to_string() == self.0 => serializer.serialize_u64(number),
            _ => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a name, or a number from 0")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Name, E> {
                Ok(Name(number.to_string()))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
                Ok(Name(name.to_owned()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn written(names: Vec<String>) -> Vec<Name> {
    names.into_iter().map(Name).collect()
}

fn read(names: Vec<Name>) -> Vec<String> {
    names.into_iter().map(|name| name.0).collect()
}

impl JsonSchema for Classes {
    fn schema_name() -> Cow<'static, str> {
        "Classes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = json!({"type": "array", "items": {"type": ["string", "integer"], "minimum": 0}});
        let parts = json!({"train": names, "validation": names, "test": names});
        let sizes = generator.subschema_for::<[usize; 3]>();
        let seed = generator.subschema_for::<u64>();
        let published = generator.subschema_for::<PublishedSplit>();
        json_schema!({
            "oneOf": [
                {
                    "description": "Named classes for each part.",
                    "type": "object",
                    "properties": parts,
                    "required": ["train", "test"],
                    "additionalProperties": false,
                },
                {
                    "description": "The classes of named groups for each part, of a data set that has groups.",
                    "type": "object",
                    "properties": {"groups": {
                        "type": "object",
                        "properties": parts,
                        "required": ["train", "test"],
                        "additionalProperties": false,
                    }},
                    "required": ["groups"],
                    "additionalProperties": false,
                },
                {
                    "description": "A CSV file with a column split (train, validation or val, test); the others name the class.",
                    "type": "object",
                    "properties": {"file": {"type": "string"}},
                    "required": ["file"],
                    "additionalProperties": false,
                },
                {
                    "description": "A published split of Omniglot's characters.",
                    "type": "object",
                    "properties": {"published": published},
                    "required": ["published"],
                    "additionalProperties": false,
                },
                {
                    "description": "So many classes to train, validate and test, drawn by a seed.",
                    "type": "object",
                    "properties": {"split": sizes, "seed": seed},
                    "required": ["split"],
                    "additionalProperties": false,
                },
                {
                    "description": "Cross-validation: every class is tested in exactly one fold.",
                    "type": "object",
                    "properties": {"folds": {"type": "integer", "minimum": 3}, "seed": seed},
                    "required": ["folds"],
                    "additionalProperties": false,
                },
                {"description": "All classes in every part, with other images.", "const": "shared"},
            ],
        })
    }
}

const CLASSES: &str = "classes are {train: [..], validation: [..], test: [..]}, or {groups: {train: [..], ..}}, \
                       or {file: split.csv}, or {published: vinyals}, or {split: [5, 2, 3], seed: 0}, or {folds: 5, seed: 0}, or shared";

impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Classes;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(CLASSES)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Classes, E> {
                if text == "shared" { Ok(Classes(ClassSplit::Shared)) } else { Err(E::custom(CLASSES)) }
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Classes, M::Error> {
                let keys = ClassKeys::deserialize(MapAccessDeserializer::new(map))?;
                let ClassKeys { train, validation, test, groups, file, published, split, folds, seed } = keys;
                let list = match (file, published) {
                    (Some(file), None) => Some(ClassList::File(file)),
                    (None, Some(published)) => Some(ClassList::Published(published)),
                    (None, None) => None,
                    (Some(_), Some(_)) => return Err(de::Error::custom(CLASSES)),
                };
                let nothing_else = train.is_none() && test.is_none() && groups.is_none();
                if let Some(list) = list {
                    let alone = nothing_else && validation.is_none() && split.is_none() && folds.is_none();
                    if !alone || seed.is_some() {
                        return Err(de::Error::custom(CLASSES));
                    }
                    return Ok(Classes(ClassSplit::Listed(list)));
                }
                Ok(Classes(match (train, test, groups, split, folds) {
                    (Some(train), Some(test), None, None, None) if seed.is_none() => {
                        ClassSplit::Lists([train, validation.unwrap_or_default(), test].map(read))
                    }
                    (None, None, Some(groups), None, None) if validation.is_none() && seed.is_none() => {
                        ClassSplit::Groups([groups.train, groups.validation, groups.test].map(read))
                    }
                    (None, None, None, Some(sizes), None) if validation.is_none() => {
                        ClassSplit::Drawn { sizes, seed: seed.unwrap_or(0) }
                    }
                    (None, None, None, None, Some(folds)) if validation.is_none() => {
                        ClassSplit::Folds { folds, seed: seed.unwrap_or(0) }
                    }
                    _ => return Err(de::Error::custom(CLASSES)),
                }))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for Classes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = match self.0.clone() {
            ClassSplit::Lists(lists) => {
                let [train, validation, test] = lists.map(|list| Some(written(list)));
                ClassKeys { train, validation, test, ..ClassKeys::default() }
            }
            ClassSplit::Groups(lists) => {
                let [train, validation, test] = lists.map(written);
                ClassKeys { groups: Some(Groups { train, validation, test }), ..ClassKeys::default() }
            }
            ClassSplit::Listed(ClassList::File(file)) => {
                ClassKeys { file: Some(file), ..ClassKeys::default() }
            }
            ClassSplit::Listed(ClassList::Published(published)) => {
                ClassKeys { published: Some(published), ..ClassKeys::default() }
            }
            ClassSplit::Drawn { sizes, seed } => {
                ClassKeys { split: Some(sizes), seed: Some(seed), ..ClassKeys::default() }
            }
            ClassSplit::Folds { folds, seed } => {
                ClassKeys { folds: Some(folds), seed: Some(seed), ..ClassKeys::default() }
            }
            ClassSplit::Shared => return serializer.serialize_str("shared"),
        };
        keys.serialize(serializer)
    }
}
