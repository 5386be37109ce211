//! A study: what a sweep leaves on disk, and from which it goes on.
//!
//! `trials/0007.yaml` is a trial's experiment, `trials/0007.json` where it looked, `trials/0007/` its results as any experiment's, and
//! `trials/0007.done.json` how it ended. A trial without the last is run, or goes on, when the sweep is started again.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    sampler::Told,
    space::{Assigned, Domain},
    spec::{Objective, Plan},
};
use crate::{
    experiment::folder::{Folder, write_whole},
    figures::study::{self as figures, Response, Scale, StudyResults},
    misuse::misuse,
    records::{self, EvaluationRow},
    summary::summarise,
};

/// A study, locked for this process.
pub struct Study<'a> {
    /// What is searched, and how.
    pub plan: &'a Plan,
    folder: Folder,
}

/// Where a trial looks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// From 0.
    pub number: usize,
    /// In the unit cube.
    pub point: Vec<f64>,
    /// As values.
    pub values: Vec<Assigned>,
}

/// How a trial ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct End {
    /// The objective, more is better; none if it failed.
    pub score: Option<f64>,
    /// Why it failed.
    pub error: Option<String>,
    /// How long it ran.
    pub seconds: f64,
}

const SWEEP: &str = "sweep.yaml";

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
        // A larger budget goes on with the same study.
        let comparable = |text: &str| {
            let mut value: Value = serde_saphyr::from_str(text).unwrap_or_default();
            value.as_object_mut().map(|map| map.remove("budget"));
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
        self.folder.path.join("trials").join(format!("{number:04}{ending}"))
    }

    /// The trial, as it was left or as the sampler gives it now, after what it is `told`; `None` when there is nothing left to look at.
    ///
    /// # Errors
    /// Its file is damaged, or cannot be written.
    pub fn trial(&self, number: usize, told: impl FnOnce() -> Vec<Told>) -> Result<Option<Trial>> {
        let file = self.file(number, ".json");
        if let Some(trial) = read_json(&file)? {
            return Ok(Some(trial));
        }
        let sweep = &self.plan.sweep;
        let Some(point) = sweep.sampler.point(&sweep.space, number, &told()) else { return Ok(None) };
        let trial = Trial { number, values: sweep.space.at(&point), point };
        write_whole(&file, serde_json::to_string_pretty(&trial)?.as_bytes())?;
        Ok(Some(trial))
    }

    /// How a trial ended, if it has.
    ///
    /// # Errors
    /// Its file is damaged.
    pub fn end(&self, number: usize) -> Result<Option<End>> {
        read_json(&self.file(number, ".done.json"))
    }

    /// Notes how a trial ended.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&self, number: usize, end: &End) -> Result<()> {
        write_whole(&self.file(number, ".done.json"), serde_json::to_string_pretty(end)?.as_bytes())
    }

    /// The objective of a trial whose runs are done, from their validation episodes.
    ///
    /// # Errors
    /// They left no validation, or a damaged one.
    pub fn score(&self, trial: &Trial) -> Result<f64> {
        let experiment = self.plan.experiment(&format!("{:04}", trial.number), &trial.values)?;
        let mut rows: Vec<EvaluationRow> = Vec::new();
        for run in experiment.runs() {
            rows.extend(records::read::<EvaluationRow>(
                &self.file(trial.number, "").join(run.file("validation.csv")),
            )?);
        }
        let scores = summarise(&rows, &[]).into_iter().map(|row| match self.plan.sweep.objective {
            Objective::Accuracy => row.accuracy,
            Objective::Loss => -row.loss,
        });
        scores.filter(|score| score.is_finite()).reduce(f64::max).context("the validation gave no number")
    }

    /// Writes `study.csv`, one row a trial, `figures/`, and `best.yaml`, the best experiment so far, ready to be tested.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn report(&self, trials: &[(Trial, End)]) -> Result<()> {
        let sweep = &self.plan.sweep;
        let mut paths: Vec<&str> = sweep.space.parameters().iter().map(|parameter| parameter.path).collect();
        paths.dedup();
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(["trial", "state", "score", "seconds"].into_iter().chain(paths.iter().copied()))?;
        for (trial, end) in trials {
            let state = if end.score.is_some() { "done" } else { "failed" };
            let score = end.score.map(|score| score.to_string()).unwrap_or_default();
            let fixed = [trial.number.to_string(), state.into(), score, format!("{:.3}", end.seconds)];
            let label = |path: &&str| match trial.values.iter().find(|assigned| assigned.path == **path) {
                Some(Assigned { label: Value::String(text), .. }) => text.clone(),
                Some(assigned) => assigned.label.to_string(),
                None => String::new(),
            };
            csv.write_record(fixed.into_iter().chain(paths.iter().map(label)))?;
        }
        self.folder.write("study.csv", &csv.into_inner().map_err(|error| error.into_error())?)?;
        for figure in figures::draw(&self.results(trials))? {
            let file = |ending| Path::new("figures").join(&figure.name).with_extension(ending);
            self.folder.write(file("svg"), figure.svg.as_bytes())?;
            self.folder.write(file("png"), &figure.png)?;
        }
        if let Some((best, end)) = best(trials) {
            let experiment = self.plan.experiment(&format!("{}-best", sweep.name), &best.values)?;
            let text = format!(
                "# The best of {} trials of the sweep {}: trial {}, {:?} {} on validation episodes.\n# quickstudy experiment {}\n{}",
                trials.len(),
                sweep.name,
                best.number,
                sweep.objective,
                end.score.unwrap_or(f64::NAN).abs(),
                self.folder.path.join("best.yaml").display(),
                serde_saphyr::to_string(&experiment)?
            );
            self.folder.write("best.yaml", text.as_bytes())?;
        }
        Ok(())
    }
}

impl Study<'_> {
    /// What figures need of the trials.
    fn results(&self, trials: &[(Trial, End)]) -> StudyResults {
        let sweep = &self.plan.sweep;
        // As a reader knows it: a share in per cent, or a loss as it is.
        let shown = |score: f64| match sweep.objective {
            Objective::Accuracy => 100.0 * score,
            Objective::Loss => -score,
        };
        let scored = || trials.iter().filter_map(|(trial, end)| Some((trial, shown(end.score?))));
        let mut parameters: Vec<Response> = Vec::new();
        for parameter in sweep.space.parameters() {
            if parameters.iter().any(|response| response.path == parameter.path) {
                continue; // one key under several options
            }
            let options: Vec<Value> = parameter.domain.labels();
            let value = |label: &Value| match options.iter().position(|option| option == label) {
                Some(place) => Some(place as f64),
                None => label.as_f64(),
            };
            let points = scored().filter_map(|(trial, score)| {
                let assigned = trial.values.iter().find(|assigned| assigned.path == parameter.path)?;
                Some((value(&assigned.label)?, score))
            });
            let name = |label: &Value| label.as_str().map_or_else(|| label.to_string(), str::to_owned);
            let scale = match parameter.domain {
                Domain::LogUniform(_) => Scale::Logarithmic,
                Domain::Choice(_) => Scale::Options(options.iter().map(name).collect()),
                _ => Scale::Linear,
            };
            parameters.push(Response { path: parameter.path.to_owned(), scale, points: points.collect() });
        }
        StudyResults {
            name: sweep.name.clone(),
            objective: match sweep.objective {
                Objective::Accuracy => "validation accuracy (%)".into(),
                Objective::Loss => "validation loss".into(),
            },
            lower_is_better: sweep.objective == Objective::Loss,
            scores: scored().map(|(trial, score)| (trial.number, score)).collect(),
            parameters,
        }
    }
}

/// The best trial so far, the first of equals.
fn best(trials: &[(Trial, End)]) -> Option<&(Trial, End)> {
    let scored = trials.iter().filter(|(_, end)| end.score.is_some());
    scored.reduce(|best, next| if next.1.score > best.1.score { next } else { best })
}

/// A file of JSON; `None` if there is none.
fn read_json<T: DeserializeOwned>(file: &Path) -> Result<Option<T>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(serde_json::from_str(&text).with_context(|| {
            format!("{} is damaged: remove it, and the trial is run again", file.display())
        })?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}
