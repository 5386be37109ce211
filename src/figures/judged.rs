//! The upward axis of what methods are judged by, and the marks of means with their intervals.

use super::{axis::Axis, mark::Mark, style::Look};
use crate::{
    measures::{Better, Quantity, Unit},
    summary::SummaryRow,
};

/// A mean with the ends of its interval, in the judge's own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanPoint {
    /// The mean.
    pub mean: f64,
    /// The lower end; the mean itself where there is no interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl MeanPoint {
    /// The mean of a row by the judge, with its 95 % interval; shares end at 0 and 1.
    pub fn of(row: &SummaryRow, judge: Quantity) -> Self {
        let mean = row.mean(judge.name);
        let half =
            row.measured(judge.name).and_then(|measured| measured.interval).filter(|half| half.is_finite());
        let half = half.unwrap_or(0.0);
        match judge.unit {
            Unit::Percent => Self { mean, low: (mean - half).max(0.0), high: (mean + half).min(1.0) },
            Unit::Plain => Self { mean, low: mean - half, high: mean + half },
        }
    }
}

/// The points of rows that an axis must show. Errors far above those before adaptation, of networks that diverge, leave the figure.
pub fn shown(rows: &[&SummaryRow], judge: Quantity) -> Vec<MeanPoint> {
    let points = || rows.iter().map(|row| (row.step, MeanPoint::of(row, judge)));
    let first = points().map(|(step, _)| step).min();
    let before =
        points().filter(|(step, _)| Some(*step) == first).map(|(_, point)| point.mean).fold(0.0, f64::max);
    let is_error = judge.unit == Unit::Plain && judge.better == Better::Lower;
    let is_far = |point: &MeanPoint| is_error && point.mean > FAR * before;
    points().map(|(_, point)| point).filter(|point| !is_far(point)).collect()
}

/// So many times the largest mean before adaptation.
const FAR: f64 = 3.0;

/// The upward axis of the judge: in per cent, or in numbers, by their logarithm where means lie more than a decade apart.
pub struct Vertical {
    /// The axis.
    pub axis: Axis,
    judge: Quantity,
    /// The lowest number shown, of an axis of logarithms.
    least: f64,
}

/// An interval of numbers that are not negative is shown at most up to so many times the largest mean, and by logarithms down to that part of
/// the least.
const MOST: f64 = 3.0;

impl Vertical {
    /// Shows all of these points, and the level of chance where that does not flatten them; `part` says of what the judge's values are.
    pub fn of(part: &str, judge: Quantity, points: &[MeanPoint], chance: Option<f64>) -> Self {
        let label = label(part, judge);
        let ends = || points.iter().flat_map(|point| [point.low, point.high]);
        if judge.unit == Unit::Percent {
            let axis = Axis::percent(
                &label,
                ends().map(|end| judge.shown(end)),
                chance.map(|chance| judge.shown(chance)),
            );
            return Self { axis, judge, least: f64::NAN };
        }
        let range = |values: &mut dyn Iterator<Item = f64>| {
            let finite = values.filter(|value| value.is_finite());
            finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let (least, most) = range(&mut points.iter().map(|point| point.mean));
        let (mut low, mut high) = range(&mut ends().chain(chance));
        if least >= 0.0 {
            (low, high) = (low.max(0.0), high.min(MOST * most));
        }
        if least > 0.0 && most > 10.0 * least {
            let low = low.max(least / MOST);
            let axis = Axis::logarithmic(&label, low.log10(), high.log10());
            return Self { axis, judge, least: low };
        }
        let room = 0.05 * (high - low);
        Self { axis: Axis::linear(&label, low - room, high + room), judge, least: f64::NAN }
    }

    /// From zero up, for bars; a share up to the whole.
    pub fn from_zero(part: &str, judge: Quantity, points: &[MeanPoint]) -> Self {
        let label = label(part, judge);
        let high = points.iter().map(|point| point.high).filter(|high| high.is_finite()).fold(0.0, f64::max);
        let axis = match judge.unit {
            Unit::Percent => Axis::linear(&label, 0.0, 100.0),
            Unit::Plain => {
                let most = points.iter().map(|point| point.mean).filter(|mean| mean.is_finite());
                Axis::linear(&label, 0.0, 1.05 * high.min(MOST * most.fold(0.0, f64::max)))
            }
        };
        Self { axis, judge, least: f64::NAN }
    }

    /// Where a value lies on the axis.
    pub fn at(&self, value: f64) -> f64 {
        if self.axis.logarithmic { value.max(self.least).log10() } else { self.judge.shown(value) }
    }

    /// Whether a value is shown.
    pub fn holds(&self, value: f64) -> bool {
        self.axis.holds(self.at(value))
    }

    /// A light area between the ends of the points' intervals.
    pub fn band(&self, look: Look, points: &[(f64, MeanPoint)]) -> Mark {
        Mark::Band(
            look,
            points.iter().map(|(x, point)| (*x, self.at(point.low), self.at(point.high))).collect(),
        )
    }

    /// A line through the points' means.
    pub fn curve(&self, look: Look, points: &[(f64, MeanPoint)]) -> Mark {
        Mark::Curve(look, points.iter().map(|(x, point)| (*x, self.at(point.mean))).collect())
    }

    /// A whisker between the ends of a point's interval.
    pub fn whisker(&self, x: f64, point: MeanPoint) -> Mark {
        Mark::Whisker(x, self.at(point.low), self.at(point.high))
    }
}

/// Of what the values are, and which way is better where that is not plain.
fn label(part: &str, judge: Quantity) -> String {
    match judge.better {
        Better::Higher => format!("{part} {}", judge.label()),
        Better::Lower => format!("{part} {}, lower is better", judge.label()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measures, records::TaskKind, summary::Measured};

    fn point(mean: f64, half: f64) -> MeanPoint {
        MeanPoint { mean, low: mean - half, high: mean + half }
    }

    #[test]
    fn errors_of_networks_that_diverge_are_not_what_the_axis_is_for() {
        let row = |step, mean| {
            let measured = vec![Measured { name: "mse", mean, interval: None, seed_std: None }];
            let (method, task) = (String::new(), TaskKind::FewShot);
            let (shots, loss, episodes, seeds, folds, left_out) = (1, 1.0, 2, 1, 1, 0);
            SummaryRow { method, task, shots, step, measured, loss, episodes, seeds, folds, left_out }
        };
        let rows = [row(0, 3.0), row(1, 8.0), row(5, 1e72), row(5, 0.1)];
        let mse = measures::find("mse").expect("registered").quantity();
        let means: Vec<f64> = shown(&rows.each_ref(), mse).iter().map(|point| point.mean).collect();
        assert_eq!(means, [3.0, 8.0, 0.1]);
    }

    #[test]
    fn errors_that_span_a_decade_have_an_axis_of_logarithms() {
        let mse = measures::find("mse").expect("registered").quantity();
        let near = Vertical::of("test", mse, &[point(0.2, 0.1), point(0.4, 0.1)], None);
        assert!(
            !near.axis.logarithmic
                && near.at(0.3) == 0.3
                && near.axis.label == "test mean squared error, lower is better"
        );
        let far = Vertical::of("test", mse, &[point(0.03, 0.5), point(3.0, 0.5)], None);
        assert!(far.axis.logarithmic && (far.at(0.1) + 1.0).abs() < 1e-12);
        assert_eq!(far.at(-0.47), far.at(0.01), "an interval may reach below zero, the axis does not");
        assert!(far.holds(0.01) && far.holds(3.5) && !far.holds(50.0));
        assert!(!far.holds(1e5) && !near.axis.holds(-0.1), "errors are not negative");
        let wide = Vertical::of("test", mse, &[point(0.2, 50.0), point(0.4, 0.1)], None);
        assert!(wide.holds(1.2) && !wide.holds(1.5), "an interval does not flatten the means");
        let bars = Vertical::from_zero("test", mse, &[point(0.03, 0.5), point(3.0, 0.5)]);
        assert!(!bars.axis.logarithmic && bars.holds(0.0) && bars.holds(3.5));
    }
}
