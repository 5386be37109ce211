//! Whether the folds of a cross-validation agree.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{
    Figure, Results,
    axis::Axis,
    chart::{Chart, Panel},
    legend::{Entry, Sample},
    mark::Mark,
    style::{CHANCE, Look},
};
use crate::{
    records::Task,
    stats::comparison::{Comparison, Contestant, compare},
    summary::{SummaryRow, chosen_steps, contestants},
};

/// The lead of the best method over each other one, in every fold: one panel for each number of shots.
pub struct Folds;

/// How much of a group's width its points take.
const FILLED: f64 = 0.7;

impl Figure for Folds {
    fn name(&self) -> &'static str {
        "folds"
    }

    fn caption(&self, _: &Results) -> String {
        "How far the method with the best mean is ahead of each other one in every fold of the cross-validation: difference in percentage \
         points with 95 % intervals over the fold's seeds and episodes. Every fold holds out other classes; below zero the other method \
         is ahead."
            .to_owned()
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let folds: BTreeSet<usize> = results.evaluation.iter().map(|row| row.fold).collect();
        if folds.len() < 2 {
            return Ok(None);
        }
        let mut rows = results.summary();
        rows.retain(|row| row.task == Task::FewShot);
        let shots: BTreeSet<usize> = rows.iter().map(|row| row.shots).collect();
        let leads: Vec<Lead> = shots.iter().filter_map(|shots| Lead::of(results, &rows, *shots)).collect();
        if leads.is_empty() {
            return Ok(None);
        }
        let looks: Vec<(&str, Look)> = results
            .looks()
            .into_iter()
            .filter(|(method, _)| leads.iter().any(|lead| lead.others().any(|other| other == *method)))
            .collect();
        let values = leads.iter().flat_map(|lead| &lead.pairs).flat_map(|pair| &pair.folds);
        let (low, high) = values.fold((0.0f64, 0.0f64), |(low, high), of| {
            (low.min(100.0 * of.interval.0), high.max(100.0 * of.interval.1))
        });
        let room = 0.05 * (high - low);
        let order: Vec<usize> = folds.iter().copied().collect();
        let chart = Chart {
            title: results.title.clone(),
            subtitle: "lead of the best method in every fold, in percentage points, with 95 % intervals"
                .to_owned(),
            x: Axis::groups("fold", order.iter().map(usize::to_string)),
            y: Axis::linear("lead (percentage points)", low - room, high + room),
            panels: leads.iter().map(|lead| lead.panel(results, &looks, &order)).collect(),
            legend: looks
                .iter()
                .map(|(method, look)| Entry {
                    sample: Sample::Dot(*look),
                    label: format!("over {method}"),
                    note: None,
                })
                .collect(),
        };
        chart.svg().map(Some)
    }
}

/// The best method at one number of shots, and its pairs with the others.
struct Lead {
    shots: usize,
    best: Contestant,
    pairs: Vec<Comparison>,
}

impl Lead {
    fn of(results: &Results, rows: &[SummaryRow], shots: usize) -> Option<Self> {
        let rows: Vec<&SummaryRow> = rows.iter().filter(|row| row.shots == shots).collect();
        let mut contestants = contestants(&rows, &chosen_steps(&results.validation));
        contestants.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let contestants: Vec<Contestant> =
            contestants.into_iter().map(|(contestant, _)| contestant).collect();
        let best = contestants.first()?.clone();
        // Methods that were tested on other episodes cannot be drawn; the report says why.
        let compared = compare(&results.evaluation, &contestants, shots).ok()?;
        let pairs: Vec<Comparison> =
            compared.pairs.into_iter().filter(|pair| pair.a == best && !pair.folds.is_empty()).collect();
        (!pairs.is_empty()).then_some(Self { shots, best, pairs })
    }

    fn others(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|pair| pair.b.method.as_str())
    }

    fn panel(&self, results: &Results, looks: &[(&str, Look)], order: &[usize]) -> Panel {
        let mut marks = vec![Mark::Level(CHANCE, 0.0)];
        for (place, (method, look)) in looks.iter().enumerate() {
            let Some(pair) = self.pairs.iter().find(|pair| pair.b.method == *method) else { continue };
            let across = 0.5 + FILLED * ((place as f64 + 0.5) / looks.len() as f64 - 0.5);
            for of in &pair.folds {
                let Some(group) = order.iter().position(|fold| *fold == of.fold) else { continue };
                let x = group as f64 + across;
                if of.interval.0.is_finite() {
                    marks.push(Mark::Whisker(x, 100.0 * of.interval.0, 100.0 * of.interval.1));
                }
                marks.push(Mark::Dots(*look, vec![(x, 100.0 * of.difference)]));
            }
        }
        Panel {
            heading: Some(format!("{}: {} over others", results.task_name(self.shots), self.best.method)),
            marks,
        }
    }
}
