//! Panels side by side, each with an upward axis of its own: the legend runs across below the title.

use anyhow::Result;
use plotters::style::text_anchor::HPos;

use super::{
    axis::Axis,
    canvas,
    frame::Frame,
    legend::{self, LegendEntry},
    mark::Mark,
    panel::Panel,
    raster,
    style::{LABEL, SUBTITLE, TITLE, WIDTH},
};

/// Panels of different quantities over the same axis.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The first line, in bold.
    pub title: String,
    /// The second line: what is drawn.
    pub subtitle: String,
    /// The axis across.
    pub x: Axis,
    /// The panels, from left to right, each with its upward axis, whose label is its heading.
    pub panels: Vec<(Axis, Vec<Mark>)>,
    /// The legend, from left to right.
    pub legend: Vec<LegendEntry>,
}

const EDGE: i32 = 45;
const LEGEND: i32 = 145;
const HEADING: i32 = 80;
const PANEL: i32 = 640;
const BELOW: i32 = 145;
const NUMBERS: i32 = 40;

impl Pair {
    /// The panels as SVG text.
    ///
    /// # Errors
    /// If plotters fails.
    pub fn svg(&self) -> Result<String> {
        let (right, columns) = (WIDTH as i32 - EDGE, self.panels.len().max(1) as i32);
        let top = LEGEND + legend::height_across(&self.legend, right - EDGE) + HEADING;
        let numbers = self.panels.iter().map(|(y, _)| y.widest_tick()).max().unwrap_or(0) + NUMBERS;
        let width = (right - EDGE) / columns;
        canvas::svg(WIDTH, (top + PANEL + BELOW) as u32, |canvas| {
            canvas.text(&raster::shorten(&self.title, TITLE, right - EDGE), (EDGE, 52), TITLE, HPos::Left)?;
            let subtitle = raster::shorten(&self.subtitle, SUBTITLE, right - EDGE);
            canvas.text(&subtitle, (EDGE, 106), SUBTITLE, HPos::Left)?;
            legend::draw_across(&self.legend, canvas, (EDGE, LEGEND), right - EDGE)?;
            for (column, (y, marks)) in (0..).zip(&self.panels) {
                let left = EDGE + column * width + numbers;
                let right = EDGE + (column + 1) * width - if column + 1 < columns { EDGE } else { 0 };
                let frame = Frame { left, top, right, bottom: top + PANEL, x: &self.x, y };
                let panel = Panel { heading: Some(y.label.clone()), marks: marks.clone() };
                panel.draw(canvas, &frame, true, &self.legend)?;
                let middle = (left + right) / 2;
                canvas.text(&self.x.label, (middle, top + PANEL + 95), LABEL, HPos::Center)?;
            }
            Ok(())
        })
    }
}
