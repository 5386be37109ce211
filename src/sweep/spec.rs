//! The sweep file as its author writes it, and the experiments that it makes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use garde::Validate;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    launcher::slurm::check_options,
    objective::Objective,
    pruner::PrunerSpec,
    sampler::SamplerSpec,
    space::{Assigned, Space, active},
};
use crate::{
    experiment::{
        read,
        spec::{Experiment, FOLDER_NAME, folder_name},
    },
    misuse::{Misuse, misuse},
};

/// A search for the experiment that validates best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Names the results folder: letters, digits, `-`, `_` and `.`.
    #[garde(custom(folder_name))]
    #[schemars(extend("pattern" = FOLDER_NAME))]
    pub name: String,
    /// The experiment that trials vary; looked for beside the sweep file, then as `quickstudy experiment` does.
    #[garde(skip)]
    pub base: PathBuf,
    /// What is different from it in every trial: keys as paths, and their values.
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub set: IndexMap<String, Value>,
    /// What differs between trials.
    #[garde(dive)]
    pub space: Space,
    /// Where the next trial looks.
    #[garde(dive)]
    #[serde(default)]
    pub sampler: SamplerSpec,
    /// When to end.
    #[garde(dive)]
    pub budget: Budget,
    /// Which trials are trained to the end; all, if none is named.
    #[garde(dive)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruner: Option<PrunerSpec>,
    /// What is best.
    #[garde(skip)]
    #[serde(default)]
    pub objective: Objective,
    /// Every trial runs once with each.
    #[garde(length(min = 1, max = 1000))]
    #[serde(default = "one_seed")]
    pub seeds: Vec<u64>,
    /// Options of `sbatch` for trials that run on a Slurm cluster, without their dashes: `{partition: gpu, time: 60}`.
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub slurm: IndexMap<String, Value>,
}

/// When a sweep ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Trials.
    #[garde(range(min = 1, max = 1_000_000))]
    pub trials: usize,
    /// Minutes after which no more trials begin.
    #[garde(inner(custom(crate::validity::positive)))]
    #[schemars(extend("exclusiveMinimum" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
}

fn one_seed() -> Vec<u64> {
    vec![0]
}

/// A sweep with its base experiment as it is written.
pub struct Plan {
    /// The sweep.
    pub sweep: Sweep,
    /// The base with `set` applied, without a name of its own.
    base: Value,
}

impl Plan {
    /// Reads a sweep file and its base, and checks every key of the space.
    ///
    /// # Errors
    /// A `Misuse` with file, line, key and what to do.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Misuse(format!("cannot read {}: {error}", file.display())))?;
        let source = file.display().to_string();
        let sweep: Sweep = serde_saphyr::from_str_valid(&text).map_err(|e| read::explain(&e, &source))?;
        let beside = file.parent().unwrap_or(Path::new("")).join(&sweep.base);
        let base = if beside.is_file() { beside } else { read::find(&sweep.base)? };
        let mut document = read::document(&base)?;
        for (path, value) in &sweep.set {
            put(&mut document, path, value, &source)?;
        }
        check_options(&sweep.slurm).with_context(|| source.clone())?;
        let plan = Self { sweep, base: document };
        plan.check(&source)?;
        Ok(plan)
    }

    /// Checks the base, and that every parameter has a value with which it makes a sound experiment.
    fn check(&self, source: &str) -> Result<()> {
        let base = self.experiment("base", &[])?;
        if base.methods.len() != 1 {
            let names: Vec<&str> = base.methods.keys().map(String::as_str).collect();
            misuse!(
                "{source}: a sweep tunes one method, but the base has {}: name one under set, for example \
                 methods: {{{}: ...}}",
                names.join(", "),
                names.first().unwrap_or(&"maml")
            );
        }
        let parameters = self.sweep.space.parameters();
        if let Some(PrunerSpec::Racing(_)) = self.sweep.pruner
            && let Some(other) = parameters.iter().find(|parameter| changes_episodes(parameter.path))
        {
            misuse!(
                "{source}: racing compares trials on the same validation episodes, but {} changes them: choose another \
                 pruner, asha for example",
                other.path
            );
        }
        for (place, parameter) in parameters.iter().enumerate() {
            let mut reason = None;
            let sound = [0.0, 0.5, 0.999_999].into_iter().any(|u| {
                let mut point = vec![0.5; parameters.len()];
                let mut at = (place, u);
                loop {
                    point[at.0] = at.1;
                    let Some((of, option)) = parameters[at.0].parent else { break };
                    let options = parameters[of].domain.count().unwrap_or(1);
                    at = (of, (option as f64 + 0.5) / options as f64);
                }
                debug_assert!(active(&parameters, &point)[place]);
                let mut values = self.sweep.space.at(&point);
                // Only the parameter and what it depends on, so that the message is about it.
                values.retain(|assigned| {
                    let mut of = Some(place);
                    while let Some(this) = of {
                        if parameters[this].path == assigned.path {
                            return true;
                        }
                        of = parameters[this].parent.map(|(parent, _)| parent);
                    }
                    false
                });
                self.experiment("check", &values).map_err(|error| reason = Some(error)).is_ok()
            });
            if let (false, Some(reason)) = (sound, reason) {
                misuse!("{source}: space: {} makes no sound experiment: {reason:#}", parameter.path);
            }
        }
        Ok(())
    }

    /// The experiment of these values.
    ///
    /// # Errors
    /// A `Misuse` that says why it is not sound.
    pub fn experiment(&self, name: &str, values: &[Assigned]) -> Result<Experiment> {
        let mut document = self.base.clone();
        for assigned in values {
            put(&mut document, &assigned.path, &assigned.value, "space")?;
        }
        put(&mut document, "seeds", &json!(self.sweep.seeds), "seeds")?;
        put(&mut document, "name", &json!(name), "name")?;
        let text = serde_saphyr::to_string(&document)?;
        read::parse(&text, "the trial's experiment")
    }
}

/// Whether another value of this key means other validation episodes.
fn changes_episodes(path: &str) -> bool {
    (path.starts_with("task.") && !path.starts_with("task.augment"))
        || path.starts_with("evaluate.")
        || path.contains("validate")
}

fn put(document: &mut Value, path: &str, value: &Value, source: &str) -> Result<()> {
    let keys: Vec<&str> = path.split('.').collect();
    if !read::put(document, &keys, value.clone()) {
        misuse!("{source}: {path} leads through something that is not a map");
    }
    Ok(())
}
