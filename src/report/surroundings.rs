//! Where results came from, and whether they belong together.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    experiment::{
        environment,
        files::{ENVIRONMENT, LOG},
        spec::Experiment,
    },
    runs::Log,
    tasks::few_shot::class_split::NamedParts,
};

/// What the runs' `environment.json` and `log.jsonl` tell.
pub struct Surroundings {
    /// Names and values.
    pub facts: Vec<(String, String)>,
    /// The commands that worked on the first run, one a line.
    pub command: Option<String>,
    /// The hashes of the test episodes, one for each fold.
    pub episodes: Vec<String>,
    /// Which classes train, validate and test, by fold; of results from before they were recorded, none.
    pub classes: BTreeMap<usize, NamedParts>,
    /// Whether all methods were tested on the same episodes.
    pub comparable: bool,
    /// What does not fit together.
    pub warnings: Vec<String>,
}

impl Surroundings {
    /// Reads those of all runs that have them.
    pub fn read(path: &Path, experiment: &Experiment) -> Self {
        let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut episodes: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut classes = BTreeMap::new();
        let (mut seconds, mut commands) = (0.0, Vec::new());
        let mut warnings = Vec::new();
        for run in experiment.runs() {
            let entries = environment::read(&path.join(run.file(ENVIRONMENT)));
            let entries = entries.unwrap_or_else(|error| {
                warnings.push(format!("{error:#}"));
                Vec::new()
            });
            let is_first = commands.is_empty();
            for environment in &entries {
                for key in KEYS {
                    let value = &environment[key];
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    let known = values.entry(key).or_default();
                    if value != "null" && !known.contains(&value) {
                        known.push(value);
                    }
                }
                if let Some(hash) = environment["test_episodes_sha256"].as_str() {
                    let known = episodes.entry(run.fold).or_default();
                    if !known.iter().any(|known| known == hash) {
                        known.push(hash.to_owned());
                    }
                }
                if let Ok(parts) = NamedParts::deserialize(&environment["classes"]) {
                    classes.entry(run.fold).or_insert(parts);
                }
                if let Some(words) = environment["command"].as_array() {
                    let words: Vec<String> = words.iter().filter_map(Value::as_str).map(quoted).collect();
                    let command = format!("quickstudy {}", words.get(1..).unwrap_or_default().join(" "));
                    if is_first && !commands.contains(&command) {
                        commands.push(command);
                    }
                }
            }
            let log_file = path.join(run.file(LOG));
            let log = Log::read(&log_file).unwrap_or_default();
            warnings.extend(log.damage(&log_file));
            seconds += log.seconds;
        }
        let mixed = |key: &&str| values.get(*key).is_some_and(|values| values.len() > 1);
        let mixed = ["quickstudy", "git_commit", "libtorch", "processor", "device"].into_iter().filter(mixed);
        warnings.extend(mixed.map(|key| {
            format!("the runs were made with different values of {key}: {}", values[key].join(", "))
        }));
        let comparable = episodes.values().all(|hashes| hashes.len() < 2);
        if !comparable {
            warnings.push(
                "the methods were tested on different episodes (their SHA-256 differ), so their results are not paired: \
                 run the experiment again as a whole, with --fresh"
                    .into(),
            );
        }
        let mut facts: Vec<(String, String)> = KEYS
            .iter()
            .filter_map(|key| Some((key.replace('_', " "), values.get(key)?.join(", "))))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        facts.push(("computing time".into(), format!("{seconds:.0} s in all runs")));
        let command = (!commands.is_empty()).then(|| commands.join("\n"));
        Self {
            facts,
            command,
            episodes: episodes.into_values().flatten().collect(),
            classes,
            comparable,
            warnings,
        }
    }
}

/// What a report says of the surroundings.
const KEYS: [&str; 9] = [
    "quickstudy",
    "git_commit",
    "uncommitted_changes",
    "rustc",
    "libtorch",
    "system",
    "processor",
    "device",
    "threads",
];

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
