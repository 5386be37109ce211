//! Episodes of students: a task is a student, of whom some answers are seen and others are asked.

use std::{ops::Range, sync::Arc};

use rand::RngExt;
use sha2::{Digest, Sha256};
use tch::{Device, Tensor};

use super::{
    Students,
    inputs::Inputs,
    protocol::{Places, Queries, Support},
};
use crate::{
    data::answers::Answers,
    random::{Purpose, Stream, stream},
    tasks::{Episode, FreezableSource, Part, TaskSource, seen},
};

/// The students of a part of a fold, and how they are asked.
#[derive(Clone)]
pub struct StudentSource {
    answers: Arc<Answers>,
    inputs: Arc<Inputs>,
    /// Who, in the order in which they are tested.
    students: Vec<u32>,
    part: Part,
    support: Support,
    queries: Queries,
    /// The fewest and the most answers that are seen; the same but in meta-training.
    pub(super) shots: [usize; 2],
    draws: usize,
    /// The most answers of a student that are looked at.
    longest: usize,
    /// The most answers that any of the students has, of these.
    rows: usize,
    seed: u64,
    device: Device,
}

/// A student in an episode.
pub struct Asked {
    /// Her number among all students.
    pub student: u32,
    /// Which of her answers are seen, and which are asked.
    pub places: Places,
}

impl StudentSource {
    /// The students of a part, of whom up to so many answers are seen.
    #[expect(clippy::too_many_arguments, reason = "what an episode is made of")]
    pub fn new(
        settings: &Students,
        answers: &Arc<Answers>,
        inputs: &Arc<Inputs>,
        mut students: Vec<u32>,
        part: Part,
        shots: usize,
        seed: u64,
        device: Device,
    ) -> Self {
        let longest = settings.longest;
        let rows = students.iter().map(|student| answers.of(*student).len().min(longest)).max().unwrap_or(0);
        let fewest = if part == Part::Train { settings.training_range()[0].min(shots) } else { shots };
        if part != Part::Train {
            // Some of the students are then a sample of all.
            let mut draw = stream(seed, Purpose::Split, part as u64);
            let keys: Vec<u64> = students.iter().map(|_| draw.random()).collect();
            let mut order: Vec<usize> = (0..students.len()).collect();
            order.sort_by_key(|place| (keys[*place], *place));
            students = order.iter().map(|place| students[*place]).collect();
        }
        Self {
            answers: answers.clone(),
            inputs: inputs.clone(),
            students,
            part,
            support: settings.support,
            queries: settings.queries(),
            shots: [fewest, shots],
            draws: settings.draws,
            longest,
            rows,
            seed,
            device,
        }
    }

    /// Answers of a student that are looked at.
    fn length(&self, student: u32) -> usize {
        self.answers.of(student).len().min(self.longest)
    }

    /// Students.
    pub fn count(&self) -> usize {
        self.students.len()
    }

    /// The most answers of a student.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A student's answers that are looked at: problem, and whether it was right.
    pub fn answers_of(&self, student: u32) -> Vec<(u32, bool)> {
        let answers = self.answers.of(student).take(self.longest);
        answers.map(|answer| (self.answers.problem[answer], self.answers.correct[answer])).collect()
    }

    /// A student of the test in her first draw, all of whose answers can be seen, in the order in which they are.
    pub fn first(&self, index: u64, number: usize) -> Asked {
        let student = self.students[number];
        let mut stream = stream(self.seed, self.part.purpose(), index << 24 | (number * self.draws) as u64);
        let Places { seen, .. } =
            Queries::Rest.places(self.support, self.length(student), self.rows, &mut stream);
        Asked { student, places: Places { seen, asked: Vec::new() } }
    }

    /// The episode in which some students, of whom up to so many answers are seen, are asked every problem that there is.
    pub fn about(&self, asked: &[Asked], seen: usize) -> Episode {
        let cut = |asked: &Asked| {
            let seen = asked.places.seen.iter().take(seen).copied().collect();
            Asked { student: asked.student, places: Places { seen, asked: Vec::new() } }
        };
        let cut: Vec<Asked> = asked.iter().map(cut).collect();
        let place = seen.min(self.longest) as f32 / self.longest as f32;
        self.episode(&cut, seen.max(1), 0).asked(&self.inputs.all(place).to_device(self.device))
    }

    /// Who is asked in a task, with so many answers seen at most.
    pub fn asked(&self, index: u64, task: usize, shots: usize) -> Asked {
        let mut stream = stream(self.seed, self.part.purpose(), index << 24 | task as u64);
        let (student, shots) = match self.part {
            Part::Train => self.drawn(&mut stream, shots),
            Part::Validation | Part::Test => (self.students[task / self.draws], shots),
        };
        let places = self.queries.places(self.support, self.length(student), shots, &mut stream);
        Asked { student, places }
    }

    /// A training student, and how many of her answers are seen.
    fn drawn(&self, stream: &mut Stream, shots: usize) -> (u32, usize) {
        let student = self.students[stream.random_range(0..self.students.len())];
        let most = self.queries.most_shots(self.length(student)).min(shots);
        let least = self.shots[0].min(most);
        let shots = seen::drawn(least, most, stream);
        (student, shots)
    }

    /// The episode of some students: first `seen` rows of what is seen, then so many rows for all answers of each.
    pub fn episode(&self, asked: &[Asked], seen: usize, rows: usize) -> Episode {
        let (width, each) = (self.inputs.width, seen + rows);
        let mut x = vec![0f32; asked.len() * each * width];
        let mut y = vec![0f32; asked.len() * each];
        let mut weight = vec![0f32; asked.len() * each];
        for (task, Asked { student, places }) in asked.iter().enumerate() {
            let answers = self.answers.of(*student);
            let mut write = |row: usize, place: usize, counts: bool| {
                let (row, answer) = (task * each + row, answers.start + place);
                let share = place as f32 / self.longest as f32;
                self.inputs.write(
                    self.answers.problem[answer],
                    share,
                    &mut x[row * width..(row + 1) * width],
                );
                y[row] = f32::from(u8::from(self.answers.correct[answer]));
                weight[row] = f32::from(u8::from(counts));
            };
            places.seen.iter().enumerate().for_each(|(row, place)| write(row, *place, true));
            places.asked.iter().enumerate().for_each(|(place, asked)| write(seen + place, place, *asked));
        }
        let shape = [asked.len(), each].map(|size| size as i64);
        let tensor = |values: &[f32], last: &[i64]| {
            Tensor::from_slice(values).reshape([&shape[..], last].concat()).to_device(self.device)
        };
        Episode {
            x: tensor(&x, &[width as i64]),
            y: tensor(&y, &[1]),
            weight: Some(tensor(&weight, &[])),
            support: seen as i64,
        }
    }

    /// Every student once, all answers being asked, some students at a time.
    pub fn every(self) -> impl Iterator<Item = Episode> {
        const AT_ONCE: usize = 64;
        (0..self.students.len()).step_by(AT_ONCE).map(move |first| {
            let all = |student: &u32| {
                let asked = vec![true; self.length(*student)];
                Asked { student: *student, places: Places { seen: Vec::new(), asked } }
            };
            let last = self.students.len().min(first + AT_ONCE);
            let asked: Vec<Asked> = self.students[first..last].iter().map(all).collect();
            self.episode(&asked, 0, longest(&asked))
        })
    }
}

/// The most answers of a student that may be asked.
pub(super) fn longest(asked: &[Asked]) -> usize {
    asked.iter().map(|asked| asked.places.asked.len()).max().unwrap_or(0)
}

impl TaskSource for StudentSource {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        self.sample_with(index, tasks, self.shots[1])
    }
}

impl FreezableSource for StudentSource {
    fn sample_with(&self, index: u64, tasks: Range<usize>, shots: usize) -> Episode {
        let asked: Vec<Asked> = tasks.map(|task| self.asked(index, task, shots)).collect();
        // Frozen episodes all have the same size, so that their answers can be kept together.
        let rows = if self.part == Part::Train { longest(&asked) } else { self.rows };
        self.episode(&asked, shots, rows)
    }

    fn describe(&self, hash: &mut Sha256) {
        hash.update(self.answers.digest);
        [self.longest, self.rows, self.inputs.width]
            .iter()
            .for_each(|size| hash.update((*size as u64).to_le_bytes()));
    }

    /// By her name, and by which of her answers are seen and asked.
    fn identify(&self, index: u64, task: usize, hash: &mut Sha256) {
        let Asked { student, places } = self.asked(index, task, self.shots[1]);
        hash.update(&self.answers.students[student as usize]);
        places.seen.iter().for_each(|place| hash.update((*place as u64).to_le_bytes()));
        places.asked.iter().for_each(|asked| hash.update([u8::from(*asked)]));
    }
}

#[cfg(test)]
mod tests;
