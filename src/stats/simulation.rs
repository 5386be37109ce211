//! Simulations of what `docs/inference.md` promises: how often intervals hold the truth, and how often equal methods are called different.

mod pooled;

use rand_distr::{Distribution, StandardNormal};

use super::{
    comparison::{Comparison, LEVEL, compare, correct},
    grid::{Sample, ScoreGrid},
    inference::Inference,
    pairing::Contestant,
    settle::{Components, POWER, Settling, Size},
    signed_rank::holm,
};
use crate::{
    measures::{self, Quantity},
    random::{Purpose, Stream, stream},
    records::{EvaluationRow, TaskKind},
};

/// In points, as they are seen in few-shot tests: episodes differ, and a network on an episode besides.
const EPISODE: f64 = 5.0;
const REST: f64 = 7.0;
const FOLD: f64 = 2.0;
const EPISODES: usize = 100;
const DEVIATIONS: [f64; 6] = [0.0, 0.5, 1.0, 1.5, 2.0, 4.0];

fn normal(stream: &mut Stream) -> f64 {
    StandardNormal.sample(stream)
}

/// Scores around zero of `seeds` trainings in each of `folds`.
fn sample(folds: usize, seeds: usize, seed_deviation: f64, stream: &mut Stream) -> Sample {
    let mut sample = Sample::default();
    for fold in 0..folds {
        let of_fold = if folds > 1 { FOLD * normal(stream) } else { 0.0 };
        let of_seeds: Vec<f64> = (0..seeds).map(|_| seed_deviation * normal(stream)).collect();
        let mut scores = Vec::with_capacity(EPISODES * seeds);
        for _ in 0..EPISODES {
            let of_episode = of_fold + EPISODE * normal(stream);
            scores.extend(of_seeds.iter().map(|of_seed| of_episode + of_seed + REST * normal(stream)));
        }
        let seeds = (0..seeds as u64).collect();
        sample.folds.insert(fold, ScoreGrid { seeds, episodes: (0..EPISODES).collect(), scores });
    }
    sample
}

/// The share in per cent of experiments whose 95 % interval holds the true mean.
fn coverage(folds: usize, seeds: usize, seed_deviation: f64) -> f64 {
    const DRAWS: usize = 5000;
    let mut stream = stream(7, Purpose::Test, (folds * 100 + seeds) as u64);
    let held = (0..DRAWS).filter(|_| {
        let sample = sample(folds, seeds, seed_deviation, &mut stream);
        let (low, high) = Inference::of(&sample).expect("scores").interval();
        low <= 0.0 && 0.0 <= high
    });
    100.0 * held.count() as f64 / DRAWS as f64
}

/// The page's table is made here, and a failure prints the lines as they should be.
#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let page = include_str!("../../docs/inference.md");
    let mut lines = Vec::new();
    for folds in [1, 5, 10] {
        for seeds in [3, 5, 10] {
            let shares = DEVIATIONS.map(|deviation| coverage(folds, seeds, deviation));
            let cells = shares.map(|share| format!("{share:.1}")).join(" | ");
            let line = format!("| {folds} | {seeds} | {cells} |");
            let (least, most) = if seeds == 3 { (93.0, 98.5) } else { (94.0, 97.5) };
            assert!(shares.iter().all(|share| (least..=most).contains(share)), "{line}");
            lines.push(line);
        }
    }
    let table = lines.join("\n");
    assert!(page.contains(&table), "docs/inference.md lacks the lines\n{table}");
}

/// Rows of methods that are one and the same but for their seeds, at two numbers of shots.
fn equal_methods(
    methods: &[&str],
    folds: usize,
    seeds: usize,
    deviation: f64,
    stream: &mut Stream,
) -> Vec<EvaluationRow> {
    let mut rows = Vec::new();
    for shots in [1, 5] {
        for fold in 0..folds {
            let of_episodes: Vec<f64> = (0..EPISODES).map(|_| EPISODE * normal(stream)).collect();
            for method in methods {
                for seed in 0..seeds as u64 {
                    let of_seed = deviation * normal(stream);
                    rows.extend(of_episodes.iter().enumerate().map(|(episode, of_episode)| {
                        EvaluationRow {
                            method: (*method).to_owned(),
                            fold,
                            seed,
                            task: TaskKind::FewShot,
                            shots,
                            episode,
                            step: 5,
                            loss: 1.0,
                            values: [(
                                judge().name,
                                0.6 + (of_episode + of_seed + REST * normal(stream)) / 100.0,
                            )]
                            .into_iter()
                            .collect(),
                        }
                    }));
                }
            }
        }
    }
    rows
}

fn judge() -> Quantity {
    measures::find("accuracy").expect("registered").quantity()
}

/// All pairs of a report, at both numbers of shots.
fn report(rows: &[EvaluationRow], methods: &[&str]) -> Vec<Comparison> {
    let contestants: Vec<Contestant> =
        methods.iter().map(|method| Contestant { method: (*method).to_owned(), step: 5 }).collect();
    let of = |shots| compare(rows, judge(), &contestants, shots).expect("pairs").pairs;
    let mut pairs = [of(1), of(5)].concat();
    correct(pairs.iter_mut());
    pairs
}

/// The page's second table: how often a report on equal methods says "is better than" at all, and how often Wilcoxon's test on the same
/// networks does for at least one pair.
#[test]
fn reports_on_equal_methods_rarely_call_one_better() {
    const REPORTS: usize = 400;
    let methods = ["a", "b", "c"];
    let page = include_str!("../../docs/inference.md");
    let mut lines = Vec::new();
    for (folds, seeds, deviation) in [(1, 3, 0.0), (1, 3, 2.0), (1, 5, 1.0), (1, 10, 4.0), (5, 2, 1.0)] {
        let mut stream = stream(8, Purpose::Test, (100 * folds + seeds) as u64);
        let (mut wrong, mut of_networks) = (0, 0);
        for _ in 0..REPORTS {
            let pairs = report(&equal_methods(&methods, folds, seeds, deviation, &mut stream), &methods);
            wrong += usize::from(pairs.iter().any(|pair| pair.sentence().contains("is better than")));
            let p: Vec<f64> = pairs.iter().map(|pair| pair.networks.p).collect();
            of_networks += usize::from(holm(&p).iter().any(|p| *p < LEVEL));
        }
        let share = |count: usize| 100.0 * count as f64 / REPORTS as f64;
        // Three standard errors above 5 %.
        assert!(share(wrong) < 8.3, "{folds} folds, {seeds} seeds, deviation {deviation}: {wrong}");
        lines.push(format!(
            "| {folds} | {seeds} | {deviation} | {:.1} | {:.1} |",
            share(wrong),
            share(of_networks)
        ));
    }
    let table = lines.join("\n");
    assert!(page.contains(&table), "docs/inference.md lacks the lines\n{table}");
}

/// What is said to settle a comparison does so in about four cases of five.
#[test]
fn the_size_that_is_to_settle_it_does() {
    let components = Components { fold: 0.0, seed: 2.0, episode: 4.0, rest: 50.0 };
    let now = Size { folds: 1, seeds: 3, episodes: EPISODES };
    let difference = 2.0;
    let found = components.settling(difference, now, LEVEL);
    let Settling::Seeds(seeds) = found[0] else { panic!("{found:?}") };
    let mut stream = stream(9, Purpose::Test, 0);
    const DRAWS: usize = 2000;
    let hits = (0..DRAWS).filter(|_| {
        let of_seeds: Vec<f64> = (0..seeds).map(|_| components.seed.sqrt() * normal(&mut stream)).collect();
        let mut scores = Vec::new();
        for _ in 0..EPISODES {
            let of_episode = difference + components.episode.sqrt() * normal(&mut stream);
            scores.extend(
                of_seeds
                    .iter()
                    .map(|of_seed| of_episode + of_seed + components.rest.sqrt() * normal(&mut stream)),
            );
        }
        let seeds = (0..seeds as u64).collect();
        Inference::crossed(&ScoreGrid { seeds, episodes: (0..EPISODES).collect(), scores }).interval().0 > 0.0
    });
    let power = hits.count() as f64 / DRAWS as f64;
    assert!((power - POWER).abs() < 0.04, "{seeds} seeds find it in {power}");
}
