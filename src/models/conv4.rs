//! Four blocks of convolution, batch normalisation and ReLU, and a linear layer: the network of few-shot learning (Vinyals et al. 2016,
//! https://arxiv.org/abs/1606.04080, section 4.1).
//!
//! Inputs are images of one channel, row by row, square where that can be. Each block makes them half as large: by the stride of its convolution
//! (MAML and Reptile on Omniglot) or by a pool behind it (prototypical and matching networks). The statistics of the normalisation are those of the
//! rows at hand.

use anyhow::Result;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{Architecture, Initial, Model, Parameter, Params, Role, layers, pytorch::Module};
use crate::misuse::misuse;

/// Four convolutional blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Conv4 {
    /// Filters of each block.
    #[garde(range(min = 1, max = 1024))]
    pub filters: usize,
    /// What makes images smaller.
    #[garde(skip)]
    pub halve: Halve,
    /// What comes before the linear layer.
    #[garde(skip)]
    pub end: End,
}

/// What makes images half as large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Halve {
    /// Convolutions at every other place.
    Stride,
    /// The largest of each 2 x 2 places.
    Pool,
}

/// What comes before the linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The mean over the places that are left, a number for each filter.
    Mean,
    /// All places that are left.
    Flatten,
}

impl Default for Conv4 {
    fn default() -> Self {
        Self { filters: 64, halve: Halve::Stride, end: End::Mean }
    }
}

impl Architecture for Conv4 {
    fn build(&self, inputs: usize, outputs: usize) -> Box<dyn Model> {
        let side = inputs.isqrt();
        let image = if side * side == inputs { [side, side] } else { [1, inputs] };
        Box::new(Convolutions {
            settings: self.clone(),
            image: image.map(|size| size as i64),
            outputs: outputs as i64,
        })
    }

    fn modules(&self, _: &Params) -> Result<Vec<Module>> {
        misuse!(
            "an export is a list of modules for nn.Sequential, which would have to know the size of the images: read checkpoint.safetensors instead"
        );
    }
}

/// How many blocks.
const BLOCKS: usize = 4;
/// Sides of a filter.
const SIDE: i64 = 3;

struct Convolutions {
    settings: Conv4,
    /// Height and width.
    image: [i64; 2],
    outputs: i64,
}

impl Convolutions {
    fn filters(&self) -> i64 {
        self.settings.filters as i64
    }

    /// Height and width behind each block.
    fn sizes(&self) -> [[i64; 2]; BLOCKS] {
        let mut size = self.image;
        [(); BLOCKS].map(|()| {
            size = size.map(|side| match self.settings.halve {
                Halve::Stride => (side + 1) / 2,
                Halve::Pool => (side / 2).max(1),
            });
            size
        })
    }

    /// Numbers that go into the linear layer.
    fn features(&self) -> i64 {
        let [.., [height, width]] = self.sizes();
        match self.settings.end {
            End::Mean => self.filters(),
            End::Flatten => self.filters() * height * width,
        }
    }

    /// A block of images `[T, R, C, H, W]`: `[T, R, F, H', W']`; `weight` as in [`Model::body`].
    fn block(&self, x: &Tensor, params: &[Tensor], weight: Option<&Tensor>) -> Tensor {
        let [kernel, bias, scale, shift] = params else { return x.shallow_clone() };
        let stride = if self.settings.halve == Halve::Stride { 2 } else { 1 };
        let z = convolve(x, &layers::shared(kernel), &layers::shared(bias), stride);
        let [tasks, rows, filters, height, width] = z.size()[..] else { return z };
        // Rows and places are alike to the statistics.
        let places = z.permute([0, 1, 3, 4, 2]).reshape([tasks, rows * height * width, filters]);
        let weight = weight.map(|weight| {
            let each = weight.unsqueeze(-1).expand([tasks, rows, height * width], true);
            (each / (height * width) as f64).reshape([tasks, -1])
        });
        let z = layers::batch_norm(&places, scale, shift, weight.as_ref()).relu();
        let z = z.reshape([tasks, rows, height, width, filters]).permute([0, 1, 4, 2, 3]);
        match self.settings.halve {
            Halve::Stride => z,
            Halve::Pool => {
                let kernel = [height.min(2), width.min(2)];
                let pooled = z.flatten(0, 1).max_pool2d(kernel, kernel, [0, 0], [1, 1], false);
                let [_, filters, height, width] = pooled.size()[..] else { return pooled };
                pooled.reshape([tasks, rows, filters, height, width])
            }
        }
    }
}

/// Images `[T, R, C, H, W]` convolved with filters that all tasks share, `[F, C, 3, 3]`, or of one set per task, `[T, F, C, 3, 3]`:
/// `[T, R, F, H', W']`.
fn convolve(x: &Tensor, kernel: &Tensor, bias: &Tensor, stride: i64) -> Tensor {
    let [tasks, rows, channels, height, width] = x.size()[..] else { return x.shallow_clone() };
    let convolved = |x: &Tensor, kernel: &Tensor, bias: &Tensor, groups: i64| {
        x.conv2d(kernel, Some(bias), [stride, stride], [SIDE / 2, SIDE / 2], [1, 1], groups)
    };
    if kernel.dim() == 4 {
        let z = convolved(&x.flatten(0, 1), kernel, bias, 1);
        return z.reshape([&[tasks, rows], &z.size()[1..]].concat());
    }
    // The tasks are groups of channels that do not see each other.
    let beside = x.transpose(0, 1).reshape([rows, tasks * channels, height, width]);
    let z = convolved(&beside, &kernel.flatten(0, 1), &bias.flatten(0, 1), tasks); // [R, T F, H', W']
    z.reshape([&[rows, tasks, kernel.size()[1]], &z.size()[2..]].concat()).transpose(0, 1)
}

impl Model for Convolutions {
    fn parameters(&self) -> Vec<Parameter> {
        let filters = self.filters();
        let mut parameters = Vec::new();
        for layer in 0..BLOCKS {
            let channels = if layer == 0 { 1 } else { filters };
            let std = (2.0 / (channels * SIDE * SIDE) as f64).sqrt();
            let mut add = |name: &str, role, shape: Vec<i64>, initial| {
                parameters.push(Parameter {
                    name: format!("layer{layer}.{name}"),
                    shape,
                    initial,
                    layer,
                    role,
                });
            };
            add("weight", Role::Weight, vec![filters, channels, SIDE, SIDE], Initial::Normal { std });
            add("bias", Role::Bias, vec![filters], Initial::Constant(0.0));
            add("scale", Role::Scale, vec![filters], Initial::Constant(1.0));
            add("shift", Role::Shift, vec![filters], Initial::Constant(0.0));
        }
        let (layer, features) = (BLOCKS, self.features());
        let std = (1.0 / features as f64).sqrt();
        let mut add = |name: &str, role, shape: Vec<i64>, initial| {
            parameters.push(Parameter { name: format!("layer{layer}.{name}"), shape, initial, layer, role });
        };
        add("weight", Role::Weight, vec![self.outputs, features], Initial::Normal { std });
        add("bias", Role::Bias, vec![self.outputs], Initial::Constant(0.0));
        parameters
    }

    fn has_linear_input(&self) -> bool {
        false
    }

    fn mixes_rows(&self) -> bool {
        true
    }

    fn activations_per_row(&self) -> usize {
        // A pool looks at what a convolution gives at all places.
        let before = if self.settings.halve == Halve::Pool { 5 } else { 1 };
        let places: i64 = self.sizes().iter().map(|[height, width]| height * width).sum();
        (before * places * self.filters() + self.outputs) as usize
    }

    fn body(&self, params: &[Tensor], x: &Tensor, weight: Option<&Tensor>) -> Tensor {
        let [height, width] = self.image;
        let (rows, per_task) = (x.size()[1], params.first().filter(|kernel| kernel.dim() == 5));
        let tasks = per_task.map_or(x.size()[0], |kernel| kernel.size()[0]);
        let mut z = x.expand([tasks, -1, -1], true).reshape([tasks, rows, 1, height, width]);
        let (blocks, head) = params.split_at(params.len().saturating_sub(2));
        for block in blocks.chunks_exact(4) {
            z = self.block(&z, block, weight);
        }
        let features = match self.settings.end {
            End::Mean => z.mean_dim([3i64, 4].as_slice(), false, None::<Kind>), // [T, R, F]
            End::Flatten => z.flatten(2, 4),
        };
        match head {
            [weight, bias] => layers::linear(&features, &layers::shared(weight), &layers::shared(bias)),
            _ => features,
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::random::{Purpose, stream};

    fn of(halve: Halve, end: End) -> Convolutions {
        Convolutions { settings: Conv4 { filters: 6, halve, end }, image: [28, 28], outputs: 5 }
    }

    #[test]
    fn images_of_28_pixels_end_as_published() {
        assert_eq!(of(Halve::Stride, End::Mean).sizes(), [[14; 2], [7; 2], [4; 2], [2; 2]]);
        assert_eq!(of(Halve::Pool, End::Flatten).sizes(), [[14; 2], [7; 2], [3; 2], [1; 2]]);
        assert_eq!(
            (of(Halve::Stride, End::Flatten).features(), of(Halve::Pool, End::Flatten).features()),
            (24, 6)
        );
    }

    /// What PyTorch's own layers give, with filters that tasks share and with the same as one set per task.
    #[test]
    fn blocks_are_convolution_normalisation_and_relu() {
        for (halve, end) in
            [(Halve::Stride, End::Mean), (Halve::Pool, End::Flatten), (Halve::Stride, End::Flatten)]
        {
            let model = of(halve, end);
            let theta = model.init(&mut stream(0, Purpose::Init, 0)).tensors;
            let theta: Vec<Tensor> = theta.iter().map(|t| t.to_kind(Kind::Double) + 0.05).collect();
            let x = Tensor::randn([2, 3, 784], (Kind::Double, Device::Cpu));
            let found = model.forward(&theta, &x);
            let of_tasks: Vec<Tensor> =
                theta.iter().map(|p| p.unsqueeze(0).repeat([&[2], &vec![1; p.dim()][..]].concat())).collect();
            assert!(model.forward(&of_tasks, &x).allclose(&found, 1e-10, 1e-10, false));
            for task in 0..2 {
                let mut z = x.get(task).reshape([3, 1, 28, 28]);
                let none: Option<Tensor> = None;
                for block in theta[..16].chunks_exact(4) {
                    let stride = if halve == Halve::Stride { 2 } else { 1 };
                    z = z.conv2d(&block[0], Some(&block[1]), stride, 1, 1, 1);
                    let [scale, shift] = [Some(&block[2]), Some(&block[3])];
                    z = z
                        .batch_norm(scale, shift, none.as_ref(), none.as_ref(), true, 0.0, 1e-5, false)
                        .relu();
                    if halve == Halve::Pool {
                        z = z.max_pool2d_default(2);
                    }
                }
                let features = match end {
                    End::Mean => z.mean_dim([2i64, 3].as_slice(), false, None::<Kind>),
                    End::Flatten => z.flatten(1, 3),
                };
                let expected = features.linear(&theta[16], Some(&theta[17]));
                assert!(found.get(task).allclose(&expected, 1e-9, 1e-9, false), "{halve:?} {end:?}");
            }
        }
    }
}
