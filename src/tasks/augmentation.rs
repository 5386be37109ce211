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
    /// One random affine map for each class of each task, for all its images.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affine: Option<Affine>,
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
    /// Draws one map: the 2x3 matrix from output to input coordinates, which run from -1 to 1.
    pub fn draw(&self, stream: &mut impl Rng) -> [f32; 6] {
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

/// Applies one map to each group of images, bilinearly, with nothing (0) outside: `x` `[G, I, height, width]`, one
/// [`Affine::draw`] per group. Gives the same shape.
pub fn transform(x: &Tensor, maps: &[f32]) -> Tensor {
    let size = x.size();
    let theta = Tensor::from_slice(maps).reshape([size[0], 2, 3]).to_device(x.device());
    let grid = Tensor::affine_grid_generator(&theta, size.as_slice(), false);
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
    fn with_every_range_zero_the_map_is_the_identity() {
        let none = Affine { degrees: 0.0, scale: 0.0, shear: 0.0, shift: 0.0, mirror: 0.0 };
        let map = none.draw(&mut stream(0, Purpose::Train, 0));
        assert_eq!(map, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let x = Tensor::arange(18, (tch::Kind::Float, tch::Device::Cpu)).reshape([1, 2, 3, 3]);
        assert!(transform(&x, &map).allclose(&x, 1e-5, 1e-5, false));
    }

    #[test]
    fn each_group_has_its_own_map() {
        let x = Tensor::arange(9, (tch::Kind::Float, tch::Device::Cpu)).reshape([1, 1, 3, 3]);
        let both = Tensor::cat(&[&x, &x], 0);
        let half_turn = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0];
        let maps = [[1.0, 0.0, 0.0, 0.0, 1.0, 0.0], half_turn].concat();
        let moved = transform(&both, &maps);
        assert!(moved.narrow(0, 0, 1).allclose(&x, 1e-5, 1e-5, false));
        assert!(moved.narrow(0, 1, 1).allclose(&x.flip([2, 3]), 1e-5, 1e-5, false));
    }
}
