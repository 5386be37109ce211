//! The sweep file as its author writes it, and the experiments that it makes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use garde::Validate;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    objective::Criterion,
    pruner::PrunerSpec,
    sampler::SamplerSpec,
    sbatch::check_options,
    space::{Assigned, Space, active},
};
use crate::{
    experiment::{
        read::{self, Resolved},
        spec::{Experiment, FOLDER_NAME, folder_name},
    },
    measures,
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
    /// What is best; what the base experiment's methods are judged by, if nothing is named.
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Criterion>,
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

impl Sweep {
    /// What is best; of a sweep that was never read together with its base, the first of all measures.
    pub fn objective(&self) -> Criterion {
        self.objective.unwrap_or_else(|| Criterion::of(measures::ALL[0].quantity()))
    }
}

fn one_seed() -> Vec<u64> {
    vec![0]
}

/// A sweep with its base experiment.
pub struct Plan {
    /// The sweep.
    pub sweep: Sweep,
    /// The base with every default filled in and `set` applied.
    base: Resolved,
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
        let mut sweep: Sweep = serde_saphyr::from_str_valid(&text).map_err(|e| read::explain(&e, &source))?;
        let about_base = || format!("{source}: base: {}", sweep.base.display());
        let beside = file.parent().unwrap_or(Path::new("")).join(&sweep.base);
        let found = if beside.is_file() { Ok(beside) } else { read::find(&sweep.base) };
        let mut base = found.and_then(|found| Resolved::read(&found)).with_context(about_base)?;
        for (path, value) in &sweep.set {
            base.assign(path, value.clone()).with_context(|| format!("{source}: set"))?;
        }
        check_options(&sweep.slurm).with_context(|| source.clone())?;
        let asked = sweep.objective;
        sweep.objective = None;
        let mut plan = Self { sweep, base };
        let base = plan.check(&source)?;
        let known = base.quantities();
        let judge = Criterion::of(base.judge());
        match asked {
            Some(asked) if asked.quantity() != measures::LOSS && !known.contains(&asked.quantity()) => {
                misuse!(
                    "{source}: objective: {} is not measured on these tasks; there is {}, loss",
                    asked.quantity().name,
                    known.iter().map(|quantity| quantity.name).collect::<Vec<_>>().join(", ")
                )
            }
            _ => plan.sweep.objective = Some(asked.unwrap_or(judge)),
        }
        Ok(plan)
    }

    /// Checks the base, and that every parameter has a value with which it makes a sound experiment; gives the base.
    fn check(&self, source: &str) -> Result<Experiment> {
        let base = self.experiment("base", &[]).with_context(|| format!("{source}: base with set"))?;
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
        Ok(base)
    }

    /// The experiment of these values.
    ///
    /// # Errors
    /// A `Misuse` that says why it is not sound, or not one of a single method.
    pub fn experiment(&self, name: &str, values: &[Assigned]) -> Result<Experiment> {
        let mut resolved = self.base.clone();
        for assigned in values {
            resolved.assign(&assigned.path, assigned.value.clone()).context("space")?;
        }
        resolved.assign("seeds", json!(self.sweep.seeds))?;
        resolved.assign("name", json!(name))?;
        resolved.assign("expect", json!({}))?; // nothing is tested
        let experiment = resolved.check("the trial's experiment")?;
        if experiment.methods.len() != 1 {
            let names: Vec<&str> = experiment.methods.keys().map(String::as_str).collect();
            misuse!(
                "a sweep tunes one method, but here are {}: name one under set, for example methods: {{{}: ...}}",
                names.join(", "),
                names.first().unwrap_or(&"maml")
            );
        }
        Ok(experiment)
    }
}

/// Whether another value of this key means other validation episodes.
fn changes_episodes(path: &str) -> bool {
    let training = |key: &str| ["augment", "training"].contains(&key);
    (path.starts_with("task.") && !path.split('.').any(training))
        || path.starts_with("evaluate.")
        || path.contains("validate")
}
