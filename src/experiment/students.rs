//! What the runs of an experiment have left about students.

use std::{fs, path::Path};

use anyhow::Result;

use super::{
    files::{EXAMPLE, PREDICTIONS},
    plan::{Goal, Run},
    predictions::Answers,
    spec::Experiment,
};
use crate::{
    figures::Calibration,
    measures::reliability::{self, Reliability},
    profiles::Ensemble,
    records::Damage,
    summary::Chosen,
    tasks::example::{Example, Profiles},
};

/// The runs of a method that are done.
fn runs_of<'a>(path: &Path, experiment: &'a Experiment, method: &str) -> Vec<Run<'a>> {
    let runs = experiment.runs().into_iter();
    runs.filter(|run| run.name == method && run.is_done(path, Goal::Test)).collect()
}

/// What each method makes of students: all seeds of the first fold, as far as they left it.
pub fn ensembles(path: &Path, experiment: &Experiment) -> Vec<Ensemble> {
    let read = |run: &Run| -> Option<Profiles> {
        let text = fs::read_to_string(path.join(run.file(EXAMPLE))).ok()?;
        match serde_json::from_str(&text).ok()? {
            Example::Students(profiles) => Some(profiles),
            Example::Curves(_) | Example::Images(_) => None,
        }
    };
    let of_method = |method: &String| {
        let runs = runs_of(path, experiment, method);
        Ensemble::of(method, runs.iter().filter(|run| run.fold == 0).filter_map(read).collect())
    };
    experiment.methods.keys().filter_map(of_method).collect()
}

/// How often answers of each method are right that are given so probable: of all runs, with a middle number of shots, after the number of steps
/// that validation chose, without validation the last. Methods whose answers were not kept are not among them.
///
/// # Errors
/// A file is damaged, unless such are to be left out.
pub fn calibrations(
    path: &Path,
    experiment: &Experiment,
    chosen: &Chosen,
    damage: &mut Damage,
) -> Result<Vec<Calibration>> {
    let mut shots = experiment.test_shots();
    shots.sort_unstable();
    let shots = shots[shots.len() / 2];
    let mut calibrations = Vec::new();
    for method in experiment.methods.keys() {
        let (mut bins, mut counted, mut step) = (Reliability::default(), 0, 0);
        for run in runs_of(path, experiment, method) {
            let answers = match Answers::read(&path.join(run.file(PREDICTIONS)), &[shots], run.steps.len()) {
                Ok(answers) => answers,
                Err(error) => match damage {
                    Damage::Refuse => return Err(error),
                    Damage::Skip(named) => {
                        named.push(format!("left out: {error:#}"));
                        None
                    }
                },
            };
            let Some(Answers(answers)) = answers else { continue };
            let at = chosen
                .get(&(method.clone(), shots))
                .and_then(|step| run.steps.iter().position(|s| s == step));
            let at = at.unwrap_or(run.steps.len().saturating_sub(1));
            let Some(given) = answers.first().and_then(|(_, of_steps)| of_steps.get(at)) else { continue };
            reliability::add(&mut bins, given);
            (counted, step) = (counted + 1, run.steps[at]);
        }
        if counted > 0 {
            calibrations.push(Calibration { method: method.clone(), shots, step, runs: counted, bins });
        }
    }
    Ok(calibrations)
}
