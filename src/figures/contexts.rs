//! Students on a map of what a method has learned about them.

use anyhow::Result;
use plotters::style::RGBColor;

use super::{
    Figure, Results,
    axis::Axis,
    chart::{Chart, Panel},
    color_scale::ColorScale,
    legend::{LegendEntry, Swatch},
    mark::Mark,
    style::{INK, Look, Marker},
};
use crate::{profiles::Ensemble, tasks::example::Profile};

/// The adapted contexts of students, coloured by ability: of the first method that has contexts.
pub struct Contexts;

/// The shapes of groups.
const SHAPES: [Marker; 4] = [Marker::Circle, Marker::Up, Marker::Square, Marker::Diamond];

impl Figure for Contexts {
    fn name(&self) -> &'static str {
        "contexts"
    }

    fn caption(&self, results: &Results) -> String {
        let Some(ensemble) = shown(results) else { return String::new() };
        format!(
            "What {} has learned about each of {} test students from her answers: a point is a student's context after {} adaptation steps, \
             along the two directions in which contexts differ most (principal components), coloured by her share of right answers. \
             Shapes are groups of students with contexts alike (k-means). Of the method's first seed.",
            ensemble.method,
            ensemble.students().len(),
            ensemble.steps()
        )
    }

    fn draw(&self, results: &Results) -> Result<Option<String>> {
        let Some(ensemble) = shown(results) else { return Ok(None) };
        let students: Vec<(&Profile, [f32; 2])> =
            ensemble.students().iter().filter_map(|student| Some((student, student.place?))).collect();
        let axis = |label: &str, place: usize| {
            let values = students.iter().map(|(_, at)| f64::from(at[place]));
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
            let room = if high > low { 0.05 * (high - low) } else { 1.0 };
            Axis::linear(label, low - room, high + room)
        };
        let colors = ColorScale::new(0.0, 100.0);
        let dot = |(student, at): &(&Profile, [f32; 2])| {
            let look = look(student.cluster, colors.color(f64::from(100.0 * student.right)));
            Mark::Dots(look, vec![(f64::from(at[0]), f64::from(at[1]))])
        };
        let chart = Chart {
            title: results.title.clone(),
            subtitle: format!("contexts of test students adapted by {}", ensemble.method),
            x: axis("first direction", 0),
            y: axis("second direction", 1),
            panels: vec![Panel { heading: None, marks: students.iter().map(dot).collect() }],
            legend: legend(ensemble, &colors),
        };
        chart.svg().map(Some)
    }
}

/// The first method whose students have places.
fn shown(results: &Results) -> Option<&Ensemble> {
    let has_places = |ensemble: &&Ensemble| ensemble.students().iter().any(|student| student.place.is_some());
    results.ensembles.iter().find(has_places)
}

fn look(cluster: Option<usize>, color: RGBColor) -> Look {
    let shape = SHAPES[cluster.unwrap_or(0) % SHAPES.len()];
    Look { place: cluster.unwrap_or(0), color, marker: shape, dashed: false }
}

/// The groups with their sizes, then the colours.
fn legend(ensemble: &Ensemble, colors: &ColorScale) -> Vec<LegendEntry> {
    let clusters = || ensemble.students().iter().filter_map(|student| student.cluster);
    let count = clusters().max().map_or(0, |last| last + 1);
    let group = |number: usize| LegendEntry {
        sample: Swatch::Dot(look(Some(number), INK)),
        label: format!("group {}", number + 1),
        note: Some(format!("{} students", clusters().filter(|of| *of == number).count())),
    };
    let share = |entry: LegendEntry| LegendEntry { label: format!("{} % right", entry.label), ..entry };
    (0..count.min(SHAPES.len())).map(group).chain(colors.legend().into_iter().map(share)).collect()
}
