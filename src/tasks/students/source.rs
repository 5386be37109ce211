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
mod tests {
    use super::*;
    use crate::tasks::students::{inputs::InputsSpec, protocol::Published};

    /// Twelve students with 4 to 15 answers, each to problems 0, 1, 2, ... of which she has the first half right.
    fn source(settings: &Students, part: Part, shots: usize) -> StudentSource {
        let (mut answers, mut row) = (Answers::default(), 0);
        answers.problems = (0..15).map(|problem| problem.to_string()).collect();
        answers.skills_of = vec![Vec::new(); 15];
        answers.starts.push(0);
        for student in 0..12u32 {
            let length = 4 + student;
            answers.students.push(format!("student {student}"));
            answers.problem.extend(0..length);
            answers.correct.extend((0..length).map(|problem| 2 * problem < length));
            row += length as usize;
            answers.starts.push(row);
        }
        let columns: Vec<Option<usize>> = (0..15).map(Some).collect();
        let inputs = Inputs::new(InputsSpec::default(), &answers, &columns, &[[1, 1]; 15], 1);
        let students = (0..12).filter(|student| 4 + student > shots as u32).collect();
        StudentSource::new(
            settings,
            &Arc::new(answers),
            &Arc::new(inputs),
            students,
            part,
            shots,
            0,
            Device::Cpu,
        )
    }

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.contiguous().flatten(0, -1)).expect("numbers")
    }

    #[test]
    fn every_answer_is_seen_or_asked_or_padding() {
        let settings = Students::default();
        let source = source(&settings, Part::Test, 3);
        let episode = source.sample_with(0, 0..12, 3);
        assert_eq!((episode.tasks(), episode.support, episode.queries()), (12, 3, 15));
        for task in 0..12 {
            let of = |t: &Tensor| numbers(&t.get(task));
            let weight = of(episode.weight.as_ref().expect("unequal lengths"));
            let (y, x) = (of(&episode.y), episode.x.get(task));
            let Asked { student, places } = source.asked(0, task as usize, 3);
            let length = 4 + student as usize;
            assert_eq!(weight[..3], [1.0; 3]);
            assert_eq!(weight[3..].iter().sum::<f32>() as usize, length - 3, "the rest is asked");
            assert!(weight[3 + length..].iter().all(|weight| *weight == 0.0), "and no padding");
            for (row, place) in places.seen.iter().enumerate() {
                assert_eq!(weight[3 + place], 0.0, "what is seen is not asked");
                assert_eq!(y[row], f32::from(u8::from(2 * place < length)));
                assert_eq!(
                    x.get(row as i64).argmax(0, false).int64_value(&[]),
                    *place as i64,
                    "a row says its item"
                );
            }
        }
    }

    #[test]
    fn a_student_is_tested_with_other_answers_in_each_draw() {
        let settings = Students { draws: 3, protocol: Some(Published::Bobcat), ..Students::default() };
        let source = source(&settings, Part::Test, 2);
        for student in 0..4 {
            let draws: Vec<Asked> = (0..3).map(|draw| source.asked(0, 3 * student + draw, 2)).collect();
            assert!(draws.iter().all(|asked| asked.student == draws[0].student));
            assert!(draws.iter().any(|asked| asked.places != draws[0].places));
        }
        let few = source.asked(0, 5, 1).places;
        let many = source.asked(0, 5, 2).places;
        assert_eq!(
            (few.seen, few.asked),
            (many.seen[..1].to_vec(), many.asked),
            "the same fifth, the first of the same seen"
        );
    }

    /// Uniformly half the time, so that of 1 to 10 every number comes; by equal ratios else, so that 1 comes most often.
    #[test]
    fn in_training_few_answers_are_seen_often() {
        let settings =
            Students { training: super::super::Training { shots: Some([1, 10]) }, ..Students::default() };
        let source = source(&settings, Part::Train, 10);
        let mut times = [0; 11];
        for task in 0..4000 {
            times[source.asked(7, task, 10).places.seen.len()] += 1;
        }
        assert!(times[0] == 0 && times[1..].iter().all(|times| *times > 30), "{times:?}");
        assert!(times[1] > times[2] && times[1] > 2 * times[9] && times[1] > times[5], "{times:?}");
    }

    #[test]
    fn every_training_student_comes_once_with_all_answers() {
        let settings = Students::default();
        let weights: f32 = source(&settings, Part::Train, 3)
            .every()
            .map(|episode| numbers(&episode.weight.expect("weights")).iter().sum::<f32>())
            .sum();
        assert_eq!(weights as u32, (0..12).map(|student| 4 + student).sum::<u32>());
    }

    #[test]
    fn who_is_asked_about_everything_sees_so_many_answers() {
        let settings = Students::default();
        let source = source(&settings, Part::Test, 3);
        let asked = [source.first(0, 0), source.first(0, 1)];
        let episode = source.about(&asked, 0);
        assert_eq!((episode.support, episode.queries()), (1, 15));
        let weight = episode.weight.expect("weights");
        assert_eq!(numbers(&weight.narrow(1, 0, 1)), [0.0, 0.0], "nothing is seen");
        assert_eq!(numbers(&weight).iter().sum::<f32>(), 30.0, "every problem is asked of both");
    }
}
