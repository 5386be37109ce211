//! The meta-gradient of small fully connected networks, on plain numbers.
//!
//! For a network of a few thousand weights a tensor operation takes longer to begin than to do, and weights of its own for every task are
//! most of the work. Gradient descent moves every layer by products of few rows: after k steps
//!
//! ```text
//!     W_k = W_0 - lr (g_0^T a_0 + ... + g_{k-1}^T a_{k-1})      hence      a W_k^T = a W_0^T - lr sum_j (a a_j^T) g_j
//! ```
//!
//! with a_j the layer's inputs on the support set in step j, and g_j the gradient with respect to its outputs. So weights of no task are
//! ever formed: the rows of all tasks go through W_0 together, and what a task differs by are products of its own few rows. A bias is a
//! weight of an input that is 1. The way back (see [`super::adjoint`]) holds lambda as a sum of such products as well.

mod chunk;
mod pass;
mod product;

use pulp::{Arch, Simd, WithSimd};
use tch::Tensor;

use super::Order;
use crate::{
    floats::{floats, is_plain},
    loss::Loss,
    models::Chain,
    tasks::Episode,
};
use chunk::Chunk;
use pass::{CompactNetwork, Pairs};

/// The most weights of a network for which this is the faster way.
pub const WEIGHTS: usize = 10_000;
/// The most support rows of all steps together; with more of them the products of rows are more than weights.
const ROWS: usize = 64;

/// Gradient descent of a small network on small tasks.
pub struct Compact<'a> {
    /// The network.
    pub chain: &'a Chain,
    /// What it lowers.
    pub loss: &'a dyn Loss,
    /// The inner step size.
    pub rate: f64,
    /// Inner steps.
    pub steps: usize,
    /// First or second.
    pub order: Order,
}

impl Compact<'_> {
    /// The mean query loss after the steps, and its gradient with respect to theta, as the chain's weights and biases; `None` where tensors are
    /// the better way.
    pub fn meta_gradient(&self, theta: &[Tensor], episode: &Episode) -> Option<(Tensor, Vec<Tensor>)> {
        let weights: usize = theta.iter().map(Tensor::numel).sum();
        let rows = self.steps * episode.support as usize;
        let expected =
            self.loss.expected(&episode.y, *self.chain.sizes.last()? as i64, &episode.x).contiguous();
        if weights > WEIGHTS
            || rows > ROWS
            || episode.weight.is_some()
            || !theta.iter().chain([&episode.x, &expected]).all(is_plain)
        {
            return None;
        }
        let theta: Vec<&[f32]> = theta.iter().map(floats).collect();
        let [support, queries] = [episode.support as usize, episode.queries() as usize];
        let chunk = Chunk { x: floats(&episode.x), y: floats(&expected), support, queries };
        let (loss, gradient) = Arch::new().dispatch(Work { compact: self, theta: &theta, chunk });
        let shaped = |(values, layer): (Vec<f32>, [i64; 2])| Tensor::from_slice(&values).reshape(layer);
        let shapes = self.chain.sizes.windows(2).map(|size| [size[1] as i64, size[0] as i64]);
        let mut tensors = Vec::new();
        for ((weight, bias), shape) in gradient.into_iter().zip(shapes) {
            tensors.push(shaped((weight, shape)));
            tensors.push(Tensor::from_slice(&bias));
        }
        Some((Tensor::from(loss), tensors))
    }
}

/// What is done with vectors.
struct Work<'a> {
    compact: &'a Compact<'a>,
    theta: &'a [&'a [f32]],
    chunk: Chunk<'a>,
}

impl WithSimd for Work<'_> {
    /// The loss, and the gradient of weight and bias of each layer.
    type Output = (f32, Vec<(Vec<f32>, Vec<f32>)>);

    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Compact { chain, loss, rate, steps, order } = *self.compact;
        let network = CompactNetwork::new(simd, chain, loss, self.theta, rate as f32);
        let mut taken = Vec::with_capacity(steps);
        for _ in 0..steps {
            let pass = network.pass(self.chunk.support_rows(simd, &chain.sizes), &taken);
            taken.push(pass);
        }
        let query = network.pass(self.chunk.query_rows(simd, &chain.sizes), &taken);
        let tasks = self.chunk.tasks(chain.sizes[0]);
        let value = query.loss / tasks as f32;
        let mut lambda = vec![Pairs::of_gradient(query)];
        if order == Order::Second {
            for step in (0..steps).rev() {
                let back = network.back(&taken[step], &taken[..step], &lambda);
                lambda.extend(back);
            }
        }
        (value, network.gradient(&lambda, tasks))
    }
}
