//! New classes from old ones: quarter turns, and random affine maps drawn for each class of each task.

use garde::Validate;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::validity::not_negative;

/// What is done to the classes of meta-training tasks; validation and test tasks stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Validate)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Affine {
    /// Turned by up to so many degrees either way.
    #[garde(custom(not_negative))]
    pub degrees: f64,
    /// Each axis scaled by a factor between exp(-scale) and exp(scale).
    #[garde(custom(not_negative), range(max = 2.0))]
    pub scale: f64,
    /// Sheared by up to so much: at 1, a vertical stroke leans by 45 degrees.
    #[garde(custom(not_negative), range(max = 4.0))]
    pub shear: f64,
    /// Moved by up to so much of the image's size along each axis.
    #[garde(custom(not_negative), range(max = 1.0))]
    pub shift: f64,
    /// The chance that a class is mirrored.
    #[garde(custom(not_negative), range(max = 1.0))]
    pub mirror: f64,
}

impl Default for Affine {
    fn default() -> Self {
        Self { degrees: 20.0, scale: 0.2, shear: 0.3, shift: 0.1, mirror: 0.0 }
    }
}

impl Affine {
    /// Draws one map.
    fn draw(&self, stream: &mut impl Rng) -> Map {
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

/// Applies a map to each image, bilinearly, with nothing (0) outside: `x` `[I, 1, height, width]`. Gives the same shape.
pub fn transform(x: &Tensor, maps: &[Map]) -> Tensor {
    let theta = Tensor::from_slice(maps.as_flattened()).reshape([-1, 2, 3]).to_device(x.device());
    let grid = Tensor::affine_grid_generator(&theta, x.size().as_slice(), false);
    x.grid_sampler(&grid, 0, 0, false)
}

/// The image turned by a quarter, counter-clockwise; `height` and `width` are those of `pixels`.
pub fn quarter_turn(pixels: &[u8], height: usize, width: usize) -> Vec<u8> {
    (0..width).rev().flat_map(|column| (0..height).map(move |row| pixels[row * width + column])).collect()
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn with_every_range_zero_images_stay_as_they_are() {
        let none = Affine { degrees: 0.0, scale: 0.0, shear: 0.0, shift: 0.0, mirror: 0.0 };
        let still = Augmentation { affine: Some(none.clone()), jitter: Some(none), rotations: false };
        let maps = still.draw(2, &mut stream(0, Purpose::Train, 0));
        assert_eq!(maps, [IDENTITY, IDENTITY]);
        let x = Tensor::arange(18, (tch::Kind::Float, tch::Device::Cpu)).reshape([2, 1, 3, 3]);
        assert!(transform(&x, &maps).allclose(&x, 1e-5, 1e-5, false));
    }

    #[test]
    fn each_image_has_its_own_map() {
        let x = Tensor::arange(9, (tch::Kind::Float, tch::Device::Cpu)).reshape([1, 1, 3, 3]);
        let half_turn = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0];
        let moved = transform(&Tensor::cat(&[&x, &x], 0), &[IDENTITY, half_turn]);
        assert!(moved.narrow(0, 0, 1).allclose(&x, 1e-5, 1e-5, false));
        assert!(moved.narrow(0, 1, 1).allclose(&x.flip([2, 3]), 1e-5, 1e-5, false));
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
