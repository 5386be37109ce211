//! Meta-learning algorithms, and the methods they are compared with.

pub mod best_possible;
pub mod ensemble;
mod fitted;
pub mod fomaml;
pub mod fsrs;
pub mod half_life_regression;
pub mod irt;
pub mod item_mean;
pub mod latent_classes;
pub mod logistic_regression;
pub mod maml;
pub mod mean_of_networks;
pub mod moving_average;
pub mod nearest_neighbour;
pub mod neural_process;
pub mod plain;
pub mod pretrained;
pub mod recall_regression;
pub mod reptile;
mod review_rows;
pub mod running_average;
pub mod scratch;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{
    inner::{Adaptation, Adapts, Answer, RuleSpec},
    models::{ModelSpec, Params},
    random::{Draws, Stream},
    registry::registry,
    tasks::{Episode, Extent, Interface, Need, Pool, TaskSource, copies::Copier},
};

/// What a method is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Training {
    /// Nothing: it has nothing to learn before it meets a task.
    Nothing,
    /// Few-shot episodes, with so many shots instead of the experiment's, if given.
    Episodes {
        /// Support images per class.
        shots: Option<usize>,
    },
    /// The same few-shot tasks in every iteration, one for each of the networks that it trains.
    SameTasks {
        /// Shots, instead of the experiment's, if given.
        shots: Option<usize>,
        /// Their number, which is the meta-batch's.
        tasks: usize,
    },
    /// Rows of all meta-training tasks together, as an ordinary network.
    Pooled(Pool),
    /// All meta-training tasks at once, see [`MetaLearner::fit`].
    Fit,
}

impl Training {
    /// Shots of the tasks that it is trained on, if they are other than the experiment's.
    pub fn shots(self) -> Option<usize> {
        match self {
            Self::Episodes { shots } | Self::SameTasks { shots, .. } => shots,
            Self::Nothing | Self::Pooled(_) | Self::Fit => None,
        }
    }
}

/// What a method is tested on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Testing {
    /// The frozen test episodes.
    Episodes,
    /// The whole data set as one task.
    WholeDataset,
    /// The frozen test episodes, which it does not learn: it knows what they are drawn from.
    Truth,
}

/// The meta-gradient of one meta-batch.
pub struct MetaGradient {
    /// Mean over tasks of the loss that training reports, a scalar.
    pub loss: Tensor,
    /// The direction against which the outer optimiser steps, shaped as theta.
    pub gradient: Vec<Tensor>,
    /// What it counts beside the meta-gradients of other tasks: the number of its tasks that have queries.
    pub weight: f64,
}

/// What a method is fitted to.
pub struct Fitting<'a> {
    /// Every meta-training task once, with all its rows as queries.
    pub tasks: &'a dyn Fn() -> Box<dyn Iterator<Item = Episode> + 'a>,
    /// Meta-training episodes, in order.
    pub episodes: &'a dyn TaskSource,
    /// The loss on validation tasks of a theta as [`MetaLearner::checkpoint`] gives it, the mean over the numbers of shots that are tested;
    /// not a number where there are no validation tasks.
    pub judge: &'a dyn Fn(&Params) -> f64,
    /// The run's seed.
    pub seed: u64,
}

/// A method built for one experiment: how theta is learned, and how a task is solved with it.
pub trait MetaLearner: Sync {
    /// Adaptation steps at which meta-validation judges theta.
    fn validation_steps(&self) -> usize;

    /// Theta before training.
    fn init(&self, stream: &mut Stream) -> Params;

    /// What of theta starts an adaptation: what a checkpoint holds, and [`MetaLearner::predict`] takes.
    fn checkpoint(&self, theta: &Params) -> Params {
        theta.share()
    }

    /// Whether `train.init` gives this tensor of theta; others are drawn by the run's seed as ever.
    fn starts_from_checkpoint(&self, _name: &str) -> bool {
        true
    }

    /// The meta-gradient on one meta-batch; `None` for a method that trains on nothing. `draws` are the
    /// streams for what the method draws.
    fn meta_gradient(&self, theta: &Params, episode: &Episode, draws: Draws) -> Option<MetaGradient>;

    /// Theta fitted to all tasks at once, shaped as [`MetaLearner::init`] gives it, for a method that is trained so.
    fn fit(&self, _fitting: &Fitting) -> Option<Params> {
        None
    }

    /// About how many bytes of memory a task of this size takes in [`MetaLearner::meta_gradient`].
    fn training_bytes(&self, rows: Extent) -> usize {
        self.testing_bytes(rows)
    }

    /// The same in [`MetaLearner::predict`].
    fn testing_bytes(&self, rows: Extent) -> usize {
        3 * (rows.support + rows.queries) * rows.inputs * size_of::<f32>() // the images and what they are made from
    }

    /// What is answered after so many steps to questions `[Q, D]` that are the same for all tasks, of which `seen` has the support
    /// alone: `[T, Q, O]`.
    fn predict_same(
        &self,
        theta: &Params,
        seen: &Episode,
        questions: &Tensor,
        steps: usize,
        draws: Draws,
    ) -> Tensor {
        self.predict_at_once(theta, seen, questions, steps, draws).unwrap_or_else(|| {
            let answers = self.predict(theta, &seen.asked(questions), &[steps], draws);
            answers.into_iter().next_back().map_or_else(|| questions.unsqueeze(0), |answer| answer.outputs)
        })
    }

    /// The same, of a method that need not ask each task by itself.
    fn predict_at_once(
        &self,
        _theta: &Params,
        _seen: &Episode,
        _questions: &Tensor,
        _steps: usize,
        _draws: Draws,
    ) -> Option<Tensor> {
        None
    }

    /// The adapted contexts `[T, C]` after so many steps, of a method whose network has context parameters that adapt.
    fn contexts(&self, _theta: &Params, _episode: &Episode, _steps: usize, _draws: Draws) -> Option<Tensor> {
        None
    }

    /// What it answers to the queries after each of `steps` (ascending) adaptation steps on the support sets, from a theta as
    /// [`MetaLearner::checkpoint`] gives it.
    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer>;
}

/// What a method is built for.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The network.
    pub model: ModelSpec,
    /// The tasks' shapes, and their loss.
    pub interface: Interface,
    /// Outputs of a network that is trained on rows of all training tasks at once, as a classifier of all their classes is; `None` where
    /// that is the network for a task.
    pub pooled_outputs: Option<usize>,
    /// Outputs of a network that is trained on the whole data set as one task.
    pub whole_outputs: usize,
    /// Bytes for what is worked on at once.
    pub memory: u64,
    /// Which parameters of the network adapt.
    pub adapts: Adapts,
    /// Makes the jittered copies that the method is to adapt to in place of the support images, if it is.
    pub copier: Option<Copier>,
}

impl Setting {
    /// Adaptation by this rule of a network for a task.
    fn adaptation(&self, rule: &RuleSpec) -> Adaptation {
        let Interface { inputs, outputs, loss, .. } = self.interface;
        let model = self.model.build(inputs, outputs);
        Adaptation::new(rule.clone(), model, outputs, loss, self.adapts).on_copies(self.copier.clone())
    }
}

/// An algorithm as the experiment file describes it.
pub trait Algorithm {
    /// The paper it is from.
    fn source(&self) -> &'static str;

    /// What the method is trained on.
    fn training(&self) -> Training;

    /// What the method is tested on.
    fn testing(&self) -> Testing {
        Testing::Episodes
    }

    /// Whether it can be tested on tasks with another number of classes than it was trained on.
    fn takes_any_ways(&self) -> bool {
        false
    }

    /// The number of adaptation steps that it is trained for, if it is trained for one.
    fn training_steps(&self) -> Option<usize> {
        None
    }

    /// The inner rule by which it adapts, if it does so by one.
    fn rule(&self) -> Option<&RuleSpec> {
        None
    }

    /// Whether it makes use of context parameters of the model, and of nothing else.
    fn needs_context(&self) -> bool {
        self.rule().is_some_and(|rule| rule.moves_contexts_only())
    }

    /// What it needs of tasks that not every family has.
    fn needs(&self) -> &'static [Need] {
        &[]
    }

    /// The method for this setting.
    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner>;
}

registry! {
    /// The algorithms an experiment file can name.
    pub enum AlgorithmSpec: Algorithm {
        /// Model-agnostic meta-learning: exact gradients through the adaptation (or `order: first`).
        "maml" => Maml(maml::Maml),
        /// First-order MAML: inner gradients count as constants.
        "fomaml" => Fomaml(fomaml::Fomaml),
        /// Reptile: theta moves towards the mean of the adapted weights.
        "reptile" => Reptile(reptile::Reptile),
        /// No learning before the task: a random initialisation, trained on each support set.
        "scratch" => Scratch(scratch::Scratch),
        /// Ordinary training on rows of all meta-training tasks, then fine-tuning; a task of other classes gets a new output layer.
        "pretrained" => Pretrained(pretrained::Pretrained),
        /// The mean of the weights of networks that are each trained on a task of their own, then fine-tuning.
        "mean_of_networks" => MeanOfNetworks(mean_of_networks::MeanOfNetworks),
        /// A network reads the support set and says at once what the context of the task is (a conditional neural process).
        "neural_process" => NeuralProcess(neural_process::NeuralProcess),
        /// Several of one method from different initialisations, whose predictions are averaged.
        "ensemble" => Ensemble(ensemble::Ensemble),
        /// The best possible prediction of simulated tasks, by the model that they are drawn from.
        "best_possible" => BestPossible(best_possible::BestPossible),
        /// The label of the nearest support image, by Euclidean distance of the pixels.
        "nearest_neighbour" => NearestNeighbour(nearest_neighbour::NearestNeighbour),
        /// Plain training on all training images of all classes, tested on the test images: no few-shot learning at all.
        "plain" => Plain(plain::Plain),
        /// The share of students who answer the item right: nothing is learned of a student.
        "item_mean" => ItemMean(item_mean::ItemMean),
        /// The student's share of right answers so far, drawn towards that of all students: nothing is learned of an item.
        "moving_average" => MovingAverage(moving_average::MovingAverage),
        /// A logistic regression on the item and the student's share of right answers so far.
        "logistic_regression" => LogisticRegression(logistic_regression::LogisticRegression),
        /// Item response theory by marginal maximum likelihood: 2PL, 1PL with `slopes: one`, or in two dimensions; a student is an ability.
        "irt" => Irt(irt::Irt),
        /// Latent classes of students, their number chosen on validation tasks.
        "latent_classes" => LatentClasses(latent_classes::LatentClasses),
        /// The learner's share of recalled reviews so far, drawn towards that of all learners.
        "running_average" => RunningAverage(running_average::RunningAverage),
        /// A logistic regression of recall on the card, its history, the learner's share of recalled reviews and the time.
        "recall_regression" => RecallRegression(recall_regression::RecallRegression),
        /// Half-life regression: forgetting by halves, whose half-life depends on the card and on how often it was recalled and forgotten.
        "half_life_regression" => HalfLifeRegression(half_life_regression::HalfLifeRegression),
        /// FSRS-6, the scheduler of Anki, fitted to each learner, or to all.
        "fsrs" => Fsrs(fsrs::Fsrs),
    }
}
