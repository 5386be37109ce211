//! A chart as data - panels, curves, a legend - and its layout: the title above, the legend in a column of its own at the right.

use anyhow::Result;
use plotters::style::{RGBColor, text_anchor::HPos};

use super::{
    axis::Axis,
    canvas::{self, Canvas, Point},
    raster,
    style::{
        self, GRID, HEIGHT, INK, LABEL, LINE, LevelLook, Look, MARKER, SUBTITLE, TICK, TITLE, Type, WHITE,
        WIDTH,
    },
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

/// Something drawn at numbers of the axes.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A light area between the second and the third number of each point.
    Band(Look, Vec<(f64, f64, f64)>),
    /// A line with markers.
    Curve(Look, Vec<(f64, f64)>),
    /// A line without.
    Line(Look, Vec<(f64, f64)>),
    /// Markers without a line.
    Dots(Look, Vec<(f64, f64)>),
    /// A bar from the bottom of the figure.
    Bar {
        /// Its look.
        look: Look,
        /// Where it begins and ends on the x axis.
        sides: (f64, f64),
        /// How high it is.
        top: f64,
    },
    /// A whisker at the first number, from the second to the third.
    Whisker(f64, f64, f64),
    /// A thin line, one of many.
    Trace(RGBColor, Vec<(f64, f64)>),
    /// A cell of a map, with its number where that fits.
    Cell {
        /// What it is filled with.
        color: RGBColor,
        /// Where it begins and ends on the x axis.
        sides: (f64, f64),
        /// Where it begins and ends on the y axis.
        heights: (f64, f64),
        /// Its number.
        text: String,
    },
    /// A dashed line across; not drawn where the y axis does not reach it.
    Level(LevelLook, f64),
}

/// A line of the legend.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it explains.
    pub sample: Sample,
    /// Its name.
    pub label: String,
    /// More about it, in smaller type below.
    pub note: Option<String>,
}

/// What stands before the name in a legend.
#[derive(Clone, Copy, Debug)]
pub enum Sample {
    /// A piece of a curve.
    Curve(Look),
    /// A piece of a line without markers.
    Line(Look),
    /// A marker.
    Dot(Look),
    /// A piece of a bar.
    Bar(Look),
    /// A colour.
    Swatch(RGBColor),
    /// A piece of a dashed line.
    Level(LevelLook),
}

const LEFT: i32 = 165;
const TOP: i32 = 165;
const BOTTOM: i32 = 145;
const EDGE: i32 = 45;
const HEADING: i32 = 50;
const BETWEEN: i32 = 75;
const SAMPLE: i32 = 84;
const LEGEND_LINE: i32 = 54;
const LONGEST_LABEL: i32 = 520;

/// A rectangle of the canvas with its axes.
struct Frame<'a> {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
    x: &'a Axis,
    y: &'a Axis,
}

impl Frame<'_> {
    fn at(&self, x: f64, y: f64) -> Point {
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
        let height = (TOP + plot_height + BOTTOM).max(TOP + self.legend_height() + EDGE);

        let right = WIDTH as i32 - EDGE - self.legend_width();
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
            }
            self.draw_legend(canvas, right + EDGE)
        })
    }

    fn legend_width(&self) -> i32 {
        let widest = self.legend.iter().map(Entry::width).max();
        widest.map_or(0, |w| EDGE + SAMPLE + 20 + w.min(LONGEST_LABEL))
    }

    fn legend_height(&self) -> i32 {
        self.legend.iter().map(Entry::height).sum()
    }

    fn draw_legend(&self, canvas: &Canvas, left: i32) -> Result<()> {
        let mut y = TOP + LEGEND_LINE / 2;
        for entry in &self.legend {
            let (start, middle, end) = ((left, y), (left + SAMPLE / 2, y), (left + SAMPLE, y));
            match entry.sample {
                Sample::Curve(look) => {
                    stroke(canvas, look, &[start, end])?;
                    canvas.marker(middle, MARKER, look.marker, look.color)?;
                }
                Sample::Line(look) => stroke(canvas, look, &[start, end])?,
                Sample::Dot(look) => canvas.marker(middle, MARKER, look.marker, look.color)?,
                Sample::Bar(look) => bar(canvas, look, (left, y - 17), (left + SAMPLE, y + 17))?,
                Sample::Swatch(color) => fill(canvas, color, (left, y - 24), (left + SAMPLE, y + 24))?,
                Sample::Level(look) => canvas.dashes(&[start, end], look.dashes, look.color, 3)?,
            }
            let x = left + SAMPLE + 20;
            let label = raster::shorten(&entry.label, LABEL, LONGEST_LABEL);
            canvas.text(&label, (x, y), LABEL, HPos::Left)?;
            if let Some(note) = &entry.note {
                let note = raster::shorten(note, NOTE, LONGEST_LABEL);
                canvas.text(&note, (x, y + 38), NOTE, HPos::Left)?;
            }
            y += entry.height();
        }
        Ok(())
    }
}

const NOTE: Type = Type { size: 26, ..SUBTITLE };

impl Entry {
    fn width(&self) -> i32 {
        let note = self.note.as_ref().map_or(0, |n| raster::text_width(n, NOTE));
        raster::text_width(&self.label, LABEL).max(note)
    }

    fn height(&self) -> i32 {
        LEGEND_LINE + if self.note.is_some() { 38 } else { 0 }
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
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], INK, 3)?;
        self.marks.iter().try_for_each(|mark| mark.draw(canvas, frame))
    }
}

impl Mark {
    fn draw(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        match self {
            Self::Band(look, points) => {
                let low = points.iter().map(|(x, low, _)| frame.at(*x, *low));
                let high = points.iter().rev().map(|(x, _, high)| frame.at(*x, *high));
                let corners: Vec<Point> = low.chain(high).collect();
                canvas.area(&corners, look.color, 0.16)
            }
            Self::Curve(look, points) => {
                let points: Vec<Point> = points.iter().map(|(x, y)| frame.at(*x, *y)).collect();
                stroke(canvas, *look, &points)?;
                // On long curves a marker now and then is enough; neighbours carry theirs at different points.
                let every = points.len().div_ceil(10).max(1);
                for at in points.iter().skip(look.place % every).step_by(every) {
                    canvas.marker(*at, MARKER + 3, look.marker, WHITE)?;
                    canvas.marker(*at, MARKER, look.marker, look.color)?;
                }
                Ok(())
            }
            Self::Line(look, points) => {
                let points: Vec<Point> = points.iter().map(|(x, y)| frame.at(*x, *y)).collect();
                stroke(canvas, *look, &points)
            }
            Self::Dots(look, points) => points.iter().try_for_each(|(x, y)| {
                let at = frame.at(*x, *y);
                canvas.marker(at, MARKER + 2, look.marker, WHITE)?;
                canvas.marker(at, MARKER, look.marker, look.color)
            }),
            Self::Bar { look, sides: (left, right), top } => {
                bar(canvas, *look, frame.at(*left, *top), frame.at(*right, frame.y.low))
            }
            Self::Whisker(x, low, high) => {
                let ((x, low), (_, high)) = (frame.at(*x, *low), frame.at(*x, *high));
                canvas.line(&[(x, low), (x, high)], INK, 3)?;
                canvas.line(&[(x - 9, low), (x + 9, low)], INK, 3)?;
                canvas.line(&[(x - 9, high), (x + 9, high)], INK, 3)
            }
            Self::Trace(color, points) => {
                let points: Vec<Point> = points.iter().map(|(x, y)| frame.at(*x, *y)).collect();
                canvas.line(&points, *color, 2)
            }
            Self::Cell { color, sides, heights, text } => {
                let (left, bottom) = frame.at(sides.0, heights.0);
                let (right, top) = frame.at(sides.1, heights.1);
                fill(canvas, *color, (left, top), (right, bottom))?;
                let look = Type { color: style::on(*color), ..TICK };
                if raster::text_width(text, look) < right - left && bottom - top > look.size as i32 {
                    canvas.text(text, ((left + right) / 2, (top + bottom) / 2), look, HPos::Center)?;
                }
                Ok(())
            }
            Self::Level(look, value) => {
                if !frame.y.holds(*value) {
                    return Ok(());
                }
                let (_, y) = frame.at(frame.x.low, *value);
                canvas.dashes(&[(frame.left, y), (frame.right, y)], look.dashes, look.color, 3)
            }
        }
    }
}

/// A method's line.
fn stroke(canvas: &Canvas, look: Look, points: &[Point]) -> Result<()> {
    if look.dashed {
        canvas.dashes(points, (18, 8), look.color, LINE)
    } else {
        canvas.line(points, look.color, LINE)
    }
}

/// A method's bar between two corners, with its marker at the foot, as large as fits.
fn bar(canvas: &Canvas, look: Look, (left, top): Point, (right, bottom): Point) -> Result<()> {
    fill(canvas, look.color, (left, top), (right, bottom))?;
    let r = MARKER.min((right - left) / 3);
    if r >= 4 && bottom - top >= 2 * r + 14 {
        canvas.marker(((left + right) / 2, bottom - r - 7), r, look.marker, WHITE)?;
    }
    Ok(())
}

/// A rectangle between two corners.
fn fill(canvas: &Canvas, color: RGBColor, (left, top): Point, (right, bottom): Point) -> Result<()> {
    canvas.area(&[(left, top), (right, top), (right, bottom), (left, bottom)], color, 1.0)
}
