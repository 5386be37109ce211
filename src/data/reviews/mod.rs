//! Timed practice: who met which card when, and whether it was recalled; and readers for the forms that it comes in.

pub mod anki;
mod arrange;
mod long;
mod spec;

use std::ops::Range;

use sha2::{Digest, Sha256};

pub use arrange::{Entry, arrange};
pub use long::{ReviewColumns, ReviewsCsv};
pub use spec::ReviewsSpec;

/// How well a card was recalled, in Anki's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Grade {
    /// Nothing was asked: the card was shown with its solution.
    Shown = 0,
    /// Not recalled.
    Again = 1,
    /// Recalled with difficulty.
    Hard = 2,
    /// Recalled.
    Good = 3,
    /// Recalled without effort.
    Easy = 4,
}

impl Grade {
    /// That of a number from 1 to 4.
    pub fn of(number: u8) -> Option<Self> {
        [Self::Again, Self::Hard, Self::Good, Self::Easy].into_iter().find(|grade| *grade as u8 == number)
    }

    /// Whether the card was recalled; `None` where nothing was asked.
    pub fn recalled(self) -> Option<bool> {
        (self != Self::Shown).then_some(self != Self::Again)
    }
}

/// Reviews of cards as columns: the rows of learner u are `starts[u]..starts[u + 1]`, in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reviews {
    /// Names, in the order of their bytes.
    pub learners: Vec<String>,
    /// Names, in the order of their bytes. A card that several learners have is one card.
    pub cards: Vec<String>,
    /// The first row of each learner, and the number of rows.
    pub starts: Vec<usize>,
    /// Number of the card of each row.
    pub card: Vec<u32>,
    /// Seconds.
    pub time: Vec<f64>,
    /// How well the card was recalled.
    pub grade: Vec<Grade>,
    /// What was left out, sorted and counted, in one plain sentence each.
    pub notes: Vec<String>,
}

impl Reviews {
    /// The rows of a learner.
    pub fn of(&self, learner: u32) -> Range<usize> {
        self.starts[learner as usize]..self.starts[learner as usize + 1]
    }

    /// SHA-256 of all of it but the notes.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for names in [&self.learners, &self.cards] {
            hash.update((names.len() as u64).to_le_bytes());
            for name in names {
                hash.update((name.len() as u64).to_le_bytes());
                hash.update(name);
            }
        }
        self.starts.iter().for_each(|start| hash.update((*start as u64).to_le_bytes()));
        for ((card, time), grade) in self.card.iter().zip(&self.time).zip(&self.grade) {
            hash.update(card.to_le_bytes());
            hash.update(time.to_le_bytes());
            hash.update([*grade as u8]);
        }
        hash.finalize().into()
    }
}
