//! How a network adapts to a task: what every method that does so by a rule shares.

use std::time::{Duration, Instant};

use tch::{Device, Tensor};

use super::{Objective, Order, Rows, RuleSpec, adapt, cost};
use crate::{
    loss::Loss,
    models::{Model, Params},
    random::Draws,
    tasks::{Episode, Extent, copies::Copier},
};

/// A rule that moves a network's weights, and what it looks at.
pub struct Adaptation {
    /// How fast weights move.
    pub rule: RuleSpec,
    /// The network.
    pub model: Box<dyn Model>,
    /// What it lowers.
    pub loss: &'static dyn Loss,
    /// Makes what each step sees of the support set; without it, that is the support images themselves.
    pub copier: Option<Copier>,
    /// How many rows of a task go through the network at once, if not all; not for models that mix rows.
    pub rows_at_once: Option<usize>,
}

/// What a method answers to the queries of T tasks.
#[derive(Debug)]
pub struct Answer {
    /// The network's outputs `[T, Q, O]`.
    pub outputs: Tensor,
    /// Support rows of a task that were looked at up to there, each as often as it was.
    pub rows: usize,
    /// How long it took from the episode to the outputs, without those of other answers on the way.
    pub time: Duration,
}

impl Answer {
    /// The answers of a method that takes no steps: the same after any number of them, from so many support rows of a task.
    pub fn without_steps(steps: &[usize], rows: usize, outputs: impl FnOnce() -> Tensor) -> Vec<Self> {
        let start = Instant::now();
        let outputs = outputs();
        let time = elapsed(start, &outputs);
        steps.iter().map(|_| Self { outputs: outputs.shallow_clone(), rows, time }).collect()
    }
}

impl Adaptation {
    /// The problem of adapting theta to the support sets in so many steps; with `batch`, each sees so many of the images.
    pub fn objective<'a>(
        &'a self,
        theta: &'a [Tensor],
        episode: &Episode,
        batch: Option<usize>,
        steps: usize,
        order: Order,
        draws: Draws,
    ) -> Objective<'a> {
        let (support, inputs) = (episode.support as usize, episode.x.size()[2] as usize);
        let (model, loss) = (&*self.model, self.loss);
        let Some(copier) = &self.copier else {
            let form = Objective::best_form(&*self.rule, model, support, inputs);
            return Objective::new(model, loss, theta, episode, form, order, draws)
                .with_batches(batch)
                .with_rows_at_once(self.rows_at_once);
        };
        let seen = steps * copier.copies() * batch.unwrap_or(support).min(support);
        // With many copies their Gram matrix, made before the first step, costs more than the weights it saves: three times as much, measured at 750
        // rows of 784 inputs.
        let form = Objective::best_form(&*self.rule, model, 3 * seen, inputs);
        Objective::on_copies(model, loss, theta, episode, copier, batch, steps, form, order, draws)
    }

    /// What the adapted network answers after each of `steps` (ascending) steps from theta.
    pub fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        let start = Instant::now();
        let last = steps.last().copied().unwrap_or(0);
        let objective = self.objective(&theta.tensors, episode, None, last, Order::Zero, draws);
        let rows = episode.support as usize * self.copier.as_ref().map_or(1, Copier::copies);
        let (mut answers, mut answering) = (Vec::with_capacity(steps.len()), Duration::ZERO);
        adapt(&*self.rule, &objective, last, |step, phi| {
            if steps.contains(&step) {
                let adapted = elapsed(start, &phi[0]);
                let outputs = objective.outputs(phi, Rows::Query); // [T, Q, O]
                let answered = elapsed(start, &outputs);
                answers.push(Answer { outputs, rows: step * rows, time: answered - answering });
                answering += answered - adapted;
            }
        });
        answers
    }

    /// About how many bytes a task takes while its meta-gradient of this order is computed, or while it is predicted (order zero).
    pub fn task_bytes(&self, rows: Extent, order: Order, recompute: Option<usize>) -> usize {
        let copies = self.copier.as_ref().map(Copier::copies);
        cost::task_bytes(&*self.rule, &*self.model, rows, copies, order, recompute)
    }
}

/// The time since `start`, once the work on a tensor is done.
fn elapsed(start: Instant, tensor: &Tensor) -> Duration {
    if let Device::Cuda(index) = tensor.device() {
        tch::Cuda::synchronize(index as i64);
    }
    start.elapsed()
}
