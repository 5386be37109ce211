//! A study: what a sweep leaves on disk, and from which it goes on.
//!
//! `trials/0007.json` says where a trial looks and how it did at each rung, `trials/0007.yaml` is its experiment and `trials/0007/` the
//! results of that, as any experiment's.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    files::SWEEP,
    objective::mean,
    schedule::Trials,
    spec::{Plan, Sweep},
    trial::{Job, Rung, Trial},
};
use crate::{
    experiment::{
        files::{STATE, TRAIN},
        folder::{Folder, is_at_work, write_whole},
        spec::Experiment,
    },
    misuse::misuse,
    records::{self, EvaluationRow, TrainRow},
};

/// A study, locked for this process.
pub struct Study<'a> {
    /// What is searched, and how.
    pub plan: &'a Plan,
    pub(super) folder: Folder,
}

/// The sweep whose study is in a folder.
///
/// # Errors
/// There is none, or its file is damaged.
pub fn sweep(study: &Path) -> Result<Sweep> {
    let file = study.join(SWEEP);
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    // Checked as when it was written: numbers out of bounds would have a reader list more rungs than there is memory.
    serde_saphyr::from_str_valid(&text).with_context(|| format!("{} is damaged", file.display()))
}

/// The trials that have begun in a study's folder.
///
/// # Errors
/// A trial's file is damaged.
pub fn recorded(study: &Path, sweep: &Sweep) -> Result<Trials> {
    let mut trials = Trials::new();
    for number in 0..sweep.budget.trials {
        let file = file(study, number, ".json");
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            read => read.with_context(|| format!("cannot read {}", file.display()))?,
        };
        let trial = serde_json::from_str(&text).with_context(|| {
            format!("{} is damaged: remove it, and the trial is run again", file.display())
        })?;
        trials.insert(number, trial);
    }
    Ok(trials)
}

fn file(study: &Path, number: usize, ending: &str) -> PathBuf {
    study.join("trials").join(format!("{number:04}{ending}"))
}

impl<'a> Study<'a> {
    /// Opens `out/<name>`, new or as it was left.
    ///
    /// # Errors
    /// The folder cannot be written, another process uses it, or it is of another sweep.
    pub fn open(out: &Path, plan: &'a Plan) -> Result<Self> {
        let path = out.join(&plan.sweep.name);
        fs::create_dir_all(path.join("trials")).with_context(|| {
            format!("cannot write to {}: choose another folder with --out", path.display())
        })?;
        let folder = Folder::at(&path)?;
        // With a larger budget, or other computers, it is still the same study.
        let comparable = |text: &str| {
            // Keys that an older version did not know have their defaults.
            let sweep: Option<Sweep> = serde_saphyr::from_str(text).ok();
            let mut value: Value = serde_json::to_value(sweep).unwrap_or_default();
            if let Some(map) = value.as_object_mut() {
                map.retain(|key, _| !["budget", "slurm"].contains(&key.as_str()));
            }
            value
        };
        let text = serde_saphyr::to_string(&plan.sweep)?;
        match fs::read_to_string(path.join(SWEEP)) {
            Ok(old) if comparable(&old) != comparable(&text) => misuse!(
                "{} holds another sweep: choose another name or --out, or remove the folder",
                path.display()
            ),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
            _ => folder.write(SWEEP, text.as_bytes())?,
        }
        Ok(Self { plan, folder })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.folder.path
    }

    /// A file of a trial.
    pub fn file(&self, number: usize, ending: &str) -> PathBuf {
        file(self.path(), number, ending)
    }

    /// All trials that have begun.
    ///
    /// # Errors
    /// A trial's file is damaged.
    pub fn trials(&self) -> Result<Trials> {
        let sweep = &self.plan.sweep;
        let mut trials = recorded(self.path(), sweep)?;
        if sweep.pruner.as_ref().is_some_and(|pruner| pruner.looks_at_episodes()) {
            for trial in trials.values_mut() {
                let reached = 0..trial.rungs.len();
                trial.episodes = reached.map(|rung| self.episodes(trial, rung)).collect::<Result<_>>()?;
            }
        }
        Ok(trials)
    }

    /// Begins a trial where the sampler looks next; `None` when there is nothing left to look at.
    ///
    /// # Errors
    /// Its file cannot be written.
    pub fn begin(&self, number: usize, trials: &Trials) -> Result<Option<Trial>> {
        let sweep = &self.plan.sweep;
        let Some(point) = sweep.sampler.point(&sweep.space, number, &sweep.told(trials)) else {
            return Ok(None);
        };
        let values = sweep.space.at(&point);
        let (rungs, curve, episodes) = Default::default();
        let trial = Trial { number, point, values, rungs, curve, error: None, episodes };
        self.save(&trial)?;
        Ok(Some(trial))
    }

    /// Notes how far a trial is.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, trial: &Trial) -> Result<()> {
        write_whole(&self.file(trial.number, ".json"), serde_json::to_string_pretty(trial)?.as_bytes())
    }

    /// A trial's experiment.
    ///
    /// # Errors
    /// A `Misuse` that says why it is not sound.
    pub fn experiment(&self, trial: &Trial) -> Result<Experiment> {
        self.plan.experiment(&format!("{:04}", trial.number), &trial.values)
    }

    /// The iterations until a rung, and whether that is the whole training.
    fn iterations(&self, experiment: &Experiment, job: Job) -> (usize, bool) {
        let whole = experiment.runs().into_iter().map(|run| run.train.iterations);
        let whole = whole.max().unwrap_or(1);
        let part = self.plan.sweep.rungs(job.trial).get(job.rung).copied().unwrap_or(1.0);
        (((part * whole as f64).round() as usize).max(1), part >= 1.0)
    }

    /// Writes a trial's experiment and gives the arguments of this program that train it up to a rung.
    ///
    /// # Errors
    /// The experiment is not sound, or cannot be written.
    pub fn arguments(&self, trial: &Trial, job: Job) -> Result<Vec<String>> {
        let experiment = self.experiment(trial)?;
        let file = self.file(trial.number, ".yaml");
        write_whole(&file, serde_saphyr::to_string(&experiment)?.as_bytes())?;
        let text = |path: &Path| path.display().to_string();
        let mut arguments = vec!["experiment".to_owned(), text(&file), "--out".into()];
        arguments.push(text(&self.path().join("trials")));
        arguments.extend(["--no-test", "--resume", "--quiet"].map(str::to_owned));
        if let (iterations, false) = self.iterations(&experiment, job) {
            arguments.extend(["--until".into(), iterations.to_string()]);
        }
        Ok(arguments)
    }

    /// Takes up what a trial's runs have left at a rung.
    ///
    /// # Errors
    /// They left no validation, or a damaged one.
    pub fn judge(&self, trial: &mut Trial, job: Job, seconds: f64) -> Result<()> {
        let episodes = self.episodes(trial, job.rung)?;
        let score = mean(&episodes);
        ensure!(score.is_finite(), "the validation gave no number");
        let experiment = self.experiment(trial)?;
        let (iterations, _) = self.iterations(&experiment, job);
        trial.curve = self.curve(&experiment, trial.number)?;
        trial.rungs.push(Rung { iterations, score, seconds });
        trial.episodes.push(episodes);
        Ok(())
    }

    /// The objective on every validation episode at a rung.
    fn episodes(&self, trial: &Trial, rung: usize) -> Result<Vec<f64>> {
        let experiment = self.experiment(trial)?;
        let (iterations, whole) = self.iterations(&experiment, Job { trial: trial.number, rung });
        let results = self.file(trial.number, "");
        let mut rows: Vec<EvaluationRow> = Vec::new();
        for run in experiment.runs() {
            let file = run.validated(&results, (!whole).then_some(iterations));
            let file =
                file.with_context(|| format!("{} has no validation", results.join(&run.folder).display()))?;
            rows.extend(records::read::<EvaluationRow>(&file)?);
        }
        Ok(self.plan.sweep.objective().episodes(&rows))
    }

    /// Iterations and mean scores over a trial's runs, where they were validated while training.
    fn curve(&self, experiment: &Experiment, number: usize) -> Result<Vec<(usize, f64)>> {
        let objective = self.plan.sweep.objective();
        let mut points: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for run in experiment.runs() {
            let file = self.file(number, "").join(run.file(TRAIN));
            if !file.exists() {
                continue; // a method that learns nothing
            }
            for row in records::read::<TrainRow>(&file)? {
                if let Some(value) = row.validated(objective.quantity().name) {
                    let (sum, count) = points.entry(row.iteration).or_default();
                    *sum += objective.score(value);
                    *count += 1.0;
                }
            }
        }
        let means = points.into_iter().map(|(iteration, (sum, count))| (iteration, sum / count));
        Ok(means.filter(|(_, score)| score.is_finite()).collect()) // JSON has no other numbers
    }

    /// When a trial's training last saved its state.
    pub fn saved(&self, number: usize) -> Option<SystemTime> {
        let runs = fs::read_dir(self.file(number, "")).ok()?.flatten();
        let states = runs.map(|run| run.path().join(STATE));
        states.filter_map(|file| fs::metadata(file).ok()?.modified().ok()).max()
    }

    /// Whether a process is at work on a trial.
    pub fn is_at_work(&self, number: usize) -> bool {
        is_at_work(&self.file(number, ""))
    }

    /// A trial's last words, for why it failed.
    pub fn last_words(&self, number: usize) -> String {
        let log = fs::read_to_string(self.file(number, ".log")).unwrap_or_default();
        let last = log.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("it ended without a word").trim_start_matches("error: ").to_owned()
    }
}
