//! How well a mean is known, and how likely it would be by chance: one model behind every interval, p-value, verdict and sentence.
//!
//! A score of a network of seed s on episode e, or the difference of two methods' scores there, is taken as
//!
//! ```text
//!     y_es = mean + E_e + S_s + R_es
//! ```
//!
//! with independent random effects of the episode, of the seed (another training of the same method), and of both together. Seeds
//! and episodes are *crossed*: every seed's network meets the same episodes. With the mean squares of a two-way table without
//! replication (Scheffe 1959, The analysis of variance, section 7.4)
//!
//! ```text
//!     MS_S  ~  E sigma_S^2 + sigma_R^2        MS_E  ~  S sigma_E^2 + sigma_R^2        MS_R  ~  sigma_R^2
//! ```
//!
//! the variance of the mean is (MS_S + MS_E - MS_R) / (E S). The interval is the mean plus and minus
//!
//! ```text
//!     H = sqrt( t(S - 1)^2 MS_S / (E S)  +  t(E - 1)^2 max(0, MS_E - MS_R) / (E S) )
//! ```
//!
//! where each source of spread has the t quantile of its own degrees of freedom: an approximation, in the spirit of the intervals for
//! sums of variances of Graybill and Wang (1980, https://doi.org/10.1080/01621459.1980.10477565), that stands on the simulations in
//! `docs/inference.md`. They show as well that one t quantile with Satterthwaite's degrees of freedom is too short with few seeds.
//!
//! In a cross-validation every fold has classes, episodes and trainings of its own: all effects are nested in the fold, and folds
//! differ besides. Then each fold's mean is one observation, and the interval is Student's over these (it holds whatever the spread within
//! folds is). Folds share most of their training classes, so they are not quite independent (Bengio and Grandvalet 2004, No unbiased
//! estimator of the variance of k-fold cross-validation).

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::grid::{Sample, ScoreGrid};

/// What the mean of a sample would vary with if the experiment were made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Which classes are held out.
    Fold,
    /// Another training.
    Seed,
    /// Other test tasks.
    Episode,
}

/// One source of spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variation {
    /// What varies.
    pub level: Level,
    /// Its part of the variance of the mean; not negative.
    pub variance: f64,
    /// Degrees of freedom of that variance.
    pub freedom: usize,
}

/// A mean, and what it varies with.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// The mean.
    pub mean: f64,
    /// Independent sources of spread. What a sample cannot show, such as seeds where there is one, is not among them.
    pub sources: Vec<Variation>,
}

/// Intervals hold the truth in so many cases, and differences count as real from `1 - CONFIDENCE` on.
pub const CONFIDENCE: f64 = 0.95;

/// p-values below this are not told apart.
const SMALLEST: f64 = 1e-12;

impl Inference {
    /// Of the mean score of a method; `None` without scores.
    pub fn of(sample: &Sample) -> Option<Self> {
        let grids: Vec<&ScoreGrid> = sample.folds.values().collect();
        match grids[..] {
            [] => None,
            [grid] => Some(Self::crossed(grid)),
            _ => Some(Self::over_folds(&grids.iter().map(|grid| grid.mean()).collect::<Vec<_>>())),
        }
    }

    /// Of the mean of a grid, seeds crossed with episodes.
    pub fn crossed(grid: &ScoreGrid) -> Self {
        let squares = MeanSquares::of(grid);
        let of_episodes = squares.of_episodes(squares.episodes - squares.rest);
        // A single episode cannot show how far the mean is from that of others, however many seeds were tested on it.
        let of_seeds = squares.of_seeds().filter(|_| of_episodes.is_some());
        Self { mean: squares.mean, sources: of_seeds.into_iter().chain(of_episodes).collect() }
    }

    /// Of the difference of two grids on the same episodes whose seeds have nothing to do with each other: each method's seeds
    /// are a source, and the episodes of the differences of the methods' means over seeds. Where one has a single seed, episodes only.
    pub fn of_independent(a: &ScoreGrid, b: &ScoreGrid) -> Self {
        let squares = [a, b].map(MeanSquares::of);
        let averages: Vec<f64> =
            a.episode_means().iter().zip(b.episode_means()).map(|(a, b)| a - b).collect();
        let averaged = ScoreGrid { seeds: vec![0], episodes: a.episodes.clone(), scores: averages };
        let of_averages = MeanSquares::of(&averaged);
        if squares.iter().any(|of| of.s < 2.0) {
            // One method's single network is taken as it is, and so is then the other's mean.
            return Self::crossed(&averaged);
        }
        // Of what the averages vary with, the rest of each method is counted with its seeds already.
        let counted: f64 = squares.iter().map(|of| of.rest / of.s).sum();
        let of_episodes = of_averages.of_episodes(of_averages.episodes - counted);
        let of_seeds = squares.iter().filter_map(MeanSquares::of_seeds).filter(|_| of_episodes.is_some());
        Self { mean: of_averages.mean, sources: of_seeds.chain(of_episodes).collect() }
    }

    /// Of the mean of folds' means.
    pub fn over_folds(means: &[f64]) -> Self {
        let count = means.len() as f64;
        let (mean, variance) = mean_and_variance(means);
        let source = Variation { level: Level::Fold, variance: variance / count, freedom: means.len() - 1 };
        Self { mean, sources: vec![source] }
    }

    /// Half the width of the interval that holds the truth in a share `confidence` of cases; NaN where nothing shows a spread: a
    /// single seed on a single episode.
    pub fn half_width(&self, confidence: f64) -> f64 {
        if self.sources.is_empty() {
            return f64::NAN;
        }
        let square = |source: &Variation| quantile(source.freedom, confidence).powi(2) * source.variance;
        self.sources.iter().map(square).sum::<f64>().sqrt()
    }

    /// The 95 % interval.
    pub fn interval(&self) -> (f64, f64) {
        let half = self.half_width(CONFIDENCE);
        (self.mean - half, self.mean + half)
    }

    /// The two-sided p-value of "the true mean is zero": one minus the confidence of the interval that just reaches zero. 1 where nothing
    /// shows a spread.
    pub fn p(&self) -> f64 {
        if self.sources.is_empty() || self.mean == 0.0 {
            return 1.0;
        }
        // The half-width falls as p grows. Bisection on the logarithm: p-values are compared by their ratio.
        let (mut low, mut high) = (SMALLEST.ln(), 0.0);
        for _ in 0..60 {
            let middle: f64 = (low + high) / 2.0;
            if self.half_width(1.0 - middle.exp()) > self.mean.abs() { low = middle } else { high = middle }
        }
        f64::exp((low + high) / 2.0)
    }

    /// Whether the sample shows how a source varies.
    pub fn shows(&self, level: Level) -> bool {
        self.sources.iter().any(|source| source.level == level)
    }
}

/// The quantile of Student's t that leaves `1 - confidence` outside, half of it on each side.
pub fn quantile(freedom: usize, confidence: f64) -> f64 {
    let upper = 1.0 - (1.0 - confidence) / 2.0;
    StudentsT::new(0.0, 1.0, freedom as f64).map_or(f64::NAN, |t| t.inverse_cdf(upper))
}

/// Mean and sample variance (n - 1); 0 for a single value.
pub fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, if values.len() > 1 { squares / (n - 1.0) } else { 0.0 })
}

/// The mean squares of a two-way table without replication.
#[derive(Clone, Copy, Debug)]
pub struct MeanSquares {
    /// Number of seeds.
    pub s: f64,
    /// Number of episodes.
    pub e: f64,
    /// The mean of all.
    pub mean: f64,
    /// Between seeds; 0 for one.
    pub seeds: f64,
    /// Between episodes; 0 for one.
    pub episodes: f64,
    /// What is neither; 0 for one seed or episode.
    pub rest: f64,
}

impl MeanSquares {
    /// Of the scores of a grid.
    pub fn of(grid: &ScoreGrid) -> Self {
        let (s, e) = (grid.seeds.len() as f64, grid.episodes.len() as f64);
        let (of_seeds, of_episodes) = (grid.seed_means(), grid.episode_means());
        let (mean, seed_variance) = mean_and_variance(&of_seeds);
        let (_, episode_variance) = mean_and_variance(&of_episodes);
        let mut squares = 0.0;
        for (row, episode) in grid.scores.chunks_exact(of_seeds.len()).zip(&of_episodes) {
            squares +=
                row.iter().zip(&of_seeds).map(|(y, seed)| (y - seed - episode + mean).powi(2)).sum::<f64>();
        }
        let freedom = (s - 1.0) * (e - 1.0);
        Self {
            s,
            e,
            mean,
            seeds: e * seed_variance,
            episodes: s * episode_variance,
            rest: if freedom > 0.0 { squares / freedom } else { 0.0 },
        }
    }

    fn of_seeds(&self) -> Option<Variation> {
        let (variance, freedom) = (self.seeds / (self.s * self.e), self.s as usize - 1);
        (freedom > 0).then_some(Variation { level: Level::Seed, variance, freedom })
    }

    fn of_episodes(&self, square: f64) -> Option<Variation> {
        let (variance, freedom) = (square.max(0.0) / (self.s * self.e), self.e as usize - 1);
        (freedom > 0).then_some(Variation { level: Level::Episode, variance, freedom })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[30, 4]`, as `y[e][s]`.
    pub(in crate::stats) fn waves() -> ScoreGrid {
        let y = |e: f64, s: f64| {
            0.5 + 0.2 * (3.0 * e).sin()
                + 0.05 * (7.0 * s + 1.0).sin()
                + 0.1 * (13.0 * e + 29.0 * s + e * s).sin()
        };
        grid(30, 4, y)
    }

    fn grid(episodes: usize, seeds: usize, y: impl Fn(f64, f64) -> f64) -> ScoreGrid {
        let scores = (0..episodes).flat_map(|e| (0..seeds).map(move |s| (e as f64, s as f64)));
        ScoreGrid {
            seeds: (0..seeds as u64).collect(),
            episodes: (0..episodes).collect(),
            scores: scores.map(|(e, s)| y(e, s)).collect(),
        }
    }

    /// Expected by statsmodels 0.15 for `Y[e, s] = 0.5 + 0.2 sin(3e) + 0.05 sin(7s + 1) + 0.1 sin(13e + 29s + es)`, e < 30, s < 4, in
    /// columns y, e, s and one = 1: `smf.mixedlm("y ~ 1", d, groups="one", vc_formula={"e": "0+C(e)", "s": "0+C(s)"}).fit(reml=True)`,
    /// whose `vcomp` is 0.01797226, 0.00038046, `scale` 0.004978557, `fe_params` 0.527884 and `bse_fe` 0.027123.
    #[test]
    fn components_and_standard_error_agree_with_statsmodels() {
        let squares = MeanSquares::of(&waves());
        let (s, e) = (squares.s, squares.e);
        let standard_error = ((squares.seeds + squares.episodes - squares.rest) / (e * s)).sqrt();
        for (value, expected) in [
            ((squares.episodes - squares.rest) / s, 0.01797226),
            ((squares.seeds - squares.rest) / e, 0.00038046),
            (squares.rest, 0.004978557),
            (squares.mean, 0.527884),
            (standard_error, 0.027123),
        ] {
            assert!((value / expected - 1.0).abs() < 1e-3, "{value}, expected {expected}");
        }
    }

    /// Expected by NumPy 2.4 and SciPy 1.17 for the same Y: `MSS = E * Y.mean(0).var(ddof=1)`, `MSE = S * Y.mean(1).var(ddof=1)`,
    /// `R = Y - Y.mean(0) - Y.mean(1)[:, None] + Y.mean()`, `MSR = (R**2).sum() / ((E - 1) * (S - 1))`,
    /// `sqrt(t.ppf(.975, S - 1)**2 * MSS / (E * S) + t.ppf(.975, E - 1)**2 * (MSE - MSR) / (E * S))`.
    #[test]
    fn each_source_has_its_own_quantile() {
        let half = Inference::crossed(&waves()).half_width(CONFIDENCE);
        assert!((half - 0.06236442014956808).abs() < 1e-7, "{half}");
    }

    /// Expected likewise for Y and a `Z[e, s] = 0.45 + 0.15 sin(3e + 0.2) + 0.04 sin(5s + 2) + 0.1 sin(17e + 31s + es)`, s < 3: the variance
    /// between episodes is `max(0, (Y.mean(1) - Z.mean(1)).var(ddof=1) - MSR_Y / 4 - MSR_Z / 3) / E`; p by `scipy.optimize.brentq` on the half-width.
    #[test]
    fn independent_seeds_are_two_sources() {
        let z = |e: f64, s: f64| {
            0.45 + 0.15 * (3.0 * e + 0.2).sin()
                + 0.04 * (5.0 * s + 2.0).sin()
                + 0.1 * (17.0 * e + 31.0 * s + e * s).sin()
        };
        let inference = Inference::of_independent(&waves(), &grid(30, 3, z));
        assert!((inference.mean - 0.05495892017307218).abs() < 1e-12);
        assert!((inference.half_width(CONFIDENCE) - 0.049513798929236436).abs() < 1e-7);
        assert!((inference.p() / 0.039135836023478206 - 1.0).abs() < 1e-5, "{}", inference.p());
    }

    /// Expected by SciPy 1.17: `d = [2.5, 3.1, 1.6, 5.2, -7.6]`, `stats.t.interval(.95, 4, np.mean(d), stats.sem(d))`,
    /// `stats.ttest_1samp(d, 0).pvalue`.
    #[test]
    fn folds_are_a_t_test() {
        let inference = Inference::over_folds(&[2.5, 3.1, 1.6, 5.2, -7.6]);
        let (low, high) = inference.interval();
        assert!(
            (low + 5.205083696089198).abs() < 1e-6 && (high - 7.125083696089198).abs() < 1e-6,
            "{low} {high}"
        );
        assert!((inference.p() - 0.6877845904157078).abs() < 1e-6, "{}", inference.p());
    }

    #[test]
    fn the_interval_excludes_zero_exactly_where_p_is_below_the_level() {
        for shift in [-0.6, -0.55, -0.5, -0.47, -0.46] {
            let mut grid = waves();
            grid.scores.iter_mut().for_each(|score| *score += shift);
            let inference = Inference::crossed(&grid);
            let (low, high) = inference.interval();
            assert_eq!(low > 0.0 || high < 0.0, inference.p() < 1.0 - CONFIDENCE, "{shift}: {inference:?}");
        }
    }

    #[test]
    fn what_a_sample_cannot_show_is_no_source() {
        let one_seed = Inference::crossed(&grid(10, 1, |e, _| e));
        assert!(!one_seed.shows(Level::Seed) && one_seed.shows(Level::Episode));
        let one_episode = Inference::crossed(&grid(1, 3, |_, s| s));
        assert!(one_episode.interval().0.is_nan() && one_episode.p() == 1.0);
        let [three, one] = [3, 1].map(|seeds| grid(10, seeds, |e, s| (e + s).sin()));
        assert!(!Inference::of_independent(&three, &one).shows(Level::Seed));
        let single = Inference::crossed(&grid(1, 1, |_, _| 0.5));
        assert!(single.half_width(CONFIDENCE).is_nan() && single.p() == 1.0);
        let same = Inference::crossed(&grid(10, 3, |_, _| 0.0));
        assert_eq!((same.p(), same.half_width(CONFIDENCE)), (1.0, 0.0));
    }
}
