//! Where students and their answers come from.

use std::sync::Arc;

use anyhow::Result;

use super::{Students, simulated::Simulation};
use crate::data::{Source, answers::Answers};

/// Answers, and what is known of who gave them.
pub enum Origin {
    /// A file; nothing more is known.
    File(Arc<Answers>),
    /// A model, of which all is known; its answers stand apart, so that many can hold them.
    Simulated(Box<Simulation>, Arc<Answers>),
}

impl Origin {
    /// Reads or simulates them.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn of(settings: &Students, source: &Source) -> Result<Self> {
        if let Some(answers) = &settings.answers {
            return Ok(Self::File(Arc::new(answers.load(source)?)));
        }
        let mut simulation = Simulation::new(&settings.simulation());
        let answers = Arc::new(std::mem::take(&mut simulation.answers));
        Ok(Self::Simulated(Box::new(simulation), answers))
    }

    /// The answers.
    pub fn answers(&self) -> Arc<Answers> {
        match self {
            Self::File(answers) | Self::Simulated(_, answers) => answers.clone(),
        }
    }

    /// Whether a student has mastered each skill in the end, where that is known.
    pub fn mastered(&self, student: u32) -> Option<Vec<bool>> {
        match self {
            Self::File(_) => None,
            Self::Simulated(simulation, answers) => {
                Some(simulation.mastered(student, answers.of(student).len()))
            }
        }
    }

    /// Whether a student's answers were made not to fit, where that is known.
    pub fn is_aberrant(&self, student: u32) -> Option<bool> {
        match self {
            Self::File(_) => None,
            Self::Simulated(simulation, _) => Some(simulation.aberrant[student as usize]),
        }
    }
}
