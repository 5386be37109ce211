//! One experiment of a report: everything that its folder holds, and what it says.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;

use super::{
    protocol::{self, Fact},
    surroundings::Surroundings,
    table::Table,
};
use crate::{
    experiment::{example::Example, folder, plan::Goal, results, spec::Experiment, table::cell},
    figures::{self, Drawn, Results},
    records::{Damage, Task},
    stats::comparison::{Comparison, Contestant, compare},
    summary::{SummaryRow, chosen_steps, summarise},
};

/// An experiment with its results.
pub struct Section {
    /// The experiment's name.
    pub name: String,
    /// Where it is.
    pub folder: String,
    /// What was asked, in a sentence.
    pub asked: String,
    /// What was found, a sentence for each pair of methods: those with the best one.
    pub found: Vec<String>,
    /// The other pairs.
    pub also_found: Vec<String>,
    /// What was done.
    pub protocol: Vec<Fact>,
    /// Results, then comparisons, for each number of shots.
    pub tables: Vec<Table>,
    /// The figures.
    pub figures: Vec<Drawn>,
    /// Of each method what it answered on the first test episode, and the number of steps to show.
    pub examples: Vec<(String, usize, Example)>,
    /// Machine, versions, duration: name and value.
    pub surroundings: Vec<(String, String)>,
    /// The command that made it.
    pub command: Option<String>,
    /// The complete configuration.
    pub yaml: String,
    /// What a reader must know before believing it.
    pub warnings: Vec<String>,
}

impl Section {
    /// Reads a results folder. Lines that cannot be read are an error, or left out and named.
    ///
    /// # Errors
    /// It is no results folder, or damaged.
    pub fn read(path: &Path, damage: &mut Damage) -> Result<Self> {
        let experiment = folder::config(path)?;
        let results = results::read(path, &experiment, damage)?;
        let chosen = chosen_steps(&results.validation);
        let surroundings = Surroundings::read(path, &experiment);
        let mut warnings = surroundings.warnings.clone();
        warnings.extend(unfinished(path, &experiment));
        let summary = summarise(&results.evaluation, &results.methods);
        let (mut tables, mut found, mut also_found) = (Vec::new(), Vec::new(), Vec::new());
        let is_chosen = |row: &SummaryRow| chosen.get(&(row.method.clone(), row.shots)) == Some(&row.step);
        for (task, shots) in tests(&summary) {
            let rows: Vec<&SummaryRow> =
                summary.iter().filter(|r| (r.task, r.shots) == (task, shots)).collect();
            tables.push(accuracies(task, shots, &rows, is_chosen));
            if task == Task::WholeDataset || !surroundings.comparable {
                continue;
            }
            let contestants = contestants(&rows, &chosen);
            match compare(&results.evaluation, &contestants, shots) {
                Ok(comparisons) if comparisons.is_empty() => {}
                Ok(comparisons) => {
                    let best = best(&comparisons);
                    for comparison in &comparisons {
                        let about_best = [&comparison.a.method, &comparison.b.method].contains(&&best);
                        let sentences = if about_best { &mut found } else { &mut also_found };
                        sentences.push(format!("{shots}-shot: {}", comparison.sentence()));
                    }
                    tables.push(differences(shots, &comparisons));
                }
                Err(error) => warnings.push(format!("the {shots}-shot results are not compared: {error:#}")),
            }
        }
        Ok(Self {
            asked: asked(&experiment),
            found,
            also_found,
            protocol: protocol::facts(&experiment, &surroundings.episodes),
            tables,
            figures: figures::draw_all(&results)?,
            examples: examples(path, &experiment, &results, &chosen),
            surroundings: surroundings.facts,
            command: surroundings.command,
            yaml: serde_saphyr::to_string(&experiment)?,
            folder: path.display().to_string(),
            name: experiment.name,
            warnings,
        })
    }
}

/// The question that an experiment answers.
fn asked(experiment: &Experiment) -> String {
    let task = &experiment.task;
    let names: Vec<&str> = experiment.methods.keys().map(String::as_str).collect();
    let who = match names.as_slice() {
        [one] => format!("How well does {one} solve"),
        [first @ .., last] => format!("Which of {} and {last} best solves", first.join(", ")),
        [] => "What solves".into(),
    };
    let shots = experiment.test_shots().iter().map(usize::to_string).collect::<Vec<_>>().join(" or ");
    let data = serde_json::to_string(&task.dataset).unwrap_or_default().replace('"', "");
    format!("{who} a new task of {} classes from {data} with {shots} labelled images of each?", task.ways)
}

/// What was tested, in the order of the tables.
fn tests(summary: &[SummaryRow]) -> Vec<(Task, usize)> {
    let mut tests: Vec<(Task, usize)> = summary.iter().map(|row| (row.task, row.shots)).collect();
    tests.sort_unstable();
    tests.dedup();
    tests
}

/// Each method at the number of steps that validation chose, without validation at its last.
fn contestants(rows: &[&SummaryRow], chosen: &BTreeMap<(String, usize), usize>) -> Vec<Contestant> {
    let mut last: Vec<Contestant> = Vec::new();
    for row in rows {
        match last.last_mut() {
            Some(known) if known.method == row.method => known.step = row.step,
            _ => last.push(Contestant { method: row.method.clone(), step: row.step }),
        }
        if let (Some(known), Some(step)) = (last.last_mut(), chosen.get(&(row.method.clone(), row.shots))) {
            known.step = *step;
        }
    }
    last
}

/// Accuracy of every method after every number of steps.
fn accuracies(task: Task, shots: usize, rows: &[&SummaryRow], chosen: impl Fn(&SummaryRow) -> bool) -> Table {
    let mut steps: Vec<usize> = rows.iter().map(|row| row.step).collect();
    steps.sort_unstable();
    steps.dedup();
    let mut methods: Vec<&str> = rows.iter().map(|row| row.method.as_str()).collect();
    methods.dedup();
    let mut header = vec!["method".to_owned()];
    header.extend(steps.iter().map(|step| format!("{step} steps")));
    let line = |method: &&str| {
        let mut cells = vec![(*method).to_owned()];
        for step in &steps {
            let row = rows.iter().find(|row| row.method == *method && row.step == *step);
            cells.push(row.map_or_else(String::new, |row| cell(row, chosen(row))));
        }
        cells
    };
    let (name, what) = match task {
        Task::FewShot => (format!("accuracy-{shots}-shot"), format!("{shots}-shot test episodes")),
        Task::WholeDataset => ("accuracy-whole".to_owned(), "the whole data set".to_owned()),
    };
    let star = if rows.iter().any(|row| chosen(row)) {
        " * marks the number of steps that did best on validation tasks."
    } else {
        ""
    };
    let caption = format!(
        "Accuracy in % on {what} after so many adaptation steps: mean ± half-width of the 95 % interval over test \
         episodes (standard deviation over seeds).{star}"
    );
    Table { name, caption, header, rows: methods.iter().map(line).collect() }
}

/// The method that is ahead of all others.
fn best(comparisons: &[Comparison]) -> String {
    let ahead = |c: &Comparison| if c.difference < 0.0 { c.b.method.clone() } else { c.a.method.clone() };
    let mut wins: BTreeMap<String, usize> = BTreeMap::new();
    comparisons.iter().for_each(|comparison| *wins.entry(ahead(comparison)).or_default() += 1);
    wins.into_iter().max_by_key(|(_, count)| *count).map(|(method, _)| method).unwrap_or_default()
}

/// All pairs of methods.
fn differences(shots: usize, comparisons: &[Comparison]) -> Table {
    let points = |part: f64| format!("{:.1}", 100.0 * part);
    let p = |p: f64| if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") };
    let line = |c: &Comparison| {
        vec![
            format!("{} - {}", c.a.method, c.b.method),
            points(c.difference),
            format!("{} to {}", points(c.interval.0), points(c.interval.1)),
            p(c.p),
            p(c.p_holm),
            format!("{:.2}", c.effect),
            c.episodes_needed.map_or_else(String::new, |count| count.to_string()),
        ]
    };
    let header = ["pair", "difference", "95 % interval", "p", "p (Holm)", "effect", "episodes needed"];
    Table {
        name: format!("comparison-{shots}-shot"),
        caption: format!(
            "Paired comparison on the same {shots}-shot test episodes, each method at its own number of steps (chosen on validation tasks, \
             else the last): difference in percentage points with its bootstrap interval, Wilcoxon's signed-rank test, corrected for the \
             number of pairs by Holm's method, effect size, and how many episodes would tell the two apart (80 % power)."
        ),
        header: header.map(str::to_owned).to_vec(),
        rows: comparisons.iter().map(line).collect(),
    }
}

/// The runs that are not done.
fn unfinished(path: &Path, experiment: &Experiment) -> Vec<String> {
    let runs = experiment.runs();
    let missing: Vec<&str> =
        runs.iter().filter(|run| !run.is_done(path, Goal::Test)).map(|run| run.folder.as_str()).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "{} of {} runs are not finished and are not in the results: {}",
        missing.len(),
        runs.len(),
        missing.join(", ")
    )]
}

/// What each method answered, in the order of the experiment file.
fn examples(
    path: &Path,
    experiment: &Experiment,
    results: &Results,
    chosen: &BTreeMap<(String, usize), usize>,
) -> Vec<(String, usize, Example)> {
    let read = |method: &String| {
        let run = experiment.runs().into_iter().find(|run| run.name == method)?;
        let text = std::fs::read_to_string(path.join(run.file(crate::experiment::plan::EXAMPLE))).ok()?;
        let example: Example = serde_json::from_str(&text).ok()?;
        let last = example.steps.len().checked_sub(1)?;
        let step = chosen.get(&(method.clone(), example.shots));
        let place = step.and_then(|step| example.steps.iter().position(|s| s == step)).unwrap_or(last);
        Some((method.clone(), place, example))
    };
    results.methods.iter().filter_map(read).collect()
}
