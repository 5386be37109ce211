//! The learners of an experiment, divided into parts.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};
use tch::Device;

use super::{
    Memory, example,
    layout::{self, Layout},
    practice::Practice,
    simulated::Simulation,
    source::{Known, LearnerSource, Pooled, window},
};
use crate::{
    data::{Source, reviews::Reviews},
    loss::Logistic,
    misuse::misuse,
    tasks::{
        Asks, Episode, Extent, Family, FreezableSource, Interface, Part, Pool, TaskSource, Tasks,
        example::Example, family::Show,
    },
};

/// The most cards that are inputs of their own.
const MOST_CARDS: usize = 10_000;

/// The learners of meta-train, meta-validation and meta-test who have enough reviews.
type Parts = [Vec<u32>; 3];

/// A family loaded.
pub struct Loaded {
    pub(super) settings: Memory,
    pub(super) practice: Arc<Practice>,
    known: Arc<Known>,
    pub(super) simulation: Option<Simulation>,
    folds: Vec<Parts>,
    notes: Vec<String>,
    device: Device,
}

impl Loaded {
    /// Reads or simulates the reviews, and divides the learners.
    pub fn new(settings: &Memory, asks: &Asks, source: &Source, device: Device) -> Result<Self> {
        let (simulation, reviews) = match &settings.reviews {
            Some(reviews) => (None, reviews.load(source)?),
            None => {
                let (simulation, reviews) = Simulation::new(&settings.simulation());
                (Some(simulation), reviews)
            }
        };
        let practice = Practice::new(reviews, settings.longest);
        let mut notes = practice.reviews.notes.clone();
        let (left_out, of) = practice.left_out();
        if left_out > 0 {
            notes.push(format!(
                "{of} learners have more than {} reviews: {left_out} beyond these are left out (task.memory.longest)",
                settings.longest
            ));
        }
        let (mut folds, mut learners) = (Vec::new(), vec![u32::MAX; practice.reviews.cards.len()]);
        for fold in 0..settings.folds() {
            let (parts, said) = settings.split.parts(&practice.reviews.learners, fold, source)?;
            let of_fold = practice.learners_of_cards(&parts);
            learners.iter_mut().zip(of_fold).for_each(|(least, count)| *least = count.min(*least));
            let (parts, left_out) = enough(settings, asks, &practice, &parts)?;
            notes.extend(
                said.into_iter().chain(left_out).filter(|note| !notes.contains(note)).collect::<Vec<_>>(),
            );
            folds.push(parts);
        }
        let known = Arc::new(known(settings, learners)?);
        let settings = settings.clone();
        Ok(Self { settings, practice: Arc::new(practice), known, simulation, folds, notes, device })
    }

    /// The same with other learners, all of whom are tested; and what is to be said of them.
    ///
    /// # Errors
    /// None of them has enough reviews.
    pub fn of_others(&self, fold: usize, reviews: Reviews, seen: usize) -> Result<(Self, Option<String>)> {
        let practice = Practice::new(reviews, self.settings.longest);
        let own = &self.practice.reviews.cards;
        let place = |card: &String| self.known.places[own.binary_search(card).ok()?];
        let places: Vec<Option<usize>> = practice.reviews.cards.iter().map(place).collect();
        let all: Vec<u32> = (0..practice.reviews.learners.len() as u32).collect();
        let test: Vec<u32> = all
            .iter()
            .copied()
            .filter(|learner| has_enough(&practice, *learner, seen, self.settings.next))
            .collect();
        if test.is_empty() {
            misuse!(
                "none of {} learners has a review to ask, of a card met before, after the {} that are seen: see fewer with --shots",
                all.len(),
                seen
            );
        }
        let mut notes = practice.reviews.notes.clone();
        if test.len() < all.len() {
            notes.push(format!("{} of {} learners have too few reviews", all.len() - test.len(), all.len()));
        }
        let mut folds = vec![Parts::default(); self.folds.len()];
        folds[fold][Part::Test as usize] = test;
        let others = Self {
            settings: self.settings.clone(),
            practice: Arc::new(practice),
            known: Arc::new(Known { layout: self.known.layout, places }),
            simulation: None,
            folds,
            notes,
            device: self.device,
        };
        let said = (!others.notes.is_empty()).then(|| others.notes.join("; "));
        Ok((others, said))
    }

    /// A part's episodes with so many shots.
    pub(super) fn of(&self, fold: usize, part: Part, shots: usize, seed: u64) -> LearnerSource {
        let learners = self.folds[fold][part as usize].clone();
        let Self { settings, practice, known, device, .. } = self;
        LearnerSource::new(settings, practice, known, learners, part, shots, seed, *device)
    }
}

/// Cards that enough learners have met, of `learners` who train.
fn known(settings: &Memory, learners: Vec<u32>) -> Result<Known> {
    let mut count = 0;
    let place = |learners: u32| {
        (learners >= settings.known_from).then(|| {
            count += 1;
            count - 1
        })
    };
    let places: Vec<Option<usize>> = learners.into_iter().map(place).collect();
    if count > MOST_CARDS {
        misuse!(
            "task.memory.known_from: {count} cards were met by {} training learners or more, and each would be an input of its own; at most \
             {MOST_CARDS} can be: raise known_from",
            settings.known_from
        );
    }
    Ok(Known { layout: Layout { cards: count, history: settings.history }, places })
}

/// Whether something can be asked of a learner after `seen` reviews, among the next ones.
fn has_enough(practice: &Practice, learner: u32, seen: usize, next: Option<usize>) -> bool {
    let asked = practice.asked(learner);
    asked[window(seen, next, asked.len())].iter().any(|row| practice.is_met(*row))
}

/// Those of each part who have enough reviews, and what is said of the others.
fn enough(
    settings: &Memory,
    asks: &Asks,
    practice: &Practice,
    parts: &[Option<Part>],
) -> Result<(Parts, Vec<String>)> {
    let (mut enough, mut notes) = (Parts::default(), Vec::new());
    for (part, name) in [(Part::Train, "training"), (Part::Validation, "validation"), (Part::Test, "test")] {
        let (seen, next) = if part == Part::Train { (1, None) } else { (asks.test_shots, settings.next) };
        let of_part = (0..).zip(parts).filter(|(_, of)| **of == Some(part));
        let all: Vec<u32> = of_part.map(|(learner, _)| learner).collect();
        let with: Vec<u32> =
            all.iter().copied().filter(|learner| has_enough(practice, *learner, seen, next)).collect();
        if with.is_empty() && (part != Part::Validation || asks.validates) {
            let most = all.iter().map(|learner| practice.asked(*learner).len()).max().unwrap_or(0);
            let meets = |learner: &u32| practice.asked(*learner).iter().any(|row| practice.is_met(*row));
            let cause = if !all.iter().any(meets) {
                format!("no card comes again among their first {} reviews (longest)", settings.longest)
            } else {
                format!(
                    "the most reviews that one has are {most}: see fewer (shots, evaluate.shots), or read more learners"
                )
            };
            let notes: String = practice.reviews.notes.iter().map(|note| format!("; {note}")).collect();
            misuse!(
                "task.memory: none of {} {name} learners has a review to ask, of a card met before, after {seen}: {cause}{notes}",
                all.len()
            );
        }
        if with.len() < all.len() {
            notes.push(format!(
                "{} of {} {name} learners have no review to ask after {seen} and are left out",
                all.len() - with.len(),
                all.len()
            ));
        }
        enough[part as usize] = with;
    }
    Ok((enough, notes))
}

impl Tasks for Loaded {
    fn interface(&self) -> Interface {
        let Layout { cards, .. } = self.known.layout;
        Interface {
            inputs: self.known.layout.width(),
            outputs: 1,
            items: cards,
            bins: Some(layout::bins),
            loss: &Logistic,
            measures: self.settings.measures(),
        }
    }

    fn extent(&self, part: Part, shots: usize) -> Extent {
        let learners = self.folds.iter().flat_map(|parts| &parts[part as usize]);
        let queries = learners.map(|learner| self.practice.asked(*learner).len()).max().unwrap_or(0);
        let support = if part == Part::Train { shots.min(queries) } else { shots };
        Extent { support, queries, inputs: self.known.layout.width() }
    }

    fn source(&self, fold: usize, part: Part, shots: usize, seed: u64) -> Option<Box<dyn FreezableSource>> {
        let some = !self.folds[fold][part as usize].is_empty();
        some.then(|| Box::new(self.of(fold, part, shots, seed)) as Box<dyn FreezableSource>)
    }

    fn count(&self, fold: usize, part: Part) -> Option<usize> {
        Some(self.folds[fold][part as usize].len())
    }

    fn every(&self, fold: usize) -> Option<Box<dyn Iterator<Item = Episode> + '_>> {
        Some(Box::new(self.of(fold, Part::Train, 1, 0).every()))
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn pooled(&self, fold: usize, pool: Pool, shots: usize, seed: u64) -> Box<dyn TaskSource> {
        Box::new(Pooled { source: self.of(fold, Part::Train, shots, seed), pool })
    }

    fn parts(&self, fold: usize) -> Value {
        let [train, validation, test] = &self.folds[fold];
        json!({
            "learners": {"train": train.len(), "validation": validation.len(), "test": test.len()},
            "cards": self.known.layout.cards,
            "notes": self.notes,
        })
    }

    fn example(&self, show: &Show) -> Example {
        example::of(self, show)
    }
}
