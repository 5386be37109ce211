//! Parallel coordinates: every trial as a line through its value of each parameter.

use anyhow::Result;
use plotters::style::text_anchor::HPos;

use super::{Figure, TrialResult, View, range};
use crate::figures::{
    axis::Axis,
    canvas::{self, Canvas},
    raster,
    style::{HEIGHT, INK, LABEL, SUBTITLE, TICK, TITLE, WHITE, WIDTH},
};

/// What it shows.
pub const CAPTION: &str = "Each line is a trial; it crosses every axis at its value of that parameter and ends at its score, which also colours it. \
Where the yellow lines keep together, the value matters. A line that leaves an axis out below has no such parameter.";

const MOST_LINES: usize = 400;
const TOP: i32 = 190;
const BOTTOM: i32 = HEIGHT as i32 - 150;
const EDGE: i32 = 45;
const TICK_LENGTH: i32 = 10;

/// One upright axis.
struct Upright {
    at: i32,
    axis: Axis,
    name: String,
    /// Where the axis itself ends, above the place of trials that have no value.
    bottom: i32,
}

impl Upright {
    fn height(&self, position: f64) -> i32 {
        self.bottom - (self.axis.share(position) * f64::from(self.bottom - TOP)).round() as i32
    }
}

/// `None` for a single parameter, which the response shows.
pub fn figure(view: &View) -> Option<Figure> {
    let parameters = &view.results.parameters;
    let count = parameters.len();
    if count < 2 {
        return None;
    }
    let trials = view.sample(MOST_LINES);
    let mut axes: Vec<(Axis, String, bool)> = Vec::new();
    for (place, parameter) in parameters.iter().enumerate() {
        let (low, high) = range(view.points(place, &trials).iter().map(|point| point.0));
        if low.is_finite() {
            let missing = trials.iter().any(|trial| trial.values[place].is_none());
            axes.push((
                parameter.scale.axis("", low, high),
                view.results.parameters[place].name.clone(),
                missing,
            ));
        } else {
            axes.push((
                Axis::groups("", std::iter::empty()),
                view.results.parameters[place].name.clone(),
                true,
            ));
        }
    }
    axes.push((view.score_axis(), view.results.objective.clone(), false));
    // The first axis's labels stand at its left, as all do; the last one's name is centred below it.
    let first = EDGE + TICK_LENGTH + 30 + axes[0].0.widest_tick();
    let last = WIDTH as i32 - EDGE - 140;
    let upright = |(place, (axis, name, missing)): (usize, (Axis, String, bool))| Upright {
        at: first + (last - first) * place as i32 / count as i32,
        bottom: if missing { BOTTOM - 90 } else { BOTTOM },
        axis,
        name,
    };
    let axes: Vec<Upright> = axes.into_iter().enumerate().map(upright).collect();
    let svg = canvas::svg(WIDTH, HEIGHT, |canvas| {
        let width = WIDTH as i32 - 2 * EDGE;
        canvas.text(&raster::shorten(&view.results.name, TITLE, width), (EDGE, 52), TITLE, HPos::Left)?;
        let subtitle =
            format!("parameters and {} of trials{}", view.results.objective, view.sampled(trials.len()));
        canvas.text(&raster::shorten(&subtitle, SUBTITLE, width), (EDGE, 106), SUBTITLE, HPos::Left)?;
        let colors = view.colors(view.low, view.high);
        for trial in &trials {
            canvas.line(&path(view, &axes, trial), colors.color(trial.score), 3)?;
        }
        axes.iter()
            .enumerate()
            .try_for_each(|(place, axis)| draw_axis(canvas, axis, place, (last - first) / count as i32))
    });
    Some(Figure::new("parallel", svg))
}

/// A trial's way through the axes.
fn path(view: &View, axes: &[Upright], trial: &TrialResult) -> Vec<(i32, i32)> {
    let parameters = view.results.parameters.iter().zip(&trial.values);
    let crossings = parameters.zip(axes).map(|((parameter, value), axis)| {
        (axis.at, value.map_or(BOTTOM, |value| axis.height(parameter.scale.position(value))))
    });
    let end = axes.last().map(|axis| (axis.at, axis.height(view.at(trial.score))));
    crossings.chain(end).collect()
}

fn draw_axis(canvas: &Canvas, axis: &Upright, place: usize, room: i32) -> Result<()> {
    canvas.line(&[(axis.at, TOP), (axis.at, axis.bottom)], INK, 3)?;
    let mut ticks: Vec<(i32, &str)> = axis
        .axis
        .separate_ticks(axis.bottom - TOP)
        .into_iter()
        .map(|(value, text)| (axis.height(*value), text.as_str()))
        .collect();
    if axis.bottom < BOTTOM {
        ticks.push((BOTTOM, "none"));
    }
    for (y, text) in ticks {
        canvas.line(&[(axis.at - TICK_LENGTH, y), (axis.at, y)], INK, 3)?;
        let text = raster::shorten(text, TICK, room - 40);
        // Lines run behind the labels: a white edge keeps them readable.
        let (right, width) = (axis.at - TICK_LENGTH - 8, raster::text_width(&text, TICK));
        let corners = [
            (right - width - 4, y - 17),
            (right + 4, y - 17),
            (right + 4, y + 17),
            (right - width - 4, y + 17),
        ];
        canvas.area(&corners, WHITE, 0.75)?;
        canvas.text(&text, (right, y), TICK, HPos::Right)?;
    }
    // Long names of neighbours stand on two levels.
    let y = BOTTOM + if place.is_multiple_of(2) { 48 } else { 100 };
    canvas.text(&raster::shorten(&axis.name, LABEL, 2 * room - 40), (axis.at, y), LABEL, HPos::Center)
}
