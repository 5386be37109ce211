//! What a run has learned, put to use. A run is a folder like `results/maml/maml-seed0`; nothing here changes its files; an audit adds one.

pub mod adapt;
pub mod audit;
pub mod evaluate;
pub mod export;
mod pictures;
pub mod tutor;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;
use tch::Device;

use crate::{
    algorithms::Testing,
    experiment::{
        files::{CHECKPOINT, CONFIG, VALIDATION},
        folder,
        plan::Run,
        spec::Experiment,
        state,
    },
    misuse::misuse,
    models::Params,
    records, summary,
};

/// A run that was trained.
pub struct Learned {
    /// Its folder.
    pub folder: PathBuf,
    /// The experiment that it belongs to.
    pub experiment: Experiment,
    /// Its name there, `maml-seed0`, whatever its folder is called now.
    pub name: String,
}

impl Learned {
    /// Opens a run's folder.
    ///
    /// # Errors
    /// A `Misuse` when it is none, or of a run that is not trained yet; the checkpoint is damaged.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.join(CONFIG).is_file() {
            misuse!(
                "{} is no run's folder: it has no {CONFIG}; name one that an experiment made, like results/maml/maml-seed0",
                path.display()
            );
        }
        let experiment = folder::config(path)?;
        let file = path.join(CHECKPOINT);
        if !file.is_file() {
            let runs = experiment.runs();
            let trained: Vec<&str> = runs
                .iter()
                .filter(|run| path.join(run.file(CHECKPOINT)).is_file())
                .map(|run| run.folder.as_str())
                .collect();
            if !trained.is_empty() {
                misuse!(
                    "{} has the results of a whole experiment: name one of its runs, {}",
                    path.display(),
                    trained.join(", ")
                );
            }
            misuse!(
                "{} has no {CHECKPOINT}: its training has not ended; go on with quickstudy experiment ... --resume",
                path.display()
            );
        }
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let about = state::from_safetensors(&bytes).and_then(|(_, about)| Ok(serde_json::from_str(&about)?));
        let about: Value = about.with_context(|| {
            format!("{} is damaged: delete its folder and run the experiment again", file.display())
        })?;
        let name = about["run"].as_str().unwrap_or_default().to_owned();
        if !experiment.runs().iter().any(|run| run.folder == name) {
            misuse!(
                "{} is of a run {name:?}, which the {CONFIG} beside it does not have: they belong to different experiments",
                file.display()
            );
        }
        Ok(Self { folder: path.to_owned(), experiment, name })
    }

    /// The run among those of its experiment, or of the same experiment with other settings.
    ///
    /// # Errors
    /// The experiment has no such run.
    pub fn run<'a>(&self, experiment: &'a Experiment) -> Result<Run<'a>> {
        let run = experiment.runs().into_iter().find(|run| run.folder == self.name);
        run.with_context(|| format!("the experiment has no run {}", self.name))
    }

    /// The run, if its method learns to solve few-shot tasks.
    ///
    /// # Errors
    /// A `Misuse` for a method that is trained and tested on the whole data set.
    pub fn few_shot_run<'a>(&self, experiment: &'a Experiment) -> Result<Run<'a>> {
        let run = self.run(experiment)?;
        if run.method.algorithm.testing() != Testing::Episodes {
            misuse!(
                "{}: its method ({}) is trained and tested on the whole data set at once and leaves nothing to adapt to \
                 other tasks; name a run of another method",
                self.folder.display(),
                run.method.algorithm.name()
            );
        }
        Ok(run)
    }

    /// The learned initialisation, with the names and shapes of `like`.
    ///
    /// # Errors
    /// The checkpoint has others.
    pub fn initialisation(&self, like: &Params, device: Device) -> Result<Params> {
        Ok(Params::from_checkpoint(&self.folder.join(CHECKPOINT), like)?.detached(device))
    }

    /// The numbers of adaptation steps that did best on the run's validation tasks, by number of shots; none where it was not
    /// validated.
    ///
    /// # Errors
    /// The run's `validation.csv` is damaged.
    pub fn chosen_steps(&self) -> Result<Vec<(usize, usize)>> {
        let file = self.folder.join(VALIDATION);
        let rows = if file.exists() { records::read(&file)? } else { Vec::new() };
        Ok(summary::chosen_steps(&rows, self.experiment.judge())
            .into_iter()
            .map(|((_, shots), step)| (shots, step))
            .collect())
    }

    /// Refuses to write into the run's folder, and makes the folder of the file, so that a bad path fails before the work.
    ///
    /// # Errors
    /// A `Misuse` that says so.
    pub fn check_output(&self, option: &str, file: &Path) -> Result<()> {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if let Err(error) = fs::create_dir_all(parent) {
            misuse!("{option} {}: cannot make its folder ({error})", file.display());
        }
        if file.is_dir() {
            misuse!("{option} {} is a folder: name a file in it", file.display());
        }
        let absolute = |path: &Path| path.canonicalize().with_context(|| path.display().to_string());
        if absolute(parent)?.starts_with(absolute(&self.folder)?) {
            misuse!("{option} {}: the run's own folder stays as it is; name another", file.display());
        }
        Ok(())
    }
}
