//! From the file's text to a checked experiment, with errors that point at the line.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value};
use serde_saphyr::Error as YamlError;

use super::{check::Checked, spec::Experiment};
use crate::misuse::{Misuse, misuse};

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

/// Reads, changes and checks an experiment.
///
/// # Errors
/// A [`Misuse`] with file, line, column, key and what to do.
pub fn read(file: &Path, changes: &Changes) -> Result<Experiment> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Misuse(format!("cannot read {}: {error}", file.display())))?;
    let mut source = file.display().to_string();
    let changed;
    let mut text = &text;
    let seeds = changes.seeds.iter().map(|seeds| format!("seeds={seeds:?}"));
    let set: Vec<String> = changes.set.iter().cloned().chain(seeds).collect();
    if !set.is_empty() {
        source = format!("{source} with {}", set.join(", "));
        changed = with_changes(text, &set, &source)?;
        text = &changed;
    }
    let mut experiment = parse(text, &source)?;
    if changes.quick {
        experiment.shorten();
    }
    Ok(experiment)
}

/// Parses and checks an experiment's text; `source` names it in errors.
pub fn parse(text: &str, source: &str) -> Result<Experiment> {
    let parsed: Result<Checked, _> = serde_saphyr::from_str_valid(text);
    parsed.map(|checked| checked.0).map_err(|error| explain(&error, source).into())
}

/// The error with its snippet, and a suggestion where a name is nearly right.
pub(crate) fn explain(error: &YamlError, source: &str) -> Misuse {
    let suggestion = match error.without_snippet() {
        YamlError::SerdeUnknownField { field, expected, .. } => similar(field, expected.iter().copied()),
        YamlError::SerdeUnknownVariant { variant, expected, .. } => {
            similar(variant, expected.iter().copied())
        }
        _ => None,
    };
    let text = error.to_string().replace("<input>", source);
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Misuse(format!("{source}: {text}{}", suggestion.unwrap_or_default()))
}

/// `; did you mean X?` for the known name most like a mistyped one, if any is.
fn similar<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let alike = known.map(|known| (strsim::jaro_winkler(name, known), known));
    let (likeness, best) = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > 0.75).then(|| format!("\ndid you mean {best}?"))
}

/// An experiment file as it is written, without defaults.
///
/// # Errors
/// It cannot be read, or is no YAML.
pub(crate) fn document(file: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Misuse(format!("cannot read {}: {error}", file.display())))?;
    serde_saphyr::from_str(&text).map_err(|error| explain(&error, &file.display().to_string()).into())
}

/// The file's text with `--set` applied, as YAML again.
fn with_changes(text: &str, set: &[String], source: &str) -> Result<String> {
    let mut document: Value = serde_saphyr::from_str(text).map_err(|e| explain(&e, source))?;
    for change in set {
        let Some((path, value)) = change.split_once('=') else {
            misuse!("--set {change}: write key.path=value, for example --set train.iterations=200")
        };
        let value: Value = serde_saphyr::from_str(value)
            .map_err(|error| Misuse(format!("--set {change}: the value is not YAML: {error}")))?;
        let keys: Vec<&str> = path.split('.').collect();
        if !put(&mut document, &keys, value) {
            misuse!("--set {change}: {path} leads through something that is not a map");
        }
    }
    Ok(serde_saphyr::to_string(&document)?)
}

/// Puts `value` at a path of keys, making maps on the way; false where something else than a map is in the way.
pub(crate) fn put(at: &mut Value, keys: &[&str], value: Value) -> bool {
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
