//! What more answers of a student are worth to each method.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{
    Figure, Results,
    axis::{Axis, step_position},
    judged::{MeanPoint, Vertical},
    legend::{LegendEntry, Swatch},
    mark::Mark,
    pair::Pair,
    shots::{reported, rule},
    style::Look,
};
use crate::{
    measures::{Auc, LogLoss, Measure, Quantity},
    records::TaskKind,
    summary::{SummaryRow, chosen_steps, summarise},
};

/// Log loss and area under the curve over the number of answers seen, each method after the number of steps that validation chose.
pub struct Seen;

/// Bands of more methods would cover each other: then intervals are whiskers beside each other.
const BANDS: usize = 3;
/// How far whiskers of all methods reach to the sides of a number of answers, as a part of the axis.
const SPREAD: f64 = 0.05;

impl Figure for Seen {
    fn name(&self) -> &'static str {
        "seen"
    }

    fn caption(&self, results: &Results) -> String {
        let (people, what) = (results.words.people().unwrap_or("tasks"), results.words.support);
        format!(
            "Log loss and area under the ROC curve on the {what} of new {people} by the number of their {what} seen, {}: means over \
             {people} and seeds; bands or whiskers are 95 % intervals.",
            rule(results)
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let Some(people) = results.words.people() else { return Ok(None) };
        let quantities = [LogLoss.quantity(), Auc.quantity()];
        let mut rows = summarise(&results.evaluation, &results.methods, &quantities);
        rows.retain(|row| row.task == TaskKind::FewShot);
        let chosen = chosen_steps(&results.validation, results.judge);
        let shots: BTreeSet<usize> = rows.iter().map(|row| row.shots).collect();
        let of_method = |method: &str| -> Vec<&SummaryRow> {
            shots.iter().filter_map(|shots| reported(&rows, method, *shots, &chosen)).collect()
        };
        let mut methods: Vec<(&str, Look, Vec<&SummaryRow>)> =
            results.looks().into_iter().map(|(method, look)| (method, look, of_method(method))).collect();
        methods.retain(|(_, _, rows)| !rows.is_empty());
        let has = |quantity: &Quantity| {
            methods.iter().flat_map(|(_, _, rows)| rows).any(|row| row.mean(quantity.name).is_finite())
        };
        let mut x = Axis { label: results.words.shots_axis.into(), ..Axis::steps(shots.iter().copied()) };
        let width = x.high - x.low;
        if methods.len() > BANDS {
            (x.low, x.high) = (x.low - SPREAD * width, x.high + SPREAD * width);
        }
        let panels: Vec<(Axis, Vec<Mark>)> = quantities
            .iter()
            .filter(|quantity| has(quantity))
            .map(|of| panel(*of, &methods, width))
            .collect();
        if panels.is_empty() {
            return Ok(None);
        }
        let entry = |(method, look, _): &(&str, Look, _)| LegendEntry {
            sample: Swatch::Curve(*look),
            label: (*method).to_owned(),
            note: None,
        };
        let pair = Pair {
            title: results.title.clone(),
            subtitle: format!("on test {people} {}: mean and 95 % interval", rule(results)),
            x,
            panels,
            legend: methods.iter().map(entry).collect(),
        };
        pair.svg().map(Some)
    }
}

/// The upward axis of a quantity, and its curves on an axis so wide; means that are no numbers have no place.
fn panel(quantity: Quantity, methods: &[(&str, Look, Vec<&SummaryRow>)], width: f64) -> (Axis, Vec<Mark>) {
    let beside = |place: usize| match methods.len() {
        few if few <= BANDS => 0.0,
        many => SPREAD * width * (2.0 * place as f64 / (many - 1) as f64 - 1.0),
    };
    let points = |(place, (_, look, rows)): (usize, &(&str, Look, Vec<&SummaryRow>))| {
        let at = |row: &&SummaryRow| (step_position(row.shots) + beside(place), MeanPoint::of(row, quantity));
        let points: Vec<(f64, MeanPoint)> =
            rows.iter().map(at).filter(|(_, of)| of.mean.is_finite()).collect();
        (*look, points)
    };
    let curves: Vec<(Look, Vec<(f64, MeanPoint)>)> = methods.iter().enumerate().map(points).collect();
    let all: Vec<MeanPoint> = curves.iter().flat_map(|(_, points)| points).map(|(_, point)| *point).collect();
    let y = Vertical::of("test", quantity, &all, None);
    let whiskers = |(x, point): &(f64, MeanPoint)| y.whisker(*x, *point);
    let few = methods.len() <= BANDS;
    let mut marks = Vec::new();
    for (look, points) in curves.iter().filter(|(_, points)| few && points.len() > 1) {
        marks.push(y.band(*look, points));
    }
    for (look, points) in &curves {
        // Whiskers stand behind their curve, whose name they have on a page.
        marks.push(y.curve(*look, points));
        if !few || points.len() == 1 {
            marks.extend(points.iter().map(whiskers));
            marks.push(Mark::Dots(*look, points.iter().map(|(x, point)| (*x, y.at(point.mean))).collect()));
        }
    }
    let label = format!("{}, {} is better", quantity.label(), quantity.better.word());
    (Axis { label, ..y.axis }, marks)
}
