//! The forgetting curves of the first test learners: the probability that a card is recalled, by the time since it was last seen.

use tch::{Kind, Tensor};

use super::{Loaded, source::LearnerTask};
use crate::{
    data::reviews::Grade,
    tasks::{
        Episode, Part,
        example::{Curves, CurvesKind, Example, ExampleCurve},
        family::Show,
        frozen,
    },
};

/// Learners who are shown.
const SHOWN: usize = 4;
/// Times at which each is: from a second to about three years.
const TIMES: usize = 81;
const POWERS: f64 = 8.0;

/// What a method expects of the first test learners: of each the last card that she met again among the reviews that are seen, otherwise
/// the first that she is asked.
pub fn of(loaded: &Loaded, show: &Show) -> Example {
    let source = loaded.of(show.fold, Part::Test, show.largest_shots, show.seed);
    let index = frozen::index(show.fold);
    let layout = source.layout();
    let times: Vec<f64> = (0..TIMES).map(|at| 10f64.powf(POWERS * at as f64 / (TIMES - 1) as f64)).collect();
    let x: Vec<f32> = times.iter().map(|time| time.log10() as f32).collect();
    let curve = |task: usize| {
        let one = LearnerTask { seen: show.shots, ..source.learner_task(index, task, show.shots) };
        let asked = source.asked(one.learner);
        let practice = source.practice();
        let seen = show.shots.min(asked.len());
        let met = |place: &usize| practice.is_met(asked[*place]);
        let place = (0..seen).rev().find(met).or_else(|| (seen..asked.len()).find(met)).unwrap_or(0);
        let drawn = source.episode(&[one], show.shots, asked.len(), None);
        let row = drawn.query_x().narrow(1, place as i64, 1); // [1, 1, D]
        let rows = row.repeat([1, TIMES as i64, 1]);
        let logs: Vec<f32> = times.iter().map(|time| time.ln_1p() as f32).collect();
        rows.select(2, layout.counts().end as i64).copy_(&Tensor::from_slice(&logs).unsqueeze(0));
        let questions = rows.squeeze_dim(0); // [times, D]
        let episode = Episode { support: show.shots as i64, ..drawn.asked(&questions) };
        let answers = (show.answer)(&episode);
        let card = practice.reviews.card[asked[place] as usize];
        let past = practice.past(asked[place], &vec![None; practice.reviews.cards.len()]);
        let earlier: Vec<Grade> = past.earlier.iter().map(|(grade, _)| *grade).collect();
        let truth = loaded.simulation.as_ref().map(|simulation| {
            times.iter().map(|time| simulation.recall(one.learner, card, &earlier, *time) as f32).collect()
        });
        let point = |row: &u32| {
            let recalled = f32::from(u8::from(practice.recalled(*row)));
            [practice.elapsed(*row).max(1.0).log10() as f32, recalled]
        };
        ExampleCurve {
            support: asked[..seen].iter().filter(|row| practice.is_met(**row)).map(point).collect(),
            x: x.clone(),
            truth: truth.unwrap_or_default(),
            answers: answers.iter().map(probabilities).collect(),
        }
    };
    let learners = source.learners().min(SHOWN);
    Example::Curves(Curves {
        kind: CurvesKind::Curves,
        shots: show.shots,
        steps: show.steps.to_vec(),
        curves: (0..learners).map(curve).collect(),
    })
}

/// The probabilities of logits, none if the network diverged.
fn probabilities(logits: &Tensor) -> Vec<f32> {
    let p = logits.to_kind(Kind::Float).sigmoid().flatten(0, -1);
    let p: Vec<f32> = Vec::try_from(p).unwrap_or_default(); // a vector, which the conversion takes
    if p.iter().all(|p| p.is_finite()) { p } else { Vec::new() }
}
