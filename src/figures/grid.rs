//! Panels in rows and columns, where every row has an upward axis of its own: the legend runs across below the title.

use anyhow::Result;
use plotters::style::text_anchor::HPos;

use super::{
    axis::Axis,
    canvas,
    frame::Frame,
    legend::{self, LegendEntry},
    panel::Panel,
    raster,
    style::{LABEL, SUBTITLE, TITLE, WIDTH},
};

/// Rows of panels.
#[derive(Clone, Debug)]
pub struct PanelGrid {
    /// The first line, in bold.
    pub title: String,
    /// The second line: what is drawn.
    pub subtitle: String,
    /// The axis across.
    pub x: Axis,
    /// The most panels in a row.
    pub columns: usize,
    /// The rows, from above; each with its upward axis, whose label is the first row's.
    pub rows: Vec<(Axis, Vec<Panel>)>,
    /// The legend, from left to right.
    pub legend: Vec<LegendEntry>,
}

const EDGE: i32 = 45;
const LEFT: i32 = 165;
const LEGEND: i32 = 145;
const HEADING: i32 = 56;
const PANEL: i32 = 270;
const BELOW: i32 = 75;
const BETWEEN: i32 = 40;
const BOTTOM: i32 = 70;

impl PanelGrid {
    /// The grid as SVG text.
    ///
    /// # Errors
    /// If plotters fails.
    pub fn svg(&self) -> Result<String> {
        let (right, columns) = (WIDTH as i32 - EDGE, self.columns.max(1) as i32);
        let first = LEGEND + legend::height_across(&self.legend, right - EDGE);
        let mut tops = Vec::new();
        let mut bottom = first;
        for (_, panels) in &self.rows {
            let heading = if panels.iter().any(|panel| panel.heading.is_some()) { HEADING } else { 0 };
            tops.push(bottom + heading);
            bottom += heading + PANEL + BELOW;
        }
        let widest = self.rows.iter().map(|(y, _)| y.widest_tick()).max().unwrap_or(0);
        let left = LEFT.max(EDGE + 60 + widest);
        let width = (right - left - (columns - 1) * BETWEEN) / columns;
        let label = self.rows.first().map_or("", |(y, _)| &y.label);
        canvas::svg(WIDTH, (bottom + BOTTOM) as u32, |canvas| {
            canvas.text(&raster::shorten(&self.title, TITLE, right - EDGE), (EDGE, 52), TITLE, HPos::Left)?;
            let subtitle = raster::shorten(&self.subtitle, SUBTITLE, right - EDGE);
            canvas.text(&subtitle, (EDGE, 106), SUBTITLE, HPos::Left)?;
            legend::draw_across(&self.legend, canvas, (EDGE, LEGEND), right - EDGE)?;
            canvas.upward_text(label, (EDGE + 8, (first + bottom) / 2), LABEL)?;
            canvas.text(&self.x.label, ((left + right) / 2, bottom + 25), LABEL, HPos::Center)?;
            for ((y, panels), top) in self.rows.iter().zip(&tops) {
                for (column, panel) in (0..).zip(panels) {
                    let left = left + column * (width + BETWEEN);
                    let frame =
                        Frame { left, top: *top, right: left + width, bottom: top + PANEL, x: &self.x, y };
                    panel.draw(canvas, &frame, column == 0, &self.legend)?;
                }
            }
            Ok(())
        })
    }
}
