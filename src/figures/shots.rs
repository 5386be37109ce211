//! What more examples per class are worth to each method.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{
    Figure, Results,
    axis::Axis,
    chart::{Chart, Panel},
    judged::{MeanPoint, Vertical, shown},
    legend::{LegendEntry, Swatch},
    mark::Mark,
    style::CHANCE,
};
use crate::{
    records::TaskKind,
    summary::{SummaryRow, chosen_steps},
};

/// What methods are judged by, by number of shots, each method after the number of steps that validation chose; of students
/// [`Seen`](super::seen::Seen) shows it.
pub struct Shots;

/// How much of a group's width its bars take, at least four of them.
const FILLED: f64 = 0.84;

impl Figure for Shots {
    fn name(&self) -> &'static str {
        "shots"
    }

    fn caption(&self, results: &Results) -> String {
        format!(
            "{} on held-out test episodes by the number of {}, {}: mean over episodes and seeds; whiskers are 95 % \
             intervals, as in the table.",
            results.judge.capitalised(),
            results.words.shots_axis,
            rule(results)
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let mut rows = results.summary();
        rows.retain(|row| row.task == TaskKind::FewShot);
        let chosen = chosen_steps(&results.validation, results.judge);
        let shots: BTreeSet<usize> = rows.iter().map(|row| row.shots).collect();
        let methods: Vec<_> = results
            .looks()
            .into_iter()
            .filter_map(|(method, look)| {
                let bars = shots
                    .iter()
                    .enumerate()
                    .filter_map(|(group, shots)| Some((group, reported(&rows, method, *shots, &chosen)?)));
                let bars: Vec<_> = bars.collect();
                (!bars.is_empty()).then_some((method, look, bars))
            })
            .collect();
        if methods.is_empty() || results.words.people().is_some() {
            return Ok(None);
        }

        let judge = results.judge;
        let points = shown(&rows.iter().collect::<Vec<_>>(), judge);
        let y = Vertical::from_zero("test", judge, &points);
        let width = FILLED / methods.len().max(4) as f64;
        let group_width = width * methods.len() as f64;
        let (mut marks, mut legend) = (Vec::new(), Vec::new());
        for (place, (method, look, bars)) in methods.iter().enumerate() {
            let mut taken = Vec::new();
            for (group, row) in bars {
                let left = *group as f64 + 0.5 * (1.0 - group_width) + place as f64 * width;
                let sides = (left + 0.05 * width, left + 0.95 * width);
                let point = MeanPoint::of(row, judge);
                marks.push(Mark::Bar { look: *look, sides, top: y.at(point.mean) });
                if point.high > point.low {
                    marks.push(y.whisker(left + 0.5 * width, point));
                }
                taken.push(row.step.to_string());
            }
            taken.dedup(); // one number says it where all groups have the same
            legend.push(LegendEntry {
                sample: Swatch::Bar(*look),
                label: (*method).to_owned(),
                note: Some(format!("after {} steps", taken.join(", "))),
            });
        }
        if let Some(chance) = results.chance() {
            marks.push(Mark::Level(CHANCE, y.at(chance)));
            legend.push(results.chance_entry(chance, true));
        }
        let chart = Chart {
            title: results.title.clone(),
            subtitle: format!("{} on test tasks {}: mean and 95 % interval", judge.title, rule(results)),
            x: Axis::groups(results.words.shots_axis, shots.iter().map(usize::to_string)),
            y: y.axis,
            panels: vec![Panel { heading: None, marks }],
            legend,
        };
        chart.svg().map(Some)
    }
}

/// A method's row at the step that validation chose, without validation at the last one.
pub fn reported<'a>(
    rows: &'a [SummaryRow],
    method: &str,
    shots: usize,
    chosen: &BTreeMap<(String, usize), usize>,
) -> Option<&'a SummaryRow> {
    let mut of_method = rows.iter().filter(|row| row.method == method && row.shots == shots);
    match chosen.get(&(method.to_owned(), shots)) {
        Some(step) => of_method.find(|row| row.step == *step),
        None => of_method.max_by_key(|row| row.step),
    }
}

/// How the numbers of steps came about.
pub fn rule(results: &Results) -> &'static str {
    if chosen_steps(&results.validation, results.judge).is_empty() {
        "after each method's last step"
    } else {
        "after each method's best number of steps on validation tasks"
    }
}
