//! A context that is decoded: a few numbers of a task, from which a network computes the answers to all items at once.
//!
//! ```text
//!     h = act(W_l ... act(W_1 c + b_1) ... + b_l)          c the context, the same for all rows of a task
//!     output of a row x = x . (E h + e)                    a row of one item, x = (0 ... 1 ... 0), picks the item's output
//! ```
//!
//! With no hidden layer, a logistic loss and rows of items this is multidimensional item response theory: E holds the items' slopes, e their
//! easiness, c is the student's ability (Reckase 2009, https://doi.org/10.1007/978-0-387-89976-3). Where only the context adapts it is
//! CAVIA (Zintgraf et al. 2019, https://arxiv.org/abs/1810.03642).

use anyhow::Result;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Architecture, Initial, Model, Parameter, Params, Role, layers, pytorch::Module};
use crate::misuse::misuse;

/// A network from a task's context to one output for each input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Decoder {
    /// Numbers of the context.
    #[garde(range(min = 1, max = 8192))]
    pub context: usize,
    /// Widths of the hidden layers, 1 to 8192 each; none makes it linear.
    #[garde(length(max = 32), inner(range(min = 1, max = 8192)))]
    pub hidden: Vec<usize>,
    /// What follows each hidden layer.
    #[garde(skip)]
    pub activation: Smooth,
}

/// An activation that has a slope everywhere: a context starts at zero, where a kink would keep it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Smooth {
    /// z / (1 + exp(-z)), also called swish.
    Silu,
    /// tanh(z).
    Tanh,
}

impl Smooth {
    /// Its values.
    fn of(self, z: &Tensor) -> Tensor {
        match self {
            Self::Silu => z.silu(),
            Self::Tanh => z.tanh(),
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self { context: 32, hidden: vec![64, 64], activation: Smooth::Silu }
    }
}

impl Architecture for Decoder {
    fn build(&self, inputs: usize, outputs: usize) -> Box<dyn Model> {
        let sizes = [self.context].into_iter().chain(self.hidden.iter().copied()).chain([inputs * outputs]);
        Box::new(ContextDecoder {
            sizes: sizes.map(|size| size as i64).collect(),
            outputs: outputs as i64,
            activation: self.activation,
        })
    }

    fn modules(&self, _: &Params) -> Result<Vec<Module>> {
        misuse!(
            "an export is a list of modules for nn.Sequential, which has no context parameters: read checkpoint.safetensors instead"
        );
    }
}

struct ContextDecoder {
    /// Context, hidden layers, and a weight for each input of a row and each output.
    sizes: Vec<i64>,
    outputs: i64,
    activation: Smooth,
}

impl Model for ContextDecoder {
    fn parameters(&self) -> Vec<Parameter> {
        let parameter =
            |name: String, shape, initial, layer, role| Parameter { name, shape, initial, layer, role };
        let context =
            parameter("context".into(), vec![self.sizes[0]], Initial::Constant(0.0), 0, Role::Context);
        let layers = self.sizes.windows(2).enumerate().flat_map(|(layer, size)| {
            // Outputs start near the items' easiness; hidden units start apart from each other at a context of zero.
            let last = layer + 2 == self.sizes.len();
            let (gain, bias) =
                if last { (0.3, Initial::Constant(0.0)) } else { (1.0, Initial::Normal { std: 0.5 }) };
            let weight = Initial::Normal { std: gain / (size[0] as f64).sqrt() };
            [
                parameter(
                    format!("layer{layer}.weight"),
                    vec![size[1], size[0]],
                    weight,
                    layer,
                    Role::Weight,
                ),
                parameter(format!("layer{layer}.bias"), vec![size[1]], bias, layer, Role::Bias),
            ]
        });
        [context].into_iter().chain(layers).collect()
    }

    fn has_linear_input(&self) -> bool {
        false
    }

    fn activations_per_row(&self) -> usize {
        self.outputs as usize + self.sizes.iter().sum::<i64>() as usize / 8 // all but the output belong to the task, which has several rows
    }

    fn body(&self, params: &[Tensor], x: &Tensor, _: Option<&Tensor>) -> Tensor {
        let [context, layers @ ..] = params else { return x.narrow(-1, 0, self.outputs) };
        let mut z = context.reshape([-1, 1, self.sizes[0]]); // [T, 1, C], or [1, 1, C] where tasks share it
        for (i, layer) in layers.chunks_exact(2).enumerate() {
            let input = if i == 0 { z } else { self.activation.of(&z) };
            z = layers::linear(&input, &layers::shared(&layer[0]), &layers::shared(&layer[1])); // [T, 1, H]
        }
        let inputs = x.size()[2];
        let weight = z.reshape([-1, self.outputs, inputs]); // [T, O, D], or [1, O, D]
        if x.size()[0] == 1 {
            return weight.matmul(&x.get(0).tr()).transpose(1, 2); // all tasks are asked the same: one product
        }
        x.matmul(&weight.transpose(1, 2)) // [T, R, O]
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::random::{Purpose, stream};

    fn model(hidden: Vec<usize>) -> Box<dyn Model> {
        Decoder { context: 3, hidden, ..Decoder::default() }.build(5, 1)
    }

    #[test]
    fn a_row_of_an_item_picks_the_items_output() {
        let model = model(vec![]);
        let [context, slopes, easiness] =
            [&[3][..], &[5, 3], &[5]].map(|s| Tensor::randn(s, (Kind::Double, Device::Cpu)));
        let x = Tensor::eye(5, (Kind::Double, Device::Cpu)).unsqueeze(0);
        let outputs =
            model.forward(&[context.shallow_clone(), slopes.shallow_clone(), easiness.shallow_clone()], &x);
        let expected = slopes.matmul(&context.unsqueeze(-1)) + easiness.unsqueeze(-1);
        assert!(outputs.allclose(&expected.unsqueeze(0), 1e-12, 1e-12, false));
    }

    #[test]
    fn shared_parameters_give_what_one_per_task_gives() {
        let model = model(vec![4, 6]);
        let theta = model.init(&mut stream(0, Purpose::Init, 0));
        let names = [
            "context",
            "layer0.weight",
            "layer0.bias",
            "layer1.weight",
            "layer1.bias",
            "layer2.weight",
            "layer2.bias",
        ];
        assert_eq!(theta.names, names);
        let x = Tensor::randn([2, 7, 5], (Kind::Float, Device::Cpu));
        let expanded = |p: &Tensor| p.expand([&[2], p.size().as_slice()].concat(), true);
        let views: Vec<Tensor> = theta.tensors.iter().map(expanded).collect();
        let copies: Vec<Tensor> = views.iter().map(Tensor::contiguous).collect();
        let outputs = [&theta.tensors, &views, &copies].map(|params| model.forward(params, &x));
        assert_eq!(outputs[0].size(), [2, 7, 1]);
        assert!(outputs.iter().all(|other| outputs[0].allclose(other, 1e-5, 1e-6, false)));
    }
}
