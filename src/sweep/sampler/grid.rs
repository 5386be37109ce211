//! The full grid.

use garde::Validate;
use serde::{Deserialize, Serialize};

use super::{Sampler, Told};
use crate::sweep::space::{Space, active};

/// Every combination; the last parameter varies fastest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate)]
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
    /// Coordinates of one combination, by its number among all, those that differ in nothing that exists included.
    fn combination(&self, space: &Space, mut number: usize) -> Option<Vec<f64>> {
        let parameters = space.parameters();
        let mut point = vec![0.0; parameters.len()];
        for (coordinate, parameter) in point.iter_mut().zip(&parameters).rev() {
            let (count, of) = match parameter.domain.count() {
                Some(count) => (count, count as f64),
                None => (self.points, (self.points - 1) as f64),
            };
            let middle = if parameter.domain.count().is_some() { 0.5 } else { 0.0 };
            *coordinate = (((number % count) as f64 + middle) / of).min(END);
            number /= count;
        }
        (number == 0).then_some(point)
    }
}

impl Sampler for Grid {
    fn point(&self, space: &Space, number: usize, _: &[Told]) -> Option<Vec<f64>> {
        let parameters = space.parameters();
        // What does not exist varies in combinations that are the same trial: only the first of them counts.
        let first = |point: &Vec<f64>| {
            let lowest = self.combination(space, 0).unwrap_or_default();
            active(&parameters, point)
                .iter()
                .zip(point.iter().zip(lowest))
                .all(|(exists, (u, low))| *exists || *u == low)
        };
        (0..).map_while(|i| self.combination(space, i)).filter(first).nth(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trial_once() {
        let text = "{a: {choice: {one: {value: 1, space: {b: {int: [1, 3]}}}, two: {value: 2}}}, c: {uniform: [0, 1]}}";
        let space: Space = serde_saphyr::from_str(text).expect("a space");
        let grid = Grid { points: 2 };
        let labels: Vec<String> = (0..)
            .map_while(|number| grid.point(&space, number, &[]))
            .map(|point| space.at(&point).iter().map(|a| a.label.to_string()).collect::<Vec<_>>().join(" "))
            .collect();
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
}
