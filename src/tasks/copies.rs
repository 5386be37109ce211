//! Jittered copies of support images: what a method may adapt to in place of the few images themselves.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::augmentation::{Affine, Framed};
use crate::random::Draws;

/// In every adaptation step the support set is so many jittered copies of each support image, drawn anew for each step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct JitteredCopies {
    /// One random affine map for each copy.
    #[garde(dive)]
    pub jitter: Affine,
    /// Copies of each support image.
    #[garde(range(min = 1, max = 10_000))]
    #[schemars(range(min = 1, max = 10_000))]
    pub copies: usize,
}

impl Default for JitteredCopies {
    fn default() -> Self {
        Self { jitter: Affine::default(), copies: 10 }
    }
}

/// Makes jittered copies of images of one size.
#[derive(Clone, Debug)]
pub struct Copier {
    /// How many, and how they differ.
    pub settings: JitteredCopies,
    /// Pixels down.
    pub height: usize,
    /// Pixels across.
    pub width: usize,
}

/// The support images of T tasks, ready to be copied.
pub struct Originals<'a> {
    copier: &'a Copier,
    /// Task by task.
    images: Vec<Framed>,
    tasks: usize,
    kind: Kind,
    device: Device,
}

impl Copier {
    /// Copies of each image.
    pub fn copies(&self) -> usize {
        self.settings.copies
    }

    /// Takes in images `[T, S, height * width]`.
    pub fn originals(&self, images: &Tensor) -> Originals<'_> {
        let values = images.to_kind(Kind::Float).to_device(Device::Cpu).contiguous().view(-1);
        let values = Vec::<f32>::try_from(values).unwrap_or_default(); // a vector, which the conversion takes
        let framed = |image: &[f32]| Framed::new(image.iter().copied(), self.height, self.width);
        Originals {
            copier: self,
            images: values.chunks_exact(self.height * self.width).map(framed).collect(),
            tasks: images.size()[0] as usize,
            kind: images.kind(),
            device: images.device(),
        }
    }
}

impl Originals<'_> {
    /// The copies that adaptation step number `step` sees of the support images at the places `rows`: `[T, R * copies, D]`, one image
    /// after the other. Each task draws from a stream of its own.
    pub fn copies(&self, rows: &[usize], draws: &Draws, step: usize) -> Tensor {
        let Copier { settings: JitteredCopies { jitter, copies }, height, width } = self.copier;
        let size = rows.len() * copies;
        let mut values = Vec::with_capacity(self.tasks * size * height * width);
        let support = self.images.len() / self.tasks.max(1);
        for task in 0..self.tasks {
            let mut stream = draws.stream_of_task(task, step);
            for image in rows.iter().map(|row| &self.images[task * support + row]) {
                (0..*copies).for_each(|_| image.warp(&jitter.draw(&mut stream), &mut values));
            }
        }
        let shape = [self.tasks, size, height * width].map(|size| size as i64);
        Tensor::from_slice(&values).reshape(shape).to_kind(self.kind).to_device(self.device)
    }

    /// Labels, or anything else that comes by image `[T, R, ...]`, repeated for the copies.
    pub fn repeated(&self, of_images: &Tensor) -> Tensor {
        of_images.repeat_interleave_self_int(self.copier.copies() as i64, 1, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    const DRAWS: Draws = Draws { seed: 1, purpose: Purpose::Adapt, occasion: 0, first_task: 0 };

    fn copier(jitter: Affine) -> Copier {
        Copier { settings: JitteredCopies { jitter, copies: 2 }, height: 4, width: 3 }
    }

    fn images() -> Tensor {
        (Tensor::arange(3 * 2 * 12, (Kind::Float, Device::Cpu)) / 72.0).reshape([3, 2, 12])
    }

    #[test]
    fn without_jitter_copies_are_the_images_one_after_the_other() {
        let still = Affine { degrees: 0.0, scale: 0.0, shear: 0.0, shift: 0.0, mirror: 0.0 };
        let (copier, images) = (copier(still), images());
        let originals = copier.originals(&images);
        let copies = originals.copies(&[1, 0], &DRAWS, 0);
        let expected = originals.repeated(&images.index_select(1, &Tensor::from_slice(&[1i64, 0])));
        assert!(copies.size() == [3, 4, 12] && copies.allclose(&expected, 0.0, 1e-6, false));
    }

    #[test]
    fn every_step_draws_anew_and_every_task_for_itself() {
        let (copier, images) = (copier(Affine::default()), images());
        let all = copier.originals(&images).copies(&[0, 1], &DRAWS, 3);
        assert!(!all.equal(&copier.originals(&images).copies(&[0, 1], &DRAWS, 4)));
        let last = copier.originals(&images.narrow(0, 2, 1));
        assert!(last.copies(&[0, 1], &DRAWS.from_task(2), 3).equal(&all.narrow(0, 2, 1)));
        assert!(!last.copies(&[0, 1], &DRAWS, 3).equal(&all.narrow(0, 2, 1)));
    }
}
