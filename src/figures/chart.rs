//! A chart as data - panels, curves, a legend - and its layout: the title above, the legend in a column of its own at the right.

use anyhow::Result;
use plotters::style::text_anchor::HPos;

pub use super::panel::Panel;
use super::{
    axis::Axis,
    canvas,
    frame::Frame,
    legend::{self, LegendEntry},
    raster,
    style::{HEIGHT, LABEL, SUBTITLE, TITLE, WIDTH},
};

/// Panels side by side that share their y axis.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The first line, in bold.
    pub title: String,
    /// The second line: what is drawn.
    pub subtitle: String,
    /// The axis across.
    pub x: Axis,
    /// The axis upwards.
    pub y: Axis,
    /// The panels, from left to right.
    pub panels: Vec<Panel>,
    /// The legend, from top to bottom.
    pub legend: Vec<LegendEntry>,
}

const LEFT: i32 = 165;
const TOP: i32 = 165;
const BOTTOM: i32 = 145;
const EDGE: i32 = 45;
const HEADING: i32 = 50;
const BETWEEN: i32 = 75;

impl Chart {
    /// The chart as SVG text.
    ///
    /// # Errors
    /// If plotters fails.
    pub fn svg(&self) -> Result<String> {
        let columns = match self.panels.len() {
            4 => 2,
            n => n.clamp(1, 3),
        } as i32;
        let rows = (self.panels.len() as i32 + columns - 1) / columns;
        let one = HEIGHT as i32 - TOP - BOTTOM;
        let panel_height = if rows == 1 { one } else { one * 3 / 4 };
        let plot_height = rows * (panel_height + BETWEEN) - BETWEEN;
        let height = (TOP + plot_height + BOTTOM).max(TOP + legend::height(&self.legend) + EDGE);

        let right = match legend::width(&self.legend) {
            0 => WIDTH as i32 - EDGE,
            width => WIDTH as i32 - 2 * EDGE - width,
        };
        let left = LEFT.max(EDGE + 60 + self.y.widest_tick());
        let panel_width = (right - left - (columns - 1) * BETWEEN) / columns;

        canvas::svg(WIDTH, height as u32, |canvas| {
            let width = WIDTH as i32 - 2 * EDGE;
            let title = raster::shorten(&self.title, TITLE, width);
            canvas.text(&title, (EDGE, 52), TITLE, HPos::Left)?;
            let subtitle = raster::shorten(&self.subtitle, SUBTITLE, width);
            canvas.text(&subtitle, (EDGE, 106), SUBTITLE, HPos::Left)?;
            let middle = TOP + plot_height / 2;
            canvas.upward_text(&self.y.label, (EDGE + 8, middle), LABEL)?;
            let below = (left + (right - left) / 2, TOP + plot_height + 100);
            canvas.text(&self.x.label, below, LABEL, HPos::Center)?;
            for (i, panel) in self.panels.iter().enumerate() {
                let (column, row) = (i as i32 % columns, i as i32 / columns);
                let left = left + column * (panel_width + BETWEEN);
                let top = TOP + row * (panel_height + BETWEEN);
                let heading = if panel.heading.is_some() { HEADING } else { 0 };
                let frame = Frame {
                    left,
                    top: top + heading,
                    right: left + panel_width,
                    bottom: top + panel_height,
                    x: &self.x,
                    y: &self.y,
                };
                panel.draw(canvas, &frame, column == 0, &self.legend)?;
            }
            legend::draw(&self.legend, canvas, right + EDGE, TOP)
        })
    }
}
