//! How well the initialisation adapts to validation tasks while it is being learnt.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    Figure, Results,
    axis::Axis,
    chance_entry,
    chart::{Chart, Panel},
    legend::{Entry, Sample},
    mark::Mark,
    style::CHANCE,
};

/// Meta-validation accuracy over outer iterations.
pub struct Validation;

/// Iteration, then mean, least and greatest accuracy of the seeds, in per cent.
type Point = (f64, f64, f64, f64);

impl Figure for Validation {
    fn name(&self) -> &'static str {
        "validation"
    }

    fn caption(&self, _: &Results) -> String {
        "Accuracy on meta-validation episodes during meta-training: mean over the seeds that are still training at \
         that iteration; bands reach from the worst seed to the best. Methods that do not validate are left out."
            .to_owned()
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
        let values = points().flat_map(|p| [p.2, p.3]);
        let y = Axis::percent("validation accuracy (%)", values, results.chance());

        let bands = curves
            .iter()
            .map(|(_, look, points)| Mark::Band(*look, points.iter().map(|p| (p.0, p.2, p.3)).collect()));
        let lines = curves
            .iter()
            .map(|(_, look, points)| Mark::Curve(*look, points.iter().map(|p| (p.0, p.1)).collect()));
        let chance = results.chance().map(|chance| Mark::Level(CHANCE, chance));
        let marks = bands.chain(chance).chain(lines).collect();
        let mut legend: Vec<Entry> = curves
            .iter()
            .map(|(method, look, _)| Entry {
                sample: Sample::Curve(*look),
                label: (*method).to_owned(),
                note: None,
            })
            .collect();
        legend.extend(results.chance().map(|chance| chance_entry(chance, y.holds(chance))));
        let chart = Chart {
            title: results.title.clone(),
            subtitle: "meta-validation accuracy during meta-training: mean and range over seeds".to_owned(),
            x: Axis::linear("outer iterations", first, last),
            y,
            panels: vec![Panel { heading: None, marks }],
            legend,
        };
        chart.svg().map(Some)
    }
}

/// A method's curve. A seed's value is the mean over its folds, so that the range is one over seeds, not over class splits.
fn curve(results: &Results, method: &str) -> Vec<Point> {
    let mut iterations: BTreeMap<usize, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
    for row in results.train.iter().filter(|row| row.method == method) {
        if let Some(accuracy) = row.validation_accuracy.filter(|a| a.is_finite()) {
            let seeds = iterations.entry(row.iteration).or_default();
            seeds.entry(row.seed).or_default().push(100.0 * accuracy);
        }
    }
    iterations
        .into_iter()
        .map(|(iteration, seeds)| {
            let means: Vec<f64> =
                seeds.values().map(|folds| folds.iter().sum::<f64>() / folds.len() as f64).collect();
            let mean = means.iter().sum::<f64>() / means.len() as f64;
            let least = means.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (iteration as f64, mean, least, greatest)
        })
        .collect()
}
