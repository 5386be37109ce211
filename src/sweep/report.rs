//! What comes out of a study: `study.csv`, `best.yaml` and figures.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::{
    files::{BEST, TRIALS},
    names::Names,
    schedule::Trials,
    space::{Domain, text},
    spec::Sweep,
    study::Study,
    trial::Trial,
};
use crate::{
    experiment::files::FIGURES,
    figures::study::{self as figures, Scale, StudyParameter, StudyResults, TrialResult},
    measures::Better,
};

/// How a trial stands in a study that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Trained to the end.
    Done,
    /// Left behind at a rung, or not yet at its next one.
    Pruned,
    /// It failed.
    Failed,
}

impl Standing {
    /// As tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Pruned => "pruned",
            Self::Failed => "failed",
        }
    }
}

impl Sweep {
    /// How a trial stands, if it is not at work.
    pub fn state(&self, trial: &Trial) -> Standing {
        match &trial.error {
            Some(_) => Standing::Failed,
            None if self.is_complete(trial) => Standing::Done,
            None => Standing::Pruned,
        }
    }
}

impl Sweep {
    /// How many trials stand like this.
    pub fn count(&self, trials: &Trials, state: Standing) -> usize {
        trials.values().filter(|trial| self.state(trial) == state).count()
    }
}

impl Study<'_> {
    /// Writes `study.csv`, one row a trial and rung, and `best.yaml`, the best experiment so far, ready to be tested.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn report(&self, trials: &Trials) -> Result<()> {
        let sweep = &self.plan.sweep;
        let names = Names::of(&sweep.space);
        let paths: Vec<&str> = names.iter().map(|name| name.0).collect();
        let mut csv = csv::Writer::from_writer(Vec::new());
        let fixed = ["trial", "state", "rung", "iterations", "score", "seconds"];
        csv.write_record(fixed.into_iter().chain(paths.iter().copied()))?;
        for trial in trials.values() {
            let cell = |path: &&str| match trial.value(path) {
                Some(assigned) => assigned.text(),
                None => String::new(),
            };
            let labels: Vec<String> = paths.iter().map(cell).collect();
            let mut rows: Vec<[String; 4]> = Vec::new();
            for (place, rung) in trial.rungs.iter().enumerate() {
                let seconds = format!("{:.3}", rung.seconds);
                rows.push([place.to_string(), rung.iterations.to_string(), rung.score.to_string(), seconds]);
            }
            if rows.is_empty() && trial.error.is_some() {
                rows.push(Default::default());
            }
            for row in rows {
                let who = [trial.number.to_string(), sweep.state(trial).name().to_owned()];
                csv.write_record(who.iter().chain(&row).chain(&labels))?;
            }
        }
        self.folder.write(TRIALS, &csv.into_inner().map_err(|error| error.into_error())?)?;
        let Some(best) = sweep.best(trials) else { return Ok(()) };
        let experiment = self.plan.experiment(&format!("{}-best", sweep.name), &best.values)?;
        let text = format!(
            "# The best of {} trials of the sweep {}: trial {}, {} {} on validation episodes.\n# quickstudy experiment {}\n{}",
            trials.len(),
            sweep.name,
            best.number,
            sweep.objective().quantity().title,
            sweep.objective().value(best.score().unwrap_or(f64::NAN)),
            self.path().join(BEST).display(),
            serde_saphyr::to_string(&experiment)?
        );
        self.folder.write(BEST, text.as_bytes())
    }

    /// Draws the study's figures.
    ///
    /// # Errors
    /// They cannot be drawn or written.
    pub fn draw(&self, trials: &Trials) -> Result<()> {
        for figure in figures::draw(&self.results(trials))? {
            let file = |ending| Path::new(FIGURES).join(&figure.name).with_extension(ending);
            self.folder.write(file("svg"), figure.svg.as_bytes())?;
            self.folder.write(file("png"), &figure.png)?;
        }
        Ok(())
    }

    /// What figures need of the trials.
    fn results(&self, trials: &Trials) -> StudyResults {
        let sweep = &self.plan.sweep;
        let parameters = sweep.space.parameters();
        let domain = |path: &str| parameters.iter().find(|p| p.path == path).map(|p| p.domain);
        let names = Names::of(&sweep.space);
        let paths: Vec<&str> = names.iter().map(|name| name.0).collect();
        let options: Vec<Vec<Value>> =
            paths.iter().map(|path| domain(path).map(Domain::labels).unwrap_or_default()).collect();
        let scale = |(path, options): (&&str, &Vec<Value>)| match domain(path) {
            Some(Domain::LogUniform(_)) => Scale::Logarithmic,
            Some(Domain::Choice(_)) => Scale::Options(options.iter().map(text).collect()),
            _ => Scale::Linear,
        };
        let value = |trial: &Trial, path: &str, options: &[Value]| {
            let label = &trial.value(path)?.label;
            let option = options.iter().position(|option| option == label);
            option.map(|place| place as f64).or_else(|| label.as_f64())
        };
        let result = |trial: &Trial| {
            Some(TrialResult {
                number: trial.number,
                score: sweep.objective().shown(trial.score()?),
                complete: sweep.is_complete(trial),
                values: paths
                    .iter()
                    .zip(&options)
                    .map(|(path, options)| value(trial, path, options))
                    .collect(),
                curve: sweep
                    .curve(trial)
                    .into_iter()
                    .map(|(i, score)| (i as f64, sweep.objective().shown(score)))
                    .collect(),
            })
        };
        StudyResults {
            name: sweep.name.clone(),
            objective: sweep.objective().label(),
            lower_is_better: sweep.objective().quantity().better == Better::Lower,
            trials: trials.values().filter_map(result).collect(),
            parameters: paths
                .iter()
                .zip(&options)
                .zip(names.iter())
                .map(|(it, (path, name))| StudyParameter {
                    path: path.into(),
                    name: name.into(),
                    scale: scale(it),
                })
                .collect(),
        }
    }
}
