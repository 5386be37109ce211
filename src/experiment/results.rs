//! From the files of an experiment's runs to its summary, table and figures.

use std::{fs, path::Path};

use anyhow::Result;

use super::{
    files::{COST, EVALUATION, EXAMPLE, FIGURES, SUMMARY, SUMMARY_PAGE, TRAIN, VALIDATION},
    folder,
    folder::Folder,
    plan::Goal,
    predictions, published,
    spec::Experiment,
    students,
    table::{Style, tables},
};
use crate::{
    figures::{Results, draw_all},
    output::note,
    records::{self, Damage, EvaluationRow, Row, TaskKind},
    summary::{chosen_steps, summarise},
    tasks::example::Example,
};

/// Published values beside ours.
const PUBLISHED: &str = "tables/published.csv";

/// Writes `summary.csv`, `summary.md`, `figures/` and, where values are expected, `tables/published.csv` from what the runs have left so
/// far, and gives the table for a terminal.
///
/// # Errors
/// A file of a run is damaged, or the folder cannot be written.
pub fn summarise_runs(folder: &Folder, experiment: &Experiment) -> Result<String> {
    let results = read(&folder.path, experiment, &mut Damage::Refuse)?;
    if let Some(lacking) = results.lacking() {
        note!("warning: {lacking}");
    }
    let rows = summarise(&results.evaluation, &results.methods, &experiment.quantities());
    folder.write(SUMMARY, &records::to_csv(&rows)?)?;
    let chosen = chosen_steps(&results.validation, results.judge);
    let is_chosen = |row: &crate::summary::SummaryRow| {
        chosen.get(&(row.method.clone(), row.shots)).is_some_and(|step| *step == row.step)
    };
    let published = published::published(experiment, &rows);
    if published.is_empty() {
        let _ = fs::remove_file(folder.path.join(PUBLISHED)); // mostly there is none
    } else {
        folder.write(PUBLISHED, &published::csv(&published)?)?;
    }
    let tables = |markdown: bool| {
        let style = Style { words: &results.words, judge: results.judge, published: &published, markdown };
        tables(&rows, experiment.seeds.len(), is_chosen, style)
    };
    let mut markdown = format!("# {}\n\n{}", experiment.name, tables(true));
    for figure in draw_all(&results)? {
        markdown += &format!("\n![{0}](figures/{0}.svg)\n\n{1}\n", figure.name, figure.caption);
        let file = |ending| Path::new(FIGURES).join(&figure.name).with_extension(ending);
        folder.write(file("svg"), figure.svg.as_bytes())?;
        folder.write(file("png"), &figure.png)?;
    }
    folder.write(SUMMARY_PAGE, markdown.as_bytes())?;
    Ok(tables(false))
}

/// Redraws the figures of a results folder and gives its table, and what is not in them.
///
/// # Errors
/// The folder is none of results, its files are damaged, or it cannot be written.
pub fn redraw(path: &Path) -> Result<(String, Option<String>)> {
    let experiment = folder::config(path)?;
    let table = summarise_runs(&Folder::at(path)?, &experiment)?;
    Ok((table, unfinished(path, &experiment)))
}

/// The runs that are not done and so not in the results, in a sentence, if there are any.
pub fn unfinished(path: &Path, experiment: &Experiment) -> Option<String> {
    let runs = experiment.runs();
    let missing: Vec<&str> =
        runs.iter().filter(|run| !run.is_done(path, Goal::Test)).map(|run| run.folder.as_str()).collect();
    if missing.is_empty() {
        return None;
    }
    Some(format!(
        "{} of {} runs are not finished and are not in the results: {}",
        missing.len(),
        runs.len(),
        missing.join(", ")
    ))
}

/// The rows of all runs in an experiment's folder.
///
/// # Errors
/// A file is damaged.
pub fn read(path: &Path, experiment: &Experiment, damage: &mut Damage) -> Result<Results> {
    let words = experiment.task.words();
    let (evaluation, lacking) = evaluation(path, experiment, damage)?;
    let validation = rows(path, experiment, VALIDATION, damage)?;
    let (mut ensembles, mut calibrations) = Default::default();
    if words.of_students() {
        ensembles = students::ensembles(path, experiment);
    }
    if words.people().is_some() {
        let chosen = chosen_steps(&validation, experiment.judge());
        calibrations = students::calibrations(path, experiment, &chosen, damage)?;
    }
    Ok(Results {
        title: format!("{}: {}", experiment.name, words.title),
        methods: experiment.methods.keys().cloned().collect(),
        train: rows(path, experiment, TRAIN, damage)?,
        evaluation,
        lacking,
        validation,
        judge: experiment.judge(),
        words,
        cost: rows_of_done(path, experiment, COST, damage)?,
        examples: examples(path, experiment),
        ensembles,
        calibrations,
        trained_steps: experiment
            .methods
            .iter()
            .filter_map(|(name, method)| Some((name.clone(), method.algorithm.training_steps()?)))
            .collect(),
    })
}

/// What each method's first run answered on some of the first test episodes, where it left that.
fn examples(path: &Path, experiment: &Experiment) -> Vec<(String, Example)> {
    let read = |method: &String| {
        let run = experiment.runs().into_iter().find(|run| run.name == method)?;
        let text = fs::read_to_string(path.join(run.file(EXAMPLE))).ok()?;
        Some((method.clone(), serde_json::from_str(&text).ok()?))
    };
    experiment.methods.keys().filter_map(read).collect()
}

/// The rows of `evaluation.csv` of every run that is done, with all that is measured; and what of that some of them lack, in words.
///
/// What a run did not measure itself, since it was not asked for then, is computed from what it answered.
fn evaluation(
    path: &Path,
    experiment: &Experiment,
    damage: &mut Damage,
) -> Result<(Vec<EvaluationRow>, Vec<String>)> {
    let (mut all, mut lacking) = (Vec::new(), Vec::new());
    for run in experiment.runs().iter().filter(|run| run.is_done(path, Goal::Test)) {
        let mut rows: Vec<EvaluationRow> = damage.read(&path.join(run.file(EVALUATION)))?;
        let tests = || rows.iter().filter(|row| row.task == TaskKind::FewShot);
        let is_lacking = |name: &str| tests().any(|row| row.values.get(name).is_none());
        let more: Vec<_> = experiment.measures().into_iter().filter(|of| is_lacking(of.name())).collect();
        if !more.is_empty() && !predictions::complete(&mut rows, &more, run, path)? {
            let names: Vec<&str> = more.iter().map(|measure| measure.name()).collect();
            lacking.push(format!("{} of {}", names.join(", "), run.folder));
        }
        all.extend(rows);
    }
    Ok((all, lacking))
}

/// The rows of a file of every run that is done; one that is not will be run again, whatever its file holds.
fn rows_of_done<R: Row>(
    path: &Path,
    experiment: &Experiment,
    file: &str,
    damage: &mut Damage,
) -> Result<Vec<R>> {
    let mut rows = Vec::new();
    for run in experiment.runs().iter().filter(|run| run.is_done(path, Goal::Test)) {
        let file = path.join(run.file(file));
        if file.exists() {
            rows.extend(damage.read::<R>(&file)?);
        }
    }
    Ok(rows)
}

/// The rows of a file of every run that has it.
fn rows<R: Row>(path: &Path, experiment: &Experiment, file: &str, damage: &mut Damage) -> Result<Vec<R>> {
    let mut rows = Vec::new();
    for run in experiment.runs() {
        let file = path.join(run.file(file));
        if file.exists() {
            rows.extend(damage.read::<R>(&file)?);
        }
    }
    Ok(rows)
}
