//! Sobol sequences, Owen-scrambled (Burley 2020, https://jcgt.org/published/0009/04/01/).

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Sampler, Told};
use crate::sweep::space::Space;

/// Points that fill the cube evenly, however many are taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Sobol {
    /// Another seed, another scrambling.
    #[garde(skip)]
    pub seed: u32,
}

impl Sampler for Sobol {
    fn point(&self, space: &Space, number: usize, _: &[Told]) -> Option<Vec<f64>> {
        let index = number as u32;
        let coordinate = |dimension| f64::from(sobol_burley::sample(index, dimension as u32, self.seed));
        Some((0..space.parameters().len()).map(coordinate).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sixteenth_of_every_axis_is_met_once_in_sixteen_points() {
        let space: Space =
            serde_saphyr::from_str("{a: {uniform: [0, 1]}, b: {uniform: [0, 1]}}").expect("a space");
        let points: Vec<_> = (0..16).filter_map(|i| Sobol::default().point(&space, i, &[])).collect();
        for axis in 0..2 {
            let mut parts: Vec<usize> = points.iter().map(|p| (p[axis] * 16.0) as usize).collect();
            parts.sort_unstable();
            assert_eq!(parts, (0..16).collect::<Vec<_>>());
        }
    }
}
