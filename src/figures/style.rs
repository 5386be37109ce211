//! What every figure shares: sizes, type, and one look per method, the same in every figure of an experiment.
//!
//! Lengths are in units of a drawing [`WIDTH`] units wide. It is large because plotters rounds SVG coordinates to integers;
//! at the usual 700 pixels on a page the smallest type is still eleven pixels high.

use plotters::style::RGBColor;

/// Width of every figure.
pub const WIDTH: u32 = 1800;
/// Height of a figure with one row of panels and a legend that fits beside it.
pub const HEIGHT: u32 = 1080;
/// Width of a curve.
pub const LINE: u32 = 4;
/// Half the width of a marker.
pub const MARKER: i32 = 10;

/// Families by preference. The PNGs have only DejaVu Sans, whose letters are as wide as Verdana's, so that labels measured in
/// one fit in the other.
pub const FONT: &str = "DejaVu Sans, Verdana, sans-serif";

/// Text, axes and everything else that is not data.
pub const INK: RGBColor = RGBColor(34, 34, 34);
/// Less important text, and the lines curves are compared with.
pub const GREY: RGBColor = RGBColor(110, 110, 110);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(226, 226, 226);
/// The paper.
pub const WHITE: RGBColor = RGBColor(255, 255, 255);

/// The size and weight of a piece of text.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// Height of the letters' em square.
    pub size: u32,
    /// Whether the letters are bold.
    pub bold: bool,
    /// Colour of the letters.
    pub color: RGBColor,
}

/// A figure's title.
pub const TITLE: Type = Type { size: 38, bold: true, color: INK };
/// The line below the title, which says what is drawn.
pub const SUBTITLE: Type = Type { size: 29, bold: false, color: GREY };
/// Axis labels, panel headings and legends.
pub const LABEL: Type = Type { size: 31, bold: false, color: INK };
/// Numbers at the axes.
pub const TICK: Type = Type { size: 29, bold: false, color: INK };

/// How a line across the whole figure, which curves are compared with, is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelLook {
    /// Its colour.
    pub color: RGBColor,
    /// Lengths of dashes and of the gaps between them.
    pub dashes: (i32, i32),
}

/// What guessing would reach.
pub const CHANCE: LevelLook = LevelLook { color: INK, dashes: (7, 9) };
/// What the same model reaches by other means.
pub const REFERENCE: LevelLook = LevelLook { color: GREY, dashes: (26, 12) };

/// The palette of Okabe and Ito (2008), told apart with any colour vision, without its yellow, which is lost on white paper.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// The shape that stands on a method's points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle, point up.
    Up,
    /// A square on its corner.
    Diamond,
    /// A triangle, point down.
    Down,
    /// A plus sign.
    Plus,
}

const MARKERS: [Marker; 6] =
    [Marker::Circle, Marker::Square, Marker::Up, Marker::Diamond, Marker::Down, Marker::Plus];

impl Marker {
    /// The corners of the shape of half-width `r` around `(x, y)`; of a circle, those of the square around it.
    pub fn corners(self, (x, y): (i32, i32), r: i32) -> Vec<(i32, i32)> {
        let thin = r / 3;
        let around: &[(i32, i32)] = match self {
            Self::Circle | Self::Square => &[(-r, -r), (r, -r), (r, r), (-r, r)],
            Self::Up => &[(0, -r), (r, r), (-r, r)],
            Self::Down => &[(0, r), (r, -r), (-r, -r)],
            Self::Diamond => &[(0, -r), (r, 0), (0, r), (-r, 0)],
            Self::Plus => &[
                (-thin, -r),
                (thin, -r),
                (thin, -thin),
                (r, -thin),
                (r, thin),
                (thin, thin),
                (thin, r),
                (-thin, r),
                (-thin, thin),
                (-r, thin),
                (-r, -thin),
                (-thin, -thin),
            ],
        };
        around.iter().map(|(dx, dy)| (x + dx, y + dy)).collect()
    }
}

/// How a method is drawn: colour and marker, and dashes once the colours have been used, so that 42 methods look different
/// and neighbours differ in greyscale too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// The method's place in the experiment.
    pub place: usize,
    /// Colour of line, band, bar and marker.
    pub color: RGBColor,
    /// Shape on the points.
    pub marker: Marker,
    /// Whether the line is dashed.
    pub dashed: bool,
}

/// The colour of letters that can be read on `ground`.
pub fn on(ground: RGBColor) -> RGBColor {
    let light = 299 * u32::from(ground.0) + 587 * u32::from(ground.1) + 114 * u32::from(ground.2);
    if light > 128_000 { INK } else { WHITE }
}

impl Look {
    /// Something given up, behind what was not.
    pub const PRUNED: Self =
        Self { place: 0, color: RGBColor(150, 150, 150), marker: Marker::Plus, dashed: false };

    /// The look of a line at `place`, for constants.
    pub const fn line(place: usize) -> Self {
        Self { place, color: PALETTE[place], marker: MARKERS[place], dashed: false }
    }

    /// The look of the method at `place` in the experiment.
    pub fn of(place: usize) -> Self {
        Self {
            place,
            color: PALETTE[place % PALETTE.len()],
            marker: MARKERS[place % MARKERS.len()],
            dashed: (place / PALETTE.len()) % 2 == 1,
        }
    }
}
