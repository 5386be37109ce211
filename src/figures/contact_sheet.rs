//! A picture of one few-shot episode: what a method may learn from, and what it is asked.

use anyhow::{Result, ensure};
use plotters::style::text_anchor::HPos;
use resvg::tiny_skia::{Color, Pixmap, PremultipliedColorU8};

use super::{
    canvas, raster,
    style::{LABEL, SUBTITLE, TITLE},
};

/// One class of an episode.
#[derive(Clone, Debug)]
pub struct ContactRow {
    /// What stands before its images, such as "label 0: digit 7".
    pub class: String,
    /// Images that come with their label; a byte per pixel, row by row, ink is 255.
    pub support: Vec<Vec<u8>>,
    /// Images to be classified.
    pub query: Vec<Vec<u8>>,
}

const EDGE: i32 = 45;
const TOP: i32 = 165;
const BETWEEN: i32 = 12;
const GROUPS: i32 = 70;
const LONGEST_CLASS: i32 = 420;
/// What an enlarged image measures at most, and all images of a row together.
const LARGEST_TILE: usize = 168;
const WIDEST_ROW: usize = 2000;

/// A PNG with a row for every class: its name, its support images, its query images, each `height` x `width` pixels.
///
/// # Errors
/// If an image has another size, or there is none.
pub fn contact_sheet(title: &str, rows: &[ContactRow], height: usize, width: usize) -> Result<Vec<u8>> {
    let images = || rows.iter().flat_map(|row| row.support.iter().chain(&row.query));
    ensure!(height * width > 0 && images().next().is_some(), "no images to show");
    for image in images() {
        ensure!(
            image.len() == height * width,
            "an image of {} bytes is not {height} x {width} pixels",
            image.len()
        );
    }
    let most = |count: fn(&ContactRow) -> usize| rows.iter().map(count).max().unwrap_or(0);
    let (support, query) = (most(|row| row.support.len()), most(|row| row.query.len()));
    // Whole multiples keep pixels square and sharp.
    let scale = (LARGEST_TILE / height.max(width)).min(WIDEST_ROW / ((support + query) * width)).max(1);
    let step_x = (width * scale) as i32 + BETWEEN;
    let step_y = (height * scale) as i32 + BETWEEN;

    let names = rows.iter().map(|row| raster::text_width(&row.class, LABEL)).max().unwrap_or(0);
    let support_left = EDGE + names.min(LONGEST_CLASS) + 30;
    let query_left =
        support_left + (support as i32 * step_x).max(raster::text_width("support", SUBTITLE)) + GROUPS;
    let right = query_left + (query as i32 * step_x).max(raster::text_width("query", SUBTITLE));
    let sheet_width = (right + EDGE).max(700);
    let sheet_height = TOP + rows.len() as i32 * step_y + EDGE;

    let text = canvas::svg(sheet_width as u32, sheet_height as u32, |canvas| {
        let title = raster::shorten(title, TITLE, sheet_width - 2 * EDGE);
        canvas.text(&title, (EDGE, 52), TITLE, HPos::Left)?;
        canvas.text("support", (support_left, TOP - 34), SUBTITLE, HPos::Left)?;
        canvas.text("query", (query_left, TOP - 34), SUBTITLE, HPos::Left)?;
        for (i, row) in rows.iter().enumerate() {
            let class = raster::shorten(&row.class, LABEL, LONGEST_CLASS);
            let middle = TOP + i as i32 * step_y + (step_y - BETWEEN) / 2;
            canvas.text(&class, (EDGE, middle), LABEL, HPos::Left)?;
        }
        Ok(())
    })?;
    let mut sheet = raster::pixels(&text)?;
    for (i, row) in rows.iter().enumerate() {
        let top = (TOP + i as i32 * step_y) as usize;
        for (left, images) in [(support_left, &row.support), (query_left, &row.query)] {
            for (j, image) in images.iter().enumerate() {
                paste(&mut sheet, image, width, scale, (left + j as i32 * step_x) as usize, top);
            }
        }
    }
    Ok(sheet.encode_png()?)
}

/// Paints an image as dark ink on paper that is a little darker than the sheet, so that its borders show.
fn paste(sheet: &mut Pixmap, image: &[u8], width: usize, scale: usize, left: usize, top: usize) {
    let line = sheet.width() as usize;
    let pixels = sheet.pixels_mut();
    for (i, ink) in image.iter().enumerate() {
        let shade = 0.95 * (1.0 - f32::from(*ink) / 255.0);
        let color: PremultipliedColorU8 =
            Color::from_rgba(shade, shade, shade, 1.0).unwrap_or(Color::BLACK).premultiply().to_color_u8();
        let (y, x) = (top + i / width * scale, left + i % width * scale);
        for row in y..y + scale {
            pixels[row * line + x..row * line + x + scale].fill(color);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_enlarged_as_ink_on_paper() {
        let rows = [ContactRow {
            class: "label 0: <&".to_owned(),
            support: vec![vec![0, 255, 0, 0]],
            query: vec![],
        }];
        let png = contact_sheet("an episode", &rows, 2, 2).expect("a sheet");
        assert_eq!(png, contact_sheet("an episode", &rows, 2, 2).expect("a sheet"));
        let sheet = Pixmap::decode_png(&png).expect("a PNG");
        let black = sheet.pixels().iter().filter(|p| p.red() == 0).count();
        assert_eq!(black, (LARGEST_TILE / 2).pow(2));
    }

    #[test]
    fn damaged_episodes_are_errors() {
        let row = ContactRow { class: String::new(), support: vec![vec![0; 3]], query: vec![] };
        assert!(contact_sheet("", &[row], 2, 2).is_err());
        assert!(contact_sheet("", &[], 2, 2).is_err());
    }
}
