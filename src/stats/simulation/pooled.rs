//! The same for a measure of all test rows together: the AUC of networks that say of each row how likely its answer is right.

use rand::RngExt;
use statrs::distribution::{ContinuousCDF, Normal};

use super::{EPISODES, normal};
use crate::{
    measures::contributions,
    random::{Purpose, Stream, stream},
    stats::{
        grid::ScoreGrid,
        inference::{CONFIDENCE, Inference},
    },
};

const ROWS: usize = 5;
const AUC: f64 = 0.8;
/// In points of the AUC.
const DEVIATIONS: [f64; 6] = [0.0, 0.5, 1.0, 1.5, 2.0, 4.0];
const SEEDS: [usize; 3] = [3, 5, 10];

/// Standard deviations of what moves a network's output for a row: how well an episode is told right from wrong, and how high it is seen; of all
/// networks alike, and of each for itself; and the row, likewise.
const TOLD: [f64; 2] = [1.0, 0.5];
const SEEN: [f64; 2] = [0.7, 0.3];
const ROW: [f64; 2] = [0.7, 0.5];

/// A row as an AUC reads it: its episode, and whether its answer is right.
type Row = (usize, bool);

/// What all networks are tested on.
struct Test {
    /// `[E]`, of [`TOLD`] and [`SEEN`].
    episodes: Vec<[f64; 2]>,
    /// `[E * ROWS]`, with what is in the row.
    rows: Vec<(Row, f64)>,
}

impl Test {
    fn draw(stream: &mut Stream) -> Self {
        let episodes = (0..EPISODES).map(|_| [TOLD[0] * normal(stream), SEEN[0] * normal(stream)]).collect();
        let mut rows = Vec::with_capacity(EPISODES * ROWS);
        for episode in 0..EPISODES {
            let right = stream.random_range(0.2..0.8);
            rows.extend((0..ROWS).map(|_| ((episode, stream.random_bool(right)), ROW[0] * normal(stream))));
        }
        Self { episodes, rows }
    }

    /// The rows by the output of a network whose AUC would be `auc` if there were no end of episodes. Within a class outputs are
    /// normal with one variance, and those of right and of wrong rows differ by `apart` on average.
    fn sorted(&self, auc: f64, stream: &mut Stream) -> Vec<Row> {
        let square = |of: [f64; 2]| of[0] * of[0] + of[1] * of[1];
        let variance = square(TOLD) / 4.0 + square(SEEN) + square(ROW);
        let apart = (2.0 * variance).sqrt() * Normal::standard().inverse_cdf(auc);
        let own = |_: &[f64; 2]| [TOLD[1] * normal(stream), SEEN[1] * normal(stream)];
        let own: Vec<[f64; 2]> = self.episodes.iter().map(own).collect();
        let output = |&((episode, right), row): &(Row, f64)| {
            let [told, seen] = [0, 1].map(|part| self.episodes[episode][part] + own[episode][part]);
            let side = if right { 0.5 } else { -0.5 };
            (side * (apart + told) + seen + row + ROW[1] * normal(stream), (episode, right))
        };
        let mut outputs: Vec<(f64, Row)> = self.rows.iter().map(output).collect();
        outputs.sort_by(|a, b| a.0.total_cmp(&b.0));
        outputs.into_iter().map(|(_, row)| row).collect()
    }

    /// The networks of a method, whose AUCs are `deviation` apart.
    fn train(&self, seeds: usize, deviation: f64, stream: &mut Stream) -> Vec<Vec<Row>> {
        let train = |_| {
            let auc = AUC + deviation / 100.0 * normal(stream);
            self.sorted(auc, stream)
        };
        (0..seeds).map(train).collect()
    }
}

/// The share of pairs of a right and a wrong row in which the right one is the higher.
fn auc(sorted: &[Row], counts: &[u32]) -> f64 {
    let (mut right, mut wrong, mut pairs) = (0, 0, 0);
    for (episode, is_right) in sorted {
        let count = counts[*episode];
        let of_right = count * u32::from(*is_right);
        right += of_right;
        wrong += count - of_right;
        pairs += of_right * wrong;
    }
    f64::from(pairs) / f64::from(right * wrong)
}

fn grid(networks: &[Vec<Row>]) -> ScoreGrid {
    let of_network = |sorted: &Vec<Row>| contributions(|counts| auc(sorted, counts), &[true; EPISODES]);
    let of_networks: Vec<Vec<f64>> = networks.iter().map(of_network).collect();
    ScoreGrid {
        seeds: (0..networks.len() as u64).collect(),
        episodes: (0..EPISODES).collect(),
        scores: (0..EPISODES).flat_map(|episode| of_networks.iter().map(move |of| of[episode])).collect(),
    }
}

/// The percentile interval of a plain bootstrap that draws seeds and episodes, of the difference of two methods with the same seeds.
fn bootstrap(a: &[Vec<Row>], b: &[Vec<Row>], stream: &mut Stream) -> (f64, f64) {
    const RESAMPLES: usize = 200;
    let mut resample = |_| {
        let mut counts = vec![0; EPISODES];
        (0..EPISODES).for_each(|_| counts[stream.random_range(0..EPISODES)] += 1);
        let seeds = (0..a.len()).map(|_| stream.random_range(0..a.len()));
        let differences = seeds.map(|seed| auc(&a[seed], &counts) - auc(&b[seed], &counts));
        differences.sum::<f64>() / a.len() as f64
    };
    let mut means: Vec<f64> = (0..RESAMPLES).map(&mut resample).collect();
    means.sort_by(f64::total_cmp);
    let outside = (RESAMPLES as f64 * (1.0 - CONFIDENCE) / 2.0) as usize;
    (means[outside], means[RESAMPLES - 1 - outside])
}

/// What the page's table has lines for.
const INTERVALS: [&str; 4] =
    ["AUC", "difference, same seeds", "difference, other seeds", "difference, plain bootstrap"];

/// The shares in per cent of experiments whose 95 % intervals hold the truth, in the order of [`INTERVALS`].
fn coverage(seeds: usize, deviation: f64) -> [f64; 4] {
    const DRAWS: usize = 2000;
    const RARELY: usize = 4;
    let mut stream = stream(10, Purpose::Test, seeds as u64);
    let mut held = [0; 4];
    for draw in 0..DRAWS {
        let test = Test::draw(&mut stream);
        let [a, b] = [(); 2].map(|()| test.train(seeds, deviation, &mut stream));
        let [of_a, of_b] = [&a, &b].map(|networks| grid(networks));
        let others = ScoreGrid { seeds: (100..100 + seeds as u64).collect(), ..of_b.clone() };
        let holds = |truth: f64, (low, high): (f64, f64)| usize::from(low <= truth && truth <= high);
        held[0] += holds(AUC, Inference::crossed(&of_a).interval());
        held[1] += holds(0.0, Inference::crossed(&of_a.minus(&of_b)).interval());
        held[2] += holds(0.0, Inference::of_independent(&of_a, &others).interval());
        // It takes its time: one experiment stands for several.
        if draw % RARELY == 0 {
            held[3] += RARELY * holds(0.0, bootstrap(&a, &b, &mut stream));
        }
    }
    held.map(|held| 100.0 * held as f64 / DRAWS as f64)
}

/// The page's table is made here, and a failure prints the lines as they should be.
#[test]
fn intervals_of_pooled_measures_hold_the_truth_as_often_as_they_say() {
    let page = include_str!("../../../docs/inference.md");
    let shares = SEEDS.map(|seeds| DEVIATIONS.map(|deviation| coverage(seeds, deviation)));
    let mut lines = Vec::new();
    for (place, interval) in INTERVALS.iter().enumerate() {
        for (seeds, shares) in SEEDS.iter().zip(&shares) {
            let shares = shares.map(|of| of[place]);
            let cells = shares.map(|share| format!("{share:.1}")).join(" | ");
            let line = format!("| {interval} | {seeds} | {cells} |");
            let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
            // The plain bootstrap is there to show why it is not what stands behind an interval.
            assert!(least >= 93.0 || interval.contains("bootstrap"), "{line}");
            lines.push(line);
        }
    }
    let table = lines.join("\n");
    assert!(page.contains(&table), "docs/inference.md lacks the lines\n{table}");
}
