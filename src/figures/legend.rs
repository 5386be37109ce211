//! The legend at the right of a chart.

use anyhow::Result;
use plotters::style::{RGBColor, text_anchor::HPos};

use super::{
    canvas::Canvas,
    mark::{bar, fill, ring, stroke},
    raster,
    style::{INK, LABEL, LevelLook, Look, MARKER, SUBTITLE, Type},
};

/// A line of the legend.
#[derive(Clone, Debug)]
pub struct LegendEntry {
    /// What it explains.
    pub sample: Swatch,
    /// Its name.
    pub label: String,
    /// More about it, in smaller type below.
    pub note: Option<String>,
}

/// What stands before the name in a legend.
#[derive(Clone, Copy, Debug)]
pub enum Swatch {
    /// A piece of a curve.
    Curve(Look),
    /// A piece of a line without markers.
    Line(Look),
    /// A marker.
    Dot(Look),
    /// A piece of a bar.
    Bar(Look),
    /// A colour.
    Patch(RGBColor),
    /// A piece of a dashed line.
    Level(LevelLook),
    /// A ring.
    Ring,
}

const SAMPLE: i32 = 84;
const LEGEND_LINE: i32 = 54;
const LONGEST_LABEL: i32 = 520;
const APART: i32 = 50;
const NOTE: Type = Type { size: 26, ..SUBTITLE };

/// How wide a legend is, with nothing beside it.
pub fn width(entries: &[LegendEntry]) -> i32 {
    entries.iter().map(LegendEntry::width).max().map_or(0, |widest| SAMPLE + 20 + widest.min(LONGEST_LABEL))
}

/// How high it is.
pub fn height(entries: &[LegendEntry]) -> i32 {
    entries.iter().map(LegendEntry::height).sum()
}

/// Draws it, each entry as a group with its name, for a page's script.
///
/// # Errors
/// If plotters fails.
pub fn draw(entries: &[LegendEntry], canvas: &Canvas, left: i32, top: i32) -> Result<()> {
    let mut y = top + LEGEND_LINE / 2;
    for entry in entries {
        entry.draw_group(canvas, left, y)?;
        y += entry.height();
    }
    Ok(())
}

/// How high a legend of entries without notes is that runs across so wide a space.
pub fn height_across(entries: &[LegendEntry], width: i32) -> i32 {
    across(entries, width).last().map_or(0, |(_, line)| LEGEND_LINE * (line + 1))
}

/// Draws it.
///
/// # Errors
/// If plotters fails.
pub fn draw_across(
    entries: &[LegendEntry],
    canvas: &Canvas,
    (left, top): (i32, i32),
    width: i32,
) -> Result<()> {
    let places = across(entries, width);
    entries.iter().zip(places).try_for_each(|(entry, (x, line))| {
        entry.draw_group(canvas, left + x, top + LEGEND_LINE * line + LEGEND_LINE / 2)
    })
}

/// Where each entry begins, and on which line, in so wide a space.
fn across(entries: &[LegendEntry], width: i32) -> Vec<(i32, i32)> {
    let (mut x, mut line) = (0, 0);
    let mut places = Vec::new();
    for entry in entries {
        let needed = SAMPLE + 20 + entry.width().min(LONGEST_LABEL);
        if x > 0 && x + needed > width {
            (x, line) = (0, line + 1);
        }
        places.push((x, line));
        x += needed + APART;
    }
    places
}

impl LegendEntry {
    fn draw_group(&self, canvas: &Canvas, left: i32, y: i32) -> Result<()> {
        let attributes = [("class", "entry"), ("data-series", &*self.label)];
        canvas.group(&attributes, |canvas| self.draw(canvas, left, y))
    }

    fn draw(&self, canvas: &Canvas, left: i32, y: i32) -> Result<()> {
        let (start, middle, end) = ((left, y), (left + SAMPLE / 2, y), (left + SAMPLE, y));
        match self.sample {
            Swatch::Curve(look) => {
                stroke(canvas, look, &[start, end])?;
                canvas.marker(middle, MARKER, look.marker, look.color)?;
            }
            Swatch::Line(look) => stroke(canvas, look, &[start, end])?,
            Swatch::Dot(look) => canvas.marker(middle, MARKER, look.marker, look.color)?,
            Swatch::Bar(look) => bar(canvas, look, (left, y - 17), (left + SAMPLE, y + 17))?,
            Swatch::Patch(color) => fill(canvas, color, (left, y - 24), (left + SAMPLE, y + 24))?,
            Swatch::Level(look) => canvas.dashes(&[start, end], look.dashes, look.color, 3)?,
            Swatch::Ring => ring(canvas, middle, INK)?,
        }
        let x = left + SAMPLE + 20;
        let label = raster::shorten(&self.label, LABEL, LONGEST_LABEL);
        canvas.text(&label, (x, y), LABEL, HPos::Left)?;
        if let Some(note) = &self.note {
            let note = raster::shorten(note, NOTE, LONGEST_LABEL);
            canvas.text(&note, (x, y + 38), NOTE, HPos::Left)?;
        }
        Ok(())
    }

    /// The look of the series that it names.
    pub fn look(&self) -> Option<Look> {
        match self.sample {
            Swatch::Curve(look) | Swatch::Line(look) | Swatch::Dot(look) | Swatch::Bar(look) => Some(look),
            Swatch::Patch(_) | Swatch::Level(_) | Swatch::Ring => None,
        }
    }

    fn width(&self) -> i32 {
        let note = self.note.as_ref().map_or(0, |n| raster::text_width(n, NOTE));
        raster::text_width(&self.label, LABEL).max(note)
    }

    fn height(&self) -> i32 {
        LEGEND_LINE + if self.note.is_some() { 38 } else { 0 }
    }
}
