//! Omniglot: 1,623 handwritten characters of 50 alphabets, 20 drawings of each (Lake, Salakhutdinov & Tenenbaum 2015,
//! <https://doi.org/10.1126/science.aab3050>).
//!
//! A class is a character, named `Alphabet/character01`; its group is its alphabet. The drawings are 105 x 105 pixels of one bit. Most
//! reference code takes every 3.75th pixel, so that images stay black and white; `resample: area` gives each pixel the share of ink in
//! its square.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

use anyhow::Result;
use garde::Validate;
use image::{ImageFormat, ImageReader, Limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zip::ZipArchive;

use super::{Dataset, DatasetEntry, Source, cache};
use crate::misuse::misuse;

pub const ENTRY: DatasetEntry = DatasetEntry {
    name: "omniglot",
    summary: "handwritten characters of 50 alphabets, 28 x 28, black and white; classes are named Alphabet/character01",
    source: "Lake et al. 2015, https://doi.org/10.1126/science.aab3050",
    classes: 1623,
    numbered: false,
    images: (19_280, 13_180),
    size: (28, 28),
    load: |source| Omniglot::default().load(source),
};

/// Of each alphabet and character the grey values of its drawings, by the names of their files.
type Characters = BTreeMap<(String, String), BTreeMap<String, Vec<u8>>>;

/// How the drawings are made smaller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Omniglot {
    /// Pixels of each side.
    #[garde(range(min = 1, max = 105))]
    pub size: usize,
    /// How pixels of the smaller image come from those of the drawing.
    #[garde(skip)]
    pub resample: Resample,
    /// The value of ink, 1 or 0; paper has the other.
    #[garde(range(max = 1))]
    pub ink: u8,
}

/// How an image is made smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Resample {
    /// The pixel at the middle: images stay black and white.
    #[default]
    Nearest,
    /// The share of ink in the pixel's square.
    Area,
}

impl Default for Omniglot {
    fn default() -> Self {
        Self { size: 28, resample: Resample::default(), ink: 1 }
    }
}

/// The two files as published: 30 alphabets to learn from, 20 to evaluate with.
const FILES: [&str; 2] = ["images_background.zip", "images_evaluation.zip"];
/// Pixels of each side of a drawing.
const SIDE: usize = 105;
/// Drawings of a character.
const DRAWINGS: usize = 20;
/// Bytes of the largest file of a drawing; those published have some hundred.
const LARGEST: u64 = 1 << 20;
/// The most drawings of a file.
const MOST: usize = 100_000;

impl Omniglot {
    /// Reads the two zip files: background characters first, each by alphabet and number.
    ///
    /// # Errors
    /// A `Misuse`: a file is not there, is damaged, or lacks drawings.
    pub fn load(&self, source: &Source) -> Result<Dataset> {
        let files = located(source)?;
        let (mut pixels, mut labels, mut classes, mut groups) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut training = 0;
        for (place, file) in files.iter().enumerate() {
            for ((alphabet, character), drawings) in self.drawings(file)? {
                let name = format!("{alphabet}/{character}");
                if classes.contains(&name) {
                    misuse!("{} has {name}, which {} has too", file.display(), files[0].display());
                }
                if drawings.len() != DRAWINGS {
                    misuse!(
                        "{}: {name} has {} drawings, not {DRAWINGS}: it is not whole; fetch it again",
                        file.display(),
                        drawings.len()
                    );
                }
                labels.extend(drawings.iter().map(|_| classes.len() as u16));
                pixels.extend(drawings.into_values().flatten());
                classes.push(name);
                groups.push(alphabet);
            }
            if place == 0 {
                training = labels.len();
            }
        }
        let (height, width) = (self.size, self.size);
        Ok(Dataset {
            name: ENTRY.name.into(),
            height,
            width,
            pixels: pixels.into(),
            labels,
            classes,
            groups,
            training,
        })
    }

    /// The drawings of each character of a zip file, by the names of their files.
    fn drawings(&self, file: &Path) -> Result<Characters> {
        let path = file.display();
        let open = File::open(file).map_err(zip::result::ZipError::from);
        let mut archive = match open.and_then(|file| ZipArchive::new(BufReader::new(file))) {
            Ok(archive) => archive,
            Err(error) => misuse!("cannot read {path}: {error}; fetch it again"),
        };
        if archive.len() > MOST {
            misuse!("{path} holds {} files: it is not Omniglot's", archive.len());
        }
        let mut characters = Characters::new();
        for place in 0..archive.len() {
            let mut entry = match archive.by_index(place) {
                Ok(entry) => entry,
                Err(error) => misuse!("{path}, file {}: {error}; fetch it again", place + 1),
            };
            let name = entry.name().map_or_else(|_| String::new(), std::borrow::Cow::into_owned);
            let parts: Vec<&str> = name.split('/').collect();
            let [.., alphabet, character, drawing] = parts[..] else { continue };
            if !drawing.ends_with(".png") {
                continue;
            }
            let mut bytes = Vec::new();
            if let Err(error) = entry.by_ref().take(LARGEST).read_to_end(&mut bytes) {
                misuse!("{path}: cannot unpack {name}: {error}; fetch it again");
            }
            let ink = match ink(&bytes) {
                Ok(ink) => ink,
                Err(what) => misuse!("{path}: {name} {what}; fetch it again"),
            };
            let key = (alphabet.to_owned(), character.to_owned());
            characters.entry(key).or_default().insert(drawing.to_owned(), self.smaller(&ink));
        }
        if characters.is_empty() {
            misuse!("{path} holds no ALPHABET/CHARACTER/DRAWING.png: it is not Omniglot's");
        }
        Ok(characters)
    }

    /// A drawing of the wanted size, in grey values.
    fn smaller(&self, ink: &[bool]) -> Vec<u8> {
        let scale = SIDE as f64 / self.size as f64;
        let pixels = (0..self.size * self.size).map(|place| {
            let (row, column) = (place / self.size, place % self.size);
            let share = match self.resample {
                Resample::Nearest => {
                    let at = |i: usize| ((i as f64 + 0.5) * scale) as usize;
                    f64::from(u8::from(ink[at(row) * SIDE + at(column)]))
                }
                Resample::Area => share_of_ink(ink, [row, column], scale),
            };
            let share = if self.ink == 1 { share } else { 1.0 - share };
            (255.0 * share).round() as u8
        });
        pixels.collect()
    }
}

/// The share of ink in the square of a pixel, whose sides are `scale` pixels of the drawing.
fn share_of_ink(ink: &[bool], [row, column]: [usize; 2], scale: f64) -> f64 {
    // The pixels that a side covers, each with the length that it covers.
    let covered = |i: usize| {
        let (low, high) = (i as f64 * scale, (i as f64 + 1.0) * scale);
        let last = (high.ceil() as usize).min(SIDE);
        (low as usize..last).map(move |at| (at, (at as f64 + 1.0).min(high) - (at as f64).max(low)))
    };
    let mut sum = 0.0;
    for (y, height) in covered(row) {
        let covered = covered(column).filter(|(x, _)| ink[y * SIDE + x]);
        sum += height * covered.map(|(_, width)| width).sum::<f64>();
    }
    sum / (scale * scale)
}

/// Whether each pixel of a drawing is ink; otherwise what is wrong with it.
fn ink(png: &[u8]) -> Result<Vec<bool>, String> {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(1024), Some(1024));
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| format!("is no PNG image ({error})"))?.into_luma8();
    match image.dimensions() {
        (width, height) if [width, height] == [SIDE as u32; 2] => {
            Ok(image.into_raw().iter().map(|grey| *grey < 128).collect())
        }
        (width, height) => Err(format!("is {width} x {height} pixels, not {SIDE} x {SIDE}")),
    }
}

/// The two files: in the folder given by the user, or one below it, or in the cache.
fn located(source: &Source) -> Result<[PathBuf; 2]> {
    let folders = match &source.data_dir {
        Some(data_dir) => vec![data_dir.join(ENTRY.name), data_dir.clone()],
        None => vec![cache::folder_of(ENTRY.name)?],
    };
    let of = |folder: &PathBuf| FILES.map(|name| folder.join(name));
    let has = |folder: &&PathBuf| of(folder).iter().any(|file| file.is_file());
    let folder = folders.iter().find(has).unwrap_or(&folders[0]);
    let files = of(folder);
    let missing: Vec<&str> =
        files.iter().zip(FILES).filter(|(file, _)| !file.is_file()).map(|(_, name)| name).collect();
    if !missing.is_empty() {
        misuse!(
            "Omniglot is not complete: {} has no {}. Fetch {} from the folder python of the repository brendenlake/omniglot on GitHub, and put \
             them there, or into any folder that --data-dir names",
            folder.display(),
            missing.join(" and no "),
            FILES.join(" and ")
        );
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use image::{GrayImage, Luma};
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// A drawing whose left part is ink.
    fn drawing(columns: u32) -> Vec<u8> {
        let image = GrayImage::from_fn(105, 105, |x, _| Luma([if x < columns { 0 } else { 255 }]));
        let mut png = Cursor::new(Vec::new());
        image.write_to(&mut png, ImageFormat::Png).unwrap();
        png.into_inner()
    }

    /// Both files, of characters with so many drawings, the second of which is `strange`.
    fn written(characters: &[(&str, usize)], strange: Option<&[u8]>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, root) in FILES.iter().zip(["images_background", "images_evaluation"]) {
            let mut archive = ZipWriter::new(fs::File::create(folder.path().join(file)).unwrap());
            for (character, count) in characters {
                for number in (1..=*count).rev() {
                    let alphabet = if root == "images_background" { "Greek" } else { "Runic" };
                    let name = format!("{root}/{alphabet}/{character}/0001_{number:02}.png");
                    archive.start_file(name, SimpleFileOptions::default()).unwrap();
                    let own = drawing(5 * number as u32);
                    archive.write_all(strange.filter(|_| number == 2).unwrap_or(&own)).unwrap();
                }
            }
            archive.finish().unwrap();
        }
        folder
    }

    fn load(folder: &Path, settings: &Omniglot) -> Result<Dataset> {
        settings.load(&Source { data_dir: Some(folder.into()), ..Source::default() })
    }

    #[test]
    fn characters_are_classes_and_alphabets_groups() {
        let folder = written(&[("character02", 20), ("character01", 20)], None);
        let dataset = load(folder.path(), &Omniglot::default()).unwrap();
        assert_eq!(
            dataset.classes,
            ["Greek/character01", "Greek/character02", "Runic/character01", "Runic/character02"]
        );
        assert_eq!(dataset.groups, ["Greek", "Greek", "Runic", "Runic"]);
        assert_eq!((dataset.len(), dataset.training), (80, 40));
        // Drawing 7: 35 of 105 columns are ink. Pixel i is taken at (i + 1/2) * 3.75.
        let row: Vec<u8> = dataset.image(6)[..28].to_vec();
        let expected: Vec<u8> =
            (0..28).map(|i| if (i as f64 + 0.5) * 3.75 < 35.0 { 255 } else { 0 }).collect();
        assert_eq!(row, expected);
    }

    #[test]
    fn area_gives_the_share_of_ink_and_ink_may_be_zero() {
        let folder = written(&[("character01", 20)], None);
        let area = Omniglot { resample: Resample::Area, ink: 0, ..Omniglot::default() };
        let row: Vec<u8> = load(folder.path(), &area).unwrap().image(0)[..3].to_vec();
        // 5 columns: all of the first 3.75, a third of the next.
        assert_eq!(row, [0, (255.0f64 * (1.0 - 1.25 / 3.75)).round() as u8, 255]);
        let whole = Omniglot { size: 105, ..Omniglot::default() };
        let image = load(folder.path(), &whole).unwrap();
        assert_eq!(image.image(0).iter().filter(|pixel| **pixel == 255).count(), 5 * 105);
    }

    #[test]
    fn what_is_missing_or_broken_is_named() {
        let said = |folder: &Path| load(folder, &Omniglot::default()).unwrap_err().to_string();
        let empty = tempfile::tempdir().unwrap();
        assert!(said(empty.path()).contains("no images_background.zip and no images_evaluation.zip"));
        let few = written(&[("character01", 19)], None);
        assert!(said(few.path()).contains("Greek/character01 has 19 drawings, not 20"));
        let broken = written(&[("character01", 20)], Some(b"\x89PNG no more"));
        let text = said(broken.path());
        assert!(text.contains("character01/0001_02.png is no PNG image"), "{text}");
        let mut small = Cursor::new(Vec::new());
        GrayImage::new(28, 28).write_to(&mut small, ImageFormat::Png).unwrap();
        let small = written(&[("character01", 20)], Some(small.get_ref()));
        assert!(said(small.path()).contains("is 28 x 28 pixels, not 105 x 105"));
        let torn = written(&[("character01", 20)], None);
        let file = torn.path().join(FILES[1]);
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        assert!(said(torn.path()).contains("cannot read") && said(torn.path()).contains(FILES[1]));
    }

    #[test]
    fn the_real_files_match_their_entry() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
        if !folder.join("omniglot").is_dir() {
            return;
        }
        let dataset = load(&folder, &Omniglot::default()).unwrap();
        assert_eq!((dataset.training, dataset.len()), (ENTRY.images.0, ENTRY.images.0 + ENTRY.images.1));
        assert_eq!(dataset.classes.len(), ENTRY.classes);
        let mut alphabets = dataset.groups.clone();
        alphabets.dedup();
        assert_eq!(alphabets.len(), 50);
        assert!(dataset.pixels.iter().all(|pixel| [0, 255].contains(pixel)));
        let ink =
            dataset.pixels.iter().filter(|pixel| **pixel == 255).count() as f64 / dataset.pixels.len() as f64;
        assert!((0.04..0.12).contains(&ink), "{ink}");
    }
}
