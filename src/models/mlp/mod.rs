//! The multi-layer perceptron.

mod backprop;

use anyhow::{Result, bail};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

pub use super::Activation;
use super::{
    Architecture, Chain, ClosedForm, Initial, Model, Parameter, Params, Role, layers, pytorch::Module,
};
use crate::{misuse::misuse, validity::positive};

/// Fully connected layers; the default is 784-64-64-N with ReLU on MNIST.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Mlp {
    /// Widths of the hidden layers, 1 to 8192 each; none gives a linear model.
    #[garde(length(max = 32), inner(range(min = 1, max = 8192)))]
    pub hidden: Vec<usize>,
    /// What follows each hidden layer.
    #[garde(skip)]
    pub activation: Activation,
    /// Batch normalisation before each activation, with the statistics of the current batch in training and at test
    /// (transductive); its scale and shift are adapted like any weight.
    #[garde(skip)]
    pub batch_norm: bool,
    /// Where weights start; by the activation's usual rule unless said otherwise.
    #[garde(dive)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<Start>,
    /// Context parameters: inputs beside those of a row, zero at the start, the same for all rows of a task (CAVIA, Zintgraf et al. 2019,
    /// https://arxiv.org/abs/1810.03642). For methods with `adapts: context`.
    #[garde(range(max = 8192))]
    #[serde(skip_serializing_if = "is_zero")]
    pub context: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Where weights start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Normal with this standard deviation, without what is more than two of them from 0; MAML's published networks have 0.01.
    TruncatedNormal(f64),
}

// By hand, so that paths in errors have the names in YAML.
impl Validate for Start {
    type Context = ();

    fn validate_into(
        &self,
        context: &(),
        mut parent: &mut dyn FnMut() -> garde::Path,
        report: &mut garde::Report,
    ) {
        let Self::TruncatedNormal(std) = self;
        if let Err(error) = positive(std, context) {
            report.append(garde::util::nested_path!(parent, "truncated_normal")(), error);
        }
    }
}

impl Default for Mlp {
    fn default() -> Self {
        Self { hidden: vec![64, 64], activation: Activation::Relu, batch_norm: false, init: None, context: 0 }
    }
}

impl Architecture for Mlp {
    fn build(&self, inputs: usize, outputs: usize) -> Box<dyn Model> {
        let sizes: Vec<i64> = std::iter::once(inputs)
            .chain(self.hidden.iter().copied())
            .chain([outputs])
            .map(|size| size as i64)
            .collect();
        let Self { activation, batch_norm, init, context, .. } = *self;
        let chain = Chain { sizes: sizes.iter().map(|size| *size as usize).collect(), activation };
        Box::new(Perceptron { sizes, activation, batch_norm, init, context: context as i64, chain })
    }

    fn modules(&self, theta: &Params) -> Result<Vec<Module>> {
        if self.context > 0 {
            misuse!(
                "an export is a list of modules for nn.Sequential, which has no context parameters: read checkpoint.safetensors instead"
            );
        }
        let mut modules = Vec::new();
        for layer in 0..=self.hidden.len() {
            let of = |name: &str| format!("layer{layer}.{name}");
            let [out, fan_in] = theta.shape(&of("weight"))?[..] else {
                bail!("{} is no matrix", of("weight"));
            };
            modules.push(Module {
                code: format!("nn.Linear({fan_in}, {out})"),
                tensors: vec![("weight", of("weight")), ("bias", of("bias"))],
            });
            if layer == self.hidden.len() {
                break;
            }
            if self.batch_norm {
                modules.push(Module {
                    code: format!("nn.BatchNorm1d({out}, track_running_stats=False)"),
                    tensors: vec![("weight", of("scale")), ("bias", of("shift"))],
                });
            }
            let code = match self.activation {
                Activation::Relu => "nn.ReLU()",
                Activation::Tanh => "nn.Tanh()",
            };
            modules.push(Module { code: code.into(), tensors: vec![] });
        }
        Ok(modules)
    }
}

struct Perceptron {
    /// Input, hidden layers, output.
    sizes: Vec<i64>,
    activation: Activation,
    batch_norm: bool,
    init: Option<Start>,
    /// Context parameters.
    context: i64,
    /// Its layers, if there is nothing else in it.
    chain: Chain,
}

impl Perceptron {
    /// `v` times the derivative of the activation where its value is `a`.
    fn times_slope(&self, v: &Tensor, a: &Tensor) -> Tensor {
        match self.activation {
            Activation::Relu => a.threshold_backward(v, 0.0),
            Activation::Tanh => Tensor::tanh_backward(v, a), // v (1 - a^2)
        }
    }
}

impl Model for Perceptron {
    fn parameters(&self) -> Vec<Parameter> {
        let gain: f64 = match self.activation {
            Activation::Relu => 2.0,
            Activation::Tanh => 1.0,
        };
        let layers = self.sizes.len() - 1;
        let mut parameters = Vec::new();
        for (layer, size) in self.sizes.windows(2).enumerate() {
            let (fan_in, out) = (size[0], size[1]);
            let weights = match self.init {
                None => Initial::Normal { std: (gain / fan_in as f64).sqrt() },
                Some(Start::TruncatedNormal(std)) => Initial::TruncatedNormal { std },
            };
            let mut add = |name: &str, role, shape: Vec<i64>, initial| {
                let name = format!("layer{layer}.{name}");
                parameters.push(Parameter { name, shape, initial, layer, role });
            };
            add("weight", Role::Weight, vec![out, fan_in], weights);
            add("bias", Role::Bias, vec![out], Initial::Constant(0.0));
            if layer == 0 && self.context > 0 {
                add("context_weight", Role::Weight, vec![out, self.context], weights);
                add("context", Role::Context, vec![self.context], Initial::Constant(0.0));
            }
            if self.batch_norm && layer + 1 < layers {
                add("scale", Role::Scale, vec![out], Initial::Constant(1.0));
                add("shift", Role::Shift, vec![out], Initial::Constant(0.0));
            }
        }
        parameters
    }

    fn has_linear_input(&self) -> bool {
        true
    }

    fn mixes_rows(&self) -> bool {
        self.batch_norm
    }

    fn activations_per_row(&self) -> usize {
        self.sizes[1..].iter().sum::<i64>() as usize
    }

    fn body(&self, params: &[Tensor], z: &Tensor, weight: Option<&Tensor>) -> Tensor {
        let mut params = params.iter();
        let mut z = z.shallow_clone(); // [T, R, H] of the current layer, before its activation
        if self.context > 0
            && let (Some(weight), Some(context)) = (params.next(), params.next())
        {
            z = &z + weight.matmul(&context.unsqueeze(-1)).transpose(-1, -2); // [T, 1, H] or [1, H]
        }
        for _ in 2..self.sizes.len() {
            if self.batch_norm
                && let (Some(scale), Some(shift)) = (params.next(), params.next())
            {
                z = layers::batch_norm(&z, scale, shift, weight);
            }
            if let (Some(weight), Some(bias)) = (params.next(), params.next()) {
                z = layers::linear(&self.activation.of(&z), weight, bias);
            }
        }
        z
    }

    fn chain(&self) -> Option<&Chain> {
        if self.batch_norm || self.context > 0 { None } else { Some(&self.chain) }
    }

    fn closed_form(&self) -> Option<&dyn ClosedForm> {
        if self.batch_norm || self.context > 0 { None } else { Some(self) }
    }
}
