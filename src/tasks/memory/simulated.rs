//! Learners who are simulated, so that how each forgets is known.
//!
//! ```text
//!     P(recalled after t days) = encoding (1 + t / s)^-decay          a power law (Wixted & Ebbesen 1991,
//!                                                                     https://doi.org/10.1111/j.1467-9280.1991.tb00175.x)
//!     s = exp(stability of the learner + stability of the card) growth^(times recalled) shrink^(times forgotten)
//! ```
//!
//! Of learners: stability ~ N(0, 0.7^2), the logarithm of decay ~ N(log 0.5, 0.3^2), the logit of encoding ~ N(2.5, 0.5^2). Of cards: stability ~
//! N(0, 0.5^2). A learner sits down once a day for up to 20 reviews: of the cards that are due, those that have been so for longest first, then
//! of up to 5 new ones. A card is due after a day, then after twice the time whenever it was recalled, and on the same or the next day when
//! it was forgotten.

use garde::Validate;
use rand::RngExt;
use rand_distr::StandardNormal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    data::reviews::{Entry, Grade, Reviews, arrange},
    random::{Purpose, Stream, stream},
};

/// Learners who are simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Simulated {
    /// How many learners.
    #[garde(range(min = 3, max = 100_000))]
    pub learners: usize,
    /// How many reviews each of them does.
    #[garde(range(min = 10, max = 1000))]
    pub reviews: usize,
    /// How many cards there are, the same for all.
    #[garde(range(min = 5, max = 1000))]
    pub cards: usize,
    /// The seed of all of it, whatever the seed of a run.
    #[garde(skip)]
    pub seed: u64,
}

impl Default for Simulated {
    fn default() -> Self {
        Self { learners: 1000, reviews: 120, cards: 60, seed: 0 }
    }
}

/// How a learner forgets.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Forgetting {
    stability: f64,
    decay: f64,
    encoding: f64,
}

/// Simulated learners.
pub struct Simulation {
    learners: Vec<Forgetting>,
    /// Stability of each card.
    cards: Vec<f64>,
}

/// What a stability grows by when a card is recalled, and shrinks by when it is forgotten.
const GROWTH: f64 = 2.0;
const SHRINK: f64 = 0.6;
/// Seconds of a day, and of a review.
const DAY: f64 = 86_400.0;
const REVIEW: f64 = 15.0;
/// Reviews of a day, and new cards.
const DAILY: usize = 20;
const NEW: usize = 5;
/// When everyone begins, in seconds since 1970.
const BEGIN: f64 = 1.5e9;

/// A card of a learner.
#[derive(Clone, Copy)]
struct Met {
    card: usize,
    recalled: u32,
    forgotten: u32,
    last: f64,
    /// Seconds from the last review to the next.
    interval: f64,
}

impl Simulation {
    /// Draws cards and learners, and what these do.
    pub fn new(settings: &Simulated) -> (Self, Reviews) {
        let mut draw = stream(settings.seed, Purpose::Simulation, 0);
        let cards = (0..settings.cards).map(|_| 0.5 * normal(&mut draw)).collect();
        let mut simulation = Self { learners: Vec::with_capacity(settings.learners), cards };
        let mut entries = Vec::with_capacity(settings.learners * settings.reviews);
        for learner in 0..settings.learners {
            let mut draw = stream(settings.seed, Purpose::Simulation, 1 + learner as u64);
            simulation.learners.push(Forgetting {
                stability: 0.7 * normal(&mut draw),
                decay: (0.5f64.ln() + 0.3 * normal(&mut draw)).exp(),
                encoding: 1.0 / (1.0 + (-2.5 - 0.5 * normal(&mut draw)).exp()),
            });
            simulation.practise(learner, settings.reviews, &mut draw, &mut entries);
        }
        let names = |what: &str, count: usize| -> Vec<String> {
            let digits = count.to_string().len();
            (0..count).map(|number| format!("{what} {number:0digits$}")).collect()
        };
        let (learners, cards) = (names("learner", settings.learners), names("card", settings.cards));
        // Everybody has reviews, none of which is later than the end of time.
        let reviews =
            arrange(entries, &learners, &cards, f64::INFINITY, "the simulation").unwrap_or_default();
        (simulation, reviews)
    }

    /// The reviews of a learner.
    fn practise(&self, learner: usize, reviews: usize, draw: &mut Stream, entries: &mut Vec<Entry>) {
        let mut new: Vec<usize> = (0..self.cards.len()).collect();
        let mut met: Vec<Met> = Vec::new();
        let (mut done, mut day) = (0, 0u32);
        while done < reviews {
            let mut now = BEGIN + DAY * (f64::from(day) + 0.3 * draw.random::<f64>());
            let mut added = 0;
            for _ in 0..DAILY.min(reviews - done) {
                let due = (0..met.len()).filter(|at| met[*at].last + met[*at].interval <= now);
                let longest = due.min_by(|a, b| {
                    let at = |place: &usize| met[*place].last + met[*place].interval;
                    at(a).total_cmp(&at(b))
                });
                let at = match longest {
                    Some(at) => at,
                    None if added < NEW && !new.is_empty() => {
                        added += 1;
                        let card = new.swap_remove(draw.random_range(0..new.len()));
                        met.push(Met { card, recalled: 0, forgotten: 0, last: now, interval: 0.0 });
                        met.len() - 1
                    }
                    None => break,
                };
                let is_new = met[at].recalled + met[at].forgotten == 0;
                let p = if is_new { 0.3 } else { self.probability(learner, met[at], now - met[at].last) };
                let recalled = draw.random::<f64>() < p;
                let card = &mut met[at];
                (card.last, now) = (now, now + REVIEW);
                card.interval = match recalled {
                    true => (2.0 * card.interval).max(0.7 * DAY),
                    false => 10.0 * REVIEW,
                };
                (card.recalled, card.forgotten) =
                    (card.recalled + u32::from(recalled), card.forgotten + u32::from(!recalled));
                let grade = if recalled { Grade::Good } else { Grade::Again };
                entries.push(Entry {
                    learner: learner as u32,
                    card: card.card as u32,
                    time: card.last,
                    grade,
                });
                done += 1;
            }
            day += 1;
        }
    }

    fn probability(&self, learner: usize, card: Met, elapsed: f64) -> f64 {
        let Forgetting { stability, decay, encoding } = self.learners[learner];
        let powers = GROWTH.powf(card.recalled.into()) * SHRINK.powf(card.forgotten.into());
        let days = (stability + self.cards[card.card]).exp() * powers;
        encoding * (1.0 + elapsed / DAY / days).powf(-decay)
    }

    /// The probability that a learner recalls a card so many seconds after the last of her earlier reviews of it.
    pub fn recall(&self, learner: u32, card: u32, earlier: &[Grade], elapsed: f64) -> f64 {
        let count =
            |wanted: bool| earlier.iter().filter(|grade| grade.recalled() == Some(wanted)).count() as u32;
        let (recalled, forgotten) = (count(true), count(false));
        let card = Met { card: card as usize, recalled, forgotten, last: 0.0, interval: 0.0 };
        self.probability(learner as usize, card, elapsed)
    }
}

fn normal(draw: &mut Stream) -> f64 {
    draw.sample(StandardNormal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::memory::practice::Practice;

    /// Over bins of the true probability, reviews are recalled as often as it says.
    #[test]
    fn reviews_are_recalled_as_the_model_says() {
        let settings = Simulated { learners: 300, ..Simulated::default() };
        let (simulation, reviews) = Simulation::new(&settings);
        assert_eq!(reviews.card.len(), 300 * 120);
        let practice = Practice::new(reviews, 1000);
        let mut bins = [[0.0; 3]; 10];
        for learner in 0..300 {
            for row in practice.asked(learner).iter().filter(|row| practice.is_met(**row)) {
                let past = practice.past(*row, &vec![None; 60]);
                let earlier: Vec<Grade> = past.earlier.iter().map(|(grade, _)| *grade).collect();
                let card = practice.reviews.card[*row as usize];
                let p = simulation.recall(learner, card, &earlier, past.elapsed);
                let bin = &mut bins[(p * 10.0) as usize];
                *bin = [bin[0] + 1.0, bin[1] + p, bin[2] + f64::from(u8::from(practice.recalled(*row)))];
            }
        }
        let used: Vec<_> = bins.iter().filter(|bin| bin[0] > 100.0).collect();
        assert!(used.len() > 4, "{bins:?}");
        for [count, expected, found] in used {
            let error = (expected * (1.0 - expected / count)).sqrt();
            assert!((expected - found).abs() < 4.0 * error, "{bins:?}");
        }
    }
}
