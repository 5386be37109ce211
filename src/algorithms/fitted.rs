//! Methods that are fitted to all meta-training tasks at once, and answer by a closed formula: no network, no steps.

use tch::{Device, Kind, Tensor, no_grad};

use super::{Fitting, MetaGradient, MetaLearner};
use crate::{
    inner::Answer,
    models::Params,
    random::{Draws, Stream},
    tasks::{Episode, Extent},
};

/// Such a method, for tasks whose rows are right or wrong answers to items.
pub(super) trait ClosedForm: Sync {
    /// Names and shapes of theta's tensors.
    fn shapes(&self) -> Vec<(&'static str, Vec<i64>)>;

    /// Their values on the CPU; `None` where there are no tasks.
    fn fit(&self, fitting: &Fitting) -> Option<Vec<Tensor>>;

    /// The logits of right answers to the queries, `[T, Q, 1]`, from theta in f64.
    fn answer(&self, theta: &[Tensor], episode: &Episode) -> Tensor;

    /// About how many numbers in f64 it takes to answer one row of so many inputs.
    fn row_numbers(&self, inputs: usize) -> usize {
        2 * inputs
    }

    /// Theta of these values, in f32, as checkpoints have it.
    fn theta(&self, values: &[Tensor]) -> Params {
        let names = self.shapes().into_iter().map(|(name, _)| name.to_owned()).collect();
        Params { names, tensors: values.iter().map(|t| t.to_kind(Kind::Float)).collect() }
    }
}

/// It as a learner.
pub(super) struct Fitted<M>(pub M);

impl<M: ClosedForm> MetaLearner for Fitted<M> {
    fn validation_steps(&self) -> usize {
        0
    }

    /// Zeros, by which every answer is as likely right as wrong.
    fn init(&self, _: &mut Stream) -> Params {
        let zeros = |(_, shape): (_, Vec<i64>)| Tensor::zeros(shape, (Kind::Double, Device::Cpu));
        self.0.theta(&self.0.shapes().into_iter().map(zeros).collect::<Vec<_>>())
    }

    fn meta_gradient(&self, _: &Params, _: &Episode, _: Draws) -> Option<MetaGradient> {
        None
    }

    fn fit(&self, fitting: &Fitting) -> Option<Params> {
        no_grad(|| self.0.fit(fitting)).map(|values| self.0.theta(&values))
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        (rows.support + rows.queries) * self.0.row_numbers(rows.inputs) * size_of::<f64>()
    }

    fn predict(&self, theta: &Params, episode: &Episode, steps: &[usize], _: Draws) -> Vec<Answer> {
        Answer::without_steps(steps, episode.support as usize, || {
            no_grad(|| {
                let theta: Vec<Tensor> = theta.tensors.iter().map(|t| t.to_kind(Kind::Double)).collect();
                self.0.answer(&theta, episode)
            })
        })
    }
}

/// Simulated students as episodes, for the tests of such methods.
#[cfg(test)]
pub(super) mod tests {
    use std::ops::Range;

    use rand::RngExt;
    use rand_distr::StandardNormal;

    use super::*;
    use crate::{
        algorithms::{Algorithm, Setting},
        inner::Adapts,
        loss::{self, Logistic},
        models::{ModelSpec, mlp::Mlp},
        random::{Purpose, stream},
        tasks::{Interface, TaskSource},
    };

    /// I, items of a test.
    pub const ITEMS: usize = 12;

    /// S, answers that are seen of a student.
    pub const SUPPORT: i64 = 5;

    /// Students who answer every item once, in random order, by `sigma(theta - 2 + i / 3)`.
    pub struct Students;

    impl TaskSource for Students {
        fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
            let (mut x, mut y) = (Vec::new(), Vec::new());
            let count = tasks.len() as i64;
            for task in tasks {
                let mut stream = stream(task as u64, Purpose::Test, index);
                let ability: f64 = stream.sample(StandardNormal);
                for item in rand::seq::index::sample(&mut stream, ITEMS, ITEMS) {
                    x.extend((0..ITEMS).map(|i| f32::from(u8::from(i == item))));
                    let p = 1.0 / (1.0 + (2.0 - ability - item as f64 / 3.0).exp());
                    y.push(f32::from(u8::from(stream.random::<f64>() < p)));
                }
            }
            let shape = |last: usize| [count, ITEMS as i64, last as i64];
            Episode {
                x: Tensor::from_slice(&x).reshape(shape(ITEMS)),
                y: Tensor::from_slice(&y).reshape(shape(1)),
                weight: None,
                support: SUPPORT,
            }
        }
    }

    /// How many of them are fitted to.
    const TRAINING: usize = 400;

    /// A method, fitted to students of meta-batch 0; theta is judged by `judge`.
    pub fn fitted_with(
        algorithm: &dyn Algorithm,
        judge: &dyn Fn(&dyn MetaLearner, &Params) -> f64,
    ) -> (Box<dyn MetaLearner>, Params) {
        let interface = Interface {
            inputs: ITEMS,
            outputs: 1,
            items: ITEMS,
            bins: None,
            loss: &Logistic,
            measures: vec![],
        };
        let learner = algorithm.build(&Setting {
            model: ModelSpec::Mlp(Mlp::default()),
            interface,
            pooled_outputs: None,
            whole_outputs: 1,
            memory: u64::MAX,
            adapts: Adapts::All,
            copier: None,
        });
        let all = || -> Box<dyn Iterator<Item = Episode>> {
            let chunk = |first: usize| Episode { support: 0, ..Students.sample(0, first..first + 16) };
            Box::new((0..TRAINING).step_by(16).map(chunk))
        };
        let judge = |theta: &Params| judge(&*learner, theta);
        let fitting = Fitting { tasks: &all, episodes: &Students, judge: &judge, seed: 3 };
        let theta = learner.fit(&fitting).expect("there are students");
        let init = learner.init(&mut stream(0, Purpose::Init, 0));
        let shapes = |theta: &Params| theta.tensors.iter().map(Tensor::size).collect::<Vec<_>>();
        assert_eq!((&init.names, shapes(&init)), (&theta.names, shapes(&theta)), "theta is as init says");
        (learner, theta)
    }

    /// The same where validation says how well other students are predicted.
    pub fn fitted(algorithm: &dyn Algorithm) -> (Box<dyn MetaLearner>, Params) {
        fitted_with(algorithm, &|learner, theta| log_loss(learner, theta, 1, SUPPORT))
    }

    /// The loss on the queries of students of another meta-batch, of whom the first so many answers are seen.
    pub fn log_loss(learner: &dyn MetaLearner, theta: &Params, index: u64, support: i64) -> f64 {
        let mut episode = Students.sample(index, 0..400);
        let hidden = episode.support - support;
        let without = |t: &Tensor| {
            let rest = t.narrow(1, SUPPORT, ITEMS as i64 - SUPPORT);
            Tensor::cat(&[t.narrow(1, 0, SUPPORT - hidden), rest], 1)
        };
        (episode.x, episode.y, episode.support) = (without(&episode.x), without(&episode.y), support);
        let draws = Draws { seed: 0, purpose: Purpose::Adapt, occasion: 0, first_task: 0 };
        let [answer] = &learner.predict(theta, &episode, &[0], draws)[..] else { panic!("one answer") };
        assert_eq!((answer.outputs.size(), answer.outputs.kind()), (episode.query_y().size(), Kind::Float));
        let losses = loss::per_task(&Logistic, &answer.outputs, &episode.query_y(), None);
        losses.mean(Kind::Double).double_value(&[])
    }
}
