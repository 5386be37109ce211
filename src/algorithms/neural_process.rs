//! Conditional neural processes (Garnelo et al. 2018, https://arxiv.org/abs/1807.01613): no gradient is taken on a task. A network reads the
//! support rows and says at once what the context of the task is; the experiment's model answers with that.
//!
//! ```text
//!     context = c_0 + rho( sum over support rows of phi([x, y]) )
//! ```
//!
//! The paper takes the mean over rows; of answers to items two say more than one, which a mean forgets. Where CAVIA adapts the same model,
//! the two differ only in how the context comes about.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, no_grad};

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use crate::{
    inner::Answer,
    loss::{self, Loss},
    models::{Initial, Model, Parameter, Params, Role, layers},
    random::{Draws, Stream},
    tasks::{Episode, Extent, copies::Copier},
};

/// A network that reads support sets, in front of a model with a context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct NeuralProcess {
    /// The width of its layers: two for each row, then two for their sum.
    #[garde(range(min = 1, max = 8192))]
    pub width: usize,
}

impl Default for NeuralProcess {
    fn default() -> Self {
        Self { width: 128 }
    }
}

impl Algorithm for NeuralProcess {
    fn source(&self) -> &'static str {
        "Garnelo et al. 2018, https://arxiv.org/abs/1807.01613"
    }

    fn training(&self) -> Training {
        Training::Episodes { shots: None }
    }

    fn needs_context(&self) -> bool {
        true
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        let interface = &setting.interface;
        let model = setting.model.build(interface.inputs, interface.outputs);
        let contexts = model.parameters().into_iter().enumerate();
        let context = contexts.filter(|(_, p)| p.role == Role::Context).map(|(place, p)| (place, p.shape[0]));
        let (places, sizes): (Vec<usize>, Vec<i64>) = context.unzip();
        let width = self.width as i64;
        let of_row = (interface.inputs + interface.outputs) as i64;
        let widths = vec![of_row, width, width, width, sizes.iter().sum()];
        Box::new(Learner {
            model,
            outputs: interface.outputs as i64,
            loss: interface.loss,
            copier: setting.copier.clone(),
            places,
            sizes,
            widths,
        })
    }
}

struct Learner {
    model: Box<dyn Model>,
    outputs: i64,
    loss: &'static dyn Loss,
    /// Makes the jittered copies that are read beside the support images, if any are.
    copier: Option<Copier>,
    /// Where the model's contexts are among its parameters.
    places: Vec<usize>,
    /// How many numbers each has.
    sizes: Vec<i64>,
    /// What goes into the reading network and comes out of its layers.
    widths: Vec<i64>,
}

/// Layers for each row; those behind them are for the sum over rows.
const OF_ROWS: usize = 2;

impl Learner {
    /// Those of the model, then weight and bias of each layer of the network that reads.
    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = self.model.parameters();
        for (layer, size) in self.widths.windows(2).enumerate() {
            // A context that starts at c_0 whatever is read lets the model learn first.
            let last = layer + 2 == self.widths.len();
            let std = (2.0 / size[0] as f64).sqrt() * if last { 0.1 } else { 1.0 };
            let of = |name: &str, role, shape: Vec<i64>, initial| Parameter {
                name: format!("reader.layer{layer}.{name}"),
                shape,
                initial,
                layer,
                role,
            };
            parameters.push(of("weight", Role::Weight, vec![size[1], size[0]], Initial::Normal { std }));
            parameters.push(of("bias", Role::Bias, vec![size[1]], Initial::Constant(0.0)));
        }
        parameters
    }

    /// The support rows [x, y] `[T, S, D + O]` and their weights, with copies beside them.
    fn rows(&self, episode: &Episode, draws: Draws) -> (Tensor, Option<Tensor>) {
        let (mut x, mut y, mut weight) = (episode.support_x(), episode.support_y(), episode.support_weight());
        if let Some(copier) = &self.copier {
            let originals = copier.originals(&x);
            let all: Vec<usize> = (0..episode.support as usize).collect();
            y = Tensor::cat(&[&y, &originals.repeated(&y)], 1);
            weight = weight.map(|weight| Tensor::cat(&[&weight, &originals.repeated(&weight)], 1));
            x = Tensor::cat(&[x, originals.copies(&all, &draws, 0)], 1);
        }
        let expected = self.loss.expected(&y.contiguous(), self.outputs, &x);
        (Tensor::cat(&[x, expected], -1), weight)
    }

    /// The contexts of T tasks, `[T, C]`, less c_0.
    fn read(&self, theta: &[Tensor], episode: &Episode, draws: Draws) -> Tensor {
        let reader = &theta[theta.len() - 2 * (self.widths.len() - 1)..];
        let (mut z, weight) = self.rows(episode, draws);
        let last = self.widths.len() - 2;
        for (layer, weights) in reader.chunks_exact(2).enumerate() {
            if layer == OF_ROWS {
                if let Some(weight) = &weight {
                    z = &z * weight.unsqueeze(-1); // not in place: the layer's slope needs its outputs
                }
                z = z.sum_dim_intlist(1, true, None); // [T, 1, W]
            }
            z = layers::linear(&z, &weights[0], &weights[1]);
            if layer < last {
                z = z.relu();
            }
        }
        z.squeeze_dim(1)
    }

    /// What the model answers to the queries `[T, Q, O]`.
    fn answer(&self, theta: &[Tensor], episode: &Episode, draws: Draws) -> Tensor {
        let read = self.read(theta, episode, draws).split_with_sizes(&self.sizes[..], -1);
        let mut params: Vec<Tensor> =
            theta[..self.model.parameters().len()].iter().map(Tensor::shallow_clone).collect();
        for (place, read) in self.places.iter().zip(read) {
            params[*place] = &params[*place] + read; // [T, C]
        }
        self.model.forward(&params, &episode.query_x())
    }
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        0
    }

    fn init(&self, stream: &mut Stream) -> Params {
        Params::init(&self.parameters(), stream)
    }

    fn meta_gradient(&self, theta: &Params, episode: &Episode, draws: Draws) -> Option<MetaGradient> {
        let episode = &episode.without_padding();
        let theta = theta.leaves();
        let outputs = self.answer(&theta, episode, draws);
        let weight = episode.query_weight();
        let share =
            weight.as_ref().map(|weight| weight / weight.sum_dim_intlist(1, true, None).clamp_min(1e-9));
        let losses = loss::per_task(self.loss, &outputs, &episode.query_y(), share.as_ref());
        let asked = episode.asked_tasks();
        let loss = losses.sum(None::<Kind>) / asked.max(1.0);
        let gradient = Tensor::run_backward(&[&loss], &theta, false, false);
        Some(MetaGradient { loss: loss.detach(), gradient, weight: asked })
    }

    fn training_bytes(&self, rows: Extent) -> usize {
        2 * self.testing_bytes(rows)
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        let Extent { support, queries, inputs } = rows;
        let read = support
            * (1 + self.copier.as_ref().map_or(0, Copier::copies))
            * self.widths.iter().sum::<i64>() as usize;
        let answered = (support + queries) * (3 * inputs + 8 * self.model.activations_per_row());
        (2 * read + answered) * size_of::<f32>()
    }

    fn contexts(&self, theta: &Params, episode: &Episode, _: usize, draws: Draws) -> Option<Tensor> {
        Some(no_grad(|| self.read(&theta.tensors, &episode.without_padding(), draws)))
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        let episode = episode.without_padding();
        let rows = episode.support as usize * (1 + self.copier.as_ref().map_or(0, Copier::copies));
        Answer::without_steps(steps, rows, || no_grad(|| self.answer(&theta.tensors, &episode, draws)))
    }
}
