//! An image of an episode as a small PNG within a page.

use base64::{Engine, prelude::BASE64_STANDARD};
use resvg::tiny_skia::{ColorU8, Pixmap};

/// A data address of the picture of pixels as `example.json` has them, dark ink on white paper; `None` where they are damaged.
pub fn address(pixels: &str, height: usize, width: usize) -> Option<String> {
    let ink = BASE64_STANDARD.decode(pixels).ok()?;
    let mut picture = Pixmap::new(width.try_into().ok()?, height.try_into().ok()?)?;
    if ink.len() != picture.pixels().len() {
        return None;
    }
    for (pixel, ink) in picture.pixels_mut().iter_mut().zip(ink) {
        *pixel = ColorU8::from_rgba(255 - ink, 255 - ink, 255 - ink, 255).premultiply();
    }
    Some(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(picture.encode_png().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_pixels_as_there_are_bytes() {
        let pixels = BASE64_STANDARD.encode([0, 255, 0, 0]);
        let tile = address(&pixels, 2, 2).expect("a picture");
        let png = BASE64_STANDARD
            .decode(tile.strip_prefix("data:image/png;base64,").expect("a PNG"))
            .expect("base64");
        let picture = Pixmap::decode_png(&png).expect("a PNG");
        assert_eq!(picture.pixels().iter().map(|p| p.red()).collect::<Vec<_>>(), [255, 0, 255, 255]);
        assert_eq!(address(&pixels, 2, 3), None);
        assert_eq!(address("?", 2, 2), None);
    }
}
