//! The upward axis of what methods are judged by, and the marks of means with their intervals.

use super::{axis::Axis, mark::Mark, style::Look};
use crate::{
    measures::{Quantity, Unit},
    summary::SummaryRow,
};

/// A mean with the ends of its interval, in the judge's own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The mean.
    pub mean: f64,
    /// The lower end; the mean itself where there is no interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Point {
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

/// The upward axis of the judge: in per cent, or in numbers, by their logarithm where means lie more than a decade apart.
pub struct Vertical {
    /// The axis.
    pub axis: Axis,
    judge: Quantity,
    /// The lowest number shown, of an axis of logarithms.
    least: f64,
}

/// An interval on an axis of logarithms reaches down at most to this part of the least mean.
const LEAST: f64 = 1.0 / 3.0;

impl Vertical {
    /// Shows all of these points, and the level of chance where that does not flatten them; `part` says of what the judge's values are.
    pub fn of(part: &str, judge: Quantity, points: &[Point], chance: Option<f64>) -> Self {
        let label = format!("{part} {}", judge.label());
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
        let (low, high) = range(&mut ends().chain(chance));
        if least > 0.0 && most > 10.0 * least {
            let low = low.max(LEAST * least);
            let axis = Axis::logarithmic(&label, low.log10(), high.log10());
            return Self { axis, judge, least: low };
        }
        let room = 0.05 * (high - low);
        Self { axis: Axis::linear(&label, low - room, high + room), judge, least: f64::NAN }
    }

    /// From zero up, for bars; a share up to the whole.
    pub fn from_zero(part: &str, judge: Quantity, points: &[Point]) -> Self {
        let label = format!("{part} {}", judge.label());
        let high = points.iter().map(|point| point.high).filter(|high| high.is_finite()).fold(0.0, f64::max);
        let axis = match judge.unit {
            Unit::Percent => Axis::linear(&label, 0.0, 100.0),
            Unit::Plain => Axis::linear(&label, 0.0, 1.05 * high),
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
    pub fn band(&self, look: Look, points: &[(f64, Point)]) -> Mark {
        Mark::Band(
            look,
            points.iter().map(|(x, point)| (*x, self.at(point.low), self.at(point.high))).collect(),
        )
    }

    /// A line through the points' means.
    pub fn curve(&self, look: Look, points: &[(f64, Point)]) -> Mark {
        Mark::Curve(look, points.iter().map(|(x, point)| (*x, self.at(point.mean))).collect())
    }

    /// A whisker between the ends of a point's interval.
    pub fn whisker(&self, x: f64, point: Point) -> Mark {
        Mark::Whisker(x, self.at(point.low), self.at(point.high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures;

    fn point(mean: f64, half: f64) -> Point {
        Point { mean, low: mean - half, high: mean + half }
    }

    #[test]
    fn errors_that_span_a_decade_have_an_axis_of_logarithms() {
        let mse = measures::find("mse").expect("registered").quantity();
        let near = Vertical::of("test", mse, &[point(0.2, 0.1), point(0.4, 0.1)], None);
        assert!(
            !near.axis.logarithmic && near.at(0.3) == 0.3 && near.axis.label == "test mean squared error"
        );
        let far = Vertical::of("test", mse, &[point(0.03, 0.5), point(3.0, 0.5)], None);
        assert!(far.axis.logarithmic && (far.at(0.1) + 1.0).abs() < 1e-12);
        assert_eq!(far.at(-0.47), far.at(0.01), "an interval may reach below zero, the axis does not");
        assert!(far.holds(0.01) && far.holds(3.5) && !far.holds(50.0));
        let bars = Vertical::from_zero("test", mse, &[point(0.03, 0.5), point(3.0, 0.5)]);
        assert!(!bars.axis.logarithmic && bars.holds(0.0) && bars.holds(3.5));
    }
}
