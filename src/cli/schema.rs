//! `quickstudy schema`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use schemars::{JsonSchema, generate::SchemaSettings};

use super::say;
use crate::{experiment::spec::Experiment, sweep::spec::Sweep};

/// Print the JSON Schema of experiment or sweep files, for editors
///
/// An editor with the YAML language server completes and checks a file that
/// begins with the line
///   # yaml-language-server: $schema=experiment.schema.json
///
/// Examples:
///   quickstudy schema experiment > experiment.schema.json
///   quickstudy schema sweep > sweep.schema.json
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Of which files
    #[arg(value_enum)]
    kind: Kind,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Experiment files
    Experiment,
    /// Sweep files
    Sweep,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let text = match self.kind {
            Kind::Experiment => schema::<Experiment>()?,
            Kind::Sweep => schema::<Sweep>()?,
        };
        say(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// In draft 7, which every editor knows.
fn schema<T: JsonSchema>() -> Result<String> {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    Ok(serde_json::to_string_pretty(&schema).context("JSON")? + "\n")
}
