//! The few strokes that figures are made of, drawn by plotters as SVG.

use anyhow::Result;
use plotters::{
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{Circle, DashedPathElement, PathElement, Polygon, Text},
    prelude::SVGBackend,
    style::{
        Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::style::{FONT, Marker, Type, WHITE};

/// A place on the canvas: right and down from its upper left corner.
pub type Point = (i32, i32);

/// White paper to draw on.
pub struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

/// The SVG text of what `paint` draws.
///
/// # Errors
/// What `paint` fails with.
pub fn svg(width: u32, height: u32, paint: impl FnOnce(&Canvas) -> Result<()>) -> Result<String> {
    let mut text = String::new();
    {
        let canvas = Canvas(SVGBackend::with_string(&mut text, (width, height)).into_drawing_area());
        canvas.0.fill(&WHITE)?;
        paint(&canvas)?;
        canvas.0.present()?;
    }
    // With its viewBox alone a drawing takes the width of the page that shows it.
    Ok(text.replacen(&format!("width=\"{width}\" height=\"{height}\" "), "", 1))
}

impl Canvas<'_> {
    /// A line through `points`.
    ///
    /// # Errors
    /// Those of plotters, as everywhere below.
    pub fn line(&self, points: &[Point], color: RGBColor, width: u32) -> Result<()> {
        Ok(self.0.draw(&PathElement::new(points, color.stroke_width(width)))?)
    }

    /// A line through `points` that is drawn for `dash` units, then left out for `gap` units.
    ///
    /// # Errors
    /// See [`Canvas::line`].
    pub fn dashes(
        &self,
        points: &[Point],
        (dash, gap): (i32, i32),
        color: RGBColor,
        width: u32,
    ) -> Result<()> {
        let points = points.iter().copied();
        Ok(self.0.draw(&DashedPathElement::new(points, dash, gap, color.stroke_width(width)))?)
    }

    /// The area inside `corners`, filled.
    ///
    /// # Errors
    /// See [`Canvas::line`].
    pub fn area(&self, corners: &[Point], color: RGBColor, opacity: f64) -> Result<()> {
        Ok(self.0.draw(&Polygon::new(corners, color.mix(opacity).filled()))?)
    }

    /// A marker of half-width `r` around `at`.
    ///
    /// # Errors
    /// See [`Canvas::line`].
    pub fn marker(&self, at: Point, r: i32, marker: Marker, color: RGBColor) -> Result<()> {
        match marker {
            Marker::Circle => Ok(self.0.draw(&Circle::new(at, r, color.filled()))?),
            _ => self.area(&marker.corners(at, r), color, 1.0),
        }
    }

    /// Text that starts, ends or is centred at `at`, and is centred there vertically.
    ///
    /// # Errors
    /// See [`Canvas::line`].
    pub fn text(&self, text: &str, at: Point, look: Type, side: HPos) -> Result<()> {
        // Plotters centres the small letters; figures and capitals look centred a little lower.
        let (x, y) = (at.0, at.1 + look.size as i32 / 10);
        self.write(text, (x, y), look, side, FontTransform::None)
    }

    /// Text centred at `at` that reads upwards.
    ///
    /// # Errors
    /// See [`Canvas::line`].
    pub fn upward_text(&self, text: &str, at: Point, look: Type) -> Result<()> {
        self.write(text, at, look, HPos::Center, FontTransform::Rotate270)
    }

    fn write(&self, text: &str, at: Point, look: Type, side: HPos, turn: FontTransform) -> Result<()> {
        let weight = if look.bold { FontStyle::Bold } else { FontStyle::Normal };
        // Plotters' SVG divides sizes by 1.24.
        let size = f64::from(look.size) * 1.24;
        let font = FontDesc::new(FontFamily::Name(FONT), size, weight).transform(turn);
        let style = TextStyle::from(font).color(&look.color).pos(Pos::new(side, VPos::Center));
        Ok(self.0.draw(&Text::new(text, at, style))?)
    }
}
