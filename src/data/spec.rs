//! How the experiment file says where the images come from.

use std::{
    borrow::Cow,
    fmt,
    path::{Path, PathBuf},
};

use anyhow::Result;
use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, value::MapAccessDeserializer},
};
use serde_json::{Value, json};

use super::{Dataset, ImageFolder, Omniglot, REGISTRY, Source, find, idx_folder, image_folder::usual_size};
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
    /// Omniglot with settings.
    Omniglot {
        /// How its drawings are made smaller.
        omniglot: Omniglot,
    },
    /// A folder with a folder of images for each class.
    Images {
        /// The folder, and the size that its images are brought to.
        images: ImageFolder,
    },
}

impl DatasetSpec {
    /// What a user means by a word: a registered name, or a folder with a data set in IDX form or with a folder of images for each class.
    pub fn meant(word: &Path, source: &Source) -> Option<Self> {
        let name = word.to_string_lossy();
        if find(&name).is_some() {
            return Some(Self::Named(name.into_owned()));
        }
        let folder = source.locate(word);
        if !folder.is_dir() {
            return None;
        }
        let has_folders = std::fs::read_dir(&folder)
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| entry.path().is_dir())));
        Some(if has_folders {
            Self::Images { images: ImageFolder { folder: word.to_owned(), size: usual_size() } }
        } else {
            Self::Folder { idx: word.to_owned() }
        })
    }

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
            Self::Omniglot { omniglot } => omniglot.load(source),
            Self::Images { images } => images.load(source),
        }
    }

    /// The names of its classes, where they are known without loading it.
    pub fn known_classes(&self) -> Option<Vec<String>> {
        let Self::Named(name) = self else { return None };
        let entry = find(name).filter(|entry| entry.numbered)?;
        Some((0..entry.classes).map(|class| class.to_string()).collect())
    }
}

impl JsonSchema for DatasetSpec {
    fn schema_name() -> Cow<'static, str> {
        "Dataset".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let keyed = |key: &str, about: &str, schema: Schema| {
            json!({
                "description": about,
                "type": "object",
                "properties": {key: schema},
                "required": [key],
                "additionalProperties": false,
            })
        };
        let named = |entry: &super::DatasetEntry| json!({"description": entry.summary, "const": entry.name});
        let mut forms: Vec<Value> = REGISTRY.iter().map(named).collect();
        forms.push(json!({
            "description": "A folder that holds any data set in IDX form.",
            "type": "object",
            "properties": {"idx": {"description": "The folder.", "type": "string"}},
            "required": ["idx"],
            "additionalProperties": false,
        }));
        let (omniglot, images) =
            (generator.subschema_for::<Omniglot>(), generator.subschema_for::<ImageFolder>());
        forms.push(keyed("omniglot", "Omniglot, made smaller in another way.", omniglot));
        forms.push(keyed("images", "A folder with a folder of images for each class.", images));
        json_schema!({"oneOf": forms})
    }
}

/// Refuses names that are not registered, and settings that cannot be.
pub fn registered(dataset: &DatasetSpec, _: &()) -> garde::Result {
    let sound = match dataset {
        DatasetSpec::Omniglot { omniglot } => omniglot.validate(),
        DatasetSpec::Images { images } => images.validate(),
        DatasetSpec::Named(_) | DatasetSpec::Folder { .. } => Ok(()),
    };
    if let Err(report) = sound {
        return Err(garde::Error::new(report.to_string().trim()));
    }
    let DatasetSpec::Named(name) = dataset else { return Ok(()) };
    if find(name).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = REGISTRY.iter().map(|entry| entry.name).collect();
    Err(garde::Error::new(format!(
        "there is no data set {name:?}; there is {}; {{idx: FOLDER}} reads any in IDX form, {{images: {{folder: FOLDER}}}} a folder of images for each class",
        known.join(", ")
    )))
}

/// The forms of a data set, for messages.
const FORMS: &str = "the name of a data set, or {idx: FOLDER}, or {images: {folder: FOLDER}}, or {omniglot: {resample: area}}";

/// The forms with a key, one of which there has to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetKeys {
    idx: Option<PathBuf>,
    omniglot: Option<Omniglot>,
    images: Option<ImageFolder>,
}

impl DatasetKeys {
    /// The data set, if there is one key.
    fn spec(self) -> Option<DatasetSpec> {
        match (self.idx, self.omniglot, self.images) {
            (Some(idx), None, None) => Some(DatasetSpec::Folder { idx }),
            (None, Some(omniglot), None) => Some(DatasetSpec::Omniglot { omniglot }),
            (None, None, Some(images)) => Some(DatasetSpec::Images { images }),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for DatasetSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = DatasetSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(FORMS)
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<DatasetSpec, E> {
                Ok(DatasetSpec::Named(name.to_owned()))
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<DatasetSpec, M::Error> {
                let keys = DatasetKeys::deserialize(MapAccessDeserializer::new(map))?;
                keys.spec().ok_or_else(|| de::Error::custom(FORMS))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
