//! Nearest neighbour on the inputs themselves (Cover & Hart 1967): no network, nothing learned.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Algorithm, MetaGradient, MetaLearner, Setting, Training};
use crate::{
    models::Params,
    random::{Draws, Stream},
    tasks::Episode,
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

    fn build(&self, setting: &Setting) -> Box<dyn MetaLearner> {
        Box::new(Learner { ways: setting.ways as i64 })
    }
}

struct Learner {
    ways: i64,
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

    /// The logit of a class is minus the squared distance to its nearest support image; the same after any number of steps.
    fn predict(&self, _: &Params, episode: &Episode, steps: &[usize], _: Draws) -> Vec<Tensor> {
        let (support, query) = (episode.support_x(), episode.query_x());
        let square = |x: &Tensor| x.square().sum_dim_intlist(-1, false, None);
        let distance = square(&query).unsqueeze(2) + square(&support).unsqueeze(1)
            - query.bmm(&support.transpose(1, 2)) * 2.0; // [T, Q, S]
        let of_class: Vec<Tensor> = (0..self.ways)
            .map(|class| {
                let other = episode.support_y().not_equal(class).unsqueeze(1); // [T, 1, S]
                distance.masked_fill(&other, f64::INFINITY).amin(-1, false) // [T, Q]
            })
            .collect();
        let logits = -Tensor::stack(&of_class, -1); // [T, Q, N]
        steps.iter().map(|_| logits.shallow_clone()).collect()
    }
}
