//! Fully connected layers, one after the other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// Linear layers with an activation between each two. Its parameters are the weight `[O, I]` and the bias `[O]` of each layer.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Values that go into the first layer, and come out of each.
    pub sizes: Vec<usize>,
    /// What is between two layers.
    pub activation: Activation,
}

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(0, x); weights start from He et al. 2015 (https://arxiv.org/abs/1502.01852, equation 10).
    Relu,
    /// tanh(x); weights start from Glorot & Bengio 2010 in normal form (fan-in).
    Tanh,
}

impl Activation {
    /// Its values.
    pub fn of(self, z: &Tensor) -> Tensor {
        match self {
            Self::Relu => z.relu(),
            Self::Tanh => z.tanh(),
        }
    }
}
