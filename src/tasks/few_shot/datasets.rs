//! Where the images of each part come from: one data set, or one for each part, to test on another domain than was trained on.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, value::MapAccessDeserializer},
};

use crate::data::{DatasetSpec, ImageFolder, Omniglot, registered};

/// The data sets of a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Datasets {
    /// The same for every part.
    One(DatasetSpec),
    /// One for each part.
    Each {
        /// Meta-train.
        train: DatasetSpec,
        /// Meta-validation; as meta-train, if none is named.
        #[serde(skip_serializing_if = "Option::is_none")]
        validation: Option<DatasetSpec>,
        /// Meta-test.
        test: DatasetSpec,
    },
}

impl Datasets {
    /// Those of meta-train, meta-validation and meta-test.
    pub fn of_parts(&self) -> [&DatasetSpec; 3] {
        match self {
            Self::One(one) => [one; 3],
            Self::Each { train, validation, test } => [train, validation.as_ref().unwrap_or(train), test],
        }
    }

    /// For each part the place among [`Datasets::of_parts`] where its data set stands first: equal for parts with the same one.
    pub fn sets(&self) -> [usize; 3] {
        let all = self.of_parts();
        [0, 1, 2].map(|part| (0..part).find(|other| all[*other] == all[part]).unwrap_or(part))
    }
}

/// Refuses names that are not registered.
pub fn all_registered(datasets: &Datasets, context: &()) -> garde::Result {
    datasets.of_parts().iter().try_for_each(|dataset| registered(dataset, context))
}

impl JsonSchema for Datasets {
    fn schema_name() -> Cow<'static, str> {
        "Datasets".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<DatasetSpec>();
        json_schema!({"anyOf": [one, {
            "description": "A data set for each part, of images of one size; that of meta-train for meta-validation too unless it names another.",
            "type": "object",
            "properties": {"train": one, "validation": one, "test": one},
            "required": ["train", "test"],
            "additionalProperties": false,
        }]})
    }
}

const DATASETS: &str = "a data set is its name, or {idx: FOLDER}, or {images: {folder: FOLDER}}, or {omniglot: {...}}, or {train: ..., test: ...} with one for each part";

impl<'de> Deserialize<'de> for Datasets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            idx: Option<std::path::PathBuf>,
            omniglot: Option<Omniglot>,
            images: Option<ImageFolder>,
            train: Option<DatasetSpec>,
            validation: Option<DatasetSpec>,
            test: Option<DatasetSpec>,
        }
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Datasets;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(DATASETS)
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Datasets, E> {
                Ok(Datasets::One(DatasetSpec::Named(name.to_owned())))
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Datasets, M::Error> {
                let Keys { idx, omniglot, images, train, validation, test } =
                    Keys::deserialize(MapAccessDeserializer::new(map))?;
                match (idx, omniglot, images, train, validation, test) {
                    (Some(idx), None, None, None, None, None) => {
                        Ok(Datasets::One(DatasetSpec::Folder { idx }))
                    }
                    (None, Some(omniglot), None, None, None, None) => {
                        Ok(Datasets::One(DatasetSpec::Omniglot { omniglot }))
                    }
                    (None, None, Some(images), None, None, None) => {
                        Ok(Datasets::One(DatasetSpec::Images { images }))
                    }
                    (None, None, None, Some(train), validation, Some(test)) => {
                        Ok(Datasets::Each { train, validation, test })
                    }
                    _ => Err(de::Error::custom(DATASETS)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
