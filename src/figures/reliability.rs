//! Whether answers are right as often as was predicted.

use anyhow::Result;
use plotters::style::RGBColor;

use super::{
    Calibration, Figure, Results,
    axis::Axis,
    chart::{Chart, Panel},
    legend::{LegendEntry, Swatch},
    mark::Mark,
    shots::rule,
    style::{INK, Look, Marker},
};
use crate::measures::reliability::BINS;

/// The share of right answers by predicted probability, a panel for each method.
pub struct ReliabilityFigure;

const COUNTS: RGBColor = RGBColor(214, 222, 230);
const IDEAL: Look = Look { place: 0, color: INK, marker: Marker::Plus, dashed: true };
/// The normal quantile of 95 % intervals.
const QUANTILE: f64 = 1.959_963_985;

impl Figure for ReliabilityFigure {
    fn name(&self) -> &'static str {
        "reliability"
    }

    fn caption(&self, results: &Results) -> String {
        let first = results.calibrations.first();
        let answers: usize =
            first.map_or(0, |of| of.bins.iter().map(|bin| bin.answers).sum::<usize>() / of.runs.max(1));
        let (people, what) = (results.words.people().unwrap_or("tasks"), results.words.support);
        let right = if results.words.of_students() { "right" } else { "recalled" };
        format!(
            "How often {what} of new {people} are {right} (upwards) by how probable that was predicted (across), in ten bins of equal width, \
             {} seen, {}: on the dashed line predictions are right as often as they say. Bars are the shares of the {answers} {what} that \
             fall into each bin, with their number where there is room. All seeds are pooled; whiskers are Wilson's 95 % intervals with \
             {what} taken as independent and counted once for all seeds.",
            first.map_or(String::new(), |of| (results.words.shots)(of.shots)),
            rule(results)
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let Some(first) = results.calibrations.first() else { return Ok(None) };
        let panel = |of: &Calibration| Panel {
            heading: Some(of.method.clone()),
            marks: marks(of, results.look(&of.method)),
        };
        let entry = |sample, label: &str| LegendEntry { sample, label: label.to_owned(), note: None };
        let mut legend: Vec<LegendEntry> = results
            .calibrations
            .iter()
            .map(|of| entry(Swatch::Curve(results.look(&of.method)), &of.method))
            .collect();
        legend.push(entry(Swatch::Line(IDEAL), "as predicted"));
        legend.push(entry(Swatch::Patch(COUNTS), "share of answers"));
        let chart = Chart {
            title: results.title.clone(),
            subtitle: format!(
                "right answers by predicted probability, {} seen",
                (results.words.shots)(first.shots)
            ),
            x: Axis::linear("predicted probability (%)", 0.0, 100.0),
            y: Axis::linear("right answers (%)", 0.0, 100.0),
            panels: results.calibrations.iter().map(panel).collect(),
            legend,
        };
        chart.svg().map(Some)
    }
}

/// The bars of a method's bins, the ideal, and its points with their intervals.
fn marks(of: &Calibration, look: Look) -> Vec<Mark> {
    let all: usize = of.bins.iter().map(|bin| bin.answers).sum();
    let width = 100.0 / BINS as f64;
    let bars = of.bins.iter().enumerate().filter(|(_, bin)| bin.answers > 0).map(|(place, bin)| Mark::Cell {
        color: COUNTS,
        sides: (width * (place as f64 + 0.06), width * (place as f64 + 0.94)),
        heights: (0.0, 100.0 * bin.answers as f64 / all as f64),
        text: (bin.answers / of.runs.max(1)).to_string(),
    });
    let points: Vec<(f64, f64, f64)> = of
        .bins
        .iter()
        .filter_map(|bin| bin.means().map(|(predicted, right)| (predicted, right, bin.answers as f64)))
        .collect();
    let whiskers = points.iter().map(|(predicted, right, answers)| {
        let (low, high) = wilson(*right, answers / of.runs.max(1) as f64);
        Mark::Whisker(100.0 * predicted, 100.0 * low, 100.0 * high)
    });
    let curve = points.iter().map(|(predicted, right, _)| (100.0 * predicted, 100.0 * right)).collect();
    let ideal = Mark::Line(IDEAL, vec![(0.0, 0.0), (100.0, 100.0)]);
    bars.chain([ideal]).chain(whiskers).chain([Mark::Curve(look, curve)]).collect()
}

/// The 95 % interval of a share of so many (Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953).
fn wilson(share: f64, count: f64) -> (f64, f64) {
    let square = QUANTILE * QUANTILE / count;
    let middle = (share + square / 2.0) / (1.0 + square);
    let half = (square * (share * (1.0 - share) + square / 4.0)).sqrt() / (1.0 + square);
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures::reliability::Bin;

    /// R: prop.test(15, 20, correct = FALSE)$conf.int
    #[test]
    fn intervals_are_those_of_wilson() {
        let (low, high) = wilson(0.75, 20.0);
        assert!((low - 0.531_299).abs() < 1e-5 && (high - 0.888_138).abs() < 1e-5, "{low} {high}");
        assert_eq!(wilson(0.0, 3.0).0, 0.0);
    }

    #[test]
    fn bins_without_answers_have_no_marks() {
        let mut bins = [Bin::default(); BINS];
        bins[2] = Bin { answers: 30, predicted: 7.5, yes: 10 };
        let of = Calibration { method: "a".into(), shots: 5, step: 5, runs: 3, bins };
        let marks = marks(&of, Look::of(0));
        assert_eq!(marks.len(), 4);
        let Mark::Cell { text, heights, .. } = &marks[0] else { panic!("a bar: {marks:?}") };
        assert_eq!((text.as_str(), *heights), ("10", (0.0, 100.0)), "of three runs each");
        let Mark::Curve(_, points) = &marks[3] else { panic!("a curve: {marks:?}") };
        assert!(
            points.len() == 1 && points[0].0 == 25.0 && (points[0].1 - 100.0 / 3.0).abs() < 1e-9,
            "{points:?}"
        );
    }
}
