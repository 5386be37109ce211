//! Episodes of learners: a task is a learner, of whom the first reviews are seen, and later ones asked.

use std::{ops::Range, sync::Arc};

use rand::RngExt;
use sha2::{Digest, Sha256};
use tch::{Device, Tensor};

use super::{Memory, layout::Layout, practice::Practice};
use crate::{
    random::{Purpose, Stream, stream},
    tasks::{Episode, FreezableSource, Part, Pool, TaskSource, seen},
};

/// Cards that are known from other learners, and what a row holds then.
pub struct Known {
    /// The sizes of a row.
    pub layout: Layout,
    /// The place of each card.
    pub places: Vec<Option<usize>>,
}

/// The learners of a part of a fold, and how they are asked.
#[derive(Clone)]
pub struct LearnerSource {
    practice: Arc<Practice>,
    known: Arc<Known>,
    /// Who, in the order in which they are tested.
    learners: Vec<u32>,
    part: Part,
    /// The fewest and the most reviews that are seen; the same but in meta-training.
    shots: [usize; 2],
    /// How many reviews are asked; all that follow without it.
    next: Option<usize>,
    /// The share of training learners whose cards are taken for cards that nobody else knows.
    strangers: f64,
    /// The most reviews of any of the learners.
    rows: usize,
    seed: u64,
    device: Device,
}

/// A learner in an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnerTask {
    /// Her number among all learners.
    pub learner: u32,
    /// How many of her reviews are seen.
    pub seen: usize,
    /// Whether her cards are taken for cards that nobody else knows.
    pub stranger: bool,
}

/// The places of the reviews that may be asked after so many, if those of cards that were met before are asked.
pub fn window(seen: usize, next: Option<usize>, reviews: usize) -> Range<usize> {
    let end = next.map_or(reviews, |next| reviews.min(seen.saturating_add(next)));
    seen.min(end)..end
}

impl LearnerSource {
    /// The learners of a part, of whom up to so many reviews are seen.
    #[expect(clippy::too_many_arguments, reason = "what an episode is made of")]
    pub fn new(
        settings: &Memory,
        practice: &Arc<Practice>,
        known: &Arc<Known>,
        mut learners: Vec<u32>,
        part: Part,
        shots: usize,
        seed: u64,
        device: Device,
    ) -> Self {
        let rows = learners.iter().map(|learner| practice.asked(*learner).len()).max().unwrap_or(0);
        let shots = if part == Part::Train { shots.min(rows) } else { shots };
        let fewest = if part == Part::Train { settings.training_range()[0].min(shots) } else { shots };
        if part != Part::Train {
            // Some of the learners are then a sample of all.
            let mut draw = stream(seed, Purpose::Split, part as u64);
            let mut keyed: Vec<(u64, u32)> =
                learners.iter().map(|learner| (draw.random(), *learner)).collect();
            keyed.sort_unstable();
            learners = keyed.into_iter().map(|(_, learner)| learner).collect();
        }
        Self {
            practice: practice.clone(),
            known: known.clone(),
            learners,
            part,
            shots: [fewest, shots],
            next: settings.next,
            strangers: settings.training.strangers,
            rows,
            seed,
            device,
        }
    }

    /// The learner of a task, and how many of her reviews are seen.
    pub fn learner_task(&self, index: u64, task: usize, shots: usize) -> LearnerTask {
        if self.part != Part::Train {
            return LearnerTask { learner: self.learners[task], seen: shots, stranger: false };
        }
        let mut stream = stream(self.seed, self.part.purpose(), index << 24 | task as u64);
        self.drawn(&mut stream, shots)
    }

    /// A training learner, and a number of seen reviews after which something can be asked.
    fn drawn(&self, stream: &mut Stream, shots: usize) -> LearnerTask {
        let learner = self.learners[stream.random_range(0..self.learners.len())];
        let asked = self.practice.asked(learner);
        let last = asked.iter().rposition(|row| self.practice.is_met(*row)).unwrap_or(0);
        let most = last.min(shots).max(1);
        let least = self.shots[0].clamp(1, most);
        let seen = seen::drawn(least, most, stream);
        LearnerTask { learner, seen, stranger: stream.random::<f64>() < self.strangers }
    }

    /// How many learners there are.
    pub fn learners(&self) -> usize {
        self.learners.len()
    }

    /// The rows of a learner in which something was asked.
    pub fn asked(&self, learner: u32) -> &[u32] {
        self.practice.asked(learner)
    }

    /// The reviews.
    pub fn practice(&self) -> &Practice {
        &self.practice
    }

    /// The sizes of a row of input.
    pub fn layout(&self) -> Layout {
        self.known.layout
    }

    /// The episode of some learners: first `seen` rows of what is seen, then `rows` rows for all reviews of each, of which those in the
    /// window count whose card was met before.
    pub fn episode(&self, drawn: &[LearnerTask], seen: usize, rows: usize, next: Option<usize>) -> Episode {
        let (width, each) = (self.known.layout.width(), seen + rows);
        let mut x = vec![0f32; drawn.len() * each * width];
        let mut y = vec![0f32; drawn.len() * each];
        let mut weight = vec![0f32; drawn.len() * each];
        for (task, one) in drawn.iter().enumerate() {
            let asked = self.practice.asked(one.learner);
            let window = window(one.seen, next, asked.len());
            for (place, row) in asked.iter().enumerate().take(rows.max(one.seen.min(seen))) {
                let mut past = self.practice.past(*row, &self.known.places);
                past.card = past.card.filter(|_| !one.stranger);
                let target = f32::from(u8::from(self.practice.recalled(*row)));
                let asks = window.contains(&place) && self.practice.is_met(*row);
                let as_seen = (place < one.seen.min(seen)).then_some((place, true));
                let as_query = (place < rows).then_some((seen + place, asks));
                for (at, counts) in as_seen.into_iter().chain(as_query) {
                    let at = task * each + at;
                    self.known.layout.write(&past, &mut x[at * width..(at + 1) * width]);
                    (y[at], weight[at]) = (target, f32::from(u8::from(counts)));
                }
            }
        }
        let tensor = |values: &[f32], last: &[i64]| {
            let shape = [&[drawn.len() as i64, each as i64], last].concat();
            Tensor::from_slice(values).reshape(shape).to_device(self.device)
        };
        Episode {
            x: tensor(&x, &[width as i64]),
            y: tensor(&y, &[1]),
            weight: Some(tensor(&weight, &[])),
            support: seen as i64,
        }
    }

    /// The most reviews of some learners.
    fn longest(&self, drawn: &[LearnerTask]) -> usize {
        drawn.iter().map(|one| self.practice.asked(one.learner).len()).max().unwrap_or(0)
    }

    /// Every learner once, all reviews of cards that were met before being asked, some learners at a time.
    pub fn every(self) -> impl Iterator<Item = Episode> {
        const AT_ONCE: usize = 64;
        (0..self.learners.len()).step_by(AT_ONCE).map(move |first| {
            let last = self.learners.len().min(first + AT_ONCE);
            let all = |learner: &u32| LearnerTask { learner: *learner, seen: 0, stranger: false };
            let drawn: Vec<LearnerTask> = self.learners[first..last].iter().map(all).collect();
            self.episode(&drawn, 0, self.longest(&drawn), None)
        })
    }
}

impl TaskSource for LearnerSource {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        self.sample_with(index, tasks, self.shots[1])
    }
}

impl FreezableSource for LearnerSource {
    fn sample_with(&self, index: u64, tasks: Range<usize>, shots: usize) -> Episode {
        let drawn: Vec<LearnerTask> = tasks.map(|task| self.learner_task(index, task, shots)).collect();
        // Frozen episodes all have the same size, so that their answers can be kept together.
        let rows = if self.part == Part::Train { self.longest(&drawn) } else { self.rows };
        let next = self.next.filter(|_| self.part != Part::Train);
        self.episode(&drawn, shots, rows, next)
    }

    fn describe(&self, hash: &mut Sha256) {
        hash.update(self.practice.digest);
        let sizes =
            [self.rows, self.known.layout.cards, self.known.layout.history, self.next.unwrap_or(usize::MAX)];
        sizes.iter().for_each(|size| hash.update((*size as u64).to_le_bytes()));
    }

    /// By her name, and by how many of her reviews are seen.
    fn identify(&self, index: u64, task: usize, hash: &mut Sha256) {
        let LearnerTask { learner, seen, .. } = self.learner_task(index, task, self.shots[1]);
        hash.update(&self.practice.reviews.learners[learner as usize]);
        hash.update((seen as u64).to_le_bytes());
    }
}

/// Reviews of many learners as ordinary supervised batches: those of the meta-training tasks of the same numbers.
pub struct Pooled {
    /// The tasks.
    pub source: LearnerSource,
    /// Which of their reviews.
    pub pool: Pool,
}

impl TaskSource for Pooled {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        let most = self.source.shots[1];
        let drawn: Vec<LearnerTask> = tasks.map(|task| self.source.learner_task(index, task, most)).collect();
        match self.pool {
            Pool::All => {
                let all: Vec<LearnerTask> = drawn.iter().map(|one| LearnerTask { seen: 0, ..*one }).collect();
                self.source.episode(&all, 0, self.source.longest(&all), None)
            }
            Pool::Support => Episode { support: 0, ..self.source.episode(&drawn, most, 0, None) },
        }
    }
}
