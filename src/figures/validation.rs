//! How well the initialisation adapts to validation tasks while it is being learnt.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    Figure, Results,
    axis::Axis,
    chart::{Chart, Panel},
    judged::{MeanPoint, Vertical},
    legend::{LegendEntry, Swatch},
    mark::Mark,
    style::CHANCE,
};

/// What methods are judged by on meta-validation episodes over outer iterations.
pub struct ValidationFigure;

impl Figure for ValidationFigure {
    fn name(&self) -> &'static str {
        "validation"
    }

    fn caption(&self, results: &Results) -> String {
        format!(
            "{} on meta-validation episodes during meta-training: mean over the seeds that are still training at that \
             iteration; bands reach from the worst seed to the best. Methods that do not validate are left out.",
            results.judge.capitalised()
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let curves: Vec<_> = results
            .looks()
            .into_iter()
            .map(|(method, look)| (method, look, curve(results, method)))
            .filter(|(_, _, points)| !points.is_empty())
            .collect();
        if curves.is_empty() {
            return Ok(None);
        }
        let points = || curves.iter().flat_map(|(_, _, points)| points);
        let first = points().map(|p| p.0).fold(f64::INFINITY, f64::min);
        let last = points().map(|p| p.0).fold(0.0, f64::max);
        let values: Vec<MeanPoint> = points().map(|p| p.1).collect();
        let y = Vertical::of("validation", results.judge, &values, results.chance());
        let bands = curves.iter().map(|(_, look, points)| y.band(*look, points));
        let lines = curves.iter().map(|(_, look, points)| y.curve(*look, points));
        let chance = results.chance().map(|chance| Mark::Level(CHANCE, y.at(chance)));
        let marks = bands.chain(chance).chain(lines).collect();
        let mut legend: Vec<LegendEntry> = curves
            .iter()
            .map(|(method, look, _)| LegendEntry {
                sample: Swatch::Curve(*look),
                label: (*method).to_owned(),
                note: None,
            })
            .collect();
        legend.extend(results.chance().map(|chance| results.chance_entry(chance, y.holds(chance))));
        let chart = Chart {
            title: results.title.clone(),
            subtitle: format!(
                "meta-validation {} during meta-training: mean and range over seeds",
                results.judge.title
            ),
            x: Axis::linear("outer iterations", first, last),
            y: y.axis,
            panels: vec![Panel { heading: None, marks }],
            legend,
        };
        chart.svg().map(Some)
    }
}

/// A method's curve: iterations, and the mean, least and greatest value of the seeds. A seed's value is the mean over its folds, so that the range is one over seeds, not over class splits.
fn curve(results: &Results, method: &str) -> Vec<(f64, MeanPoint)> {
    let mut iterations: BTreeMap<usize, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
    for row in results.train.iter().filter(|row| row.method == method) {
        if let Some(value) = row.validation.get(results.judge.name).filter(|value| value.is_finite()) {
            let seeds = iterations.entry(row.iteration).or_default();
            seeds.entry(row.seed).or_default().push(value);
        }
    }
    iterations
        .into_iter()
        .map(|(iteration, seeds)| {
            let means: Vec<f64> =
                seeds.values().map(|folds| folds.iter().sum::<f64>() / folds.len() as f64).collect();
            let mean = means.iter().sum::<f64>() / means.len() as f64;
            let low = means.iter().copied().fold(f64::INFINITY, f64::min);
            let high = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (iteration as f64, MeanPoint { mean, low, high })
        })
        .collect()
}
