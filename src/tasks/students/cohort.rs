//! Students as an audit and a tutor look at them.

use std::{ops::Range, sync::Arc};

use anyhow::Result;
use tch::Tensor;

use super::{
    loaded::{Fold, Loaded, columns},
    protocol::Support,
    source::{Asked, StudentSource},
};
use crate::{
    data::answers::Answers,
    tasks::{
        Episode, FreezableSource, Part,
        cohort::{Cohort, Given, Sitting, Skills},
        frozen,
    },
};

impl Cohort for Loaded {
    fn answers(&self) -> &Answers {
        &self.answers
    }

    fn in_time(&self) -> bool {
        self.settings.support == Support::First
    }

    fn divided(&self, fold: usize, part: Part) -> Vec<u32> {
        let parts = (0..).zip(&self.folds[fold].parts);
        parts.filter(|(_, of)| **of == Some(part)).map(|(student, _)| student).collect()
    }

    fn students(&self, fold: usize, part: Part) -> &[u32] {
        &self.folds[fold].students[part as usize]
    }

    fn sittings(
        &self,
        fold: usize,
        part: Part,
        shots: usize,
        seed: u64,
        tasks: Range<usize>,
    ) -> Vec<Sitting> {
        let source = self.of(fold, part, shots, seed);
        let sitting = |task| {
            let Asked { student, places } = source.asked(frozen::index(fold), task, shots);
            let first = self.answers.of(student).start;
            let asked = (first..).zip(&places.asked).filter(|(_, asked)| **asked).map(|(row, _)| row);
            Sitting {
                student,
                seen: places.seen.iter().map(|place| first + place).collect(),
                asked: asked.collect(),
            }
        };
        tasks.map(sitting).collect()
    }

    fn altered(
        &self,
        answers: Answers,
        fold: usize,
        shots: usize,
        seed: u64,
    ) -> Result<Box<dyn FreezableSource>> {
        let columns = columns(&answers, self.settings.known_from)?;
        let parts = self.folds[fold].parts.clone();
        let (Fold { students: [_, _, test], inputs, .. }, _) =
            Fold::new(&self.settings, &self.asks, &answers, &columns, parts)?;
        let (settings, answers) = (&self.settings, Arc::new(answers));
        Ok(Box::new(StudentSource::new(
            settings,
            &answers,
            &inputs,
            test,
            Part::Test,
            shots,
            seed,
            self.device,
        )))
    }

    fn skills(&self) -> Skills {
        let (names, problems) = self.skills();
        Skills { names, problems }
    }

    fn seen(&self, fold: usize, given: &[Vec<Given>]) -> Episode {
        let (longest, inputs) = (self.settings.longest, &self.folds[fold].inputs);
        let recent = |given: &'_ Vec<Given>| given.len().saturating_sub(longest);
        // Without a row there would be nothing to take a shape from.
        let rows = given.iter().map(|given| given.len() - recent(given)).max().unwrap_or(0).max(1);
        let mut x = vec![0f32; given.len() * rows * inputs.width];
        let mut y = vec![0f32; given.len() * rows];
        let mut weight = vec![0f32; given.len() * rows];
        for (task, given) in given.iter().enumerate() {
            for (place, (problem, right)) in given[recent(given)..].iter().enumerate() {
                let row = task * rows + place;
                let share = place as f32 / longest as f32;
                inputs.write(*problem, share, &mut x[row * inputs.width..(row + 1) * inputs.width]);
                (y[row], weight[row]) = (f32::from(u8::from(*right)), 1.0);
            }
        }
        let tensor = |values: &[f32], last: &[i64]| {
            let shape = [&[given.len() as i64, rows as i64], last].concat();
            Tensor::from_slice(values).reshape(shape).to_device(self.device)
        };
        Episode {
            x: tensor(&x, &[inputs.width as i64]),
            y: tensor(&y, &[1]),
            weight: Some(tensor(&weight, &[])),
            support: rows as i64,
        }
    }

    fn problems(&self, fold: usize, after: usize) -> Tensor {
        let (longest, inputs) = (self.settings.longest, &self.folds[fold].inputs);
        inputs.all(after.min(longest) as f32 / longest as f32).to_device(self.device)
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::{
        data::Source,
        tasks::{Asks, Tasks, students::Students},
    };

    /// Sixty students, of whom four answers are seen.
    fn loaded(inputs: &str) -> Loaded {
        let yaml = format!(
            "{{simulated: {{students: 60, answers: 9, problems: 12}}, shots: 4, draws: 2, inputs: {inputs}}}"
        );
        let students: Students = serde_saphyr::from_str(&yaml).expect("settings");
        let asks =
            Asks { training_shots: Some(4), fixed_ways: None, pools: false, validates: false, test_shots: 4 };
        let source = Source { data_dir: None, progress: false, offline: true };
        Loaded::new(&students, &asks, &source, Device::Cpu).expect("students")
    }

    #[test]
    fn sittings_are_the_rows_of_the_test() {
        let loaded = loaded("{}");
        let source = loaded.source(0, Part::Test, 4, 7).expect("test students");
        let episode = source.sample_with(frozen::index(0), 0..6, 3);
        let answers = loaded.answers();
        for (task, sitting) in loaded.sittings(0, Part::Test, 3, 7, 0..6).iter().enumerate() {
            assert_eq!((sitting.seen.len(), sitting.asked.len()), (3, 6));
            assert!(sitting.seen.iter().all(|row| !sitting.asked.contains(row)));
            let right = |row: usize| episode.y.double_value(&[task as i64, row as i64, 0]) == 1.0;
            for (place, row) in sitting.seen.iter().enumerate() {
                assert_eq!(right(place), answers.correct[*row]);
            }
            for row in &sitting.asked {
                let place = 3 + row - answers.of(sitting.student).start;
                assert_eq!(right(place), answers.correct[*row]);
                let weight = episode.weight.as_ref().expect("weights");
                assert_eq!(weight.double_value(&[task as i64, place as i64]), 1.0);
            }
        }
        assert_eq!(loaded.divided(0, Part::Test), {
            let mut students = loaded.students(0, Part::Test).to_vec();
            students.sort_unstable();
            students
        });
    }

    /// An input that knows of the answers that are altered is seen to change: here the difficulty of items, by answers of training students.
    /// Those of test students change nothing but themselves.
    #[test]
    fn altered_answers_are_computed_with_anew() {
        let loaded = loaded("{difficulty: true}");
        let episode = |source: &dyn FreezableSource| source.sample_with(frozen::index(0), 0..4, 4);
        let own = episode(&*loaded.source(0, Part::Test, 4, 7).expect("test students"));
        let altered = |part: Part| {
            let mut answers = loaded.answers().clone();
            for student in loaded.divided(0, part) {
                answers.of(student).for_each(|row| answers.correct[row] = !answers.correct[row]);
            }
            episode(&*loaded.altered(answers, 0, 4, 7).expect("test students"))
        };
        let test = altered(Part::Test);
        assert!(test.x == own.x && test.weight == own.weight && test.y != own.y);
        let train = altered(Part::Train);
        assert!(train.x != own.x && train.y == own.y);
    }
}
