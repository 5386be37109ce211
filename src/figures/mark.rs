//! What a chart draws at numbers of its axes.

use anyhow::Result;
use plotters::style::{RGBColor, text_anchor::HPos};

use super::{
    canvas::{Canvas, Point},
    frame::Frame,
    raster,
    style::{self, INK, LINE, LevelLook, Look, MARKER, Marker, TICK, Type, WHITE},
};

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
    /// A ring around a point of a curve.
    Ring(Look, (f64, f64)),
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

impl Mark {
    /// The look of the series that it belongs to.
    pub fn look(&self) -> Option<Look> {
        match self {
            Self::Band(look, _) | Self::Curve(look, _) | Self::Line(look, _) | Self::Dots(look, _) => {
                Some(*look)
            }
            Self::Bar { look, .. } | Self::Ring(look, _) => Some(*look),
            Self::Trace(..) | Self::Cell { .. } | Self::Whisker(..) | Self::Level(..) => None,
        }
    }

    /// Draws it.
    pub fn draw(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        match self {
            Self::Band(look, points) => {
                let low = points.iter().map(|(x, low, _)| frame.at_most(*x, *low));
                let high = points.iter().rev().map(|(x, _, high)| frame.at_most(*x, *high));
                let corners: Vec<Point> = low.chain(high).collect();
                canvas.area(&corners, look.color, 0.16)
            }
            Self::Curve(look, points) => {
                frame.pieces(points).iter().try_for_each(|piece| stroke(canvas, *look, piece))?;
                // On long curves a marker now and then is enough; neighbours carry theirs at different points.
                let every = points.len().div_ceil(10).max(1);
                let marked = points.iter().skip(look.place % every).step_by(every);
                for (x, y) in marked.filter(|(_, y)| frame.y.holds(*y)) {
                    let at = frame.at(*x, *y);
                    canvas.marker(at, MARKER + 3, look.marker, WHITE)?;
                    canvas.marker(at, MARKER, look.marker, look.color)?;
                }
                Ok(())
            }
            Self::Line(look, points) => {
                frame.pieces(points).iter().try_for_each(|piece| stroke(canvas, *look, piece))
            }
            Self::Dots(look, points) => points.iter().try_for_each(|(x, y)| {
                let at = frame.at(*x, *y);
                canvas.marker(at, MARKER + 2, look.marker, WHITE)?;
                canvas.marker(at, MARKER, look.marker, look.color)
            }),
            Self::Ring(look, (x, y)) if frame.y.holds(*y) => {
                ring(canvas, frame.at(*x, *y), look.color)?;
                canvas.marker(frame.at(*x, *y), MARKER, look.marker, look.color)
            }
            Self::Ring(..) => Ok(()),
            Self::Bar { look, sides: (left, right), top } => {
                bar(canvas, *look, frame.at_most(*left, *top), frame.at(*right, frame.y.low))
            }
            Self::Whisker(x, low, high) => {
                let ((x, low), (_, high)) = (frame.at_most(*x, *low), frame.at_most(*x, *high));
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
pub fn stroke(canvas: &Canvas, look: Look, points: &[Point]) -> Result<()> {
    if look.dashed {
        canvas.dashes(points, (18, 8), look.color, LINE)
    } else {
        canvas.line(points, look.color, LINE)
    }
}

/// White paper with a ring around it, for a marker.
pub fn ring(canvas: &Canvas, at: Point, color: RGBColor) -> Result<()> {
    canvas.marker(at, MARKER + 11, Marker::Circle, color)?;
    canvas.marker(at, MARKER + 7, Marker::Circle, WHITE)
}

/// A method's bar between two corners, with its marker at the foot, as large as fits.
pub fn bar(canvas: &Canvas, look: Look, (left, top): Point, (right, bottom): Point) -> Result<()> {
    fill(canvas, look.color, (left, top), (right, bottom))?;
    let r = MARKER.min((right - left) / 3);
    if r >= 4 && bottom - top >= 2 * r + 14 {
        canvas.marker(((left + right) / 2, bottom - r - 7), r, look.marker, WHITE)?;
    }
    Ok(())
}

/// A rectangle between two corners.
pub fn fill(canvas: &Canvas, color: RGBColor, (left, top): Point, (right, bottom): Point) -> Result<()> {
    canvas.area(&[(left, top), (right, top), (right, bottom), (left, bottom)], color, 1.0)
}
