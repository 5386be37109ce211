//! Which students are for meta-training, meta-validation and meta-test.

mod file;

use std::path::PathBuf;

use anyhow::Result;
use garde::{Report, Validate, util::nested_path};
use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    data::Source,
    misuse::misuse,
    random::{Purpose, stream},
    tasks::family::Part,
};

/// How students are divided, as the experiment file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SplitSpec {
    /// Drawn: a share of the students for each part.
    Fractions(Fractions),
    /// A CSV file with the columns student and split: train, validation (or val) or test. Students that it omits take no part.
    File(PathBuf),
    /// Cross-validation: every student is a test student in exactly one fold; the next fold's students validate.
    Folds(Folds),
}

/// The parts' shares of the students, 1 together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Fractions {
    /// Meta-train.
    #[garde(custom(|_, _: &()| whole(self)))]
    pub train: f64,
    /// Meta-validation.
    #[garde(skip)]
    pub validation: f64,
    /// Meta-test.
    #[garde(skip)]
    pub test: f64,
    /// Not the run's seed: all runs share the split.
    #[garde(skip)]
    pub seed: u64,
}

impl Default for Fractions {
    fn default() -> Self {
        Self { train: 0.6, validation: 0.2, test: 0.2, seed: 0 }
    }
}

fn whole(&Fractions { train, validation, test, .. }: &Fractions) -> garde::Result {
    let shares = [train, validation, test];
    if shares.iter().all(|share| *share > 0.0) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9 {
        return Ok(());
    }
    let text = format!(
        "train, validation and test must be above 0 and 1 together, not {train}, {validation} and {test}"
    );
    Err(garde::Error::new(text))
}

/// A cross-validation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct Folds {
    /// How many: 3 or more, so that one tests, one validates and the others train.
    #[garde(range(min = 3, max = 1000))]
    #[schemars(range(min = 3, max = 1000))]
    pub number: usize,
    /// Deals the students into folds.
    #[garde(skip)]
    pub seed: u64,
}

impl Default for Folds {
    fn default() -> Self {
        Self { number: 5, seed: 0 }
    }
}

impl Default for SplitSpec {
    fn default() -> Self {
        Self::Fractions(Fractions::default())
    }
}

impl SplitSpec {
    /// Folds of a cross-validation; 1 without.
    pub fn folds(&self) -> usize {
        match self {
            Self::Folds(folds) => folds.number,
            _ => 1,
        }
    }

    /// The part of each student in a fold, none if in no part, and what a reader should know of it. `students` are names in the order of
    /// their bytes. A relative file that is not below the working directory is looked for in `source.data_dir`.
    ///
    /// # Errors
    /// A `Misuse`: a part would be empty; the file cannot be read or has a student in two parts.
    pub fn parts(
        &self,
        students: &[String],
        fold: usize,
        source: &Source,
    ) -> Result<(Vec<Option<Part>>, Vec<String>)> {
        let count = students.len();
        let (parts, notes) = match self {
            Self::Fractions(Fractions { train, validation, seed, .. }) => {
                let ends = [*train, train + validation].map(|share| (share * count as f64).round() as usize);
                let part = |place| match place {
                    _ if place < ends[0] => Part::Train,
                    _ if place < ends[1] => Part::Validation,
                    _ => Part::Test,
                };
                (dealt(count, *seed, part), Vec::new())
            }
            Self::Folds(Folds { number, seed }) => {
                let part = |place| match place % number {
                    own if own == fold => Part::Test,
                    own if own == (fold + 1) % number => Part::Validation,
                    _ => Part::Train,
                };
                (dealt(count, *seed, part), Vec::new())
            }
            Self::File(file) => file::parts(file, students, source)?,
        };
        let sizes = [Part::Train, Part::Validation, Part::Test]
            .map(|part| parts.iter().filter(|of| **of == Some(part)).count());
        if sizes.contains(&0) {
            let [train, validation, test] = sizes;
            misuse!(
                "of {count} people {train} are for training, {validation} for validation and {test} for the test, but each part needs one at least: divide them otherwise with `split`"
            );
        }
        Ok((parts, notes))
    }
}

/// The parts of students by their places in an order that a seed gives.
fn dealt(students: usize, seed: u64, part: impl Fn(usize) -> Part) -> Vec<Option<Part>> {
    let mut order: Vec<usize> = (0..students).collect();
    order.shuffle(&mut stream(seed, Purpose::Split, 0));
    let mut parts = vec![None; students];
    for (place, student) in order.into_iter().enumerate() {
        parts[student] = Some(part(place));
    }
    parts
}

// By hand, so that paths in errors have the names in YAML.
impl Validate for SplitSpec {
    type Context = ();

    fn validate_into(&self, context: &(), mut parent: &mut dyn FnMut() -> garde::Path, report: &mut Report) {
        match self {
            Self::Fractions(fractions) => {
                fractions.validate_into(context, &mut nested_path!(parent, "fractions"), report)
            }
            Self::File(_) => {}
            Self::Folds(folds) => folds.validate_into(context, &mut nested_path!(parent, "folds"), report),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|student| format!("{student:05}")).collect()
    }

    fn parts(spec: &SplitSpec, count: usize, fold: usize) -> Vec<Option<Part>> {
        let (parts, notes) = spec.parts(&names(count), fold, &Source::default()).unwrap();
        assert!(notes.is_empty());
        parts
    }

    fn size(parts: &[Option<Part>], part: Part) -> usize {
        parts.iter().filter(|of| **of == Some(part)).count()
    }

    #[test]
    fn fractions_are_drawn_by_the_seed_alone() {
        let drawn = parts(&SplitSpec::default(), 103, 0);
        assert_eq!([Part::Train, Part::Validation, Part::Test].map(|part| size(&drawn, part)), [62, 20, 21]);
        assert_eq!(drawn, parts(&SplitSpec::default(), 103, 0));
        let other = SplitSpec::Fractions(Fractions { seed: 1, ..Fractions::default() });
        assert_ne!(drawn, parts(&other, 103, 0));
        let first = drawn[..62].iter().filter(|part| **part == Some(Part::Train)).count();
        assert!((20..60).contains(&first), "not by name: {first} of the first 62");
    }

    #[test]
    fn folds_test_every_student_once_and_validate_with_the_next() {
        let spec = SplitSpec::Folds(Folds { number: 4, seed: 3 });
        assert_eq!((spec.folds(), SplitSpec::default().folds()), (4, 1));
        let folds: Vec<_> = (0..4).map(|fold| parts(&spec, 30, fold)).collect();
        for student in 0..30 {
            let of: Vec<_> = folds.iter().map(|parts| parts[student].unwrap()).collect();
            let test = of.iter().position(|part| *part == Part::Test).unwrap();
            assert_eq!(of[(test + 3) % 4], Part::Validation);
            assert_eq!(of.iter().filter(|part| **part == Part::Train).count(), 2);
        }
    }

    #[test]
    fn too_few_students_are_refused_with_their_numbers() {
        for spec in [SplitSpec::default(), SplitSpec::Folds(Folds::default())] {
            let error = spec.parts(&names(2), 0, &Source::default()).unwrap_err();
            assert!(error.to_string().contains("of 2 people"), "{error}");
        }
    }

    #[test]
    fn the_spec_is_checked_and_survives_writing() {
        for (yaml, wrong) in [
            ("fractions: {}", None),
            ("fractions: {train: 0.7, validation: 0.1, test: 0.2, seed: 4}", None),
            ("file: split.csv", None),
            ("folds: {number: 3}", None),
            ("folds: {number: 2}", Some("folds.number")),
            ("fractions: {train: 0.7}", Some("1 together, not 0.7, 0.2 and 0.2")),
            ("fractions: {train: 1.2, validation: -0.4}", Some("above 0")),
            ("fractions: {train: .nan}", Some("above 0")),
        ] {
            let spec: SplitSpec = serde_saphyr::from_str(yaml).unwrap();
            let error = spec.validate().err().map(|error| error.to_string());
            match wrong {
                Some(part) => {
                    assert!(error.as_ref().is_some_and(|error| error.contains(part)), "{yaml}: {error:?}")
                }
                None => {
                    assert!(error.is_none(), "{yaml}: {error:?}");
                    let json = serde_json::to_value(&spec).unwrap();
                    assert_eq!(serde_json::from_value::<SplitSpec>(json).unwrap(), spec);
                }
            }
        }
        for yaml in ["fractions: {dev: 0.1}", "folds: {folds: 5}", "files: a.csv"] {
            assert!(serde_saphyr::from_str::<SplitSpec>(yaml).is_err(), "{yaml}");
        }
    }
}
