//! How the objective responds to one parameter.

use super::{
    Figure, Scale, View,
    objective::{COMPLETE, MOST_DOTS, PRUNED, SUMMARY, entry},
    range,
};
use crate::figures::{
    chart::{Chart, Panel},
    legend::Swatch,
    mark::Mark,
};

/// What it shows.
pub const CAPTION: &str = "Each disc is a trial at its value of this parameter, whatever its other parameters; crosses were pruned. The line is \
the mean of neighbouring complete trials. A wide spread at one value says that other parameters matter too.";

/// As many values still have a mean each.
const FEW: usize = 12;

/// One figure for each parameter that was tried, `response-1` for the first of the space.
pub fn figures(view: &View) -> Vec<Figure> {
    (0..view.results.parameters.len()).filter_map(|parameter| figure(view, parameter)).collect()
}

fn figure(view: &View, parameter: usize) -> Option<Figure> {
    let scale = &view.results.parameters[parameter].scale;
    let having: Vec<_> =
        view.trials.iter().copied().filter(|trial| trial.values[parameter].is_some()).collect();
    let points = view.points(parameter, &having);
    let (low, high) = range(points.iter().map(|point| point.0));
    if points.is_empty() {
        return None;
    }
    let every = points.len().div_ceil(MOST_DOTS);
    let dots = |complete: bool| -> Vec<(f64, f64)> {
        let drawn = points.iter().rev().step_by(every).enumerate().filter(|(_, point)| point.2 == complete);
        drawn.map(|(place, &(x, y, _))| (x + jitter(scale, place), y)).collect()
    };
    let summary = match scale {
        Scale::Options(names) => means(&points, names.len()),
        _ => vec![trend(&points)],
    };
    let mut marks = vec![Mark::Dots(PRUNED, dots(false)), Mark::Dots(COMPLETE, dots(true))];
    let mut legend = vec![entry(Swatch::Dot(COMPLETE), "a trial")];
    if points.iter().any(|point| !point.2) {
        legend.push(entry(Swatch::Dot(PRUNED), "pruned"));
    }
    if summary.iter().any(|line| line.len() > 1) {
        legend.push(entry(Swatch::Line(SUMMARY), "mean"));
    }
    marks.extend(summary.into_iter().map(|line| Mark::Line(SUMMARY, line)));
    let drawn = points.len().div_ceil(every);
    let sampled =
        if drawn < points.len() { format!(" ({drawn} of {} trials)", points.len()) } else { String::new() };
    let path = &view.results.parameters[parameter].path;
    let chart = Chart {
        title: view.results.name.clone(),
        subtitle: format!("{} by {path}{sampled}", view.results.objective),
        x: scale.axis(&view.results.parameters[parameter].name, low, high),
        y: view.score_axis(),
        panels: vec![Panel { heading: None, marks }],
        legend,
    };
    Some(Figure::new(&format!("response-{}", parameter + 1), chart.svg()))
}

/// Trials with the same option stand beside each other: a low-discrepancy sequence spreads them without a random number.
fn jitter(scale: &Scale, place: usize) -> f64 {
    match scale {
        Scale::Options(_) => 0.4 * ((place as f64 * 0.618_033_988_75).fract() - 0.5),
        _ => 0.0,
    }
}

/// The mean of the complete trials at each value where values are few; otherwise over windows of a fifth of them, at least three.
fn trend(points: &[(f64, f64, bool)]) -> Vec<(f64, f64)> {
    let mut complete: Vec<_> = points.iter().filter(|point| point.2).collect();
    complete.sort_by(|a, b| a.0.total_cmp(&b.0));
    let at_values: Vec<&[_]> = complete.chunk_by(|a, b| a.0 == b.0).collect();
    if at_values.len() <= FEW && at_values.len() < complete.len() {
        let mean = |same: &[&(f64, f64, bool)]| same.iter().map(|p| p.1).sum::<f64>() / same.len() as f64;
        return at_values.iter().map(|same| (same[0].0, mean(same))).collect();
    }
    let window = (complete.len() / 5).max(3);
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / window as f64;
    let windows = complete.windows(window).step_by(complete.len().div_ceil(400).max(1));
    windows.map(|w| (mean(&mut w.iter().map(|p| p.0)), mean(&mut w.iter().map(|p| p.1)))).collect()
}

/// A short line at the mean of the complete trials with each option.
fn means(points: &[(f64, f64, bool)], options: usize) -> Vec<Vec<(f64, f64)>> {
    let line = |option: usize| {
        let middle = option as f64 + 0.5;
        let scores: Vec<f64> = points.iter().filter(|p| p.2 && p.0 == middle).map(|p| p.1).collect();
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        mean.is_finite().then(|| vec![(middle - 0.3, mean), (middle + 0.3, mean)])
    };
    (0..options).filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_of_complete_trials() {
        let points =
            [(4.0, 9.0, true), (1.0, 3.0, true), (2.0, 6.0, true), (3.0, 0.0, true), (2.5, 100.0, false)];
        assert_eq!(trend(&points), [(2.0, 3.0), (3.0, 5.0)]);
        let repeated = [(1.0, 3.0, true), (2.0, 6.0, true), (2.0, 8.0, true)];
        assert_eq!(trend(&repeated), [(1.0, 3.0), (2.0, 7.0)]);
        let points = [(0.5, 1.0, true), (0.5, 3.0, true), (0.5, 9.0, false), (2.5, 5.0, true)];
        assert_eq!(means(&points, 3), [[(0.2, 2.0), (0.8, 2.0)], [(2.2, 5.0), (2.8, 5.0)]]);
    }
}
