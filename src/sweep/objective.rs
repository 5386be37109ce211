//! What makes a trial better, from its validation episodes.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{
    measures::{self, LOSS, Quantity},
    records::EvaluationRow,
};

/// What makes a trial better, on the validation episodes, at the number of adaptation steps that does best there: the mean of a measure, or
/// the mean loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Criterion(Quantity);

impl Criterion {
    /// One that is measured by this.
    pub fn of(quantity: Quantity) -> Self {
        Self(quantity)
    }

    /// What is measured.
    pub fn quantity(self) -> Quantity {
        self.0
    }

    /// One number of which more is better.
    pub fn score(self, value: f64) -> f64 {
        self.0.better.goodness(value)
    }

    /// What was measured, from its score.
    pub fn value(self, score: f64) -> f64 {
        self.0.better.goodness(score)
    }

    /// What the shown numbers are.
    pub fn label(self) -> String {
        format!("validation {}", self.0.label())
    }

    /// A score as a reader knows it: what was measured, shares in per cent.
    pub fn shown(self, score: f64) -> f64 {
        self.0.shown(self.value(score))
    }

    /// The same in words: "69.7 %", "loss 0.671".
    pub fn text(self, score: f64) -> String {
        let text = self.0.text(self.value(score));
        if self.0 == LOSS { format!("loss {text}") } else { text }
    }

    /// The score on each episode, in order, the mean over seeds; with several numbers of shots all episodes of each, and for each
    /// the number of steps that does best. Empty where a number of shots has no finite score: what is left is no fair judgement.
    pub fn episodes(self, rows: &[EvaluationRow]) -> Vec<f64> {
        // Cells by shots and step; in each the sum and the number of seeds by fold and episode.
        type Cell = BTreeMap<(usize, usize), (f64, f64)>;
        let mut cells: BTreeMap<usize, BTreeMap<usize, Cell>> = BTreeMap::new();
        for row in rows {
            let cell = cells.entry(row.shots).or_default().entry(row.step).or_default();
            let (sum, count) = cell.entry((row.fold, row.episode)).or_default();
            *sum += self.score(row.value(self.0.name).unwrap_or(f64::NAN));
            *count += 1.0;
        }
        let mut episodes = Vec::new();
        for steps in cells.into_values() {
            let scores = steps
                .into_values()
                .map(|cell| -> Vec<f64> { cell.into_values().map(|(sum, count)| sum / count).collect() });
            let finite = scores.filter(|scores| mean(scores).is_finite());
            let best = finite.reduce(|best, next| if mean(&next) > mean(&best) { next } else { best });
            let Some(best) = best else { return Vec::new() };
            episodes.extend(best);
        }
        episodes
    }
}

/// The names that a sweep file can give.
fn names() -> impl Iterator<Item = &'static str> {
    measures::names().chain([LOSS.name])
}

impl Serialize for Criterion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.name.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Criterion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name == LOSS.name {
            return Ok(Self(LOSS));
        }
        match measures::find(&name) {
            Some(measure) => Ok(Self(measure.quantity())),
            None => {
                let known: Vec<&str> = names().collect();
                Err(D::Error::custom(format!(
                    "there is no objective {name:?}; there is {}",
                    known.join(", ")
                )))
            }
        }
    }
}

impl JsonSchema for Criterion {
    fn schema_name() -> Cow<'static, str> {
        "Objective".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What makes a trial better, on the validation episodes, at the number of adaptation steps that does best there: \
                            the mean of a measure, or the mean loss.",
            "enum": names().collect::<Vec<_>>(),
        })
    }
}

/// The mean of the scores on episodes; not a number without any.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::TaskKind;

    #[test]
    fn seeds_are_averaged_and_each_number_of_shots_takes_its_best_step() {
        let judge = measures::find("accuracy").expect("registered").quantity();
        let row = |seed, shots, episode, step, score: f64| EvaluationRow {
            method: "m".into(),
            fold: 0,
            seed,
            task: TaskKind::FewShot,
            shots,
            episode,
            step,
            loss: 1.0 - score,
            values: [(judge.name, score)].into_iter().collect(),
        };
        let rows = [
            row(0, 1, 0, 0, 0.2),
            row(0, 1, 1, 0, 0.3),
            row(0, 1, 0, 5, 0.5),
            row(0, 1, 1, 5, 0.7),
            row(1, 1, 0, 5, 0.6),
            row(1, 1, 1, 5, 0.7),
            row(0, 5, 0, 0, 0.9),
            row(0, 5, 0, 5, 0.8),
            row(0, 5, 0, 9, f64::NAN),
        ];
        let episodes = Criterion::of(judge).episodes(&rows);
        assert_eq!(episodes, [0.55, 0.7, 0.9]);
        let losses = Criterion::of(LOSS).episodes(&rows);
        assert!(losses.iter().zip([-0.45, -0.3, -0.1]).all(|(a, b)| (a - b).abs() < 1e-12), "{losses:?}");
        assert!(mean(&Criterion::of(LOSS).episodes(&[])).is_nan());
        // At ten shots it diverged: what it reaches with fewer is not its score.
        let diverged = [&rows[..], &[row(0, 10, 0, 5, f64::NAN)]].concat();
        assert!(mean(&Criterion::of(judge).episodes(&diverged)).is_nan());
    }
}
