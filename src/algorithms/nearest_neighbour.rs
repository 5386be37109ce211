//! Nearest neighbour on the inputs themselves (Cover & Hart 1967): no network, nothing learned. With jittered copies, these and the support
//! images are the neighbours.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use crate::{
    inner::Answer,
    models::Params,
    random::{Draws, Stream},
    tasks::{Episode, Extent, Need, copies::Copier},
};

/// It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NearestNeighbour {}

impl Algorithm for NearestNeighbour {
    fn source(&self) -> &'static str {
        "Cover & Hart 1967, https://doi.org/10.1109/TIT.1967.1053964"
    }

    fn training(&self) -> Training {
        Training::Nothing
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Classes]
    }

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Learner { ways: setting.interface.outputs as i64, copier: setting.copier.clone() })
    }
}

struct Learner {
    ways: i64,
    copier: Option<Copier>,
}

impl Learner {
    /// Neighbours `[T, S, D]` and their labels `[T, S]`.
    fn neighbours(&self, episode: &Episode, draws: Draws) -> (Tensor, Tensor) {
        let (x, y) = (episode.support_x(), episode.support_y());
        let Some(copier) = &self.copier else { return (x, y) };
        let originals = copier.originals(&x);
        let all: Vec<usize> = (0..episode.support as usize).collect();
        let copies = originals.copies(&all, &draws, 0);
        (Tensor::cat(&[x, copies], 1), Tensor::cat(&[&y, &originals.repeated(&y)], 1))
    }

    /// The logit of a class is minus the squared distance to its nearest neighbour: `[T, Q, N]`.
    fn logits(&self, query: &Tensor, x: &Tensor, y: &Tensor) -> Tensor {
        let square = |x: &Tensor| x.square().sum_dim_intlist(-1, false, None);
        let distance =
            square(query).unsqueeze(2) + square(x).unsqueeze(1) - query.bmm(&x.transpose(1, 2)) * 2.0; // [T, Q, S]
        let of_class: Vec<Tensor> = (0..self.ways)
            .map(|class| {
                let other = y.not_equal(class).unsqueeze(1); // [T, 1, S]
                distance.masked_fill(&other, f64::INFINITY).amin(-1, false) // [T, Q]
            })
            .collect();
        -Tensor::stack(&of_class, -1)
    }
}

impl MetaLearner for Learner {
    fn validation_steps(&self) -> usize {
        0
    }

    fn init(&self, _: &mut Stream) -> Params {
        Params::default()
    }

    fn meta_gradient(&self, _: &Params, _: &Episode, _: Draws) -> Option<MetaGradient> {
        None
    }

    fn testing_bytes(&self, rows: Extent) -> usize {
        let support = rows.support * (1 + self.copier.as_ref().map_or(0, Copier::copies));
        3 * (support + rows.queries) * (rows.inputs + support) * size_of::<f32>() // images and distances
    }

    fn predict(&self, _: &Params, episode: &Episode, steps: &[usize], draws: Draws) -> Vec<Answer> {
        let neighbours = episode.support as usize * (1 + self.copier.as_ref().map_or(0, Copier::copies));
        Answer::without_steps(steps, neighbours, || {
            let (x, y) = self.neighbours(episode, draws);
            self.logits(&episode.query_x(), &x, &y)
        })
    }
}
