//! The few strokes that figures are made of, drawn by plotters as SVG.

use std::cell::RefCell;

use anyhow::Result;
use plotters::{
    drawing::IntoDrawingArea,
    element::{Circle, DashedPathElement, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text},
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
pub struct Canvas {
    size: (u32, u32),
    text: RefCell<String>,
}

/// The SVG text of what `paint` draws. With its view box alone a drawing takes the width of the page that shows it.
///
/// # Errors
/// What `paint` fails with.
pub fn svg(width: u32, height: u32, paint: impl FnOnce(&Canvas) -> Result<()>) -> Result<String> {
    let canvas = Canvas { size: (width, height), text: RefCell::default() };
    canvas.draw(&Rectangle::new([(0, 0), (width as i32, height as i32)], WHITE.filled()))?;
    paint(&canvas)?;
    let drawn = canvas.text.into_inner();
    Ok(format!(
        "<svg viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\">\n{drawn}</svg>\n"
    ))
}

impl Canvas {
    /// Plotters draws one element as a whole file, of which the element is kept: so elements can be grouped.
    fn draw<Element>(&self, element: &Element) -> Result<()>
    where
        for<'e> &'e Element: PointCollection<'e, Point>,
        for<'s> Element: Drawable<SVGBackend<'s>>,
    {
        let mut file = String::new();
        let area = SVGBackend::with_string(&mut file, self.size).into_drawing_area();
        area.draw(element)?;
        area.present()?;
        drop(area);
        let inside = file.split_once('>').map_or("", |(_, rest)| rest.trim_start_matches('\n'));
        self.text.borrow_mut().push_str(inside.strip_suffix("</svg>\n").unwrap_or(inside));
        Ok(())
    }

    /// What `paint` draws, as a group with attributes, for a page's script.
    ///
    /// # Errors
    /// What `paint` fails with.
    pub fn group(&self, attributes: &[(&str, &str)], paint: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        let attributes: String =
            attributes.iter().map(|(name, value)| format!(" {name}=\"{}\"", escape(value))).collect();
        self.text.borrow_mut().push_str(&format!("<g{attributes}>\n"));
        paint(self)?;
        self.text.borrow_mut().push_str("</g>\n");
        Ok(())
    }

    /// A line through `points`.
    ///
    /// # Errors
    /// Those of plotters, as everywhere below.
    pub fn line(&self, points: &[Point], color: RGBColor, width: u32) -> Result<()> {
        self.draw(&PathElement::new(points, color.stroke_width(width)))
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
        self.draw(&DashedPathElement::new(points, dash, gap, color.stroke_width(width)))
    }

    /// The area inside `corners`, filled.
    ///
    /// # Errors
    /// See [`Canvas::line`].
    pub fn area(&self, corners: &[Point], color: RGBColor, opacity: f64) -> Result<()> {
        self.draw(&Polygon::new(corners, color.mix(opacity).filled()))
    }

    /// A marker of half-width `r` around `at`.
    ///
    /// # Errors
    /// See [`Canvas::line`].
    pub fn marker(&self, at: Point, r: i32, marker: Marker, color: RGBColor) -> Result<()> {
        match marker {
            Marker::Circle => self.draw(&Circle::new(at, r, color.filled())),
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
        self.draw(&Text::new(text.to_owned(), at, style))
    }
}

/// Text as it may stand in an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
