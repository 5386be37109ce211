//! The outer loop: draws meta-batches, moves theta, validates, and keeps the theta that validated best.

use tch::{Device, Tensor};
use thiserror::Error;

use crate::{
    algorithms::MetaLearner,
    chunks::{self, Split},
    evaluate::{Score, Signal, mean_scores},
    floats::{floats, is_plain},
    models::Params,
    outer::OuterSpec,
    random::{Draws, Purpose},
    tasks::{Interface, TaskSource, frozen::FrozenEpisodes},
};

/// What training needs beside the learner.
pub struct Trainer<'a> {
    /// The method.
    pub learner: &'a dyn MetaLearner,
    /// Where its meta-batches come from.
    pub source: &'a dyn TaskSource,
    /// Outer iterations.
    pub iterations: usize,
    /// Where training pauses, at the latest after all iterations.
    pub until: usize,
    /// T.
    pub meta_batch: usize,
    /// How theta moves.
    pub outer: &'a OuterSpec,
    /// Meta-validation, if any.
    pub validation: Option<Validator<'a>>,
    /// The run's seed.
    pub seed: u64,
    /// How a meta-batch is split.
    pub split: &'a Split,
}

/// Meta-validation.
pub struct Validator<'a> {
    /// Their loss and measures.
    pub interface: Interface,
    /// The same for every method and seed.
    pub episodes: &'a FrozenEpisodes,
    /// Support images per class.
    pub shots: usize,
    /// Iterations between validations.
    pub every: usize,
    /// Validations without a better one after which training stops.
    pub patience: Option<usize>,
}

/// All that training remembers between iterations: with it training goes on as if it had never stopped.
pub struct State {
    /// Outer iterations done.
    pub iteration: usize,
    /// The meta-parameters.
    pub theta: Params,
    /// The outer optimiser's state.
    pub outer: Vec<tch::Tensor>,
    /// The theta that validated best.
    pub best: Option<Best>,
    /// Validations since then.
    pub stale: usize,
    /// The theta at which training pauses between two validations, if it is better than the best: it stands for what was learned so far,
    /// and training goes on as if it had never been looked at.
    pub paused: Option<Best>,
}

/// The theta that validated best.
pub struct Best {
    /// After so many iterations.
    pub iteration: usize,
    /// Its mean on the validation episodes by what methods are judged by.
    pub score: f64,
    /// A copy.
    pub theta: Params,
}

impl State {
    /// Before the first iteration.
    pub fn new(theta: Params, outer: &OuterSpec) -> Self {
        let state = outer.start(&theta.tensors);
        Self { iteration: 0, theta, outer: state, best: None, stale: 0, paused: None }
    }

    /// What training is for: the theta that validated best, without validation the last one.
    pub fn result(&self) -> &Params {
        self.paused.as_ref().or(self.best.as_ref()).map_or(&self.theta, |best| &best.theta)
    }
}

/// One iteration as it was, or the validation before the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Iterations done.
    pub iteration: usize,
    /// Training loss; none before the first iteration.
    pub loss: Option<f64>,
    /// Step size of the outer optimiser; none before the first iteration.
    pub rate: Option<f64>,
    /// Validation, where it took place.
    pub validation: Option<Score>,
}

/// Why training ended before it was done.
#[derive(Debug, Error)]
pub enum Halt {
    /// The loss or its gradient is not a number any more.
    #[error(
        "the training loss became {loss}, or its gradient no number, at iteration {iteration}: the steps are too large \
         for this task. Lower the method's inner rate (inner lr) first, then train.outer's lr"
    )]
    Diverged {
        /// The iteration.
        iteration: usize,
        /// NaN or infinite, if not the gradient is.
        loss: f64,
    },
    /// The observer stopped it.
    #[error("stopped")]
    Stopped,
    /// The observer failed, to write for example.
    #[error(transparent)]
    Observer(#[from] anyhow::Error),
}

impl Trainer<'_> {
    /// Trains from `state` on, telling `observe` after every iteration and validation.
    ///
    /// # Errors
    /// See [`Halt`]; the observer has seen every iteration up to there.
    pub fn train(
        &self,
        mut state: State,
        mut observe: impl FnMut(&State, Progress) -> anyhow::Result<Signal>,
    ) -> Result<State, Halt> {
        if state.iteration == 0
            && state.best.is_none()
            && state.stale == 0 // else the state was saved after this validation
            && let Some(validation) = self.validate(&mut state)
        {
            let progress = Progress { iteration: 0, loss: None, rate: None, validation: Some(validation) };
            heed(observe(&state, progress)?)?;
        }
        if state.iteration == self.until && !self.validates_after(state.iteration) {
            self.validate(&mut state); // it was killed at the pause
        }
        while state.iteration < self.iterations.min(self.until) && !self.exhausted(&state) {
            let i = state.iteration;
            let draws = Draws { seed: self.seed, purpose: Purpose::Inner, occasion: i as u64, first_task: 0 };
            let Some(step) = chunks::meta_gradient(
                self.learner,
                &state.theta,
                self.source,
                i as u64,
                self.meta_batch,
                draws,
                self.split,
            ) else {
                break; // nothing to learn
            };
            let loss = step.loss.double_value(&[]);
            let finite = step.gradient.iter().all(is_finite);
            if !loss.is_finite() || !finite {
                return Err(Halt::Diverged { iteration: i + 1, loss });
            }
            (state.theta.tensors, state.outer) =
                self.outer.advance(state.theta.tensors, &step.gradient, state.outer, i, self.iterations);
            state.iteration += 1;
            let progress = Progress {
                iteration: state.iteration,
                loss: Some(loss),
                rate: Some(self.outer.rate(i, self.iterations)),
                validation: self.validate(&mut state),
            };
            heed(observe(&state, progress)?)?;
        }
        Ok(state)
    }

    /// Whether a validation is due after an iteration, if there are any.
    fn validates_after(&self, iteration: usize) -> bool {
        let every = self.validation.as_ref().map_or(1, |validator| validator.every);
        iteration.is_multiple_of(every) || iteration == self.iterations
    }

    /// Validates where it is due, and keeps theta if it is the best so far; also where training pauses, but only for what comes out there.
    fn validate(&self, state: &mut State) -> Option<Score> {
        let validator = self.validation.as_ref()?;
        let is_due = self.validates_after(state.iteration);
        if !is_due && state.iteration != self.until {
            return None;
        }
        let steps = self.learner.validation_steps();
        let theta = self.learner.checkpoint(&state.theta);
        let score = mean_scores(
            self.learner,
            &validator.interface,
            &theta,
            validator.episodes,
            validator.shots,
            steps,
            self.split,
        );
        let (judged, better) = (score.judged(), validator.interface.judge().better);
        // At an equal value, of which a share has few, the later theta has seen more.
        let is_best = state.best.as_ref().is_none_or(|best| !better.is_better(best.score, judged));
        let best = (is_best && judged.is_finite() && score.loss.is_finite()).then(|| {
            let theta = state.theta.detached(Device::Cpu);
            Best { iteration: state.iteration, score: judged, theta }
        });
        match best {
            best if !is_due => state.paused = best,
            None => state.stale += 1,
            best => (state.best, state.stale) = (best, 0),
        }
        Some(score)
    }

    /// Whether patience is at its end.
    fn exhausted(&self, state: &State) -> bool {
        let patience = self.validation.as_ref().and_then(|validator| validator.patience);
        patience.is_some_and(|patience| state.stale >= patience)
    }
}

/// Whether a gradient is a number everywhere.
fn is_finite(gradient: &Tensor) -> bool {
    match is_plain(gradient) {
        true => floats(gradient).iter().all(|value| value.is_finite()),
        false => gradient.sum(None).double_value(&[]).is_finite(),
    }
}

fn heed(verdict: Signal) -> Result<(), Halt> {
    match verdict {
        Signal::Continue => Ok(()),
        Signal::Stop => Err(Halt::Stopped),
    }
}
