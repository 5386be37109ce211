//! Where students and their answers come from.

use std::sync::Arc;

use anyhow::Result;

use super::Students;
use crate::data::{Source, answers::Answers};

/// Answers, and what is known of who gave them.
pub enum Origin {
    /// A file; nothing more is known.
    File(Arc<Answers>),
}

impl Origin {
    /// Reads or simulates them.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn of(settings: &Students, source: &Source) -> Result<Self> {
        let answers = settings.answers.as_ref().map(|answers| answers.load(source)).transpose()?;
        Ok(Self::File(Arc::new(answers.unwrap_or_default())))
    }

    /// The answers.
    pub fn answers(&self) -> Arc<Answers> {
        match self {
            Self::File(answers) => answers.clone(),
        }
    }

    /// Whether a student has mastered each skill, where that is known.
    pub fn mastered(&self, _student: u32) -> Option<Vec<bool>> {
        None
    }

    /// Whether a student's answers were made not to fit, where that is known.
    pub fn is_aberrant(&self, _student: u32) -> Option<bool> {
        None
    }
}
