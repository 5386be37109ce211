//! The objective over trials, with the best so far.

use super::{Figure, TrialResult, View};
use crate::figures::{
    axis::Axis,
    chart::{Chart, Panel},
    legend::{LegendEntry, Swatch},
    mark::Mark,
    style::Look,
};

/// What it shows.
pub const CAPTION: &str = "Each disc is a trial that was trained to the end, each cross one that was pruned, at its last score on validation \
episodes; the line is the best complete trial so far. Where it has been level for long, more trials of this sampler will hardly help.";

/// At most so many trials are drawn, so that the file stays small.
pub const MOST_DOTS: usize = 1000;

/// A complete trial.
pub const COMPLETE: Look = Look::line(0);
/// A pruned trial.
pub const PRUNED: Look = Look::PRUNED;
/// What sums trials up.
pub const SUMMARY: Look = Look::line(1);

pub fn figure(view: &View) -> Figure {
    let sample = view.sample(MOST_DOTS);
    let last = view.trials.iter().map(|trial| trial.number).max().unwrap_or(0).max(1) as f64;
    let dots = |complete: bool| -> Vec<(f64, f64)> {
        let of_kind = sample.iter().filter(|trial| trial.complete == complete);
        of_kind.map(|trial| (trial.number as f64, view.at(trial.score))).collect()
    };
    let (complete, pruned) = (dots(true), dots(false));
    let mut legend = vec![entry(Swatch::Dot(COMPLETE), "a trial")];
    if !pruned.is_empty() {
        legend.push(entry(Swatch::Dot(PRUNED), "pruned"));
    }
    legend.push(entry(Swatch::Line(SUMMARY), "best so far"));
    let chart = Chart {
        title: view.results.name.clone(),
        subtitle: format!("{} over trials{}", view.results.objective, view.sampled(sample.len())),
        x: Axis::linear("trial", -0.02 * last, 1.02 * last),
        y: view.score_axis(),
        panels: vec![Panel {
            heading: None,
            marks: vec![
                Mark::Dots(PRUNED, pruned),
                Mark::Dots(COMPLETE, complete),
                Mark::Line(SUMMARY, best_so_far(view, last)),
            ],
        }],
        legend,
    };
    Figure::new("objective", chart.svg())
}

/// A line of the legend.
pub fn entry(sample: Swatch, label: &str) -> LegendEntry {
    LegendEntry { sample, label: label.to_owned(), note: None }
}

/// The best score of the complete trials up to each, in steps.
fn best_so_far(view: &View, last: f64) -> Vec<(f64, f64)> {
    let mut trials: Vec<&TrialResult> = view.trials.iter().copied().filter(|trial| trial.complete).collect();
    trials.sort_by_key(|trial| trial.number);
    let better =
        |score: f64, than: f64| if view.results.lower_is_better { score < than } else { score > than };
    let mut line: Vec<(f64, f64)> = Vec::new();
    for trial in trials {
        let (number, score) = (trial.number as f64, view.at(trial.score));
        match line.last() {
            Some(&(_, best)) if !better(score, best) => {}
            before => {
                let corner = before.map(|&(_, best)| (number, best)); // a step, not a slope
                line.extend(corner);
                line.push((number, score));
            }
        }
    }
    let end = line.last().map(|&(_, best)| (last, best));
    line.extend(end);
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::study::tests::{rates, trial};

    #[test]
    fn the_best_so_far_goes_down_in_steps_where_lower_is_better() {
        let mut results = rates();
        results.trials = vec![trial(3, 1.9, &[]), trial(0, 1.5, &[]), trial(1, 1.2, &[])];
        let line = best_so_far(&View::of(&results).expect("trials"), 3.0);
        assert_eq!(line, [(0.0, 1.5), (1.0, 1.5), (1.0, 1.2), (3.0, 1.2)]);
        results.trials[2].complete = false; // pruned: its score is of an early rung
        assert_eq!(best_so_far(&View::of(&results).expect("trials"), 3.0), [(0.0, 1.5), (3.0, 1.5)]);
    }
}
