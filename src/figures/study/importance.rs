//! How much of the differences between trials each parameter explains.

use super::{Figure, Scale, TrialResult, View};
use crate::figures::{
    axis::Axis,
    chart::{Chart, Panel},
    legend::{LegendEntry, Swatch},
    mark::Mark,
    raster,
    style::{Look, TICK},
};

/// What it shows.
pub const CAPTION: &str = "The share of the variance of all trials' scores that a parameter explains by itself: that between groups of trials with \
like values, without what chance would put there (the main effect, by Hays' omega squared). Shares need not add up to 100 %: what is missing is \
interaction and noise. Trials are compared at the iteration that all of them reached.";

/// Groups that a parameter's values are divided into.
const GROUPS: usize = 6;
/// Fewer trials say nothing about importance.
const LEAST_TRIALS: usize = 8;
/// The room for all names below the bars.
const NAMES: i32 = 1000;

pub fn figure(view: &View) -> Option<Figure> {
    let shares = importance(view)?;
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]));
    let bar = |(place, parameter): (usize, &usize)| Mark::Bar {
        look: Look::of(place),
        sides: (place as f64 + 0.15, place as f64 + 0.85),
        top: 100.0 * shares[*parameter],
    };
    let entry = |(place, parameter): (usize, &usize)| LegendEntry {
        sample: Swatch::Bar(Look::of(place)),
        label: view.results.parameters[*parameter].name.clone(),
        note: Some(format!("{:.0} %", 100.0 * shares[*parameter])),
    };
    let room = NAMES / order.len() as i32; // a longer name is whole in the legend
    let name = |parameter: &usize| raster::shorten(&view.results.parameters[*parameter].name, TICK, room);
    let highest = shares.iter().copied().fold(0.1, f64::max);
    let chart = Chart {
        title: view.results.name.clone(),
        subtitle: format!(
            "share of the variance of {} that a parameter explains alone",
            view.results.objective
        ),
        x: Axis::groups("parameter", order.iter().map(name)),
        y: Axis::linear("variance explained (%)", 0.0, 105.0 * highest),
        panels: vec![Panel { heading: None, marks: order.iter().enumerate().map(bar).collect() }],
        legend: order.iter().enumerate().map(entry).collect(),
    };
    Some(Figure::new("importance", chart.svg()))
}

/// Each parameter's share; `None` where trials are too few, or all equal.
pub fn importance(view: &View) -> Option<Vec<f64>> {
    let reached = |trial: &&TrialResult| trial.curve.last().map_or(0.0, |point| point.0);
    let common = view.trials.iter().map(reached).fold(f64::INFINITY, f64::min);
    let score = |trial: &TrialResult| {
        let there = trial.curve.iter().rev().find(|point| point.0 <= common);
        view.at(there.map_or(trial.score, |point| point.1))
    };
    let scores: Vec<f64> = view.trials.iter().map(|trial| score(trial)).collect();
    let total = squares(&scores);
    if scores.len() < LEAST_TRIALS || total <= 1e-12 * scores.len() as f64 {
        return None;
    }
    let share = |(parameter, described): (usize, &super::StudyParameter)| {
        let having = view.trials.iter().zip(&scores);
        let mut points: Vec<(f64, f64)> =
            having.filter_map(|(trial, score)| Some((trial.values[parameter]?, *score))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        explained(&groups(&points, matches!(described.scale, Scale::Options(_))), total)
    };
    Some(view.results.parameters.iter().enumerate().map(share).collect())
}

/// The scores of trials with like values: of each option, or of each value where they are few, else of equal numbers of trials.
fn groups(points: &[(f64, f64)], options: bool) -> Vec<Vec<f64>> {
    let by_value: Vec<&[(f64, f64)]> = points.chunk_by(|a, b| a.0 == b.0).collect();
    let scores = |points: &[(f64, f64)]| points.iter().map(|point| point.1).collect();
    if options || by_value.len() <= GROUPS {
        return by_value.into_iter().map(scores).collect();
    }
    let size = points.len().div_ceil(GROUPS.min(points.len() / 3).max(1));
    points.chunks(size).map(scores).collect()
}

/// The share of `total`, a sum of squares, that lies between groups beyond what chance puts there.
fn explained(groups: &[Vec<f64>], total: f64) -> f64 {
    let all = groups.concat();
    let inside: f64 = groups.iter().map(|group| squares(group)).sum();
    let freedom = all.len().saturating_sub(groups.len());
    if freedom == 0 || groups.len() < 2 {
        return 0.0;
    }
    let noise = inside / freedom as f64;
    let between = squares(&all) - inside - (groups.len() - 1) as f64 * noise;
    (between / (total + noise)).clamp(0.0, 1.0)
}

/// The sum of squared distances from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::study::tests::{rates, trial};

    #[test]
    fn what_matters_has_a_large_share_and_what_does_not_has_none() {
        let mut results = rates();
        results.parameters.truncate(2);
        let values = |i: usize| [Some(10f64.powf(i as f64 / 40.0)), Some(f64::from(i.is_multiple_of(3)))];
        // A valley over the first parameter, which no straight line would find; nothing over the second.
        let score = |i: usize| (i as f64 / 20.0 - 1.0).powi(2);
        results.trials = (0..40).map(|i| trial(i, score(i), &values(i))).collect();
        let shares = importance(&View::of(&results).expect("trials")).expect("shares");
        assert!(shares[0] > 0.8 && shares[1] < 0.1, "{shares:?}");

        results.trials.truncate(LEAST_TRIALS - 1);
        assert!(importance(&View::of(&results).expect("trials")).is_none());
    }

    #[test]
    fn omega_squared_of_a_textbook_table() {
        // Between 54, within 6 with 6 degrees of freedom: (54 - 2 * 1) / (60 + 1).
        let groups = [vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0], vec![7.0, 8.0, 9.0]];
        let total = squares(&groups.concat());
        assert_eq!(total, 60.0);
        assert!((explained(&groups, total) - 52.0 / 61.0).abs() < 1e-12);
    }
}
