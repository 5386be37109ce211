//! Which rows of a card's log are reviews: those that Anki trains FSRS with.
//!
//! A card's history begins with the last group of learning steps. What stands before it was forgotten: the card was reset. Rows without a
//! button are not reviews, nor are those of filtered decks that do not reschedule.

use crate::data::reviews::Grade;

/// A row of the log, as Anki writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Milliseconds since 1970.
    pub id: i64,
    /// 1 (again) to 4 (easy); 0 where no button was pressed.
    pub ease: i64,
    /// Ease in permille; 0 for rows that do not reschedule.
    pub factor: i64,
    /// What kind of review.
    pub kind: i64,
}

/// A row that is a review.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Review {
    /// Milliseconds since 1970.
    pub id: i64,
    /// How well the card was recalled.
    pub grade: Grade,
}

/// Kinds of rows that matter here.
const LEARNING: i64 = 0;
const FILTERED: i64 = 3;
const MANUAL: i64 = 4;

impl Row {
    fn grade(self) -> Option<Grade> {
        u8::try_from(self.ease).ok().and_then(Grade::of)
    }

    /// In a filtered deck that does not reschedule.
    fn is_cramming(self) -> bool {
        self.kind == FILTERED && self.factor == 0
    }

    /// The card was made a new one.
    fn is_reset(self) -> bool {
        self.kind == MANUAL && self.factor == 0
    }
}

/// The reviews of a card, from its rows in the order of time; `None` where its log does not begin with learning.
pub fn reviews(rows: Vec<Row>) -> Option<Vec<Review>> {
    let mut first = None;
    for (place, row) in rows.iter().enumerate().rev().filter(|(_, row)| !row.is_cramming()) {
        if row.kind == LEARNING && row.grade().is_some() {
            first = Some(place);
        } else if row.is_reset() || first.is_some() {
            break; // versions of Anki before 2.1.49 leave no row where a card is reset
        }
    }
    let rows = rows.into_iter().skip(first?).filter(|row| !row.is_cramming());
    Some(rows.filter_map(|row| Some(Review { id: row.id, grade: row.grade()? })).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of kinds and eases, a second apart.
    fn kept(rows: &[(i64, i64, i64)]) -> Option<Vec<i64>> {
        let rows = rows.iter().zip(1..).map(|((kind, ease, factor), id)| Row {
            id,
            ease: *ease,
            factor: *factor,
            kind: *kind,
        });
        reviews(rows.collect()).map(|kept| kept.into_iter().map(|review| review.id).collect())
    }

    #[test]
    fn reviews_are_those_that_fsrs_is_trained_with() {
        let (learn, review, relearn) = ((0, 3, 0), (1, 3, 2500), (2, 1, 2500));
        assert_eq!(kept(&[learn, learn, review, relearn, review]), Some(vec![1, 2, 3, 4, 5]));
        assert_eq!(kept(&[learn, (4, 0, 2500), review]), Some(vec![1, 3]), "set by hand");
        assert_eq!(kept(&[learn, (5, 0, 0), review]), Some(vec![1, 3]), "rescheduled");
        assert_eq!(kept(&[learn, (3, 3, 0), review, (3, 1, 2000)]), Some(vec![1, 3, 4]), "crammed, and not");
        assert_eq!(kept(&[learn, review, (4, 0, 0), learn, review]), Some(vec![4, 5]), "reset");
        assert_eq!(kept(&[learn, review, learn, review]), Some(vec![3, 4]), "reset by an old version");
        assert_eq!(kept(&[learn, review, (4, 0, 0)]), None, "reset, and not learned since");
        assert_eq!(kept(&[review, review]), None, "its beginning is not there");
        assert_eq!(kept(&[]), None);
    }
}
