//! From entries as they come out of a file to reviews by learner, in the order of time.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Grade, Reviews};
use crate::misuse::misuse;

/// The most reviews of all learners together.
const MOST: usize = 100_000_000;

/// A review as it comes out of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The number of the learner's name.
    pub learner: u32,
    /// The number of the card's name.
    pub card: u32,
    /// Seconds.
    pub time: f64,
    /// How well the card was recalled.
    pub grade: Grade,
}

/// Arranges entries; `now` is in seconds. Reviews that lie in the future are left out: the clock was wrong.
///
/// # Errors
/// A `Misuse`: nothing is left, or there is too much. `whence` is the file.
pub fn arrange(
    mut entries: Vec<Entry>,
    learners: &[String],
    cards: &[String],
    now: f64,
    whence: &str,
) -> Result<Reviews> {
    if entries.is_empty() {
        misuse!("{whence} holds no reviews: there is nothing to learn from");
    }
    if entries.len() > MOST {
        misuse!("{whence} holds {} reviews, more than {MOST}: divide it", entries.len());
    }
    let mut notes = Vec::new();
    let all = entries.len();
    entries.retain(|entry| entry.time <= now);
    let future = all - entries.len();
    if entries.is_empty() {
        misuse!(
            "{whence}: all {all} reviews lie in the future: times must be seconds since 1970; are these milliseconds?"
        );
    }
    if future > 0 {
        notes.push(format!("reviews left out, which lie in the future: {future} of {all}"));
    }
    let [learners, cards] = [
        Renumbered::of(learners, entries.iter().map(|entry| entry.learner)),
        Renumbered::of(cards, entries.iter().map(|entry| entry.card)),
    ];
    let disorder = disorder(&entries);
    if disorder > 0 {
        notes.push(format!(
            "reviews sorted by time, which came after later ones of the same learner: {disorder}"
        ));
    }
    // Stable, so that reviews of one second stay as they are in the file.
    entries.sort_by(|a, b| {
        let learner = |entry: &Entry| learners.places[entry.learner as usize];
        learner(a).cmp(&learner(b)).then(a.time.total_cmp(&b.time))
    });
    let mut starts = vec![0; learners.names.len() + 1];
    entries.iter().for_each(|entry| starts[learners.places[entry.learner as usize] as usize + 1] += 1);
    (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
    Ok(Reviews {
        starts,
        card: entries.iter().map(|entry| cards.places[entry.card as usize]).collect(),
        time: entries.iter().map(|entry| entry.time).collect(),
        grade: entries.iter().map(|entry| entry.grade).collect(),
        learners: learners.names,
        cards: cards.names,
        notes,
    })
}

/// Names that are used, sorted, and the new place of each number.
struct Renumbered {
    names: Vec<String>,
    places: Vec<u32>,
}

impl Renumbered {
    fn of(names: &[String], used: impl Iterator<Item = u32>) -> Self {
        let used: BTreeSet<(&str, u32)> =
            used.map(|number| (names[number as usize].as_str(), number)).collect();
        let mut places = vec![0; names.len()];
        for (place, (_, number)) in (0..).zip(&used) {
            places[*number as usize] = place;
        }
        Self { names: used.into_iter().map(|(name, _)| name.to_owned()).collect(), places }
    }
}

/// How many entries come after a later one of the same learner.
fn disorder(entries: &[Entry]) -> usize {
    let mut latest =
        vec![f64::NEG_INFINITY; entries.iter().map(|entry| entry.learner as usize + 1).max().unwrap_or(0)];
    let late = entries.iter().filter(|entry| {
        let latest = &mut latest[entry.learner as usize];
        let late = entry.time < *latest;
        *latest = latest.max(entry.time);
        late
    });
    late.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn entry(learner: u32, card: u32, time: f64) -> Entry {
        Entry { learner, card, time, grade: Grade::Good }
    }

    #[test]
    fn reviews_are_in_the_order_of_time_and_what_lies_in_the_future_is_left_out() {
        let entries = vec![
            entry(0, 1, 50.0),
            entry(1, 0, 10.0),
            entry(0, 0, 20.0),
            entry(0, 2, 900.0),
            entry(1, 1, 10.0),
        ];
        let reviews =
            arrange(entries, &names(&["zoe", "ann"]), &names(&["b", "a", "never"]), 100.0, "a file").unwrap();
        assert_eq!(reviews.learners, ["ann", "zoe"]);
        assert_eq!(reviews.cards, ["a", "b"]);
        assert_eq!(reviews.starts, [0, 2, 4]);
        assert_eq!(reviews.time, [10.0, 10.0, 20.0, 50.0]);
        assert_eq!(reviews.card, [1, 0, 1, 0], "of one second, as in the file");
        assert_eq!(reviews.notes.len(), 2, "{:?}", reviews.notes);
        assert!(reviews.notes[0].ends_with("1 of 5") && reviews.notes[1].ends_with(": 1"));
    }

    #[test]
    fn milliseconds_and_nothing_are_refused() {
        let text =
            |entries| arrange(entries, &names(&["a"]), &names(&["b"]), 2e9, "f.csv").unwrap_err().to_string();
        assert!(text(vec![entry(0, 0, 1.4e12)]).contains("milliseconds"));
        assert!(text(vec![]).contains("f.csv holds no reviews"));
    }
}
