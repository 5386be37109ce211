//! Paired comparisons of methods that were tested on the same frozen episodes.

use anyhow::Result;

use super::{
    Estimate,
    bootstrap::{Crossed, percentile_interval, resampled_means},
    pairing::pair,
    power::{LEVEL, pairs_needed},
    signed_rank::{SignedRank, holm},
};
use crate::records::EvaluationRow;

/// Differences of accuracies are told apart down to this: queries are counted, so that anything smaller is rounding, and would
/// make differences unequal that are equal.
const RESOLUTION: f64 = 1e-6;

/// A method after a number of adaptation steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contestant {
    /// The method's name in the experiment file.
    pub method: String,
    /// Adaptation steps taken on the support set.
    pub step: usize,
}

/// What the test episodes say about two methods.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Support images per class.
    pub shots: usize,
    /// The one.
    pub a: Contestant,
    /// The other.
    pub b: Contestant,
    /// Mean accuracy of `a` minus that of `b`, over episodes and seeds; accuracies are 0 to 1.
    pub difference: f64,
    /// 95 % bootstrap interval of the difference, over episodes and seeds (see [`super::bootstrap`]); NaN for a single episode.
    pub interval: (f64, f64),
    /// Two-sided p-value of Wilcoxon's signed-rank test over episodes, each averaged over seeds first.
    ///
    /// It speaks of the networks that were trained; what other seeds might have given is in the interval.
    pub p: f64,
    /// The same with Holm's correction for the number of pairs compared.
    pub p_holm: f64,
    /// Matched-pairs rank-biserial correlation, -1 to 1.
    pub effect: f64,
    /// Test episodes, over all folds.
    pub episodes: usize,
    /// Seeds of the one that has fewer.
    pub seeds: usize,
    /// How many episodes would tell the two apart, were the difference and its spread over episodes what they seem: in four
    /// cases of five at the 5 % level, the seeds as they are. `None` where there is no difference, or a single episode.
    pub episodes_needed: Option<usize>,
}

/// All pairs among `contestants` at `shots`, in their order: the first with the second, with the third, and so on.
///
/// Methods are paired by fold and episode, and by seed where both have the same seeds. Where they have not, each is averaged
/// over seeds of its own, and these are resampled independently.
///
/// # Errors
/// Names the methods that cannot be paired, and why: tested on different episodes or not at all, a row missing or doubled, an
/// accuracy that is no number.
pub fn compare(rows: &[EvaluationRow], contestants: &[Contestant], shots: usize) -> Result<Vec<Comparison>> {
    let (samples, episodes) = pair(rows, contestants, shots)?;
    let resampled = resampled_means(&samples, episodes);
    let averages: Vec<Vec<f64>> = samples.iter().map(over_seeds).collect();
    let mut comparisons = Vec::new();
    for i in 0..contestants.len() {
        for j in i + 1..contestants.len() {
            let differences: Vec<f64> = averages[i].iter().zip(&averages[j]).map(|(a, b)| a - b).collect();
            let rounded: Vec<f64> =
                differences.iter().map(|d| (d / RESOLUTION).round() * RESOLUTION).collect();
            let test = SignedRank::of(&rounded);
            let Some(estimate) = Estimate::of(&differences) else { continue };
            let resampled = resampled[i].iter().zip(&resampled[j]).map(|(a, b)| a - b).collect();
            let p = test.p_two_sided();
            comparisons.push(Comparison {
                shots,
                a: contestants[i].clone(),
                b: contestants[j].clone(),
                difference: estimate.mean,
                interval: if episodes > 1 { percentile_interval(resampled) } else { (f64::NAN, f64::NAN) },
                p,
                p_holm: p,
                effect: test.rank_biserial(),
                episodes,
                seeds: samples[i].seeds.len().min(samples[j].seeds.len()),
                episodes_needed: (episodes > 1 && estimate.mean.abs() > RESOLUTION)
                    .then(|| pairs_needed(estimate.mean / estimate.std.max(RESOLUTION)))
                    .flatten(),
            });
        }
    }
    let corrected = holm(&comparisons.iter().map(|c| c.p).collect::<Vec<f64>>());
    comparisons.iter_mut().zip(corrected).for_each(|(comparison, p)| comparison.p_holm = p);
    Ok(comparisons)
}

/// The accuracy on each episode, averaged over seeds.
fn over_seeds(sample: &Crossed) -> Vec<f64> {
    let seeds = sample.seeds.len();
    sample.accuracies.chunks_exact(seeds).map(|of| of.iter().sum::<f64>() / seeds as f64).collect()
}

impl Comparison {
    /// Whether the two differ at the 5 % level, all pairs that were compared taken together.
    pub fn is_significant(&self) -> bool {
        self.p_holm < LEVEL
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::Task;

    fn contestant(method: &str) -> Contestant {
        Contestant { method: method.to_owned(), step: 5 }
    }

    fn row(method: &str, seed: u64, episode: usize, accuracy: f64) -> EvaluationRow {
        EvaluationRow {
            method: method.to_owned(),
            fold: episode % 2,
            seed,
            task: Task::FewShot,
            shots: 1,
            episode: episode / 2,
            step: 5,
            loss: 1.0,
            accuracy,
        }
    }

    /// Rows of one method, `hits[episode][seed]` of 45 queries right.
    fn rows(method: &str, hits: &[[u32; 2]]) -> Vec<EvaluationRow> {
        let of_seeds = |(episode, hits): (usize, &[u32; 2])| {
            let of_seed = |seed: usize| row(method, seed as u64, episode, f64::from(hits[seed]) / 45.0);
            [of_seed(0), of_seed(1)]
        };
        hits.iter().enumerate().flat_map(of_seeds).collect()
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    /// Expected by SciPy 1.17 for `d = np.array([(17 + i * 7 % 5 - (12 + i * 11 % 13)) / 45 for i in range(80)]).round(12)`:
    /// `d.mean()`, `stats.wilcoxon(d).pvalue`; and by statsmodels 0.15:
    /// `ceil(TTestPower().solve_power(d.mean() / d.std(ddof=1), alpha=0.05, power=0.8))`.
    #[test]
    fn numbers_agree_with_scipy() {
        let a: Vec<[u32; 2]> = (0..80).map(|i| [16 + i * 7 % 5, 18 + i * 7 % 5]).collect();
        let b: Vec<[u32; 2]> = (0..80).map(|i| [12 + i * 11 % 13; 2]).collect();
        let all = [rows("a", &a), rows("b", &b)].concat();
        let comparisons = compare(&all, &[contestant("a"), contestant("b")], 1).expect("pairs");
        let [c] = &comparisons[..] else { panic!("one pair: {comparisons:?}") };
        assert!((c.difference - 0.0225).abs() < 1e-9, "{}", c.difference);
        assert!((c.p / 0.03007838189772011 - 1.0).abs() < 1e-6, "{}", c.p);
        assert_eq!(c.p_holm, c.p);
        assert_eq!((c.episodes, c.seeds, c.episodes_needed), (80, 2, Some(123)));
        assert!(c.interval.0 < c.difference && c.difference < c.interval.1, "{:?}", c.interval);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

        #[test]
        fn swapping_methods_turns_the_signs_and_order_of_rows_is_nothing(
            hits in prop::collection::vec((prop::array::uniform2(0..46u32), prop::array::uniform2(0..46u32)), 2..20),
            start in 0..40usize,
        ) {
            let (a, b): (Vec<_>, Vec<_>) = hits.into_iter().unzip();
            let mut all = [rows("a", &a), rows("b", &b)].concat();
            let one = compare(&all, &[contestant("a"), contestant("b")], 1).expect("pairs").remove(0);
            let turn = start % all.len();
            all.rotate_left(turn);
            all.reverse();
            prop_assert_eq!(&compare(&all, &[contestant("a"), contestant("b")], 1).expect("pairs")[0], &one);
            let other = compare(&all, &[contestant("b"), contestant("a")], 1).expect("pairs").remove(0);
            prop_assert!(near(other.difference, -one.difference));
            prop_assert!(near(other.interval.0, -one.interval.1) && near(other.interval.1, -one.interval.0));
            prop_assert!(near(other.effect, -one.effect));
            prop_assert_eq!((other.p, other.p_holm, other.episodes_needed), (one.p, one.p_holm, one.episodes_needed));
            prop_assert_eq!(other.sentence(), one.sentence());
        }

        #[test]
        fn a_constant_shifts_difference_and_interval(
            hits in prop::collection::vec((prop::array::uniform2(0..31u32), prop::array::uniform2(0..31u32)), 2..20),
            shift in 1..15u32,
        ) {
            let (a, b): (Vec<_>, Vec<_>) = hits.into_iter().unzip();
            let shifted: Vec<[u32; 2]> = a.iter().map(|hits| hits.map(|h| h + shift)).collect();
            let both: Vec<[u32; 2]> = b.iter().map(|hits| hits.map(|h| h + shift)).collect();
            let compared = |a: &[[u32; 2]], b: &[[u32; 2]]| {
                let all = [rows("a", a), rows("b", b)].concat();
                compare(&all, &[contestant("a"), contestant("b")], 1).expect("pairs").remove(0)
            };
            let (one, other) = (compared(&a, &b), compared(&shifted, &b));
            let by = f64::from(shift) / 45.0;
            prop_assert!(near(other.difference, one.difference + by));
            prop_assert!(near(other.interval.0, one.interval.0 + by) && near(other.interval.1, one.interval.1 + by));
            prop_assert!(other.effect >= one.effect);
            let together = compared(&shifted, &both);
            prop_assert!(near(together.difference, one.difference) && near(together.interval.0, one.interval.0));
            prop_assert_eq!((together.p, together.effect), (one.p, one.effect));
        }
    }

    #[test]
    fn holm_counts_all_pairs_and_methods_keep_their_order() {
        let hits = |of: fn(u32) -> u32| (0..30).map(|i| [of(i), of(i)]).collect::<Vec<_>>();
        let all = [
            rows("a", &hits(|i| 20 + i % 7)),
            rows("b", &hits(|i| 20 + i % 5)),
            rows("c", &hits(|i| 10 + i % 6)),
        ]
        .concat();
        let pairs = compare(&all, &["a", "b", "c"].map(contestant), 1).expect("pairs");
        let names: Vec<_> = pairs.iter().map(|c| (&*c.a.method, &*c.b.method)).collect();
        assert_eq!(names, [("a", "b"), ("a", "c"), ("b", "c")]);
        let expected = holm(&pairs.iter().map(|c| c.p).collect::<Vec<f64>>());
        assert_eq!(pairs.iter().map(|c| c.p_holm).collect::<Vec<f64>>(), expected);
        assert!(pairs[1].p_holm > pairs[1].p && pairs[1].is_significant() && pairs[1].effect == 1.0);
        assert!(compare(&all, &[contestant("a")], 1).expect("no pair").is_empty());
    }

    #[test]
    fn other_seeds_are_averaged_per_episode() {
        let hits: Vec<[u32; 2]> = (0..10).map(|i| [20 + i, 30]).collect();
        let single = |row: &EvaluationRow| EvaluationRow { method: "b".to_owned(), seed: 9, ..row.clone() };
        let mut all = rows("a", &hits);
        let of_one_seed: Vec<_> = all.iter().filter(|r| r.seed == 0).map(single).collect();
        all.extend(of_one_seed);
        let c = compare(&all, &[contestant("a"), contestant("b")], 1).expect("pairs").remove(0);
        assert_eq!(c.seeds, 1);
        let expected = (0..10).map(|i| f64::from(30 - 20 - i) / 2.0).sum::<f64>() / 450.0;
        assert!(near(c.difference, expected), "{}", c.difference);
    }

    #[test]
    fn what_cannot_be_paired_is_named() {
        let hits: Vec<[u32; 2]> = (0..10).map(|i| [20 + i, 30]).collect();
        let all = [rows("a", &hits), rows("b", &hits)].concat();
        let error = |rows: &[EvaluationRow], shots| {
            let result = compare(rows, &[contestant("a"), contestant("b")], shots);
            result.expect_err("cannot be paired").to_string()
        };
        let without =
            |gone: fn(&EvaluationRow) -> bool| all.iter().filter(|r| !gone(r)).cloned().collect::<Vec<_>>();
        for (rows, shots, words) in [
            (
                without(|r| r.method == "b" && r.episode == 4),
                1,
                "`a` and `b` cannot be compared: they were tested on different episodes (10 and 8, 8 of them",
            ),
            (
                without(|r| r.method == "b" && r.episode == 4 && r.seed == 1),
                1,
                "`b` with seed 1 lacks episode 4 of fold 0",
            ),
            (without(|r| r.method == "b"), 1, "no test episode of `b` with 1 shots after 5 steps"),
            (all.clone(), 3, "`a` was not tested with 3 shots"),
            ([all.clone(), all[..1].to_vec()].concat(), 1, "two rows of `a` for fold 0, seed 0"),
            ([all.clone(), vec![row("b", 2, 0, f64::NAN)]].concat(), 1, "of `b` for fold 0, seed 2"),
        ] {
            let message = error(&rows, shots);
            assert!(message.contains(words), "{message}");
        }
        let other_step: Vec<_> = all.iter().map(|r| EvaluationRow { step: 3, ..r.clone() }).collect();
        assert!(error(&other_step, 1).contains("`a` was tested after 3 steps only"));
    }
}
