//! Whether the folds of a cross-validation agree.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{
    Figure, Results,
    axis::Axis,
    chart::{Chart, Panel},
    judged::MeanPoint,
    legend::{LegendEntry, Swatch},
    mark::Mark,
    style::{CHANCE, Look},
};
use crate::{
    measures::{Quantity, Unit},
    records::TaskKind,
    stats::{
        comparison::{Comparison, FoldDifference, compare},
        pairing::Contestant,
    },
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

    fn caption(&self, results: &Results) -> String {
        format!(
            "How far the method with the best mean is ahead of each other one in every fold of the cross-validation: difference in {} \
             with 95 % intervals over the fold's seeds and episodes. Every fold holds out other classes; below zero the other method \
             is ahead.",
            unit(results.judge)
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let folds: BTreeSet<usize> = results.evaluation.iter().map(|row| row.fold).collect();
        if folds.len() < 2 {
            return Ok(None);
        }
        let mut rows = results.summary();
        rows.retain(|row| row.task == TaskKind::FewShot);
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
        let judge = results.judge;
        let folds_of = leads.iter().flat_map(|lead| &lead.pairs).flat_map(|pair| &pair.folds);
        let (low, high) = folds_of
            .map(|of| lead(of, judge))
            .fold((0.0f64, 0.0f64), |(low, high), lead| (low.min(lead.low), high.max(lead.high)));
        let room = 0.05 * (high - low);
        let order: Vec<usize> = folds.iter().copied().collect();
        let chart = Chart {
            title: results.title.clone(),
            subtitle: format!(
                "lead of the best method in every fold, in {}, with 95 % intervals",
                unit(judge)
            ),
            x: Axis::groups("fold", order.iter().map(usize::to_string)),
            y: Axis::linear(&format!("lead ({})", unit(judge)), low - room, high + room),
            panels: leads.iter().map(|lead| lead.panel(results, &looks, &order)).collect(),
            legend: looks
                .iter()
                .map(|(method, look)| LegendEntry {
                    sample: Swatch::Dot(*look),
                    label: format!("over {method}"),
                    note: None,
                })
                .collect(),
        };
        chart.svg().map(Some)
    }
}

/// What leads are counted in.
fn unit(judge: Quantity) -> &'static str {
    match judge.unit {
        Unit::Percent => "percentage points",
        Unit::Plain => judge.title,
    }
}

/// How far the first of two is ahead in a fold, as it is drawn.
fn lead(of: &FoldDifference, judge: Quantity) -> MeanPoint {
    let ahead = |difference: f64| judge.better.goodness(judge.shown(difference));
    let (one, other) = (ahead(of.interval.0), ahead(of.interval.1));
    MeanPoint { mean: ahead(of.difference), low: one.min(other), high: one.max(other) }
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
        let judge = results.judge;
        let mut contestants = contestants(&rows, &chosen_steps(&results.validation, judge), judge);
        contestants.sort_by(|(_, a), (_, b)| judge.better.best_first(*a, *b));
        let contestants: Vec<Contestant> =
            contestants.into_iter().map(|(contestant, _)| contestant).collect();
        let best = contestants.first()?.clone();
        // Methods that were tested on other episodes cannot be drawn; the report says why.
        let compared = compare(&results.evaluation, judge, &contestants, shots).ok()?;
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
                let lead = lead(of, results.judge);
                if lead.low.is_finite() {
                    marks.push(Mark::Whisker(x, lead.low, lead.high));
                }
                marks.push(Mark::Dots(*look, vec![(x, lead.mean)]));
            }
        }
        Panel {
            heading: Some(format!("{}: {} over others", results.task_name(self.shots), self.best.method)),
            marks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures;

    #[test]
    fn who_has_less_error_is_ahead() {
        let of = FoldDifference { fold: 0, difference: -0.2, interval: (-0.3, 0.1) };
        let judge = |name| measures::find(name).expect("registered").quantity();
        assert_eq!(lead(&of, judge("mse")), MeanPoint { mean: 0.2, low: -0.1, high: 0.3 });
        assert_eq!(lead(&of, judge("accuracy")), MeanPoint { mean: -20.0, low: -30.0, high: 10.0 });
    }
}
