//! How fast a model learns a new task from each method's starting point.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{
    Figure, Results,
    axis::{Axis, step_position},
    chance_entry,
    chart::{Chart, Panel},
    legend::{Entry, Sample},
    mark::Mark,
    style::{CHANCE, Look, REFERENCE},
};
use crate::{records::Task, summary::SummaryRow};

/// Test accuracy over adaptation steps, one panel for each number of shots.
pub struct Adaptation;

impl Figure for Adaptation {
    fn name(&self) -> &'static str {
        "adaptation"
    }

    fn caption(&self, _: &Results) -> String {
        "Accuracy on held-out test episodes over adaptation steps (on a logarithmic scale that begins at none): mean \
         over episodes and seeds; bands are 95 % intervals, as in the table. A long-dashed \
         grey line is a model trained on the whole data set."
            .to_owned()
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let rows = results.summary();
        let (episodes, whole): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.task == Task::FewShot);
        if episodes.is_empty() {
            return Ok(None);
        }
        let levels = whole_dataset_levels(&whole);
        let values = episodes.iter().flat_map(|row| <[f64; 2]>::from(interval(row)));
        let values = values.chain(levels.iter().map(|(_, accuracy)| *accuracy));
        let y = Axis::percent("test accuracy (%)", values, results.chance());

        let looks: Vec<_> = results
            .looks()
            .into_iter()
            .filter(|(method, _)| episodes.iter().any(|row| row.method == *method))
            .collect();
        let mut legend: Vec<Entry> = looks
            .iter()
            .map(|(method, look)| Entry {
                sample: Sample::Curve(*look),
                label: (*method).to_owned(),
                note: None,
            })
            .collect();
        legend.extend(levels.iter().map(|(method, accuracy)| Entry {
            sample: Sample::Level(REFERENCE),
            label: (*method).to_owned(),
            note: Some(format!("trained on all images: {accuracy:.1} %")),
        }));
        legend.extend(results.chance().map(|chance| chance_entry(chance, y.holds(chance))));

        let shots: BTreeSet<usize> = episodes.iter().map(|row| row.shots).collect();
        let panels = shots.iter().map(|shots| {
            let rows: Vec<_> = episodes.iter().copied().filter(|row| row.shots == *shots).collect();
            let levels = levels.iter().map(|(_, accuracy)| Mark::Level(REFERENCE, *accuracy));
            let chance = results.chance().map(|chance| Mark::Level(CHANCE, chance));
            let marks = levels.chain(chance).chain(curves(&rows, &looks)).collect();
            Panel { heading: Some(results.task_name(*shots)), marks }
        });
        let steps: BTreeSet<usize> = episodes.iter().map(|row| row.step).collect();
        let chart = Chart {
            title: results.title.clone(),
            subtitle: "accuracy on test tasks while adapting: mean and 95 % interval".to_owned(),
            panels: panels.collect(),
            x: Axis::steps(steps),
            y,
            legend,
        };
        chart.svg().map(Some)
    }
}

/// The accuracies after the last step of the methods trained on the whole data set, in per cent.
fn whole_dataset_levels<'a>(rows: &[&'a SummaryRow]) -> Vec<(&'a str, f64)> {
    let mut levels: Vec<(&str, f64)> = Vec::new();
    // Rows of a method follow each other, by increasing steps.
    for row in rows {
        levels.retain(|(method, _)| *method != row.method);
        levels.push((&row.method, 100.0 * row.accuracy));
    }
    levels
}

/// First the bands of one panel, then its curves.
fn curves(rows: &[&SummaryRow], looks: &[(&str, Look)]) -> Vec<Mark> {
    let (mut bands, mut curves) = (Vec::new(), Vec::new());
    for (method, look) in looks {
        let rows: Vec<_> = rows.iter().filter(|row| row.method == *method).collect();
        let x = |row: &SummaryRow| step_position(row.step);
        match rows[..] {
            [] => continue,
            // One point has no area: its interval is a whisker.
            [row] => {
                let (low, high) = interval(row);
                bands.push(Mark::Whisker(x(row), low, high));
            }
            _ => {
                let band = rows.iter().map(|row| {
                    let (low, high) = interval(row);
                    (x(row), low, high)
                });
                bands.push(Mark::Band(*look, band.collect()));
            }
        }
        let points = rows.iter().map(|row| (x(row), 100.0 * row.accuracy)).collect();
        curves.push(Mark::Curve(*look, points));
    }
    bands.into_iter().chain(curves).collect()
}

/// The 95 % interval of an accuracy in per cent; only the accuracy itself where a single episode gives no interval.
pub(super) fn interval(row: &SummaryRow) -> (f64, f64) {
    let half = row.accuracy_interval.filter(|half| half.is_finite()).unwrap_or(0.0);
    (100.0 * (row.accuracy - half).max(0.0), 100.0 * (row.accuracy + half).min(1.0))
}
