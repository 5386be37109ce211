//! What a network sees of a review: which card, what the learner knows so far, how the card was met before, and the time since.
//!
//! ```text
//!     [ shares of cards (I) | learner (2) | earlier reviews, the last first (2 H) | counts (4) | elapsed (1) ]
//!
//!     shares      1 at the card's place; 1 / I everywhere for a card that is not known from other learners
//!     learner     logit of the share of reviews so far that were recalled, drawn towards 1/2;  ln(1 + their number)
//!     earlier     of each: how well it was recalled, see [`grade_value`];  ln(1 + seconds before it since the one before), over 10
//!     counts      ln(1 + number) of reviews of the card so far, of those that were recalled, forgotten, shown
//!     elapsed     ln(1 + seconds since the last review of the card)
//! ```
//!
//! Nothing in a row is of its own review but the time at which it was.

use std::ops::Range;

use tch::{Kind, Tensor};

use crate::{data::reviews::Grade, tasks::Interface};

/// Numbers of the learner.
const LEARNER: usize = 2;
/// Numbers of each earlier review.
const REVIEW: usize = 2;
/// Counts of the card.
const COUNTS: usize = 4;

/// Answers towards 1/2 that the share of recalled reviews is drawn by.
const DRAWN: f32 = 3.0;
/// What logarithms of intervals are divided by, so that they are about as large as the rest.
const INTERVALS: f32 = 10.0;

/// The sizes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// I, cards that are known from other learners.
    pub cards: usize,
    /// H, earlier reviews of the card.
    pub history: usize,
}

/// What is known before a review.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// The place of the card, if it is known from other learners.
    pub card: Option<usize>,
    /// Reviews of the learner so far in which something was asked, and how many were recalled.
    pub asked: u32,
    /// Those that were recalled.
    pub recalled: u32,
    /// The earlier reviews of the card, the last first: how well it was recalled, and seconds since the one before (0 for the first).
    pub earlier: Vec<(Grade, f64)>,
    /// Seconds since the last of them; 0 if there is none.
    pub elapsed: f64,
}

/// How a grade is written: 0 is no review.
pub fn grade_value(grade: Grade) -> f32 {
    match grade {
        Grade::Again => -1.0,
        Grade::Shown => 0.25,
        Grade::Hard => 0.5,
        Grade::Good => 1.0,
        Grade::Easy => 1.5,
    }
}

/// The grade that is written so; `None` where there is no review.
fn grade_of(value: f32) -> Option<Grade> {
    [Grade::Again, Grade::Shown, Grade::Hard, Grade::Good, Grade::Easy]
        .into_iter()
        .find(|grade| (grade_value(*grade) - value).abs() < 0.01)
}

impl Layout {
    /// That of an interface of this family.
    pub fn of(interface: &Interface) -> Self {
        let rest = interface.inputs.saturating_sub(interface.items + LEARNER + COUNTS + 1);
        Self { cards: interface.items, history: rest / REVIEW }
    }

    /// D.
    pub fn width(self) -> usize {
        self.cards + LEARNER + REVIEW * self.history + COUNTS + 1
    }

    /// Where the learner's numbers are.
    pub fn learner(self) -> Range<usize> {
        self.cards..self.cards + LEARNER
    }

    /// Where the earlier reviews are.
    pub fn earlier(self) -> Range<usize> {
        self.learner().end..self.learner().end + REVIEW * self.history
    }

    /// Where the counts are: all, recalled, forgotten, shown.
    pub fn counts(self) -> Range<usize> {
        self.earlier().end..self.earlier().end + COUNTS
    }

    /// Writes a row; `row` is all zeros.
    pub fn write(self, past: &Past, row: &mut [f32]) {
        match past.card {
            Some(card) => row[card] = 1.0,
            None => row[..self.cards].fill(1.0 / self.cards.max(1) as f32),
        }
        let (right, wrong) = (past.recalled as f32, (past.asked - past.recalled) as f32);
        let learner = [((right + DRAWN / 2.0) / (wrong + DRAWN / 2.0)).ln(), (past.asked as f32).ln_1p()];
        row[self.learner()].copy_from_slice(&learner);
        let earlier = row[self.earlier()].chunks_exact_mut(REVIEW);
        for (slot, (grade, interval)) in earlier.zip(&past.earlier) {
            slot.copy_from_slice(&[grade_value(*grade), interval.max(0.0).ln_1p() as f32 / INTERVALS]);
        }
        let count = |of: &dyn Fn(Option<bool>) -> bool| {
            let count = past.earlier.iter().filter(|(grade, _)| of(grade.recalled())).count();
            (count as f32).ln_1p()
        };
        let counts = [
            count(&|_| true),
            count(&|r| r == Some(true)),
            count(&|r| r == Some(false)),
            count(&|r| r.is_none()),
        ];
        row[self.counts()].copy_from_slice(&counts);
        row[self.counts().end] = past.elapsed.max(0.0).ln_1p() as f32;
    }

    /// The earlier reviews that a row holds, the first first: how well the card was recalled, and seconds since the one before.
    pub fn history(self, row: &[f32]) -> Vec<(Grade, f64)> {
        let slots = row[self.earlier()].chunks_exact(REVIEW);
        let mut found: Vec<(Grade, f64)> = slots
            .map_while(|slot| Some((grade_of(slot[0])?, f64::from(slot[1] * INTERVALS).exp_m1())))
            .collect();
        found.reverse();
        found
    }

    /// Reviews of the learner so far that were recalled, and all in which something was asked, of rows `[..., D]`.
    pub fn so_far(self, x: &Tensor) -> [Tensor; 2] {
        let at = |place: usize| x.select(-1, (self.learner().start + place) as i64);
        let asked = at(1).expm1();
        let recalled = at(0).sigmoid() * (&asked + f64::from(DRAWN)) - f64::from(DRAWN) / 2.0;
        [recalled.round(), asked.round()]
    }

    /// Seconds since the last review.
    pub fn elapsed(self, row: &[f32]) -> f64 {
        f64::from(row[self.counts().end]).exp_m1()
    }
}

/// Bases of the bins: they grow by these factors (https://github.com/open-spaced-repetition/fsrs4anki/wiki/The-Metric).
const BASES: [f64; 3] = [3.62, 1.89, 1.73];
/// Bins of the number of reviews, and of those that were forgotten.
const MOST_BINS: i64 = 40;
/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// The bin of each row `[..., D]` by time since the last review, number of reviews and number of forgotten ones, `[...]`, i64: those of
/// the public benchmark of spaced repetition, but that times may be shorter than a day.
pub fn bins(x: &Tensor) -> Tensor {
    let width = *x.size().last().unwrap_or(&0);
    let number = |from_end: i64| x.select(-1, width - from_end).to_kind(Kind::Double).expm1(); // counts and seconds
    let bin = |values: &Tensor, base: f64| (values.log() / base.ln()).floor();
    let day = bin(&(number(1).clamp_min(1.0) / DAY), BASES[0]) + MOST_BINS / 2; // a second is bin -9 of days
    let length = bin(&(number(5).round() + 1.0), BASES[1]);
    let lapses = number(3).round();
    let lapse = (bin(&lapses.clamp_min(1.0), BASES[2]) + 1.0) * lapses.gt(0.0);
    let within = |bins: Tensor| bins.clamp(0.0, (MOST_BINS - 1) as f64).to_kind(Kind::Int64);
    (within(day) * MOST_BINS + within(length)) * MOST_BINS + within(lapse)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { cards: 3, history: 4 };

    fn row(past: &Past) -> Vec<f32> {
        let mut row = vec![0.0; LAYOUT.width()];
        LAYOUT.write(past, &mut row);
        row
    }

    fn past() -> Past {
        Past {
            card: Some(1),
            asked: 9,
            recalled: 6,
            earlier: vec![(Grade::Again, 86_400.0 * 40.0), (Grade::Shown, 100.0), (Grade::Easy, 0.0)],
            elapsed: 3.0 * 86_400.0,
        }
    }

    #[test]
    fn a_history_can_be_read_back() {
        let row = row(&past());
        let (grades, intervals): (Vec<Grade>, Vec<f64>) = LAYOUT.history(&row).into_iter().unzip();
        assert_eq!(grades, [Grade::Easy, Grade::Shown, Grade::Again]);
        assert!(intervals.iter().zip([0.0, 100.0, 3_456_000.0]).all(|(a, b)| (a - b).abs() <= 1e-4 * b));
        assert!((LAYOUT.elapsed(&row) / 259_200.0 - 1.0).abs() < 1e-4);
        assert_eq!(row[..3], [0.0, 1.0, 0.0]);
        assert_eq!(row[3], (7.5f32 / 4.5).ln());
        assert_eq!(row[LAYOUT.counts()], [3.0f32, 1.0, 1.0, 1.0].map(f32::ln_1p));
    }

    #[test]
    fn a_card_that_is_not_known_is_the_mean_of_all_and_a_long_history_is_cut() {
        let long = Past { card: None, earlier: vec![(Grade::Good, 5.0); 9], ..past() };
        let row = row(&long);
        assert_eq!(row[..3], [1.0 / 3.0; 3]);
        assert_eq!(LAYOUT.history(&row).len(), 4);
        assert_eq!(row[LAYOUT.counts()][0], 9f32.ln_1p(), "but counted");
    }

    #[test]
    fn the_layout_is_found_from_the_sizes() {
        let interface = Interface {
            inputs: LAYOUT.width(),
            outputs: 1,
            items: 3,
            bins: None,
            loss: &crate::loss::Logistic,
            measures: vec![],
        };
        assert_eq!(Layout::of(&interface), LAYOUT);
    }

    /// By the formulas of the benchmark: a bin of days is floor(log_3.62 days), of lengths (with this review) floor(log_1.89 length).
    #[test]
    fn bins_grow_by_factors() {
        let bin = |elapsed: f64, earlier: usize, lapses: usize| {
            let graded = |place| if place < lapses { Grade::Again } else { Grade::Good };
            let earlier = (0..earlier).map(|place| (graded(place), 9.0)).collect();
            bins(&Tensor::from_slice(&row(&Past { elapsed, earlier, ..past() }))).int64_value(&[])
        };
        assert_eq!(bin(1.01 * DAY, 3, 0), bin(3.6 * DAY, 3, 0));
        assert_ne!(bin(1.01 * DAY, 3, 0), bin(3.7 * DAY, 3, 0));
        assert_ne!(bin(1.01 * DAY, 3, 0), bin(0.9 * DAY, 3, 0));
        assert_eq!(bin(DAY, 1, 0), bin(DAY, 2, 0), "2 and 3 reviews with this one");
        assert_ne!(bin(DAY, 2, 0), bin(DAY, 3, 0), "3 and 4");
        assert_ne!(bin(DAY, 3, 0), bin(DAY, 3, 1));
        assert_eq!(bin(1e-9, 3, 0), bin(0.0, 3, 0));
    }
}
