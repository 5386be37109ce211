//! One pair of axes and what is drawn there.

use anyhow::Result;
use plotters::style::text_anchor::HPos;

use super::{
    canvas::Canvas,
    frame::Frame,
    hover,
    legend::LegendEntry,
    mark::Mark,
    raster,
    style::{GRID, INK, LABEL, TICK},
};

/// One pair of axes and what is drawn there.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What tells the panel from its neighbours.
    pub heading: Option<String>,
    /// What is drawn; later marks cover earlier ones.
    pub marks: Vec<Mark>,
}

impl Panel {
    /// Draws it, with numbers at the upward axis if it is `numbered`.
    ///
    /// # Errors
    /// If plotters fails.
    pub fn draw(&self, canvas: &Canvas, frame: &Frame, numbered: bool, legend: &[LegendEntry]) -> Result<()> {
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
        self.draw_marks(canvas, frame, legend)
    }

    /// Draws marks; neighbours of one series as a group with its name, for a page's script.
    fn draw_marks(&self, canvas: &Canvas, frame: &Frame, legend: &[LegendEntry]) -> Result<()> {
        let same =
            |a: &Mark, b: &Mark| matches!(b, Mark::Whisker(..)) || a.look().is_some() && a.look() == b.look();
        for marks in self.marks.chunk_by(same) {
            let draw = |canvas: &Canvas| marks.iter().try_for_each(|mark| mark.draw(canvas, frame));
            let entry = legend.iter().find(|entry| entry.look().is_some() && entry.look() == marks[0].look());
            let Some(LegendEntry { label, .. }) = entry else {
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
