//! What methods make of functions of one variable, before they adapt and after some steps.

use anyhow::Result;
use plotters::style::RGBColor;

use super::{
    Figure, Results,
    axis::Axis,
    grid::PanelGrid,
    legend::{LegendEntry, Swatch},
    mark::Mark,
    panel::Panel,
    style::{INK, Look, Marker},
};
use crate::tasks::example::{Curves, Example, ExampleCurve};

/// The first test functions with each method's answers: methods side by side, a row for each function.
pub struct Fits;

/// Methods beside each other.
const COLUMNS: usize = 4;
/// Functions that are shown of so many methods, and of more.
const FUNCTIONS: [usize; 2] = [3, 2];
/// The numbers of steps that are shown, or the nearest.
const STEPS: [usize; 4] = [0, 1, 5, 10];
/// An answer may reach beyond the function by this part of its height; what goes further leaves the panel.
const BEYOND: f64 = 0.5;

const TRUTH: Look = Look { place: 0, color: INK, marker: Marker::Plus, dashed: true };
const SUPPORT: Look = Look { place: 1, color: RGBColor(213, 94, 0), marker: Marker::Up, dashed: false };
/// The answers' colours: the more steps, the darker.
const BLUES: [RGBColor; STEPS.len()] =
    [RGBColor(165, 205, 232), RGBColor(92, 160, 211), RGBColor(28, 104, 172), RGBColor(6, 38, 92)];

impl Figure for Fits {
    fn name(&self) -> &'static str {
        "fits"
    }

    fn caption(&self, results: &Results) -> String {
        let methods = methods(results);
        let shots = methods.first().map_or(0, |(_, curves)| curves.shots);
        format!(
            "What each method answers on the first {} test tasks, one a row, from {shots} support {}: before adaptation and \
             after more and more steps (from light to dark){}. Of each method its first run.",
            functions(&methods),
            results.words.support,
            if has_truth(&methods) {
                ", beside the truth (dashed); answers far beyond it leave their panel"
            } else {
                ""
            }
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let methods = methods(results);
        let (Some([x, y]), Some((_, first))) = (results.words.axes, methods.first()) else {
            return Ok(None);
        };
        let steps = shown_steps(&first.steps);
        let functions = functions(&methods);
        let places = first.curves.iter().take(functions).flat_map(|curve| &curve.x);
        let (low, high) = range(places.map(|x| f64::from(*x)));
        let axes: Vec<Axis> = (0..functions)
            .map(|function| {
                let answers: Vec<&ExampleCurve> =
                    methods.iter().map(|(_, curves)| &curves.curves[function]).collect();
                upward(y, &answers)
            })
            .collect();
        let columns = methods.len().div_ceil(methods.len().div_ceil(COLUMNS));
        let mut rows = Vec::new();
        for methods in methods.chunks(columns) {
            for (function, y) in axes.iter().enumerate() {
                let panel = |(method, curves): &(&str, &Curves)| Panel {
                    heading: (function == 0).then(|| (*method).to_owned()),
                    marks: marks(curves, function, &steps),
                };
                rows.push((y.clone(), methods.iter().map(panel).collect()));
            }
        }
        let grid = PanelGrid {
            title: results.title.clone(),
            subtitle: format!(
                "the first test tasks, before and after adaptation to {} support {}",
                first.shots, results.words.support
            ),
            x: Axis::linear(x, low, high),
            columns,
            rows,
            legend: legend(&steps, has_truth(&methods), results.words.support),
        };
        grid.svg().map(Some)
    }
}

/// The methods whose examples are functions.
fn methods(results: &Results) -> Vec<(&str, &Curves)> {
    let curves = results.examples.iter().filter_map(|(method, example)| match example {
        Example::Curves(curves) if !curves.curves.is_empty() => Some((method.as_str(), curves)),
        Example::Curves(_) | Example::Images(_) | Example::Students(_) => None,
    });
    curves.collect()
}

/// Whether the functions are known.
fn has_truth(methods: &[(&str, &Curves)]) -> bool {
    methods.iter().flat_map(|(_, curves)| &curves.curves).any(|curve| !curve.truth.is_empty())
}

/// How many functions are shown.
fn functions(methods: &[(&str, &Curves)]) -> usize {
    let there = methods.iter().map(|(_, curves)| curves.curves.len()).min().unwrap_or(0);
    there.min(FUNCTIONS[usize::from(methods.len() > COLUMNS)])
}

/// Of the numbers of steps those that are shown: all, if they are few.
fn shown_steps(steps: &[usize]) -> Vec<usize> {
    if steps.len() <= STEPS.len() {
        return steps.to_vec();
    }
    let nearest = |wanted: &usize| steps.iter().copied().min_by_key(|step| step.abs_diff(*wanted));
    let mut shown: Vec<usize> = STEPS.iter().filter_map(nearest).collect();
    shown.dedup();
    shown
}

/// The look of an answer, of so many.
fn look(place: usize, count: usize) -> Look {
    let color = BLUES[BLUES.len() - count.min(BLUES.len()) + place];
    Look { place: 2 + place, color, marker: Marker::Circle, dashed: false }
}

fn legend(steps: &[usize], has_truth: bool, support: &str) -> Vec<LegendEntry> {
    let entry = |sample, label: &str| LegendEntry { sample, label: label.to_owned(), note: None };
    let truth = has_truth.then(|| entry(Swatch::Line(TRUTH), "truth"));
    let support = entry(Swatch::Dot(SUPPORT), &format!("support {support}"));
    let mut legend: Vec<LegendEntry> = truth.into_iter().chain([support]).collect();
    legend.extend(steps.iter().enumerate().map(|(place, step)| {
        let label = match step {
            0 => "no steps".to_owned(),
            1 => "1 step".to_owned(),
            step => format!("{step} steps"),
        };
        entry(Swatch::Line(look(place, steps.len())), &label)
    }));
    legend
}

/// What is drawn of a method's answers to a function.
fn marks(curves: &Curves, function: usize, steps: &[usize]) -> Vec<Mark> {
    let curve = &curves.curves[function];
    let line = |y: &[f32]| curve.x.iter().zip(y).map(|(x, y)| (f64::from(*x), f64::from(*y))).collect();
    let answers = steps.iter().enumerate().filter_map(|(place, step)| {
        let at = curves.steps.iter().position(|known| known == step)?;
        let answer = curve.answers.get(at).filter(|answer| !answer.is_empty())?;
        Some(Mark::Line(look(place, steps.len()), line(answer)))
    });
    let support = curve.support.iter().map(|[x, y]| (f64::from(*x), f64::from(*y))).collect();
    let truth = Mark::Line(TRUTH, line(&curve.truth));
    answers.chain([truth, Mark::Dots(SUPPORT, support)]).collect()
}

/// The upward axis of a function: all of it and of its support points, and of the answers what is not too far beyond.
fn upward(label: &str, curves: &[&ExampleCurve]) -> Axis {
    let seen = curves.iter().flat_map(|curve| {
        curve.truth.iter().chain(curve.support.iter().map(|[_, y]| y)).map(|y| f64::from(*y))
    });
    let (low, high) = range(seen);
    let beyond = BEYOND * (high - low);
    let answers = curves.iter().flat_map(|curve| curve.answers.iter().flatten()).map(|y| f64::from(*y));
    let answers = answers.map(|y| y.max(low - beyond).min(high + beyond));
    let (low, high) = range(answers.chain([low, high]));
    let room = 0.05 * (high - low);
    Axis::linear(label, low - room, high + room)
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_steps_are_all_shown_and_of_many_the_nearest() {
        assert_eq!(shown_steps(&[0, 3, 100]), [0, 3, 100]);
        assert_eq!(shown_steps(&[0, 1, 2, 3, 5, 10, 20, 100]), [0, 1, 5, 10]);
        assert_eq!(shown_steps(&[0, 2, 4, 50, 100]), [0, 4]);
        assert_eq!(look(0, 2).color, BLUES[2], "the last is always the darkest");
    }

    #[test]
    fn answers_that_diverge_do_not_flatten_the_function() {
        let curve = |answers| ExampleCurve {
            support: vec![[0.5, 0.5]],
            x: vec![0.0, 1.0],
            truth: vec![-1.0, 1.0],
            answers: vec![answers, vec![]],
        };
        let axis = upward("y", &[&curve(vec![-1.5, 1e9])]);
        assert!(axis.holds(-1.5) && axis.holds(1.9) && !axis.holds(2.5), "{axis:?}");
        let curves = Curves {
            kind: crate::tasks::example::CurvesKind::Curves,
            shots: 1,
            steps: vec![0, 1],
            curves: vec![curve(vec![0.0, 1e9])],
        };
        let lines = marks(&curves, 0, &[0, 1]);
        assert_eq!(lines.len(), 3, "none of the answer that was no number");
    }
}
