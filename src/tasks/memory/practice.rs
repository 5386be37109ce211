//! The reviews of all learners, and what is known before each.

use std::collections::HashMap;

use super::layout::Past;
use crate::{data::reviews::Reviews, tasks::Part};

/// Reviews with the way from each to the one of the same card before it.
pub struct Practice {
    /// The reviews.
    pub reviews: Reviews,
    /// SHA-256 of them.
    pub digest: [u8; 32],
    /// Of each row: the row of the last review of the same card by the same learner.
    previous: Vec<Option<u32>>,
    /// Of each row: the learner's reviews before it in which something was asked, and how many of them were recalled.
    before: Vec<[u32; 2]>,
    /// Of each learner the rows in which something was asked, in the order of time; no more than are looked at.
    asked: Vec<Vec<u32>>,
}

impl Practice {
    /// Looks at no more than the first `longest` reviews of a learner in which something was asked.
    pub fn new(reviews: Reviews, longest: usize) -> Self {
        let rows = reviews.card.len();
        let (mut previous, mut before) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut asked = Vec::with_capacity(reviews.learners.len());
        for learner in 0..reviews.learners.len() as u32 {
            let (mut last, mut counts, mut mine) = (HashMap::new(), [0, 0], Vec::new());
            for row in reviews.of(learner) {
                previous.push(last.insert(reviews.card[row], row as u32));
                before.push(counts);
                if let Some(recalled) = reviews.grade[row].recalled() {
                    counts = [counts[0] + 1, counts[1] + u32::from(recalled)];
                    mine.push(row as u32);
                }
            }
            mine.truncate(longest);
            asked.push(mine);
        }
        Self { digest: reviews.digest(), reviews, previous, before, asked }
    }

    /// A learner's rows in which something was asked.
    pub fn asked(&self, learner: u32) -> &[u32] {
        &self.asked[learner as usize]
    }

    /// Whether the card of a row was met before.
    pub fn is_met(&self, row: u32) -> bool {
        self.previous[row as usize].is_some()
    }

    /// Whether the card was recalled.
    pub fn recalled(&self, row: u32) -> bool {
        self.reviews.grade[row as usize].recalled() == Some(true)
    }

    /// Seconds from the last review of the card to a row; 0 if there is none.
    pub fn elapsed(&self, row: u32) -> f64 {
        let time = |row: u32| self.reviews.time[row as usize];
        self.previous[row as usize].map_or(0.0, |last| time(row) - time(last))
    }

    /// What is known before a row; `places` are those of cards that are known from other learners.
    pub fn past(&self, row: u32, places: &[Option<usize>]) -> Past {
        let [asked, recalled] = self.before[row as usize];
        let mut earlier = Vec::new();
        let mut at = self.previous[row as usize];
        while let Some(row) = at {
            earlier.push((self.reviews.grade[row as usize], self.elapsed(row)));
            at = self.previous[row as usize];
        }
        Past {
            card: places[self.reviews.card[row as usize] as usize],
            asked,
            recalled,
            earlier,
            elapsed: self.elapsed(row),
        }
    }

    /// How many of the training learners have met each card; `parts` are those of all learners.
    pub fn learners_of_cards(&self, parts: &[Option<Part>]) -> Vec<u32> {
        let mut count = vec![0; self.reviews.cards.len()];
        for (learner, _) in (0..).zip(parts).filter(|(_, part)| **part == Some(Part::Train)) {
            for row in self.reviews.of(learner).filter(|row| self.previous[*row].is_none()) {
                count[self.reviews.card[row] as usize] += 1;
            }
        }
        count
    }

    /// How many reviews are not looked at, because their learner has so many, and of how many learners.
    pub fn left_out(&self) -> (usize, usize) {
        let left = (0..self.reviews.learners.len() as u32).map(|learner| {
            let graded = self.reviews.of(learner).filter(|row| self.reviews.grade[*row].recalled().is_some());
            graded.count() - self.asked(learner).len()
        });
        left.filter(|left| *left > 0).fold((0, 0), |(sum, count), left| (sum + left, count + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::reviews::{Entry, Grade, arrange};

    /// Learner a: card 0 shown, recalled, forgotten, with card 1 between; learner b: card 0 recalled.
    #[test]
    fn what_is_known_before_a_review_is_nothing_of_it_or_later() {
        let entries = [
            (0, 0, 0.0, Grade::Shown),
            (0, 1, 5.0, Grade::Again),
            (0, 0, 10.0, Grade::Good),
            (0, 0, 40.0, Grade::Again),
            (1, 0, 3.0, Grade::Good),
        ];
        let entries = entries.map(|(learner, card, time, grade)| Entry { learner, card, time, grade });
        let names = |names: [&str; 2]| names.map(str::to_owned);
        let reviews = arrange(entries.into(), &names(["a", "b"]), &names(["x", "y"]), 1e9, "a test").unwrap();
        let practice = Practice::new(reviews, 2);
        assert_eq!((practice.asked(0), practice.asked(1)), (&[1, 2][..], &[4][..]));
        assert_eq!(practice.left_out(), (1, 1));
        assert_eq!(practice.learners_of_cards(&[Some(Part::Train); 2]), [2, 1]);
        assert_eq!(practice.learners_of_cards(&[Some(Part::Test), Some(Part::Train)]), [1, 0]);
        let past = practice.past(3, &[Some(0), None]);
        assert_eq!((past.card, past.asked, past.recalled, past.elapsed), (Some(0), 2, 1, 30.0));
        assert_eq!(past.earlier, [(Grade::Good, 10.0), (Grade::Shown, 0.0)]);
        let first = practice.past(4, &[None, None]);
        assert_eq!((first.card, first.asked, first.earlier.len(), first.elapsed), (None, 0, 0, 0.0));
        assert!(!practice.is_met(1) && practice.is_met(2) && practice.recalled(2) && !practice.recalled(3));
    }
}
