//! A chart as data - panels, curves, a legend - and its layout: the title above, the legend in a column of its own at the right.

use anyhow::Result;
use plotters::style::text_anchor::HPos;

use super::{
    axis::Axis,
    canvas::{self, Canvas, Point},
    hover,
    legend::{self, Entry},
    mark::Mark,
    raster,
    style::{GRID, HEIGHT, INK, LABEL, SUBTITLE, TICK, TITLE, WIDTH},
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
    pub legend: Vec<Entry>,
}

/// One pair of axes and what is drawn there.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What tells the panel from its neighbours.
    pub heading: Option<String>,
    /// What is drawn; later marks cover earlier ones.
    pub marks: Vec<Mark>,
}

const LEFT: i32 = 165;
const TOP: i32 = 165;
const BOTTOM: i32 = 145;
const EDGE: i32 = 45;
const HEADING: i32 = 50;
const BETWEEN: i32 = 75;

/// A rectangle of the canvas with its axes.
pub struct Frame<'a> {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
    pub x: &'a Axis,
    pub y: &'a Axis,
}

impl Frame<'_> {
    /// Where two numbers of the axes are on the canvas.
    pub fn at(&self, x: f64, y: f64) -> Point {
        let across = self.x.share(x) * f64::from(self.right - self.left);
        let up = self.y.share(y) * f64::from(self.bottom - self.top);
        (self.left + across.round() as i32, self.bottom - up.round() as i32)
    }
}

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
                panel.draw(canvas, &frame, column == 0)?;
                self.draw_marks(canvas, &panel.marks, &frame)?;
            }
            legend::draw(&self.legend, canvas, right + EDGE, TOP)
        })
    }

    /// Draws marks; neighbours of one series as a group with its name, for a page's script.
    fn draw_marks(&self, canvas: &Canvas, marks: &[Mark], frame: &Frame) -> Result<()> {
        let same =
            |a: &Mark, b: &Mark| matches!(b, Mark::Whisker(..)) || a.look().is_some() && a.look() == b.look();
        for marks in marks.chunk_by(same) {
            let draw = |canvas: &Canvas| marks.iter().try_for_each(|mark| mark.draw(canvas, frame));
            let entry =
                self.legend.iter().find(|entry| entry.look().is_some() && entry.look() == marks[0].look());
            let Some(Entry { label, .. }) = entry else {
                draw(canvas)?;
                continue;
            };
            let mut attributes = vec![("class", "series"), ("data-series", label)];
            let points = hover::points(label, marks, frame);
            attributes.extend(points.as_deref().map(|points| ("data-points", points)));
            canvas.group(&attributes, draw)?;
        }
        Ok(())
    }
}

impl Panel {
    fn draw(&self, canvas: &Canvas, frame: &Frame, numbered: bool) -> Result<()> {
        let Frame { left, top, right, bottom, .. } = *frame;
        let (origin_x, origin_y) = (frame.x.low, frame.y.low);
        if let Some(heading) = &self.heading {
            let heading = raster::shorten(heading, LABEL, right - left);
            canvas.text(&heading, ((left + right) / 2, top - 30), LABEL, HPos::Center)?;
        }
        for (value, text) in frame.y.separate_ticks(bottom - top) {
            let (_, y) = frame.at(origin_x, *value);
            canvas.line(&[(left, y), (right, y)], GRID, 2)?;
            if numbered {
                canvas.text(text, (left - 16, y), TICK, HPos::Right)?;
            }
        }
        for (value, text) in frame.x.separate_ticks(right - left) {
            let (x, _) = frame.at(*value, origin_y);
            if frame.x.grid {
                canvas.line(&[(x, top), (x, bottom)], GRID, 2)?;
            }
            canvas.text(text, (x, bottom + 34), TICK, HPos::Center)?;
        }
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], INK, 3)
    }
}
