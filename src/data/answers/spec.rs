//! How the experiment file says where answers come from.

use anyhow::Result;
use garde::{Path, Report, Validate, util::nested_path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answers, Assistments, LongCsv, Pykt};
use crate::data::Source;

/// A file of answers, by its form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnswersSpec {
    /// A CSV file with a row for each answer.
    Csv(LongCsv),
    /// A file that pyKT has prepared.
    Pykt(Pykt),
    /// A file of ASSISTments as downloaded.
    Assistments(Assistments),
}

impl AnswersSpec {
    /// The file's name without its folder and its ending.
    pub fn title(&self) -> String {
        let file = match self {
            Self::Csv(csv) => &csv.file,
            Self::Pykt(pykt) => &pykt.file,
            Self::Assistments(assistments) => &assistments.file,
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split('.').next().unwrap_or_default().to_owned()
    }

    /// Reads the answers. A relative file that is not below the working directory is looked for in `source.data_dir`.
    ///
    /// # Errors
    /// A `Misuse` with file, line and what was expected.
    pub fn load(&self, source: &Source) -> Result<Answers> {
        let answers = match self {
            Self::Csv(csv) => csv.load(source),
            Self::Pykt(pykt) => pykt.load(source),
            Self::Assistments(assistments) => assistments.load(source),
        };
        Ok(answers?.sealed())
    }
}

// By hand, so that paths in errors have the names in YAML.
impl Validate for AnswersSpec {
    type Context = ();

    fn validate_into(&self, context: &(), mut parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        match self {
            Self::Csv(csv) => csv.validate_into(context, &mut nested_path!(parent, "csv"), report),
            Self::Pykt(pykt) => pykt.validate_into(context, &mut nested_path!(parent, "pykt"), report),
            Self::Assistments(assistments) => {
                assistments.validate_into(context, &mut nested_path!(parent, "assistments"), report);
            }
        }
    }
}
