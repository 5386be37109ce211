//! How a network adapts to a task: what every method that does so by a rule shares.

use std::time::{Duration, Instant};

use tch::{Device, Kind, Tensor, no_grad};

use super::{
    Adapts, Grain, Network, Objective, Order, Rate, Rows, RuleSpec, adapt,
    adjoint::{self, Way},
    compact::Compact,
    cost, graph,
};
use crate::{
    loss::Loss,
    models::{Model, Parameter, Params, Role},
    random::{Draws, Stream},
    tasks::{Episode, Extent, copies::Copier},
};

/// A rule that moves a network's weights, and what it looks at.
///
/// Its theta holds the network's parameters, and behind them what the rule learns.
pub struct Adaptation {
    /// How fast weights move.
    pub rule: RuleSpec,
    /// The network.
    pub model: Box<dyn Model>,
    /// O, values per row of output.
    outputs: usize,
    /// What it lowers.
    pub loss: &'static dyn Loss,
    /// Whether each of the network's parameters moves.
    moves: Vec<bool>,
    /// Makes what each step sees of the support set; without it, that is the support rows themselves.
    copier: Option<Copier>,
    /// How many rows of a task go through the network at once, if not all; not for models that mix rows.
    rows_at_once: Option<usize>,
}

/// How a meta-gradient is computed.
#[derive(Clone, Copy, Debug)]
pub struct Differentiation<'a> {
    /// How far it goes through the adaptation.
    pub order: Order,
    /// What the query loss after each step counts, from the first step on.
    pub shares: &'a [f64],
    /// See [`Way::recompute`].
    pub recompute: Option<usize>,
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
    /// Adaptation by this rule of a network with so many outputs.
    pub fn new(
        rule: RuleSpec,
        model: Box<dyn Model>,
        outputs: usize,
        loss: &'static dyn Loss,
        adapts: Adapts,
    ) -> Self {
        let moves = adapts.of(&model.parameters());
        Self { rule, model, outputs, loss, moves, copier: None, rows_at_once: None }
    }

    /// The same to jittered copies of the support rows.
    pub fn on_copies(self, copier: Option<Copier>) -> Self {
        Self { copier, ..self }
    }

    /// The same with so many rows of a task going through the network at once.
    pub fn with_rows_at_once(self, rows: usize) -> Self {
        Self { rows_at_once: Some(rows), ..self }
    }

    /// What is adapted.
    pub fn network(&self) -> Network<'_> {
        let Self { model, outputs, loss, moves, rule, .. } = self;
        Network { model: &**model, outputs: *outputs as i64, loss: *loss, moves, grain: rule.descent() }
    }

    /// Everything that is learned: the network's parameters, then the rule's.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = self.model.parameters();
        let of_rule = self.rule.parameters(&parameters);
        parameters.extend(of_rule);
        parameters
    }

    /// Theta drawn from its initial distributions.
    pub fn init(&self, stream: &mut Stream) -> Params {
        Params::init(&self.parameters(), stream)
    }

    /// The network's part of theta, and the rule's.
    fn split<'t>(&self, theta: &'t [Tensor]) -> (&'t [Tensor], &'t [Tensor]) {
        theta.split_at(self.moves.len())
    }

    /// The problem of adapting theta to the support sets in so many steps; with `batch`, each sees so many of the rows.
    fn objective<'a>(
        &'a self,
        theta: &'a [Tensor],
        episode: &Episode,
        batch: Option<usize>,
        steps: usize,
        order: Order,
        draws: Draws,
    ) -> Objective<'a> {
        let (support, inputs) = (episode.support as usize, episode.x.size()[2] as usize);
        let (theta, network) = (self.split(theta).0, self.network());
        let Some(copier) = &self.copier else {
            let form = network.best_form(support, inputs);
            return Objective::new(network, theta, episode, form, order, draws)
                .with_batches(batch)
                .with_rows_at_once(self.rows_at_once);
        };
        let seen = steps * copier.copies() * batch.unwrap_or(support).min(support);
        // With many copies their Gram matrix, made before the first step, costs more than the weights it saves: three times as much, measured at 750
        // rows of 784 inputs.
        let form = network.best_form(3 * seen, inputs);
        Objective::on_copies(network, theta, episode, copier, batch, steps, form, order, draws)
    }

    /// The mean query loss after the rule's steps, and its gradient with respect to theta: by hand where network and rule allow it,
    /// else through a graph.
    pub fn meta_gradient(
        &self,
        theta: &Params,
        episode: &Episode,
        how: &Differentiation,
        draws: Draws,
    ) -> (Tensor, Vec<Tensor>) {
        let (rule, steps) = (&*self.rule, self.rule.steps());
        if let Some(compact) = self.compact(how)
            && let Some(found) = compact.meta_gradient(&theta.tensors, episode)
        {
            return found;
        }
        if self.rule.descent().is_some() && self.model.closed_form().is_some() {
            let values: Vec<Tensor> = theta.tensors.iter().map(Tensor::detach).collect();
            let objective = self.objective(&values, episode, None, steps, how.order, draws);
            if let Some(by_hand) = self.by_hand(&objective, self.split(&values).1, how) {
                return by_hand;
            }
        }
        let theta = theta.leaves();
        let objective = self.objective(&theta, episode, None, steps, how.order, draws);
        graph::meta_gradient(rule, &objective, &theta, self.split(&theta).1, how.shares, how.recompute)
    }

    /// The same on plain numbers, for gradient descent of all of a small network at one rate on the support rows themselves.
    fn compact(&self, how: &Differentiation) -> Option<Compact<'_>> {
        let rates = self.rule.rates(0, 1, &[]).filter(|_| self.rule.descent() == Some(Grain::One))?;
        let whole = self.copier.is_none() && self.moves.iter().all(|moves| *moves);
        let last_only =
            how.shares.iter().rev().skip(1).all(|share| *share == 0.0) && how.shares.last() == Some(&1.0);
        match (self.model.chain(), rates.first()) {
            (Some(chain), Some(Rate::Fixed(rate))) if whole && last_only => Some(Compact {
                chain,
                loss: self.loss,
                rate: *rate,
                steps: self.rule.steps(),
                order: how.order,
            }),
            _ => None,
        }
    }

    /// The same by hand, where `own` is what the rule has learned.
    pub fn by_hand(
        &self,
        objective: &Objective,
        own: &[Tensor],
        how: &Differentiation,
    ) -> Option<(Tensor, Vec<Tensor>)> {
        let own: Vec<Tensor> = own.iter().map(|own| own.detach().set_requires_grad(true)).collect();
        let steps = 0..self.rule.steps();
        let rates: Vec<_> =
            steps.map(|step| objective.rates(&*self.rule, step, &own)).collect::<Option<_>>()?;
        let way = Way { rates: &rates, shares: how.shares, recompute: how.recompute };
        let back = adjoint::meta_gradient(objective, &way)?;
        let mut gradient = back.theta;
        gradient.extend(adjoint::through_rates(&own, &rates, &back.rates));
        if objective.asked() < 1.0 {
            gradient.iter_mut().for_each(|g| *g /= objective.asked().max(f64::MIN_POSITIVE));
        }
        Some((back.loss, gradient))
    }

    /// The mean query loss after the rule's steps, and the mean over tasks of the adapted weights, shaped as theta; each step sees
    /// `batch` of the support rows, if given. What the rule learns stays as it is.
    pub fn mean_weights(
        &self,
        theta: &Params,
        episode: &Episode,
        batch: Option<usize>,
        draws: Draws,
    ) -> (Tensor, Vec<Tensor>) {
        let steps = self.rule.steps();
        let (_, own) = self.split(&theta.tensors);
        let objective = self.objective(&theta.tensors, episode, batch, steps, Order::Zero, draws);
        let phi = adapt(&*self.rule, &objective, own, steps, |_, _| {});
        no_grad(|| {
            let loss = objective.losses(&phi, Rows::Query).mean(None::<Kind>);
            let mut means = objective.mean_weights(&phi);
            means.extend(own.iter().map(Tensor::shallow_clone));
            (loss, means)
        })
    }

    /// What the adapted network answers after each of `steps` (ascending) steps from theta.
    pub fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        let start = Instant::now();
        let last = steps.last().copied().unwrap_or(0);
        let objective = self.objective(&theta.tensors, episode, None, last, Order::Zero, draws);
        let rows = episode.support as usize * self.copier.as_ref().map_or(1, Copier::copies);
        let (mut answers, mut answering) = (Vec::with_capacity(steps.len()), Duration::ZERO);
        adapt(&*self.rule, &objective, self.split(&theta.tensors).1, last, |step, phi| {
            if steps.contains(&step) {
                let adapted = elapsed(start, &episode.x);
                let outputs = objective.outputs(phi, Rows::Query); // [T, Q, O]
                let answered = elapsed(start, &outputs);
                answers.push(Answer { outputs, rows: step * rows, time: answered - answering });
                answering += answered - adapted;
            }
        });
        answers
    }

    /// What the adapted networks answer after so many steps to questions `[Q, D]` that are the same for all tasks, of which `seen` has the
    /// support alone: `[T, Q, O]`; `None` where what goes into the network is part of what adapts.
    pub fn predict_same(
        &self,
        theta: &Params,
        seen: &Episode,
        questions: &Tensor,
        steps: usize,
        draws: Draws,
    ) -> Option<Tensor> {
        if self.model.has_linear_input() || self.copier.is_some() {
            return None;
        }
        let objective = self.objective(&theta.tensors, seen, None, steps, Order::Zero, draws);
        let phi = adapt(&*self.rule, &objective, self.split(&theta.tensors).1, steps, |_, _| {});
        Some(no_grad(|| self.model.body(&phi, &questions.unsqueeze(0), None)))
    }

    /// The context parameters of each task `[T, C]` after so many steps from theta, if there are any that move.
    pub fn contexts(&self, theta: &Params, episode: &Episode, steps: usize, draws: Draws) -> Option<Tensor> {
        let objective = self.objective(&theta.tensors, episode, None, steps, Order::Zero, draws);
        let phi = adapt(&*self.rule, &objective, self.split(&theta.tensors).1, steps, |_, _| {});
        let is_context =
            |place: &usize| objective.role(*place) == Some(Role::Context) && objective.moves(*place);
        let contexts: Vec<&Tensor> = (0..phi.len()).filter(is_context).map(|place| &phi[place]).collect();
        (!contexts.is_empty()).then(|| Tensor::cat(&contexts, -1).detach())
    }

    /// About how many bytes a task takes while its meta-gradient of this order is computed, or while it is predicted (order zero).
    pub fn task_bytes(&self, rows: Extent, order: Order, recompute: Option<usize>) -> usize {
        let copies = self.copier.as_ref().map(Copier::copies);
        cost::task_bytes(&*self.rule, &self.network(), rows, copies, order, recompute)
    }
}

/// The time since `start`, once the work on the device of a tensor is done.
fn elapsed(start: Instant, tensor: &Tensor) -> Duration {
    if let Device::Cuda(index) = tensor.device() {
        tch::Cuda::synchronize(index as i64);
    }
    start.elapsed()
}
