//! What adaptation costs for what it achieves.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{
    Figure, Results,
    axis::Axis,
    chart::{Chart, Panel},
    judged::{MeanPoint, Vertical, shown},
    legend::{LegendEntry, Swatch},
    mark::Mark,
    style::{CHANCE, Look},
};
use crate::{
    records::{CostRow, TaskKind},
    summary::SummaryRow,
};

/// What methods are judged by over the cost of adaptation, one panel for each number of shots.
pub enum CostFigure {
    /// In milliseconds.
    Time,
    /// In support rows that were looked at, which is the same on every machine.
    Rows,
}

impl Figure for CostFigure {
    fn name(&self) -> &'static str {
        match self {
            Self::Time => "cost-time",
            Self::Rows => "cost-rows",
        }
    }

    fn caption(&self, results: &Results) -> String {
        let cost = match self {
            Self::Time => {
                "the time that a task takes one thread, from its rows in memory to the answers to its queries (on a \
                 logarithmic scale; measured in the test, mean over episodes and seeds)"
            }
            Self::Rows => {
                "the support rows that adaptation looks at: steps times the rows of a step, or all neighbours (on a \
                 logarithmic scale)"
            }
        };
        format!(
            "{} on held-out test episodes over {cost}. Points are the tested numbers of steps but for none; bands and \
             whiskers are 95 % intervals, as in the table.",
            results.judge.capitalised()
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let places = self.places(&results.cost);
        let mut rows = results.summary();
        rows.retain(|row| row.task == TaskKind::FewShot && places.contains_key(&key(row)));
        if rows.is_empty() {
            return Ok(None);
        }
        let looks = results.looks();
        let looks: Vec<_> =
            looks.into_iter().filter(|(name, _)| rows.iter().any(|row| row.method == *name)).collect();
        let judge = results.judge;
        let points = shown(&rows.iter().collect::<Vec<_>>(), judge);
        let y = Vertical::of("test", judge, &points, results.chance());
        let (low, high) = rows
            .iter()
            .map(|row| places[&key(row)])
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
        let mut legend: Vec<LegendEntry> = looks
            .iter()
            .map(|(name, look)| LegendEntry {
                sample: Swatch::Curve(*look),
                label: (*name).to_owned(),
                note: None,
            })
            .collect();
        legend.extend(results.chance().map(|chance| results.chance_entry(chance, y.holds(chance))));
        let shots: BTreeSet<usize> = rows.iter().map(|row| row.shots).collect();
        let panels = shots.into_iter().map(|shots| {
            let mut marks: Vec<Mark> =
                results.chance().map(|chance| Mark::Level(CHANCE, y.at(chance))).into_iter().collect();
            for (name, look) in &looks {
                let of_method = |row: &&SummaryRow| row.method == *name && row.shots == shots;
                let points =
                    rows.iter().filter(of_method).map(|row| (places[&key(row)], MeanPoint::of(row, judge)));
                marks.extend(curve(*look, &points.collect::<Vec<_>>(), &y));
            }
            Panel { heading: Some(results.task_name(shots)), marks }
        });
        let (label, subtitle) = match self {
            Self::Time => ("milliseconds per task", "milliseconds of one thread"),
            Self::Rows => ("support rows seen", "support rows seen in all steps"),
        };
        let chart = Chart {
            title: results.title.clone(),
            subtitle: format!("{} on test tasks over {subtitle}: mean and 95 % interval", judge.title),
            panels: panels.collect(),
            x: Axis::logarithmic(label, low, high),
            y: y.axis,
            legend,
        };
        chart.svg().map(Some)
    }
}

/// Method, shots and step.
type Key = (String, usize, usize);

fn key(row: &SummaryRow) -> Key {
    (row.method.clone(), row.shots, row.step)
}

impl CostFigure {
    /// The base-ten logarithm of the mean cost over runs, wherever there is any.
    fn places(&self, costs: &[CostRow]) -> BTreeMap<Key, f64> {
        let mut sums: BTreeMap<Key, (f64, f64)> = BTreeMap::new();
        for row in costs.iter().filter(|row| row.rows > 0) {
            let cost = match self {
                Self::Time => row.milliseconds,
                Self::Rows => row.rows as f64,
            };
            let sum = sums.entry((row.method.clone(), row.shots, row.step)).or_default();
            *sum = (sum.0 + cost, sum.1 + 1.0);
        }
        let places = sums.into_iter().map(|(key, (sum, runs))| (key, (sum / runs).log10()));
        places.filter(|(_, place)| place.is_finite()).collect()
    }
}

/// A method's curve with its band; a point with a whisker where all numbers of steps cost the same.
fn curve(look: Look, points: &[(f64, MeanPoint)], y: &Vertical) -> Vec<Mark> {
    let Some((x, point)) = points.first().copied() else { return Vec::new() };
    if points.iter().all(|(other, _)| *other == x) {
        return vec![y.whisker(x, point), y.curve(look, &points[..1])];
    }
    vec![y.band(look, points), y.curve(look, points)]
}
