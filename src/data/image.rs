//! Any image file as grey values.

use std::path::Path;

use anyhow::Result;
use image::{
    DynamicImage, GrayImage, ImageDecoder, ImageError, ImageReader, ImageResult, Limits, imageops,
    imageops::FilterType,
};

use crate::misuse::misuse;

/// An image brought to a size.
pub struct Scaled {
    /// Grey values, row by row.
    pub pixels: Vec<u8>,
    /// Whether its sides were scaled by different factors.
    pub stretched: bool,
}

/// Sides whose ratio changes by less than this share do not count as stretched.
const TOLERANCE: f64 = 0.1;

/// Bytes of the pixels of the largest image that is read, as they are decoded: a photograph of 89 megapixels in colour. A small file can
/// promise, and hold, a thousand times as much.
const LARGEST: u64 = 256 << 20;

/// Reads a PNG, JPEG, WebP or BMP file as grey values of this size: upright as its camera noted, on white where it is transparent,
/// colours by their luminance, scaled with a triangle filter if it has another size.
///
/// # Errors
/// A `Misuse` when the file is no such image.
pub fn read(file: &Path, height: usize, width: usize) -> Result<Scaled> {
    let grey = match decode(file) {
        Ok(image) => on_white(image),
        Err(ImageError::Limits(_)) => misuse!(
            "{} is too large: its pixels take more than {} MiB; make it smaller",
            file.display(),
            LARGEST >> 20
        ),
        Err(error) => misuse!(
            "cannot read {} as an image ({error}): PNG, JPEG, WebP and BMP files can be read",
            file.display()
        ),
    };
    let (from_width, from_height) = grey.dimensions();
    if (from_width as usize, from_height as usize) == (width, height) {
        return Ok(Scaled { pixels: grey.into_raw(), stretched: false });
    }
    let ratio = f64::from(from_width) * height as f64 / (f64::from(from_height) * width as f64);
    let scaled = imageops::resize(&grey, width as u32, height as u32, FilterType::Triangle);
    Ok(Scaled { pixels: scaled.into_raw(), stretched: (ratio.ln()).abs() > TOLERANCE })
}

fn decode(file: &Path) -> ImageResult<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(LARGEST);
    let mut reader = ImageReader::open(file)?.with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    limits.reserve(decoder.total_bytes())?; // before the memory is taken
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn on_white(image: DynamicImage) -> GrayImage {
    if !image.color().has_alpha() {
        return image.into_luma8();
    }
    let image = image.into_luma_alpha8();
    GrayImage::from_fn(image.width(), image.height(), |x, y| {
        let [grey, alpha] = image.get_pixel(x, y).0.map(u32::from);
        image::Luma([((grey * alpha + 255 * (255 - alpha)) / 255) as u8])
    })
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, LumaA};

    use super::*;

    #[test]
    fn grey_values_of_the_right_size_come_as_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.png");
        GrayImage::from_raw(3, 2, vec![0, 50, 100, 150, 200, 255]).expect("six").save(&file).expect("saved");
        let read = read(&file, 2, 3).expect("read");
        assert_eq!(read.pixels, [0, 50, 100, 150, 200, 255]);
        assert!(!read.stretched);
    }

    #[test]
    fn others_are_scaled_and_transparency_is_white() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.png");
        // The left half black, the right half black but transparent.
        let image: ImageBuffer<LumaA<u8>, _> =
            ImageBuffer::from_fn(8, 8, |x, _| LumaA([0, if x < 4 { 255 } else { 0 }]));
        image.save(&file).expect("saved");
        let square = read(&file, 2, 2).expect("read");
        assert!(square.pixels[0] < 40 && square.pixels[1] > 215, "{:?}", square.pixels);
        assert!(!square.stretched);
        assert!(read(&file, 2, 4).expect("read").stretched);
    }

    #[test]
    fn what_is_no_image_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("notes.png");
        std::fs::write(&file, "no picture").expect("written");
        let error = read(&file, 2, 2).err().expect("refused").to_string();
        assert!(error.contains("notes.png") && error.contains("PNG"), "{error}");
    }

    #[test]
    fn an_image_beyond_the_bound_is_refused_before_memory_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        // A header that promises 11 GB, and one that promises 768 MB.
        for (width, height) in [(60_000u32, 60_000u32), (16_000, 16_000)] {
            let mut bmp = b"BM".to_vec();
            for word in [750, 0, 54, 40, width, height, 1 | 24 << 16, 0, 0, 0, 0, 0, 0] {
                bmp.extend(word.to_le_bytes());
            }
            bmp.resize(750, 0);
            let file = folder.path().join("bomb.bmp");
            std::fs::write(&file, bmp).expect("written");
            let error = read(&file, 2, 2).err().expect("refused").to_string();
            assert!(error.contains("bomb.bmp is too large"), "{error}");
        }
    }
}
