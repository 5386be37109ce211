//! Wilcoxon's signed-rank test (Wilcoxon 1945, Individual comparisons by ranking methods) for paired samples.

use statrs::distribution::{ContinuousCDF, Normal};

/// Up to this many differences the two-sided test counts every way of giving them signs, as SciPy does.
const EXACT: usize = 50;

/// Differences by rank of their size: those of zero are left out, equal ones share their mean rank.
#[derive(Clone, Debug)]
pub struct SignedRank {
    /// Twice the rank of each difference, a whole number even where equal ones share a rank.
    doubled_ranks: Vec<usize>,
    /// Sum of the ranks of positive differences.
    positive: f64,
    /// Sum of all ranks.
    total: f64,
    /// Variance of `positive` where the signs are chance, corrected for ties.
    variance: f64,
}

impl SignedRank {
    /// Ranks `differences`. Those that differ only by rounding must have been rounded to the same number before.
    pub fn of(differences: &[f64]) -> Self {
        let mut ranked: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
        ranked.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let n = ranked.len() as f64;
        let mut doubled_ranks = Vec::with_capacity(ranked.len());
        let (mut positive, mut ties) = (0.0, 0.0);
        for equal in ranked.chunk_by(|a, b| a.abs() == b.abs()) {
            let doubled = 2 * doubled_ranks.len() + equal.len() + 1;
            positive += doubled as f64 / 2.0 * equal.iter().filter(|d| **d > 0.0).count() as f64;
            let count = equal.len() as f64;
            ties += count.powi(3) - count;
            doubled_ranks.resize(doubled_ranks.len() + equal.len(), doubled);
        }
        let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
        Self { doubled_ranks, positive, total: n * (n + 1.0) / 2.0, variance }
    }

    /// How likely differences as low as these are where there is none: the one-sided p-value of "the differences lie below zero".
    ///
    /// The statistic counts as normal: for the accuracies of a hundred episodes, where nothing else is practical. 1 without a
    /// difference.
    pub fn p_below(&self) -> f64 {
        if self.doubled_ranks.is_empty() {
            return 1.0;
        }
        Normal::standard().cdf((self.positive - self.total / 2.0) / self.variance.sqrt())
    }

    /// How likely differences as far from zero as these are where there is none, to either side.
    ///
    /// Exact for up to 50 differences, ties or not (SciPy's `method="auto"` is so without ties, and with them up to 13); beyond that
    /// the statistic counts as normal, without a correction for continuity. 1 without a difference.
    pub fn p_two_sided(&self) -> f64 {
        if self.doubled_ranks.is_empty() {
            return 1.0;
        }
        let smaller = self.positive.min(self.total - self.positive);
        if self.doubled_ranks.len() > EXACT {
            return 2.0 * Normal::standard().cdf((smaller - self.total / 2.0) / self.variance.sqrt());
        }
        (2.0 * self.exact_cdf((2.0 * smaller).round() as usize)).min(1.0)
    }

    /// The probability that twice the rank sum is at most `doubled` where every sign is as likely as its opposite.
    fn exact_cdf(&self, doubled: usize) -> f64 {
        let mut probability = vec![0.0; doubled + 1]; // of each doubled rank sum, one more difference each time
        probability[0] = 1.0;
        for &rank in &self.doubled_ranks {
            for sum in (0..=doubled).rev() {
                let with = if sum >= rank { probability[sum - rank] } else { 0.0 };
                probability[sum] = (probability[sum] + with) / 2.0;
            }
        }
        probability.iter().sum()
    }

    /// Matched-pairs rank-biserial correlation (Kerby 2014, The simple difference formula): the share of the rank sum that
    /// is for positive differences minus the share against; 1 where all are positive, 0 without a difference.
    ///
    /// It is the effect size of this very test: like it, it needs no normal distribution, and one wild episode cannot move
    /// it far, as it would Cohen's d.
    pub fn rank_biserial(&self) -> f64 {
        if self.total == 0.0 { 0.0 } else { 2.0 * self.positive / self.total - 1.0 }
    }
}

/// Holm's correction (1979, A simple sequentially rejective multiple test procedure): p-values that can be compared with one level
/// although there are several of them.
pub fn holm(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut adjusted = vec![1.0; values.len()];
    let mut highest: f64 = 0.0;
    for (rank, &place) in order.iter().enumerate() {
        highest = highest.max(values[place] * (values.len() - rank) as f64).min(1.0);
        adjusted[place] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIED: [f64; 12] = [-0.2, 0.1, -0.1, -0.3, 0.0, -0.2, 0.4, -0.1, -0.5, 0.2, -0.6, -0.1];

    fn negated(differences: &[f64]) -> SignedRank {
        SignedRank::of(&differences.iter().map(|d| -d).collect::<Vec<f64>>())
    }

    /// Expected by SciPy 1.17: `stats.wilcoxon(d, alternative="less", method="asymptotic", correction=False).pvalue`.
    #[test]
    fn one_sided_agrees_with_scipy() {
        let expected = 0.08260650240928258;
        let p = SignedRank::of(&TIED).p_below();
        assert!((p - expected).abs() < 1e-9, "{p}");
        assert!((negated(&TIED).p_below() - (1.0 - expected)).abs() < 1e-9);
    }

    /// Expected by SciPy 1.17: `stats.wilcoxon(d).pvalue` (`method="auto"`: exact for the first and third, all 2^11 signs for the
    /// second, normal for the last two), and `g = stats.wilcoxon(d, alternative="greater").statistic`,
    /// `t = n * (n + 1) / 2` over the `n` differences that are not zero, `(2 * g - t) / t`.
    #[test]
    fn two_sided_and_effect_agree_with_scipy() {
        let few = [0.12, -0.03, 0.25, 0.07, 0.31, -0.01, 0.19, 0.05, -0.02, 0.28];
        let fifty: Vec<f64> = (1..=50).map(|i| f64::from(i).sin() + 0.2).collect();
        let wave = |middle: i32| (0..200).map(|i| f64::from((i * 7919) % 101 - middle) / 100.0).collect();
        let (even, apart): (Vec<f64>, Vec<f64>) = (wave(47), wave(30));
        for (differences, p, effect) in [
            (&few[..], 0.02734375, 0.7818181818181819),
            (&TIED, 0.185546875, -0.4696969696969697),
            (&fifty, 0.055465717070337206, 0.31137254901960787),
            (&even, 0.14230667687474974, 0.12024770316227602),
            (&apart, 5.861898966700945e-15, 0.6398152378051876),
        ] {
            let test = SignedRank::of(differences);
            let close = |value: f64, expected: f64| (value / expected - 1.0).abs() < 1e-6;
            assert!(close(test.p_two_sided(), p), "{}", test.p_two_sided());
            assert!(close(test.rank_biserial(), effect), "{}", test.rank_biserial());
            assert!(close(negated(differences).p_two_sided(), p));
            assert!(close(negated(differences).rank_biserial(), -effect));
        }
    }

    #[test]
    fn without_a_difference_nothing_is_shown() {
        for none in [SignedRank::of(&[0.0, 0.0]), SignedRank::of(&[])] {
            assert_eq!((none.p_below(), none.p_two_sided(), none.rank_biserial()), (1.0, 1.0, 0.0));
        }
    }

    /// Expected by statsmodels: `multipletests([0.01, 0.04, 0.03, 0.9], method="holm")[1]`.
    #[test]
    fn holm_agrees_with_statsmodels() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.9]);
        for (value, expected) in adjusted.iter().zip([0.04, 0.09, 0.09, 0.9]) {
            assert!((value - expected).abs() < 1e-12, "{adjusted:?}");
        }
    }
}
