//! How fast a model learns a new task from each method's starting point.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{
    Figure, Results,
    axis::{Axis, step_position},
    chart::{Chart, Panel},
    judged::{MeanPoint, Vertical, shown},
    legend::{LegendEntry, Swatch},
    mark::Mark,
    style::{CHANCE, Look, REFERENCE},
};
use crate::{
    measures::{Better, Quantity},
    records::TaskKind,
    summary::SummaryRow,
};

/// What methods are judged by over adaptation steps, one panel for each number of shots.
pub struct AdaptationFigure;

impl Figure for AdaptationFigure {
    fn name(&self) -> &'static str {
        "adaptation"
    }

    fn caption(&self, results: &Results) -> String {
        let whole = results.evaluation.iter().any(|row| row.task == TaskKind::WholeDataset);
        let line = " A long-dashed grey line is a model trained on the whole data set.";
        let ring = " A ring marks the number of steps that a method was trained with; beyond it no training has looked.";
        let errors = " Lower is better. A curve that ends or leaves the figure is of networks that diverge.";
        let lower = results.judge.better == Better::Lower;
        format!(
            "{} on held-out test episodes over adaptation steps (on a logarithmic scale that begins at none): mean \
             over episodes and seeds; bands are 95 % intervals, as in the table.{}{}{}",
            results.judge.capitalised(),
            if lower { errors } else { "" },
            if results.trained_steps.is_empty() { "" } else { ring },
            if whole { line } else { "" }
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let rows = results.summary();
        let (episodes, whole): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.task == TaskKind::FewShot);
        if episodes.is_empty() {
            return Ok(None);
        }
        let judge = results.judge;
        let levels = whole_dataset_levels(&whole, judge);
        let mut points = shown(&episodes, judge);
        points.extend(levels.iter().map(|level| level.1));
        let y = Vertical::of("test", judge, &points, results.chance());

        let looks: Vec<_> = results
            .looks()
            .into_iter()
            .filter(|(method, _)| episodes.iter().any(|row| row.method == *method))
            .collect();
        let mut legend: Vec<LegendEntry> = looks
            .iter()
            .map(|(method, look)| LegendEntry {
                sample: Swatch::Curve(*look),
                label: (*method).to_owned(),
                note: None,
            })
            .collect();
        legend.extend(levels.iter().map(|(method, level)| LegendEntry {
            sample: Swatch::Level(REFERENCE),
            label: (*method).to_owned(),
            note: Some(format!("trained on all images: {}", judge.text(level.mean))),
        }));
        legend.extend(results.chance().map(|chance| results.chance_entry(chance, y.holds(chance))));
        let rings = episodes.iter().any(|row| is_trained(results, row));
        legend.extend(rings.then(|| LegendEntry {
            sample: Swatch::Ring,
            label: "steps in training".to_owned(),
            note: None,
        }));

        let shots: BTreeSet<usize> = episodes.iter().map(|row| row.shots).collect();
        let panels = shots.iter().map(|shots| {
            let rows: Vec<_> = episodes.iter().copied().filter(|row| row.shots == *shots).collect();
            let levels = levels.iter().map(|(_, level)| Mark::Level(REFERENCE, y.at(level.mean)));
            let chance = results.chance().map(|chance| Mark::Level(CHANCE, y.at(chance)));
            let marks = levels.chain(chance).chain(curves(&rows, &looks, results, &y)).collect();
            Panel { heading: Some(results.task_name(*shots)), marks }
        });
        let steps: BTreeSet<usize> = episodes.iter().map(|row| row.step).collect();
        let chart = Chart {
            title: results.title.clone(),
            subtitle: format!("{} on test tasks while adapting: mean and 95 % interval", judge.title),
            panels: panels.collect(),
            x: Axis::steps(steps),
            y: y.axis,
            legend,
        };
        chart.svg().map(Some)
    }
}

/// The means after the last step of the methods trained on the whole data set; their intervals are not drawn.
fn whole_dataset_levels<'a>(rows: &[&'a SummaryRow], judge: Quantity) -> Vec<(&'a str, MeanPoint)> {
    let mut levels: Vec<(&str, MeanPoint)> = Vec::new();
    // Rows of a method follow each other, by increasing steps.
    for row in rows {
        levels.retain(|(method, _)| *method != row.method);
        let mean = row.mean(judge.name);
        levels.push((&row.method, MeanPoint { mean, low: mean, high: mean }));
    }
    levels
}

/// Whether the method of a row was trained with its number of steps.
fn is_trained(results: &Results, row: &SummaryRow) -> bool {
    results.trained_steps.get(&row.method) == Some(&row.step)
}

/// First the bands of one panel, then its curves, each with a ring around the number of steps that its method was trained with.
fn curves(rows: &[&SummaryRow], looks: &[(&str, Look)], results: &Results, y: &Vertical) -> Vec<Mark> {
    let judge = results.judge;
    let (mut bands, mut curves) = (Vec::new(), Vec::new());
    for (method, look) in looks {
        let rows = || rows.iter().filter(|row| row.method == *method);
        let point = |row: &SummaryRow| (step_position(row.step), MeanPoint::of(row, judge));
        let points: Vec<_> = rows().map(|row| point(row)).collect();
        match points[..] {
            [] => continue,
            // One point has no area: its interval is a whisker.
            [(x, point)] => bands.push(y.whisker(x, point)),
            _ => {
                let shown: Vec<_> = points.iter().copied().filter(|(_, point)| y.holds(point.mean)).collect();
                bands.push(y.band(*look, &shown));
            }
        }
        curves.push(y.curve(*look, &points));
        let ring = rows().find(|row| is_trained(results, row)).map(|row| point(row));
        curves.extend(ring.map(|(x, point)| Mark::Ring(*look, (x, y.at(point.mean)))));
    }
    bands.into_iter().chain(curves).collect()
}
