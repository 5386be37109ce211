//! A predicted success over the trainings of a method.

use std::fmt;

use crate::stats::inference::{CONFIDENCE, Inference};

/// Who is predicted to succeed so often with the items of a skill has mastered it.
pub const MASTERY: f64 = 0.8;

/// A share, and how far trainings are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean over trainings.
    pub mean: f64,
    /// The ends of its interval, see [`Ensemble::interval_is`](super::Ensemble::interval_is); none where all trainings agree.
    pub interval: Option<(f64, f64)>,
}

/// Whether a skill is mastered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mastery {
    /// The whole interval lies at [`MASTERY`] or above.
    Yes,
    /// It lies below.
    No,
    /// It holds [`MASTERY`].
    Unsure,
}

impl Estimate {
    /// Of the shares that trainings give.
    pub fn of(trainings: &[f64]) -> Self {
        let inference = Inference::over_folds(trainings); // each training is one observation
        let mean = inference.mean;
        let interval = match trainings {
            [first, rest @ ..] if rest.iter().all(|other| other == first) => None,
            [] => None,
            [one, other] => Some((one.min(*other), one.max(*other))),
            _ => {
                let half = inference.half_width(CONFIDENCE);
                Some(((mean - half).max(0.0), (mean + half).min(1.0)))
            }
        };
        Self { mean, interval }
    }

    /// Whether the skill is mastered; without an interval by the mean alone.
    pub fn mastery(&self) -> Mastery {
        let (low, high) = self.interval.unwrap_or((self.mean, self.mean));
        if low >= MASTERY {
            Mastery::Yes
        } else if high < MASTERY {
            Mastery::No
        } else {
            Mastery::Unsure
        }
    }
}

impl fmt::Display for Mastery {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unsure => "unsure",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_of_the_trainings() {
        for trainings in [&[0.9][..], &[0.9, 0.9]] {
            assert_eq!(Estimate::of(trainings), Estimate { mean: 0.9, interval: None });
        }
        assert_eq!(Estimate::of(&[0.75, 0.25]), Estimate { mean: 0.5, interval: Some((0.25, 0.75)) });
        // R: t.test(c(0.5, 0.6, 0.7))$conf.int
        let Estimate { mean, interval: Some((low, high)) } = Estimate::of(&[0.5, 0.6, 0.7]) else {
            panic!("an interval")
        };
        assert!(
            (mean - 0.6).abs() < 1e-12 && (low - 0.351_586).abs() < 1e-5 && (high - 0.848_414).abs() < 1e-5
        );
        let Some((_, high)) = Estimate::of(&[0.9, 0.95, 1.0]).interval else { panic!("an interval") };
        assert_eq!(high, 1.0, "a share is at most the whole");
    }

    #[test]
    fn what_an_interval_does_not_decide_is_unsure() {
        let mastery = |trainings: &[f64]| Estimate::of(trainings).mastery();
        assert_eq!([mastery(&[0.8]), mastery(&[0.79])], [Mastery::Yes, Mastery::No]);
        assert_eq!([mastery(&[0.81, 0.9]), mastery(&[0.5, 0.79])], [Mastery::Yes, Mastery::No]);
        assert_eq!(mastery(&[0.7, 0.9]), Mastery::Unsure);
    }
}
