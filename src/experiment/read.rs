//! From the file's text to a checked experiment, with errors that point at the line.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use serde_saphyr::Error as YamlError;

use super::{check::Checked, spec::Experiment};
use crate::{
    misuse::{Misuse, misuse, similar},
    output::note,
};

/// What the command line changes in an experiment.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// `key.path=value`, the value in YAML.
    pub set: Vec<String>,
    /// Instead of the file's seeds.
    pub seeds: Option<Vec<u64>>,
    /// A rehearsal: fewer iterations, episodes and steps, one seed.
    pub quick: bool,
}

/// The file as given, else in `experiments/`.
///
/// # Errors
/// Names the places that were looked at, and similar names there.
pub fn find(file: &Path) -> Result<PathBuf> {
    let shipped = Path::new("experiments").join(file);
    if let Some(found) = [file.to_owned(), shipped].into_iter().find(|path| path.is_file()) {
        return Ok(found);
    }
    let near: Vec<String> = std::fs::read_dir("experiments")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    let name = file.to_string_lossy();
    let there = if near.is_empty() {
        "there is no folder experiments here; run from the project's folder or give the whole path".into()
    } else {
        let hint = similar(&name, near.iter().map(String::as_str));
        format!("experiments/ has {}{}", near.join(", "), hint.unwrap_or_default())
    };
    misuse!("no experiment file {name}, neither here nor in experiments/: {there}")
}

/// Reads, changes and checks an experiment. A rehearsal is made first, so that explicit changes win over what it shortens.
///
/// # Errors
/// A [`Misuse`] with file, line, column, key and what to do.
pub fn read(file: &Path, changes: &Changes) -> Result<Experiment> {
    let source = file.display().to_string();
    let text = text_of(file)?;
    if changes.set.is_empty() && changes.seeds.is_none() {
        let mut experiment = parse(&text, &source)?;
        if changes.quick {
            experiment.shorten();
        }
        return Ok(experiment);
    }
    let mut experiment: Experiment = serde_saphyr::from_str(&text).map_err(|e| explain(&e, &source))?;
    if changes.quick {
        experiment.shorten();
    }
    let mut resolved = Resolved::of(&experiment)?;
    for change in &changes.set {
        let Some((path, value)) = change.split_once('=') else {
            misuse!("--set {change}: write key.path=value, for example --set train.iterations=200")
        };
        let value: Value = serde_saphyr::from_str(value)
            .map_err(|error| Misuse(format!("--set {change}: the value is not YAML: {error}")))?;
        let assigned = resolved.assign(path, value).with_context(|| format!("{source}: --set {change}"))?;
        if let Assignment::NewMethod(name) = assigned {
            note!("note: --set adds a method, {name}, to those of {source}");
        }
    }
    let seeds = changes.seeds.iter().map(|seeds| format!("seeds={seeds:?}"));
    if let Some(seeds) = &changes.seeds {
        resolved.assign("seeds", json!(seeds))?;
    }
    let set: Vec<String> = changes.set.iter().cloned().chain(seeds).collect();
    resolved.check(&format!("{source} with {}", set.join(", ")))
}

fn text_of(file: &Path) -> Result<String> {
    let read = std::fs::read_to_string(file);
    Ok(read.map_err(|error| Misuse(format!("cannot read {}: {error}", file.display())))?)
}

/// Parses and checks an experiment's text; `source` names it in errors.
pub fn parse(text: &str, source: &str) -> Result<Experiment> {
    let parsed: Result<Checked, _> = serde_saphyr::from_str_valid(text);
    parsed.map(|checked| checked.0).map_err(|error| explain(&error, source).into())
}

/// The error with its snippet, and a suggestion where a name is nearly right.
pub(crate) fn explain(error: &YamlError, source: &str) -> Misuse {
    let text = error.to_string().replace("<input>", source);
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Misuse(format!("{source}: {text}{}", suggestion(error)))
}

/// The same about a value that stands at a key, not in a file: without line and snippet.
fn explain_briefly(error: &YamlError, key: &str) -> Misuse {
    let text = error.without_snippet().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Misuse(format!("{key}: {text}{}", suggestion(error)))
}

fn suggestion(error: &YamlError) -> String {
    let similar = match error.without_snippet() {
        YamlError::SerdeUnknownField { field, expected, .. } => similar(field, expected.iter().copied()),
        YamlError::SerdeUnknownVariant { variant, expected, .. } => {
            similar(variant, expected.iter().copied())
        }
        _ => None,
    };
    similar.unwrap_or_default()
}

/// An experiment with every default filled in, as a tree of keys that can be given other values.
#[derive(Clone, Debug)]
pub struct Resolved(Value);

/// What a value was given to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// A key of the experiment.
    Known,
    /// A method that was not there, of this name.
    NewMethod(String),
}

impl Resolved {
    /// Of an experiment.
    ///
    /// # Errors
    /// None that an experiment can cause.
    pub fn of(experiment: &Experiment) -> Result<Self> {
        Ok(Self(serde_json::to_value(experiment)?))
    }

    /// Of an experiment file, whose values are not checked yet.
    ///
    /// # Errors
    /// It cannot be read, or has other keys than an experiment.
    pub fn read(file: &Path) -> Result<Self> {
        let experiment: Experiment = serde_saphyr::from_str(&text_of(file)?)
            .map_err(|error| explain(&error, &file.display().to_string()))?;
        Self::of(&experiment)
    }

    /// Gives a key, by its path with dots, another value. Only a whole method may be new: a setting of a method that is not there would
    /// make one up.
    ///
    /// # Errors
    /// A [`Misuse`] that says why there is no such key, with a suggestion, or what its value should be.
    pub fn assign(&mut self, path: &str, value: Value) -> Result<Assignment> {
        let keys: Vec<&str> = path.split('.').collect();
        let mut assigned = Assignment::Known;
        if let (["methods", name, rest @ ..], Some(methods)) = (&keys[..], self.0["methods"].as_object())
            && !methods.contains_key(*name)
        {
            if !rest.is_empty() {
                let known: Vec<&str> = methods.keys().map(String::as_str).collect();
                let hint = similar(name, known.iter().copied()).unwrap_or_default();
                misuse!(
                    "{path}: there is no method {name}, only {}; a new one is given whole, methods.{name}: {{maml: {{}}}} for example{hint}",
                    known.join(", ")
                );
            }
            assigned = Assignment::NewMethod((*name).to_owned());
        }
        let mut changed = self.0.clone();
        if !put(&mut changed, &keys, value) {
            misuse!("{path} leads through something that is not a map");
        }
        let experiment: Experiment = serde_saphyr::from_str(&serde_saphyr::to_string(&changed)?)
            .map_err(|error| explain_briefly(&error, path))?;
        *self = Self::of(&experiment)?;
        Ok(assigned)
    }

    /// The experiment, checked as a whole; `source` names it in errors.
    ///
    /// # Errors
    /// A [`Misuse`] with the key and what is wrong with its value.
    pub fn check(&self, source: &str) -> Result<Experiment> {
        parse(&serde_saphyr::to_string(&self.0)?, source)
    }
}

/// Puts `value` at a path of keys, making maps on the way; false where something else than a map is in the way.
fn put(at: &mut Value, keys: &[&str], value: Value) -> bool {
    let Some((key, rest)) = keys.split_first() else {
        *at = value;
        return true;
    };
    if at.is_null() {
        *at = Value::Object(Map::new());
    }
    match at {
        Value::Object(map) => put(map.entry(*key).or_insert(Value::Null), rest, value),
        Value::Array(items) => match key.parse::<usize>().ok().and_then(|i| items.get_mut(i)) {
            Some(item) => put(item, rest, value),
            None => false,
        },
        _ => false,
    }
}
