//! How the experiment file says where reviews come from.

use std::path::{Path, PathBuf};

use anyhow::Result;
use garde::{Report, Validate, util::nested_path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Reviews, ReviewsCsv, anki};
use crate::data::Source;

/// Reviews, by the form of their file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReviewsSpec {
    /// A CSV file with a row for each review.
    Csv(Box<ReviewsCsv>),
    /// A collection of Anki (collection.anki2, .apkg, .colpkg), which is one learner; or a folder of them.
    Anki(PathBuf),
}

impl ReviewsSpec {
    /// A file by its ending: Anki's, or a folder; all else is CSV.
    pub fn of(file: &Path) -> Self {
        if file.is_dir() || anki::has_ending(file) {
            Self::Anki(file.to_owned())
        } else {
            Self::Csv(Box::new(ReviewsCsv::of(file)))
        }
    }

    /// The file's name without its folder and its ending.
    pub fn title(&self) -> String {
        let file = match self {
            Self::Csv(csv) => &csv.file,
            Self::Anki(file) => file,
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split('.').next().unwrap_or_default().to_owned()
    }

    /// Reads the reviews. A relative file that is not below the working directory is looked for in `source.data_dir`.
    ///
    /// # Errors
    /// A `Misuse` with file, line and what was expected.
    pub fn load(&self, source: &Source) -> Result<Reviews> {
        let now = jiff::Timestamp::now().as_second() as f64;
        match self {
            Self::Csv(csv) => csv.load(source, now),
            Self::Anki(path) => anki::load(&source.locate(path), now),
        }
    }
}

// By hand, so that paths in errors have the names in YAML.
impl Validate for ReviewsSpec {
    type Context = ();

    fn validate_into(&self, context: &(), mut parent: &mut dyn FnMut() -> garde::Path, report: &mut Report) {
        if let Self::Csv(csv) = self {
            csv.validate_into(context, &mut nested_path!(parent, "csv"), report);
        }
    }
}
