use proptest::prelude::*;

use super::*;
use crate::{
    measures::{self, Better},
    records::TaskKind,
};

fn judge() -> Quantity {
    measures::find("accuracy").expect("registered").quantity()
}

fn contestant(method: &str) -> Contestant {
    Contestant { method: method.to_owned(), step: 5 }
}

fn row(method: &str, seed: u64, episode: usize, score: f64) -> EvaluationRow {
    EvaluationRow {
        method: method.to_owned(),
        fold: 0,
        seed,
        task: TaskKind::FewShot,
        shots: 1,
        episode,
        step: 5,
        loss: 1.0,
        values: [(judge().name, score)].into_iter().collect(),
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

fn compared(rows: &[EvaluationRow], methods: &[&str]) -> Vec<Comparison> {
    let contestants: Vec<_> = methods.iter().map(|method| contestant(method)).collect();
    let mut pairs = compare(rows, judge(), &contestants, 1).expect("pairs").pairs;
    correct(pairs.iter_mut());
    pairs
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// Expected by SciPy 1.17 for `d = np.array([(17 + i * 7 % 5 - (12 + i * 11 % 13)) / 45 for i in range(80)]).round(12)`:
/// `d.mean()`, `stats.wilcoxon(d).pvalue`; the two seeds differ by a constant, so that the interval is
/// `d.mean() + np.array([-1, 1]) * np.hypot(t.ppf(.975, 1) * (1 / 45), t.ppf(.975, 79) * stats.sem(d))`.
#[test]
fn numbers_agree_with_scipy() {
    let a: Vec<[u32; 2]> = (0..80).map(|i| [16 + i * 7 % 5, 18 + i * 7 % 5]).collect();
    let b: Vec<[u32; 2]> = (0..80).map(|i| [12 + i * 11 % 13; 2]).collect();
    let pairs = compared(&[rows("a", &a), rows("b", &b)].concat(), &["a", "b"]);
    let [c] = &pairs[..] else { panic!("one pair: {pairs:?}") };
    assert!((c.difference - 0.0225).abs() < 1e-9, "{}", c.difference);
    assert!((c.networks.p / 0.03007838189772011 - 1.0).abs() < 1e-6, "{}", c.networks.p);
    assert!(
        (c.interval.0 + 0.2605407).abs() < 1e-6 && (c.interval.1 - 0.3055407).abs() < 1e-6,
        "{:?}",
        c.interval
    );
    assert_eq!((c.p_holm, c.family, c.episodes, c.size.seeds), (c.p, 1, 80, 2));
    assert!(!c.is_significant(), "two seeds a point from each other say little");
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
        let one = compared(&all, &["a", "b"]).remove(0);
        let turn = start % all.len();
        all.rotate_left(turn);
        all.reverse();
        prop_assert_eq!(&compared(&all, &["a", "b"])[0], &one);
        let other = compared(&all, &["b", "a"]).remove(0);
        prop_assert!(near(other.difference, -one.difference));
        prop_assert!(near(other.interval.0, -one.interval.1) && near(other.interval.1, -one.interval.0));
        prop_assert!(near(other.networks.effect, -one.networks.effect));
        prop_assert!(near(other.p, one.p) && near(other.networks.p, one.networks.p));
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
        let pair = |a: &[[u32; 2]], b: &[[u32; 2]]| {
            compared(&[rows("a", a), rows("b", b)].concat(), &["a", "b"]).remove(0)
        };
        let (one, other) = (pair(&a, &b), pair(&shifted, &b));
        let by = f64::from(shift) / 45.0;
        prop_assert!(near(other.difference, one.difference + by));
        prop_assert!(near(other.interval.0, one.interval.0 + by) && near(other.interval.1, one.interval.1 + by));
        prop_assert!(other.networks.effect >= one.networks.effect);
        let together = pair(&shifted, &both);
        prop_assert!(near(together.difference, one.difference) && near(together.interval.0, one.interval.0));
        prop_assert!(near(together.p, one.p) && near(together.networks.effect, one.networks.effect));
    }
}

#[test]
fn holm_counts_all_pairs_and_methods_keep_their_order() {
    let hits = |of: fn(u32) -> u32| (0..30).map(|i| [of(i), of(i + 1)]).collect::<Vec<_>>();
    let all =
        [rows("a", &hits(|i| 20 + i % 7)), rows("b", &hits(|i| 20 + i % 5)), rows("c", &hits(|i| 2 + i % 6))]
            .concat();
    let pairs = compared(&all, &["a", "b", "c"]);
    let names: Vec<_> = pairs.iter().map(|c| (&*c.a.method, &*c.b.method)).collect();
    assert_eq!(names, [("a", "b"), ("a", "c"), ("b", "c")]);
    let expected = holm(&pairs.iter().map(|c| c.p).collect::<Vec<f64>>());
    assert_eq!(pairs.iter().map(|c| c.p_holm).collect::<Vec<f64>>(), expected);
    assert!(pairs[1].p_holm > pairs[1].p && pairs[1].networks.effect == 1.0);
    assert!(pairs.iter().all(|c| c.family == 3));
    assert!(compared(&all, &["a"]).is_empty());
}

/// Five folds of the kind that the flat list of episodes had taken for a clear victory.
#[test]
fn folds_that_disagree_are_no_victory() {
    let shifts = [2.5, 3.1, 1.6, 5.2, -7.6];
    let mut all = Vec::new();
    for (fold, shift) in shifts.iter().enumerate() {
        for seed in [0, 1] {
            for episode in 0..300 {
                let base = 0.5 + (episode * 31 % 17) as f64 / 100.0 + (episode * seed * 7 % 5) as f64 / 100.0;
                let of =
                    |method: &str, score| EvaluationRow { fold, ..row(method, seed as u64, episode, score) };
                all.extend([of("a", base + shift / 100.0), of("b", base)]);
            }
        }
    }
    let c = compared(&all, &["a", "b"]).remove(0);
    assert!(c.networks.p < 1e-4, "as networks they differ: {}", c.networks.p);
    assert!((c.p - 0.6877845904157078).abs() < 1e-6 && !c.is_significant(), "{}", c.p);
    assert!((c.interval.1 - 0.07125083696).abs() < 1e-8, "{:?}", c.interval);
    let of_folds: Vec<f64> = c.folds.iter().map(|f| (f.difference * 1000.0).round() / 10.0).collect();
    assert_eq!(of_folds, shifts);
    assert!(c.folds.iter().all(|f| f.interval.0 <= f.difference && f.difference <= f.interval.1));
}

#[test]
fn where_less_is_better_the_other_one_is_ahead() {
    let hits: Vec<[u32; 2]> = (0..10).map(|i| [20 + i, 30]).collect();
    let more: Vec<[u32; 2]> = (0..10).map(|i| [22 + i, 31 + i % 2]).collect();
    let all = [rows("a", &hits), rows("b", &more)].concat();
    let contestants = ["a", "b"].map(contestant);
    let ahead = |judge: Quantity| {
        let compared = compare(&all, judge, &contestants, 1).expect("comparable");
        compared.pairs[0].ranked().0.method.clone()
    };
    let lower = Quantity { better: Better::Lower, ..judge() };
    assert_eq!([ahead(judge()), ahead(lower)], ["b", "a"]);
}

#[test]
fn other_seeds_are_averaged_per_episode() {
    let hits: Vec<[u32; 2]> = (0..10).map(|i| [20 + i, 30]).collect();
    let single = |row: &EvaluationRow| EvaluationRow { method: "b".to_owned(), seed: 9, ..row.clone() };
    let mut all = rows("a", &hits);
    let of_one_seed: Vec<_> = all.iter().filter(|r| r.seed == 0).map(single).collect();
    all.extend(of_one_seed);
    let c = compared(&all, &["a", "b"]).remove(0);
    assert_eq!(c.size.seeds, 1);
    assert!(!c.is_significant() && c.settling().is_empty(), "one network shows nothing of others");
    let expected = (0..10).map(|i| f64::from(30 - 20 - i) / 2.0).sum::<f64>() / 450.0;
    assert!(near(c.difference, expected), "{}", c.difference);
}

#[test]
fn what_is_not_finite_is_left_out_and_said() {
    let hits: Vec<[u32; 2]> = (0..10).map(|i| [20 + i, 30]).collect();
    let mut all = [rows("a", &hits), rows("b", &hits)].concat();
    for row in all.iter_mut().filter(|row| row.method == "a") {
        if row.seed == 1 || row.episode == 4 {
            row.values = [(judge().name, f64::NAN)].into_iter().collect();
        }
    }
    let Compared { pairs, left_out } =
        compare(&all, judge(), &["a", "b"].map(contestant), 1).expect("comparable");
    assert_eq!((pairs[0].episodes, pairs[0].size.seeds), (9, 1));
    assert!(left_out[0].contains("`a` with seed 1 is left out"), "{left_out:?}");
    assert!(
        left_out[1].contains("one episode is left out of the 1-shot comparisons with `a`"),
        "{left_out:?}"
    );
    let nothing = || [(judge().name, f64::NAN)].into_iter().collect();
    all.iter_mut().filter(|row| row.method == "a").for_each(|row| row.values = nothing());
    assert!(compare(&all, judge(), &["a", "b"].map(contestant), 1).expect("comparable").pairs.is_empty());
}

#[test]
fn what_cannot_be_paired_is_named() {
    let hits: Vec<[u32; 2]> = (0..10).map(|i| [20 + i, 30]).collect();
    let all = [rows("a", &hits), rows("b", &hits)].concat();
    let error = |rows: &[EvaluationRow], shots| {
        let result = compare(rows, judge(), &[contestant("a"), contestant("b")], shots);
        result.expect_err("cannot be paired").to_string()
    };
    let without =
        |gone: fn(&EvaluationRow) -> bool| all.iter().filter(|r| !gone(r)).cloned().collect::<Vec<_>>();
    for (rows, shots, words) in [
        (
            without(|r| r.method == "b" && r.episode == 4),
            1,
            "`a` and `b` cannot be compared: they were tested on different episodes (10 and 9, 9 of them",
        ),
        (
            without(|r| r.method == "b" && r.episode == 4 && r.seed == 1),
            1,
            "`b` with seed 1 lacks episode 4 of fold 0",
        ),
        (without(|r| r.method == "b"), 1, "no test episode of `b` with 1 shots after 5 steps"),
        (all.clone(), 3, "`a` was not tested with 3 shots"),
        ([all.clone(), all[..1].to_vec()].concat(), 1, "two rows of `a` for fold 0, seed 0"),
    ] {
        let message = error(&rows, shots);
        assert!(message.contains(words), "{message}");
    }
    let other_step: Vec<_> = all.iter().map(|r| EvaluationRow { step: 3, ..r.clone() }).collect();
    assert!(error(&other_step, 1).contains("`a` was tested after 3 steps only"));
}
