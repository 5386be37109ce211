//! One experiment of a report: everything that its folder holds, and what it says.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;

use super::{
    comparisons::{Comparisons, stem},
    protocol::{self, Fact},
    students::{View, views},
    surroundings::Surroundings,
    table::Table,
};
use crate::{
    experiment::{
        folder,
        published::{self, Published, published},
        results,
        spec::Experiment,
        table::{cells, what_varies},
    },
    figures::{self, Drawn, Results},
    measures::{Quantity, Unit},
    records::{Damage, TaskKind},
    stats::comparison::compare,
    summary::{SummaryRow, chosen_steps, contestants, summarise},
    tasks::example::{Example, Images},
};

/// An experiment with its results.
pub struct Section {
    /// The experiment's name.
    pub name: String,
    /// Where it is.
    pub folder: String,
    /// What was asked, in a sentence.
    pub asked: String,
    /// What was done.
    pub protocol: Vec<Fact>,
    /// What was measured with each number of shots, the judge first, and what that says of each pair of methods.
    pub tests: Vec<(Vec<Table>, Comparisons)>,
    /// The figures.
    pub figures: Vec<Drawn>,
    /// What a teacher sees, where tasks are students.
    pub teacher: Vec<View>,
    /// Of each method what it answered on the first test episode, and the number of steps to show.
    pub examples: Vec<(String, usize, Images)>,
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
        let judge = results.judge;
        let chosen = chosen_steps(&results.validation, judge);
        let surroundings = Surroundings::read(path, &experiment);
        let mut warnings = surroundings.warnings.clone();
        warnings.extend(results::unfinished(path, &experiment));
        warnings.extend(results.lacking());
        let quantities = experiment.quantities();
        let summary = summarise(&results.evaluation, &results.methods, &quantities);
        let published = published(&experiment, &summary);
        let mut tested = Vec::new();
        let is_chosen = |row: &SummaryRow| chosen.get(&(row.method.clone(), row.shots)) == Some(&row.step);
        for (task, shots) in tests(&summary) {
            let rows: Vec<&SummaryRow> =
                summary.iter().filter(|r| (r.task, r.shots) == (task, shots)).collect();
            let test = match task {
                TaskKind::FewShot => (results.words.shots)(shots),
                TaskKind::WholeDataset => "whole".to_owned(),
            };
            let of_measure = |measure: &Quantity| {
                measured(task, &test, &rows, experiment.seeds.len(), is_chosen, *measure, &published)
            };
            let tables = quantities.iter().map(of_measure).collect();
            let mut comparisons = Comparisons::none(test, judge);
            if task == TaskKind::FewShot && surroundings.comparable {
                let contestants: Vec<_> = contestants(&rows, &chosen, judge)
                    .into_iter()
                    .map(|(contestant, _)| contestant)
                    .collect();
                match compare(&results.evaluation, judge, &contestants, shots) {
                    Ok(compared) => {
                        warnings.extend(compared.left_out);
                        comparisons.pairs = compared.pairs;
                    }
                    Err(error) => {
                        warnings.push(format!("the {} results are not compared: {error:#}", comparisons.test))
                    }
                }
            }
            tested.push((tables, comparisons));
        }
        Ok(Self {
            asked: asked(&experiment),
            protocol: protocol::facts(&experiment, &surroundings),
            tests: tested,
            figures: figures::draw_all(&results)?,
            teacher: views(&results)?,
            examples: examples(&results, &chosen),
            surroundings: surroundings.facts,
            command: surroundings.command,
            yaml: serde_saphyr::to_string(&experiment)?,
            folder: path.display().to_string(),
            name: experiment.name,
            warnings,
        })
    }
}

impl Section {
    /// What was found, a sentence for each pair of methods with the best one.
    pub fn found(&self) -> Vec<String> {
        self.tests.iter().flat_map(|(_, comparisons)| comparisons.with_best()).collect()
    }

    /// The same of the other pairs.
    pub fn also_found(&self) -> Vec<String> {
        self.tests.iter().flat_map(|(_, comparisons)| comparisons.of_others()).collect()
    }

    /// What was measured, then comparisons, for each number of shots.
    pub fn tables(&self) -> Vec<Table> {
        let of_test = |(measured, comparisons): &(Vec<Table>, Comparisons)| {
            [measured.clone(), comparisons.tables()].concat()
        };
        self.tests.iter().flat_map(of_test).collect()
    }
}

/// The question that an experiment answers.
fn asked(experiment: &Experiment) -> String {
    let words = experiment.task.words();
    let names: Vec<&str> = experiment.methods.keys().map(String::as_str).collect();
    let who = match names.as_slice() {
        [one] => format!("How well does {one} solve"),
        [first @ .., last] => format!("Which of {} and {last} best solves", first.join(", ")),
        [] => "What solves".into(),
    };
    let shots = experiment.test_shots().iter().map(usize::to_string).collect::<Vec<_>>().join(" or ");
    format!("{who} a new task {} with {shots} {}?", words.task, words.support)
}

/// What was tested, in the order of the tables.
fn tests(summary: &[SummaryRow]) -> Vec<(TaskKind, usize)> {
    let mut tests: Vec<(TaskKind, usize)> = summary.iter().map(|row| (row.task, row.shots)).collect();
    tests.sort_unstable();
    tests.dedup();
    tests
}

/// A measure of every method after every number of steps.
fn measured(
    task: TaskKind,
    test: &str,
    rows: &[&SummaryRow],
    seeds: usize,
    chosen: impl Fn(&SummaryRow) -> bool,
    measure: Quantity,
    published: &[Published],
) -> Table {
    let (steps, lines) = cells(rows, seeds, &chosen, measure, published);
    let mut header = vec!["method".to_owned()];
    header.extend(steps.iter().map(|step| format!("{step} steps")));
    let what = match task {
        TaskKind::FewShot => format!("{test} test episodes"),
        TaskKind::WholeDataset => "the whole data set".to_owned(),
    };
    let star = if rows.iter().any(|row| chosen(row)) {
        " * marks the number of steps that did best on validation tasks."
    } else {
        ""
    };
    let left_out: usize = rows.iter().map(|row| row.left_out).sum();
    let gaps = match left_out {
        0 => String::new(),
        _ => format!(" ! marks means without {left_out} scores of outputs that were not finite."),
    };
    let spread = match task {
        TaskKind::FewShot => {
            format!(
                "mean ± half-width of the 95 % interval over {} (standard deviation over seeds)",
                what_varies(rows)
            )
        }
        TaskKind::WholeDataset => "mean (standard deviation over seeds)".to_owned(),
    };
    let unit = match measure.unit {
        Unit::Percent => " in %",
        Unit::Plain => "",
    };
    let shots = rows.first().map(|row| row.shots);
    let below = published.iter().filter(|of| of.quantity == measure && of.shots == shots);
    let legend = published::legend(below).map(|legend| format!(" Below are {legend}.")).unwrap_or_default();
    let caption = format!(
        "{}{unit} on {what} after so many adaptation steps: {spread}.{star}{gaps}{legend}",
        measure.capitalised()
    );
    Table { name: format!("{}-{}", measure.name, stem(test)), caption, header, rows: lines }
}

/// What each method answered where tasks are of images, with the place of the number of steps to show.
fn examples(results: &Results, chosen: &BTreeMap<(String, usize), usize>) -> Vec<(String, usize, Images)> {
    let of_images = |(method, example): &(String, Example)| {
        let Example::Images(example) = example else { return None };
        let last = example.steps.len().checked_sub(1)?;
        let step = chosen.get(&(method.clone(), example.shots));
        let place = step.and_then(|step| example.steps.iter().position(|s| s == step)).unwrap_or(last);
        Some((method.clone(), place, example.clone()))
    };
    results.examples.iter().filter_map(of_images).collect()
}
