//! Models: stateless functions from parameters and inputs to outputs, computed for all tasks of a meta-batch at once.
//!
//! A parameter is either shared by all tasks (its own shape) or one per task (`[T, ...]`); layers accept both.

mod chain;
pub mod closed_form;
pub mod conv4;
pub mod decoder;
pub mod forgetting;
pub mod layers;
pub mod mlp;
mod params;
pub mod pytorch;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tch::Tensor;

pub use chain::{Activation, Chain};
pub use closed_form::ClosedForm;
pub use params::{Initial, Parameter, Params, Role};

use crate::{random::Stream, registry::registry};

/// A network as a function of its parameters.
pub trait Model: Send + Sync {
    /// Names, shapes and initial distributions, in the order in which `body` and `forward` take them.
    fn parameters(&self) -> Vec<Parameter>;

    /// Whether parameters 0 and 1 are the weight `[H, D]` and bias `[H]` of a linear layer applied to the model's input.
    ///
    /// Such a layer can be adapted in implicit form, without a weight matrix per task.
    fn has_linear_input(&self) -> bool;

    /// How many values the outputs of all layers have for one row of input: what memory is planned by. A convolution has its filters
    /// times its output's height and width.
    fn activations_per_row(&self) -> usize;

    /// Whether a row's output depends on the rows beside it, as with batch normalisation: then all of a set must be at hand at once.
    fn mixes_rows(&self) -> bool {
        false
    }

    /// What comes after the linear input layer: `z` is that layer's output `[T, R, H]`, `params` all parameters behind it.
    /// For a model without a linear input layer `z` is the input and `params` are all parameters. `weight` `[T, R]` is the share of each
    /// row in what is computed over all rows of a task; without it all count alike. Gives `[T, R, O]`.
    fn body(&self, params: &[Tensor], z: &Tensor, weight: Option<&Tensor>) -> Tensor;

    /// The model as a chain of fully connected layers, if it is nothing else.
    fn chain(&self) -> Option<&Chain> {
        None
    }

    /// The model's derivatives by hand, for body parameters of one per task; `None` where automatic differentiation must serve.
    fn closed_form(&self) -> Option<&dyn ClosedForm> {
        None
    }

    /// Outputs `[T, R, O]` for inputs `x` `[T, R, D]`.
    fn forward(&self, params: &[Tensor], x: &Tensor) -> Tensor {
        if self.has_linear_input() {
            self.body(&params[2..], &layers::linear(x, &params[0], &params[1]), None)
        } else {
            self.body(params, x, None)
        }
    }

    /// Parameters drawn from their initial distributions.
    fn init(&self, stream: &mut Stream) -> Params {
        Params::init(&self.parameters(), stream)
    }
}

/// A model as the experiment file describes it.
pub trait Architecture {
    /// The model for inputs of `inputs` and outputs of `outputs` values.
    fn build(&self, inputs: usize, outputs: usize) -> Box<dyn Model>;

    /// Whether the last value of a row of input must be the time since something was seen.
    fn needs_time(&self) -> bool {
        false
    }

    /// The model with parameters of these shapes as modules of PyTorch's `nn.Sequential`, in order.
    ///
    /// # Errors
    /// The parameters are not this model's.
    fn modules(&self, theta: &Params) -> Result<Vec<pytorch::Module>>;
}

registry! {
    /// The models an experiment file can name.
    pub enum ModelSpec: Architecture {
        /// Fully connected layers with ReLU or tanh, optionally with batch normalisation.
        "mlp" => Mlp(mlp::Mlp),
        /// Four convolutional blocks with batch normalisation, the network of few-shot learning.
        "conv4" => Conv4(conv4::Conv4),
        /// From a few numbers of a task, its context, to one output for each input: CAVIA of students and items.
        "decoder" => Decoder(decoder::Decoder),
        /// A forgetting curve for each review: a mixture of power curves, with a context that adapts to the learner.
        "forgetting" => Forgetting(forgetting::Forgetting),
    }
}
