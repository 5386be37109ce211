//! Figures of an experiment's results, as SVG for papers and pages and as PNG for everything else.
//!
//! They are drawn from rows of CSV files alone. To add a figure: one file with a [`Figure`], one line in [`all`].

mod adaptation;
mod axis;
mod canvas;
mod chart;
mod color_scale;
mod contact_sheet;
mod contexts;
mod cost;
mod fits;
mod folds;
mod frame;
mod grid;
mod hover;
mod judged;
mod legend;
mod mark;
mod misfit;
mod pair;
mod panel;
mod profile;
mod raster;
mod reliability;
mod seen;
mod shots;
pub mod study;
mod style;
mod validation;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

pub use contact_sheet::{ContactRow, contact_sheet};

use crate::{
    measures::{Quantity, Unit, reliability::Reliability},
    profiles::Ensemble,
    records::{CostRow, EvaluationRow, TaskKind, TrainRow},
    summary::{SummaryRow, chosen_steps, contestants, summarise},
    tasks::{example::Example, words::Words},
};
use legend::{LegendEntry, Swatch};
use style::{CHANCE, Look};

/// The results of an experiment's runs, as far as they have come.
#[derive(Clone, Debug)]
pub struct Results {
    /// The first line of every figure.
    pub title: String,
    /// The methods in the order of the experiment file, which also gives them their colours.
    pub methods: Vec<String>,
    /// The rows of every run's `train.csv`.
    pub train: Vec<TrainRow>,
    /// The rows of every run's `evaluation.csv`.
    pub evaluation: Vec<EvaluationRow>,
    /// What methods are judged by.
    pub judge: Quantity,
    /// What the tasks are called.
    pub words: Words,
    /// The rows of every run's `validation.csv`, which choose the number of steps to compare methods at.
    pub validation: Vec<EvaluationRow>,
    /// The rows of every run's `cost.csv`.
    pub cost: Vec<CostRow>,
    /// Of each method what its first run answered on some of the first test episodes.
    pub examples: Vec<(String, Example)>,
    /// What each method makes of students, where tasks are students.
    pub ensembles: Vec<Ensemble>,
    /// How often answers of each method are right that are given so probable, where tasks are students.
    pub calibrations: Vec<Calibration>,
    /// The number of adaptation steps that a method was trained with, if it was.
    pub trained_steps: BTreeMap<String, usize>,
    /// Measures that are asked for and were not measured in a run, in words.
    pub lacking: Vec<String>,
}

/// How often the answers of a method's runs are right that are given so probable.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The method's name in the experiment file.
    pub method: String,
    /// The number of shots.
    pub shots: usize,
    /// The number of adaptation steps.
    pub step: usize,
    /// How many runs there are.
    pub runs: usize,
    /// All their answers.
    pub bins: Reliability,
}

/// Something worth seeing in the results.
pub trait Figure {
    /// The stem of the figure's files.
    fn name(&self) -> &'static str;
    /// What the figure shows, in a sentence or two to be printed below it.
    fn caption(&self, results: &Results) -> String;
    /// The figure as SVG text; `None` where the results hold nothing to draw yet.
    ///
    /// # Errors
    /// If the drawing library fails.
    fn draw(&self, results: &Results) -> Result<Option<String>>;
}

/// Every figure, in the order of a report.
pub fn all() -> Vec<Box<dyn Figure>> {
    vec![
        Box::new(fits::Fits),
        Box::new(adaptation::AdaptationFigure),
        Box::new(cost::CostFigure::Time),
        Box::new(cost::CostFigure::Rows),
        Box::new(shots::Shots),
        Box::new(seen::Seen),
        Box::new(reliability::ReliabilityFigure),
        Box::new(profile::ProfileFigure),
        Box::new(contexts::Contexts),
        Box::new(misfit::Misfit),
        Box::new(folds::Folds),
        Box::new(validation::ValidationFigure),
    ]
}

/// A finished figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The stem of its files.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The `.svg` file; without width and height, so that it takes those of its surroundings.
    pub svg: String,
    /// The `.png` file.
    pub png: Vec<u8>,
}

/// Draws every figure for which there are results.
///
/// # Errors
/// Names the figure that cannot be drawn.
pub fn draw_all(results: &Results) -> Result<Vec<Drawn>> {
    let mut drawn = Vec::new();
    for figure in all() {
        let name = figure.name();
        let svg = figure.draw(results).with_context(|| format!("cannot draw the figure {name}"))?;
        if let Some(svg) = svg {
            let png = raster::png(&svg).with_context(|| format!("cannot draw the figure {name}"))?;
            drawn.push(Drawn { name: name.to_owned(), caption: figure.caption(results), svg, png });
        }
    }
    Ok(drawn)
}

impl Results {
    /// What is not in the results though it is asked for, in a sentence, if there is anything.
    pub fn lacking(&self) -> Option<String> {
        let which = self.lacking.join("; ");
        (!which.is_empty()).then(|| {
            format!(
                "these were not measured, and what was answered was not kept to compute them from: {which}. Run the experiment \
                 again with --fresh"
            )
        })
    }

    /// The methods and their looks: those of the experiment file, then others that only the rows name.
    fn looks(&self) -> Vec<(&str, Look)> {
        let trained = self.train.iter().map(|row| &row.method);
        let evaluated = self.evaluation.iter().map(|row| &row.method);
        let others: BTreeSet<&String> =
            trained.chain(evaluated).filter(|m| !self.methods.contains(m)).collect();
        let methods = self.methods.iter().chain(others);
        methods.enumerate().map(|(place, method)| (method.as_str(), Look::of(place))).collect()
    }

    /// Means by the judge. One that is no number, since a run diverged, has no place in a figure.
    fn summary(&self) -> Vec<SummaryRow> {
        let mut rows = summarise(&self.evaluation, &self.methods, &[self.judge]);
        rows.retain(|row| row.mean(self.judge.name).is_finite());
        rows
    }

    /// What methods make of students, the method that is best with the most shots first.
    pub fn ensembles_best_first(&self) -> Vec<&Ensemble> {
        let summary = self.summary();
        let tested = || summary.iter().filter(|row| row.task == TaskKind::FewShot);
        let most = tested().map(|row| row.shots).max();
        let rows: Vec<&SummaryRow> = tested().filter(|row| Some(row.shots) == most).collect();
        let means = contestants(&rows, &chosen_steps(&self.validation, self.judge), self.judge);
        let goodness = |ensemble: &Ensemble| {
            let of = means.iter().find(|(contestant, _)| contestant.method == ensemble.method);
            of.map_or(f64::NEG_INFINITY, |(_, mean)| self.judge.better.goodness(*mean))
        };
        let mut ensembles: Vec<&Ensemble> = self.ensembles.iter().collect();
        ensembles.sort_by(|a, b| goodness(b).total_cmp(&goodness(a)));
        ensembles
    }

    /// The look of a method.
    fn look(&self, method: &str) -> Look {
        let looks = self.looks();
        let own = looks.iter().find(|(name, _)| *name == method);
        own.map_or(Look::of(looks.len()), |(_, look)| *look)
    }

    /// The value of guessing, if the tasks have classes to guess.
    fn chance(&self) -> Option<f64> {
        let classes = self.words.classes.filter(|_| self.judge.unit == Unit::Percent)?;
        Some(1.0 / classes as f64)
    }

    /// The heading of what was tested with so many shots.
    fn task_name(&self, shots: usize) -> String {
        let shots = (self.words.shots)(shots);
        match self.words.title.as_str() {
            "" => shots,
            title => format!("{title} {shots}"),
        }
    }

    /// The legend's line for chance; it says so where the line itself is not shown.
    fn chance_entry(&self, chance: f64, shown: bool) -> LegendEntry {
        let note = (!shown).then(|| "below the axis".to_owned());
        LegendEntry {
            sample: Swatch::Level(CHANCE),
            label: format!("chance ({})", self.judge.text(chance)),
            note,
        }
    }
}

#[cfg(test)]
mod tests;
