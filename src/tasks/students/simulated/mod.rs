//! Students simulated from a stated model, so that what they have mastered and the best possible prediction of their answers are known.
//!
//! ```text
//!     skills        a tree or a chain: each skill but the first has one prerequisite
//!     ability       theta ~ N(0, ability^2), on 15 equally spaced nodes, so that sums over it are exact
//!     at the start  P(skill mastered | prerequisite mastered) = sigmoid(readiness of the skill + theta); never without its prerequisite
//!     an answer     P(right) = guess + (1 - guess - slip) sigmoid(slope (theta - difficulty + 3 [all skills of the problem mastered]))
//!     after it      each skill of the problem that is not mastered, but whose prerequisite was, becomes so with probability `learning`
//! ```
//!
//! Slopes and difficulties of problems are those of the two-parameter logistic model (Birnbaum 1968, in Lord & Novick, Statistical Theories of
//! Mental Test Scores). Skills that are all needed, guesses and slips are those of DINA (Junker & Sijtsma 2001,
//! https://doi.org/10.1177/01466210122032064), whose masteries depend on an ability as in its higher-order form (de la Torre & Douglas 2004,
//! https://doi.org/10.1007/BF02295640), and on prerequisites as in the attribute hierarchy method (Leighton, Gierl & Hunka 2004,
//! https://doi.org/10.1111/j.1745-3984.2004.tb01163.x). Learning while practising is that of Bayesian knowledge tracing (Corbett & Anderson
//! 1995, https://doi.org/10.1007/BF01099821).
//!
//! Readiness is uniform from 0 to 2, difficulty from -1 to 3, and the logarithm of a slope is normal about 0.2 with standard deviation 0.3.
//! A problem has one skill, a quarter of problems has two. A student answers each problem once at most, in random order. Students are of group
//! a or b, which means nothing. Of aberrant students, half toss a coin from some answer of the first half on; the others answer hard problems
//! right and easy ones wrong, but for guesses and slips. The best possible prediction is [`Model::predict`]; it does not know of aberrance.

mod draw;
pub mod model;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use draw::Simulation;
pub use model::Model;

use crate::{
    tasks::family::Problem,
    validity::{not_negative, share},
};

/// The most skills: the best possible prediction sums over all sets of them that can be mastered.
const MOST_SKILLS: usize = 10;
/// The most answers of all students together.
const MOST_ANSWERS: usize = 20_000_000;

/// Students who are simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Simulated {
    /// How many students.
    #[garde(range(min = 1, max = 4_000_000))]
    pub students: usize,
    /// How many problems each of them answers; no more than there are.
    #[garde(range(min = 2, max = 500))]
    pub answers: usize,
    /// How many problems there are; no fewer than skills.
    #[garde(range(min = 2, max = 10_000))]
    pub problems: usize,
    /// How many skills problems take.
    #[garde(range(min = 1, max = MOST_SKILLS))]
    pub skills: usize,
    /// Which skills have to be mastered before others.
    #[garde(skip)]
    pub prerequisites: Prerequisites,
    /// The least probability of a right answer.
    #[garde(custom(share))]
    #[schemars(extend("minimum" = 0, "maximum" = 1))]
    pub guess: f64,
    /// The least probability of a wrong answer.
    #[garde(custom(share))]
    #[schemars(extend("minimum" = 0, "maximum" = 1))]
    pub slip: f64,
    /// The probability that a skill is mastered after an answer that took it, if its prerequisite was.
    #[garde(custom(share))]
    #[schemars(extend("minimum" = 0, "maximum" = 1))]
    pub learning: f64,
    /// The standard deviation of abilities.
    #[garde(custom(not_negative))]
    #[schemars(extend("minimum" = 0))]
    pub ability: f64,
    /// The probability that a student's answers do not fit.
    #[garde(custom(share))]
    #[schemars(extend("minimum" = 0, "maximum" = 1))]
    pub aberrant: f64,
    /// The seed of all of it, whatever the seed of a run.
    #[garde(skip)]
    pub seed: u64,
}

/// Which skills have to be mastered before others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Prerequisites {
    /// Of each skill, one of the two before it at random.
    #[default]
    Tree,
    /// Of each skill, the one before it.
    Chain,
}

impl Default for Simulated {
    fn default() -> Self {
        Self {
            students: 3000,
            answers: 30,
            problems: 60,
            skills: 6,
            prerequisites: Prerequisites::default(),
            guess: 0.1,
            slip: 0.05,
            learning: 0.05,
            ability: 1.0,
            aberrant: 0.0,
            seed: 0,
        }
    }
}

impl Simulated {
    /// What is wrong with settings each of which is in its range: keys below `simulated`, and what to do.
    pub fn check(&self) -> Vec<Problem> {
        let Self { students, answers, problems, skills, guess, slip, .. } = self;
        let mut found: Vec<Problem> = Vec::new();
        if problems < skills {
            found.push((
                &["simulated", "problems"],
                format!("{skills} skills need a problem each, and there are {problems} problems: simulate at least {skills}, or fewer skills"),
            ));
        }
        if answers > problems {
            found.push((
                &["simulated", "answers"],
                format!("a student answers each of the {problems} problems once at most, not {answers} of them: ask for fewer answers, or simulate more problems"),
            ));
        }
        if guess + slip >= 1.0 {
            found.push((
                &["simulated", "slip"],
                format!(
                    "guess {guess} and slip {slip} leave nothing to mastery: let them sum to less than 1"
                ),
            ));
        }
        if students.saturating_mul(*answers) > MOST_ANSWERS {
            found.push((
                &["simulated", "students"],
                format!("{students} students with {answers} answers each are more than {MOST_ANSWERS} answers: simulate fewer"),
            ));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_contradict_each_other_are_refused_with_what_to_do() {
        let simulated = Simulated::default();
        assert!(simulated.check().is_empty());
        for (settings, key, message) in [
            (
                Simulated { problems: 5, answers: 5, ..simulated.clone() },
                "problems",
                "at least 6, or fewer skills",
            ),
            (Simulated { answers: 61, ..simulated.clone() }, "answers", "simulate more problems"),
            (Simulated { guess: 0.5, slip: 0.5, ..simulated.clone() }, "slip", "sum to less than 1"),
            (Simulated { students: 4_000_000, ..simulated.clone() }, "students", "simulate fewer"),
        ] {
            let found = settings.check();
            let [(path, text)] = found.as_slice() else { panic!("{key}: {found:?}") };
            assert_eq!(*path, ["simulated", key]);
            assert!(text.contains(message), "{text}");
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let refused = |yaml: &str, key: &str| {
            let settings: Simulated = serde_saphyr::from_str(yaml).unwrap();
            let report = settings.validate().expect_err(yaml).to_string();
            assert!(report.contains(key), "{report}");
        };
        refused("skills: 11", "skills");
        refused("students: 0", "students");
        refused("answers: 501", "answers");
        refused("guess: .nan", "guess");
        refused("learning: 1.5", "learning");
        refused("ability: -1", "ability");
        refused("ability: .inf", "ability");
        refused("aberrant: 2", "aberrant");
        assert!(Simulated::default().validate().is_ok());
        assert!(serde_saphyr::from_str::<Simulated>("pupils: 3").is_err());
    }
}
