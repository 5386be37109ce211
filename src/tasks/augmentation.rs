//! New classes from old ones: quarter turns, and random affine maps drawn for each class of each task.

use garde::Validate;
use rand::{Rng, RngExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::validity::not_negative;

/// What is done to the classes of meta-training tasks; validation and test tasks stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Every class also turned by 90, 180 and 270 degrees, as classes of their own (Santoro et al. 2016,
    /// https://arxiv.org/abs/1605.06065, section 4.1).
    #[garde(skip)]
    pub rotations: bool,
    /// One random affine map for each class of each task, for all its images: a new class.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affine: Option<Affine>,
    /// One random affine map for each image: a class comes in many variants, and adaptation has to see through them.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Affine>,
}

/// A 2x3 matrix row by row, from output to input coordinates, which run from -1 to 1.
pub type Map = [f32; 6];

/// The map that leaves everything in its place.
pub const IDENTITY: Map = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

impl Augmentation {
    /// Classes made of each class.
    pub fn turns(&self) -> usize {
        if self.rotations { 4 } else { 1 }
    }

    /// Whether images are moved at all.
    pub fn moves(&self) -> bool {
        self.affine.is_some() || self.jitter.is_some()
    }

    /// Draws the maps of so many images of one class of a task.
    pub fn draw(&self, images: usize, stream: &mut impl Rng) -> Vec<Map> {
        let mut draw = |affine: &Option<Affine>| affine.as_ref().map_or(IDENTITY, |a| a.draw(stream));
        let class = draw(&self.affine);
        (0..images).map(|_| after(class, draw(&self.jitter))).collect()
    }
}

/// The map that first applies `inner`, then `outer`.
fn after(outer: Map, inner: Map) -> Map {
    let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (outer, inner);
    [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f]
}

/// Ranges of random affine maps; each map is drawn uniformly from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Affine {
    /// Turned by up to so many degrees either way.
    #[garde(custom(not_negative))]
    #[schemars(extend("minimum" = 0))]
    pub degrees: f64,
    /// Each axis scaled by a factor between exp(-scale) and exp(scale).
    #[garde(custom(not_negative), range(max = 2.0))]
    #[schemars(extend("minimum" = 0))]
    pub scale: f64,
    /// Sheared by up to so much: at 1, a vertical stroke leans by 45 degrees.
    #[garde(custom(not_negative), range(max = 4.0))]
    #[schemars(extend("minimum" = 0))]
    pub shear: f64,
    /// Moved by up to so much of the image's size along each axis.
    #[garde(custom(not_negative), range(max = 1.0))]
    #[schemars(extend("minimum" = 0))]
    pub shift: f64,
    /// The chance that a class is mirrored.
    #[garde(custom(not_negative), range(max = 1.0))]
    #[schemars(extend("minimum" = 0))]
    pub mirror: f64,
}

impl Default for Affine {
    fn default() -> Self {
        Self { degrees: 20.0, scale: 0.2, shear: 0.3, shift: 0.1, mirror: 0.0 }
    }
}

impl Affine {
    /// Draws one map.
    pub fn draw(&self, stream: &mut impl Rng) -> Map {
        let mut within = |limit: f64| (stream.random::<f64>() * 2.0 - 1.0) * limit;
        let (sin, cos) = within(self.degrees).to_radians().sin_cos();
        let (sx, sy) = (within(self.scale).exp(), within(self.scale).exp());
        let shear = within(self.shear);
        let (dx, dy) = (within(2.0 * self.shift), within(2.0 * self.shift));
        let sx = if stream.random_bool(self.mirror) { -sx } else { sx };
        // rotation * shear * scale
        let (a, b, c, d) = (cos, cos * shear - sin, sin, sin * shear + cos);
        [a * sx, b * sy, dx, c * sx, d * sy, dy].map(|v| v as f32)
    }
}

/// Moves an image by its map: `pixels` of `height` rows become values of 0 to 1 in `moved`.
pub fn warp(pixels: &[u8], height: usize, width: usize, map: &Map, moved: &mut Vec<f32>) {
    let values = pixels.iter().map(|&pixel| f32::from(pixel) * (1.0 / 255.0));
    Framed::new(values, height, width).warp(map, moved);
}

/// An image within a blank edge, ready to be moved.
pub struct Framed {
    /// One row and column more above and left and two below and right, so that whatever is outside is read as blank.
    values: Vec<f32>,
    height: usize,
    width: usize,
    /// The rows and columns of the frame from which something is read that is not blank: first and last.
    inked: [(f32, f32); 2],
}

impl Framed {
    /// The image of these values, row by row.
    pub fn new(values: impl IntoIterator<Item = f32>, height: usize, width: usize) -> Self {
        let stride = width + 3;
        let mut framed = vec![0.0; (height + 3) * stride];
        let inside = framed.chunks_exact_mut(stride).skip(1).take(height);
        inside.flat_map(|row| &mut row[1..=width]).zip(values).for_each(|(to, from)| *to = from);
        let ink = framed.iter().enumerate().filter(|(_, value)| **value != 0.0).map(|(at, _)| at);
        let range = |of: fn(usize, usize) -> usize| {
            let places = ink.clone().map(|at| of(at, stride) as f32);
            places.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), at| {
                (low.min(at - 1.0), high.max(at + 1.0))
            })
        };
        let inked = [range(|at, stride| at / stride), range(|at, stride| at % stride)];
        Self { values: framed, height, width, inked }
    }

    /// Appends the image moved by its map, bilinearly, with nothing outside.
    ///
    /// The centre of the image is the origin and its edges are at -1 and 1, as in PyTorch's `affine_grid` and `grid_sample` without
    /// `align_corners`. Not done with those two since, as tensor operations, they take longer than the meta-step that follows.
    pub fn warp(&self, map: &Map, moved: &mut Vec<f32>) {
        let Self { values, height, width, inked } = self;
        let stride = width + 3;
        let (h, w) = (*height as f32, *width as f32);
        let [a, b, c, d, e, f] = *map;
        let down = d * h / w; // rows per column
        for row in 0..*height {
            // From pixels to -1..1, by the map, and back to pixels, whose centres are at whole numbers; 1 for the edge.
            let y = (2.0 * row as f32 + 1.0) / h - 1.0;
            let x = 1.0 / w - 1.0;
            let first_column = ((a * x + b * y + c + 1.0) * w - 1.0) / 2.0 + 1.0;
            let first_row = ((d * x + e * y + f + 1.0) * h - 1.0) / 2.0 + 1.0;
            // Most of an image is blank and read from nowhere.
            let (from, to) = inside(first_row, down, inked[0]);
            let (left, right) = inside(first_column, a, inked[1]);
            let to = (to.min(right) as usize).min(*width);
            let from = (from.max(left) as usize).min(to);
            moved.extend(std::iter::repeat_n(0.0, from));
            moved.extend((from..to).map(|column| {
                let from_column = (first_column + a * column as f32).clamp(0.0, w + 1.0);
                let from_row = (first_row + down * column as f32).clamp(0.0, h + 1.0);
                let (left, top) = (from_column as i32, from_row as i32);
                let (right_share, lower_share) = (from_column - left as f32, from_row - top as f32);
                let cell = &values[top as usize * stride + left as usize..][..stride + 2];
                let upper = cell[0] + (cell[1] - cell[0]) * right_share;
                let lower = cell[stride] + (cell[stride + 1] - cell[stride]) * right_share;
                upper + (lower - upper) * lower_share
            }));
            moved.extend(std::iter::repeat_n(0.0, width - to));
        }
    }
}

/// Numbers of columns, from one up to another, between which all are for which `first + slope * column` is in a range.
fn inside(first: f32, slope: f32, (low, high): (f32, f32)) -> (f32, f32) {
    const LEVEL: f32 = 1e-4; // over an image moves by less than the room that is left below
    if slope.abs() < LEVEL {
        let some = first > low - 1.0 && first < high + 1.0;
        return if some { (0.0, f32::INFINITY) } else { (0.0, 0.0) };
    }
    let (a, b) = ((low - first) / slope, (high - first) / slope);
    ((a.min(b) - 1.0).max(0.0), (a.max(b) + 2.0).max(0.0))
}

/// The image turned by a quarter, counter-clockwise; `height` and `width` are those of `pixels`.
pub fn quarter_turn(pixels: &[u8], height: usize, width: usize) -> Vec<u8> {
    (0..width).rev().flat_map(|column| (0..height).map(move |row| pixels[row * width + column])).collect()
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;
    use crate::random::{Purpose, stream};

    #[test]
    fn a_quarter_turn_is_counter_clockwise_and_four_are_none() {
        // 1 2 3      3 6
        // 4 5 6  ->  2 5
        //            1 4
        let once = quarter_turn(&[1, 2, 3, 4, 5, 6], 2, 3);
        assert_eq!(once, [3, 6, 2, 5, 1, 4]);
        let twice = quarter_turn(&once, 3, 2);
        let back = quarter_turn(&quarter_turn(&twice, 2, 3), 3, 2);
        assert_eq!(back, [1, 2, 3, 4, 5, 6]);
    }

    fn warped(pixels: &[u8], height: usize, width: usize, map: &Map) -> Vec<f32> {
        let mut moved = Vec::new();
        warp(pixels, height, width, map, &mut moved);
        moved.iter().map(|value| value * 255.0).collect()
    }

    fn assert_close(a: &[f32], b: &[f32]) {
        assert!(a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3), "{a:?} {b:?}");
    }

    #[test]
    fn with_every_range_zero_images_stay_as_they_are() {
        let none = Affine { degrees: 0.0, scale: 0.0, shear: 0.0, shift: 0.0, mirror: 0.0 };
        let still = Augmentation { affine: Some(none.clone()), jitter: Some(none), rotations: false };
        let maps = still.draw(2, &mut stream(0, Purpose::Train, 0));
        assert_eq!(maps, [IDENTITY, IDENTITY]);
        assert_close(
            &warped(&[10, 20, 30, 40, 50, 60], 2, 3, &maps[0]),
            &[10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
        );
    }

    #[test]
    fn maps_turn_and_shift_and_nothing_is_outside() {
        let half_turn = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0];
        assert_close(
            &warped(&[10, 20, 30, 40, 50, 60], 2, 3, &half_turn),
            &[60.0, 50.0, 40.0, 30.0, 20.0, 10.0],
        );
        let half_a_pixel_from_the_right = [1.0, 0.0, 0.25, 0.0, 1.0, 0.0]; // of a width of 4
        assert_close(
            &warped(&[0, 40, 80, 160], 1, 4, &half_a_pixel_from_the_right),
            &[20.0, 60.0, 120.0, 80.0],
        );
        let far_away = [1.0, 0.0, 9.0, 0.0, 1.0, -1e20];
        assert_close(&warped(&[255; 4], 2, 2, &far_away), &[0.0; 4]);
    }

    /// The program is PyTorch's own: `affine_grid` and `grid_sample`, bilinear, zeros outside, corners not aligned.
    #[test]
    fn a_map_does_what_libtorch_does() {
        let pixels: Vec<u8> = (0..30).map(|i| (i * 37 % 256) as u8).collect();
        let affine = Affine { degrees: 60.0, scale: 0.5, shear: 0.8, shift: 0.3, mirror: 0.5 };
        for index in 0..20 {
            let map = affine.draw(&mut stream(1, Purpose::Train, index));
            let x = Tensor::from_slice(&pixels).to_kind(Kind::Float).reshape([1, 1, 5, 6]);
            let theta = Tensor::from_slice(&map).reshape([1, 2, 3]);
            let grid = Tensor::affine_grid_generator(&theta, [1, 1, 5, 6], false);
            let expected = x.grid_sampler(&grid, 0, 0, false).flatten(0, -1);
            assert_close(&warped(&pixels, 5, 6, &map), &Vec::try_from(expected).expect("a vector"));
        }
    }

    /// What is left out as blank is blank: one pixel of ink, moved by many maps.
    #[test]
    fn nothing_of_the_ink_is_lost() {
        let affine = Affine { degrees: 180.0, scale: 0.5, shear: 0.8, shift: 0.4, mirror: 0.5 };
        for index in 0..300 {
            let map = affine.draw(&mut stream(2, Purpose::Train, index));
            let mut pixels = vec![0; 63];
            pixels[index as usize * 11 % 63] = 200;
            let x = Tensor::from_slice(&pixels).to_kind(Kind::Float).reshape([1, 1, 9, 7]);
            let theta = Tensor::from_slice(&map).reshape([1, 2, 3]);
            let grid = Tensor::affine_grid_generator(&theta, [1, 1, 9, 7], false);
            let expected = x.grid_sampler(&grid, 0, 0, false).flatten(0, -1);
            assert_close(&warped(&pixels, 9, 7, &map), &Vec::try_from(expected).expect("a vector"));
        }
    }

    #[test]
    fn the_images_of_a_class_share_its_map_and_have_their_own_jitter() {
        let draw = |affine, jitter| {
            let augmentation = Augmentation { rotations: false, affine, jitter };
            augmentation.draw(2, &mut stream(0, Purpose::Train, 0))
        };
        let shared = draw(Some(Affine::default()), None);
        assert!(shared[0] == shared[1] && shared[0] != IDENTITY);
        let own = draw(None, Some(Affine::default()));
        assert_ne!(own[0], own[1]);
    }

    #[test]
    fn maps_are_applied_one_after_the_other() {
        let (turn, shift) = ([0.0, -1.0, 0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.5, 0.0, 1.0, 0.0]);
        assert_eq!(after(turn, shift), [0.0, -1.0, 0.0, 1.0, 0.0, 0.5]); // (x + 0.5, y) turned is (-y, x + 0.5)
        assert_eq!(after(shift, turn), [0.0, -1.0, 0.5, 1.0, 0.0, 0.0]);
    }
}
