//! The learning curves of all trials.

use super::objective::{PRUNED, entry};
use super::{Figure, View};
use crate::figures::{
    axis::Axis,
    chart::{Chart, Panel},
    legend::Swatch,
    mark::Mark,
};

/// What it shows.
pub const CAPTION: &str = "Each line is a trial: its score on validation episodes where it was judged, or without a pruner while it trained, coloured by \
its last one, so that the best stand out in yellow. Lines that end early in a cross were pruned; one that would have crossed the winners later was pruned wrongly.";

/// More lines than this are a carpet.
const MOST_LINES: usize = 400;

/// `None` where no trial was validated twice.
pub fn figure(view: &View) -> Option<Figure> {
    let colors = view.colors(view.low, view.high);
    let trials = view.sample(MOST_LINES);
    let (mut lines, mut ends) = (Vec::new(), Vec::new());
    for trial in &trials {
        let points = trial.curve.iter().filter(|point| point.1.is_finite());
        let points: Vec<(f64, f64)> = points.map(|&(iteration, score)| (iteration, view.at(score))).collect();
        if !trial.complete {
            ends.extend(points.last());
        }
        if points.len() > 1 {
            lines.push(Mark::Trace(colors.color(trial.score), points));
        }
    }
    let last = trials.iter().filter_map(|trial| Some(trial.curve.last()?.0)).fold(0.0, f64::max);
    if lines.is_empty() {
        return None;
    }
    let mut legend = colors.legend();
    if !ends.is_empty() {
        legend.push(entry(Swatch::Dot(PRUNED), "pruned"));
    }
    lines.insert(0, Mark::Dots(PRUNED, ends));
    let chart = Chart {
        title: view.results.name.clone(),
        subtitle: format!("{} while training{}", view.results.objective, view.sampled(trials.len())),
        x: Axis::linear("meta-iterations", 0.0, last),
        y: view.score_axis(),
        panels: vec![Panel { heading: None, marks: lines }],
        legend,
    };
    Some(Figure::new("curves", chart.svg()))
}
