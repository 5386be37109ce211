//! The full grid.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Sampler, Told};
use crate::sweep::space::{Choice, Domain, Space};

/// Every combination, in an order that leaps about: early trials see the whole space, and a pruner, to whom each trial would look better
/// than all before it where an axis begins at its bad end, compares like with like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Grid {
    /// Points of a real parameter, both ends included.
    #[garde(range(min = 2, max = 1000))]
    pub points: usize,
}

impl Default for Grid {
    fn default() -> Self {
        Self { points: 5 }
    }
}

/// The largest coordinate below 1.
const END: f64 = 1.0 - f64::EPSILON;

impl Grid {
    /// Combinations of a space.
    fn combinations(&self, space: &Space) -> usize {
        space.0.values().map(|domain| self.alternatives(domain)).fold(1, usize::saturating_mul)
    }

    /// What one key can be, with all that depends on it.
    fn alternatives(&self, domain: &Domain) -> usize {
        match domain {
            Domain::Choice(Choice::Named(branches)) => {
                branches.values().map(|branch| self.combinations(&branch.space)).sum()
            }
            _ => domain.count().unwrap_or(self.points),
        }
    }

    /// The coordinates of one of the combinations; 0 for what does not exist there.
    fn coordinates(&self, space: &Space, mut number: usize) -> Vec<f64> {
        let mut keys = Vec::new();
        for domain in space.0.values().rev() {
            let count = self.alternatives(domain);
            keys.push(self.key(domain, number % count));
            number /= count;
        }
        keys.into_iter().rev().flatten().collect()
    }

    /// The coordinates of one key and all that depends on it.
    fn key(&self, domain: &Domain, number: usize) -> Vec<f64> {
        let middle = |number: usize, count: usize| (number as f64 + 0.5) / count as f64;
        match (domain, domain.count()) {
            (Domain::Choice(Choice::Named(branches)), _) => {
                let mut coordinates = vec![0.0];
                let mut left = Some(number);
                for (option, branch) in branches.values().enumerate() {
                    let count = self.combinations(&branch.space);
                    match left {
                        Some(number) if number < count => {
                            coordinates[0] = middle(option, branches.len());
                            coordinates.extend(self.coordinates(&branch.space, number));
                            left = None;
                        }
                        _ => {
                            coordinates.extend(vec![0.0; branch.space.parameters().len()]);
                            left = left.map(|number| number - count);
                        }
                    }
                }
                coordinates
            }
            (_, Some(count)) => vec![middle(number, count)],
            (_, None) => vec![(number as f64 / (self.points - 1) as f64).min(END)],
        }
    }
}

impl Sampler for Grid {
    fn point(&self, space: &Space, number: usize, _: &[Told]) -> Option<Vec<f64>> {
        let count = self.combinations(space);
        (number < count).then(|| self.coordinates(space, leap(number, count)))
    }
}

/// The `number`th of `count` places, each met once: leaps of about a golden section, by a number without a common divisor.
fn leap(number: usize, count: usize) -> usize {
    let golden = (0.618_033_988_75 * count as f64) as usize;
    let length = (golden..).find(|length| divisor(*length, count) == 1).unwrap_or(1);
    (number as u128 * length as u128 % count as u128) as usize
}

/// The greatest common divisor.
fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trial_once() {
        let text = "{a: {choice: {one: {value: 1, space: {b: {int: [1, 3]}}}, two: {value: 2}}}, c: {uniform: [0, 1]}}";
        let space: Space = serde_saphyr::from_str(text).expect("a space");
        let grid = Grid { points: 2 };
        let mut labels: Vec<String> = (0..)
            .map_while(|number| grid.point(&space, number, &[]))
            .map(|point| space.at(&point).iter().map(|a| a.label.to_string()).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(labels[..3], ["\"one\" 1 0.0", "\"one\" 3 1.0", "\"one\" 2 0.0"]);
        labels.sort();
        let expected = [
            "\"one\" 1 0.0",
            "\"one\" 1 1.0",
            "\"one\" 2 0.0",
            "\"one\" 2 1.0",
            "\"one\" 3 0.0",
            "\"one\" 3 1.0",
            "\"two\" 0.0",
            "\"two\" 1.0",
        ];
        assert_eq!(labels, expected);
    }

    #[test]
    fn every_place_is_met_once_and_neighbours_in_time_are_far_apart() {
        for count in [1, 2, 6, 8, 50, 70, 997] {
            let mut met: Vec<usize> = (0..count).map(|number| leap(number, count)).collect();
            let quarter = met[..count.div_ceil(4)].iter().filter(|place| **place < count / 2).count();
            assert!(count < 20 || (2 * quarter).abs_diff(count.div_ceil(4)) <= 2, "{count}: {quarter}");
            met.sort_unstable();
            assert!(met.into_iter().eq(0..count), "{count}");
        }
        assert!(leap(999, usize::MAX) < usize::MAX, "spaces may be as large as that");
    }
}
