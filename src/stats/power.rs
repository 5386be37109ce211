//! How many test episodes a comparison needs.

use statrs::distribution::{ContinuousCDF, Normal};

/// A difference is called real where chance alone would show one like it less often than this.
pub const LEVEL: f64 = 0.05;

/// How often a real difference of the size in question is to be found.
pub const POWER: f64 = 0.8;

/// How many pairs tell a difference from zero in four cases of five, by a two-sided paired t-test at the 5 % level.
///
/// `effect` is Cohen's d_z, the mean difference in units of the differences' standard deviation. The formula is Guenther's
/// (1981, Sample size formulas for normal theory t tests): `((z(0.975) + z(0.8)) / d)^2 + z(0.975)^2 / 2`.
/// From a dozen pairs on it is within one of the noncentral t distribution's answer. Wilcoxon's test needs 5 % more where differences are normal, and
/// fewer where they have long tails. `None` without an effect.
pub fn pairs_needed(effect: f64) -> Option<usize> {
    if !effect.is_finite() || effect == 0.0 {
        return None;
    }
    let level = Normal::standard().inverse_cdf(1.0 - LEVEL / 2.0);
    let power = Normal::standard().inverse_cdf(POWER);
    Some((((level + power) / effect).powi(2) + level.powi(2) / 2.0).ceil() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected by statsmodels 0.15:
    /// `ceil(TTestPower().solve_power(effect_size=d, alpha=0.05, power=0.8, alternative="two-sided"))`.
    #[test]
    fn it_agrees_with_statsmodels() {
        for (effect, pairs) in [
            (0.01, 78491),
            (0.02, 19625),
            (0.05, 3142),
            (0.1, 787),
            (0.2, 199),
            (0.3, 90),
            (0.5, 34),
            (0.8, 15),
        ] {
            assert_eq!(pairs_needed(effect), Some(pairs));
            assert_eq!(pairs_needed(-effect), Some(pairs));
        }
    }

    #[test]
    fn no_effect_can_never_be_found() {
        assert_eq!(pairs_needed(0.0), None);
        assert_eq!(pairs_needed(f64::NAN), None);
    }
}
