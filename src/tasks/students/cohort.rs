//! Students as an audit looks at them.

use std::{ops::Range, sync::Arc};

use anyhow::Result;

use super::{
    loaded::{Fold, Loaded, columns},
    protocol::Support,
    source::{Asked, StudentSource},
};
use crate::{
    data::answers::Answers,
    tasks::{
        FreezableSource, Part,
        cohort::{Cohort, Sitting},
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
}
