//! How the experiment file says which classes train, validate and test.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, value::MapAccessDeserializer},
};

use super::class_split::ClassSplit;

/// How classes are divided, in the file's form of [`ClassSplit`].
#[derive(Clone, Debug, PartialEq)]
pub struct Classes(pub ClassSplit);

/// The map form of [`Classes`]: one of the three sets of keys.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassKeys {
    #[serde(skip_serializing_if = "Option::is_none")]
    train: Option<Vec<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<Vec<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Vec<usize>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<[usize; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    folds: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl JsonSchema for Classes {
    fn schema_name() -> Cow<'static, str> {
        "Classes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let classes = generator.subschema_for::<Vec<usize>>();
        let sizes = generator.subschema_for::<[usize; 3]>();
        let seed = generator.subschema_for::<u64>();
        json_schema!({
            "oneOf": [
                {
                    "description": "Named classes for each part.",
                    "type": "object",
                    "properties": {"train": classes, "validation": classes, "test": classes},
                    "required": ["train", "test"],
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

const CLASSES: &str = "classes are {train: [..], validation: [..], test: [..]}, or {split: [5, 2, 3], seed: 0}, \
                       or {folds: 5, seed: 0}, or shared";

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
                Ok(Classes(match keys {
                    ClassKeys {
                        train: Some(train),
                        validation,
                        test: Some(test),
                        split: None,
                        folds: None,
                        seed: None,
                    } => ClassSplit::Lists { train, validation: validation.unwrap_or_default(), test },
                    ClassKeys {
                        train: None,
                        validation: None,
                        test: None,
                        split: Some(sizes),
                        folds: None,
                        seed,
                    } => ClassSplit::Drawn { sizes, seed: seed.unwrap_or(0) },
                    ClassKeys {
                        train: None,
                        validation: None,
                        test: None,
                        split: None,
                        folds: Some(folds),
                        seed,
                    } => ClassSplit::Folds { folds, seed: seed.unwrap_or(0) },
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
            ClassSplit::Lists { train, validation, test } => ClassKeys {
                train: Some(train),
                validation: Some(validation),
                test: Some(test),
                ..ClassKeys::default()
            },
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
