//! Means and 95 % intervals, over episodes and over seeds, never mixed; paired comparisons of methods.

pub mod bootstrap;
pub mod comparison;
mod pairing;
pub mod power;
mod sentence;
pub mod signed_rank;

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean with the half-width of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The sample's mean.
    pub mean: f64,
    /// Sample standard deviation (n - 1); 0 for a single value.
    pub std: f64,
    /// The interval is `mean - half_width ..= mean + half_width`.
    pub half_width: f64,
    /// Size of the sample.
    pub count: usize,
}

impl Estimate {
    /// Mean of `values` with Student's t interval: `t(0.975, n-1) * std / sqrt(n)`.
    ///
    /// For hundreds of episodes it is the field's customary `1.96 * std / sqrt(n)`; for three seeds it is honest about how
    /// little three values say. A single value has no spread to estimate: its half-width is NaN. `None` without values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let n = count as f64;
        let mean = values.iter().sum::<f64>() / n;
        if count == 1 {
            return Some(Self { mean, std: 0.0, half_width: f64::NAN, count });
        }
        let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let t = StudentsT::new(0.0, 1.0, n - 1.0).map_or(1.96, |d| d.inverse_cdf(0.975));
        Some(Self { mean, std, half_width: t * std / n.sqrt(), count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected by SciPy 1.16: `a = [1, 2, 4, 7]`, `stats.t.interval(0.95, 3, np.mean(a), stats.sem(a))`.
    #[test]
    fn t_interval_agrees_with_scipy() {
        let e = Estimate::of(&[1.0, 2.0, 4.0, 7.0]).expect("four values");
        assert!((e.mean - 3.5).abs() < 1e-12);
        assert!((e.std - 2.6457513110645907).abs() < 1e-12);
        assert!((e.half_width - 4.20998074229925).abs() < 1e-6, "{}", e.half_width);
    }

    #[test]
    fn large_samples_give_the_customary_factor() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i % 7)).collect();
        let e = Estimate::of(&values).expect("values");
        let factor = e.half_width * (1000f64).sqrt() / e.std;
        assert!((factor - 1.96).abs() < 5e-3, "{factor}");
    }

    #[test]
    fn one_value_has_no_interval_and_none_no_estimate() {
        assert!(Estimate::of(&[0.5]).expect("one").half_width.is_nan());
        assert_eq!(Estimate::of(&[]), None);
    }
}
