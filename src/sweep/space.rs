//! The space that a sweep searches: which keys of the experiment vary, and over what.
//!
//! Samplers know nothing of keys. They give points of the unit cube, one coordinate for each parameter, and the space turns a point
//! into values. A parameter that depends on a choice keeps its coordinate where the choice falls otherwise; it is only not looked at.

use garde::{Path, Report, Validate};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Keys of the experiment, as paths with dots, and what they vary over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Space(pub IndexMap<String, Domain>);

/// What a key varies over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// A real number whose logarithm is uniform.
    LogUniform([f64; 2]),
    /// A real number.
    Uniform([f64; 2]),
    /// A whole number, both ends included.
    Int([i64; 2]),
    /// One of several values.
    Choice(Choice),
}

/// The options of a choice: values, or names with a value and what varies only there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Choice {
    /// `[a, b, c]`.
    Values(Vec<Value>),
    /// `{name: {value: ..., space: {...}}}`.
    Named(IndexMap<String, Branch>),
}

/// One option of a choice with a space of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// What the key becomes.
    pub value: Value,
    /// What varies only where this option is taken.
    #[serde(default, skip_serializing_if = "Space::is_empty")]
    pub space: Space,
}

/// One parameter: a coordinate of the unit cube.
#[derive(Clone, Debug)]
pub struct Dimension<'a> {
    /// The key's path.
    pub path: &'a str,
    /// What it varies over.
    pub domain: &'a Domain,
    /// The parameter and the number of its option under which this one exists; always, if none.
    pub parent: Option<(usize, usize)>,
}

/// A parameter's value in a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assigned {
    /// The key's path.
    pub path: String,
    /// As the experiment gets it.
    pub value: Value,
    /// As tables and figures show it: the name of an option, otherwise the value.
    pub label: Value,
}

impl Assigned {
    /// What the value is called.
    pub fn text(&self) -> String {
        text(&self.label)
    }
}

/// A value as text.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Space {
    /// Whether nothing varies.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All parameters; one under a choice comes after it.
    pub fn parameters(&self) -> Vec<Dimension<'_>> {
        let mut parameters = Vec::new();
        self.collect(None, &mut parameters);
        parameters
    }

    fn collect<'a>(&'a self, parent: Option<(usize, usize)>, into: &mut Vec<Dimension<'a>>) {
        for (path, domain) in &self.0 {
            let place = into.len();
            into.push(Dimension { path, domain, parent });
            if let Domain::Choice(Choice::Named(branches)) = domain {
                for (option, branch) in branches.values().enumerate() {
                    branch.space.collect(Some((place, option)), into);
                }
            }
        }
    }

    /// The values at a point of the unit cube, `[0, 1)` in each coordinate, of the parameters that exist there, in order.
    pub fn at(&self, point: &[f64]) -> Vec<Assigned> {
        let parameters = self.parameters();
        let exists = active(&parameters, point);
        let there = parameters.iter().zip(point).zip(exists).filter(|(_, exists)| *exists);
        there
            .map(|((parameter, &u), _)| {
                let (value, label) = parameter.domain.at(u);
                Assigned { path: parameter.path.to_owned(), value, label }
            })
            .collect()
    }
}

/// Which parameters exist at a point.
pub fn active(parameters: &[Dimension], point: &[f64]) -> Vec<bool> {
    let mut exists: Vec<bool> = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        exists.push(parameter.parent.is_none_or(|(of, option)| {
            exists[of] && parameters[of].domain.option(point[of]) == Some(option)
        }));
    }
    exists
}

impl Domain {
    /// The number of different values, if they can be counted.
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::LogUniform(_) | Self::Uniform(_) => None,
            Self::Int([low, high]) => usize::try_from(high - low + 1).ok(),
            Self::Choice(Choice::Values(values)) => Some(values.len()),
            Self::Choice(Choice::Named(branches)) => Some(branches.len()),
        }
    }

    /// The labels of a choice's options; empty for anything else.
    pub fn labels(&self) -> Vec<Value> {
        match self {
            Self::Choice(Choice::Values(values)) => values.clone(),
            Self::Choice(Choice::Named(branches)) => branches.keys().map(|name| json!(name)).collect(),
            _ => Vec::new(),
        }
    }

    /// The number of the option at a coordinate, for a choice.
    pub fn option(&self, u: f64) -> Option<usize> {
        matches!(self, Self::Choice(_)).then(|| pick(u, self.count().unwrap_or(1)))
    }

    /// Value and label at a coordinate in `[0, 1)`.
    fn at(&self, u: f64) -> (Value, Value) {
        let same = |value: Value| (value.clone(), value);
        match self {
            Self::LogUniform([low, high]) => same(json!(rounded((low.ln() + u * (high / low).ln()).exp()))),
            Self::Uniform([low, high]) => same(json!(rounded(low + u * (high - low)))),
            Self::Int([low, high]) => same(json!(low + pick(u, (high - low + 1) as usize) as i64)),
            Self::Choice(Choice::Values(values)) => same(values[pick(u, values.len())].clone()),
            Self::Choice(Choice::Named(branches)) => {
                let (name, branch) =
                    branches.get_index(pick(u, branches.len())).unwrap_or_else(|| unreachable!());
                (branch.value.clone(), json!(name))
            }
        }
    }

    fn problem(&self) -> Option<String> {
        match self {
            Self::LogUniform([low, high]) if !(*low > 0.0 && low < high && high.is_finite()) => {
                Some(format!(
                    "log_uniform [{low}, {high}] needs 0 < low < high: a logarithm does not reach zero; take uniform, or a small low"
                ))
            }
            Self::Uniform([low, high]) if !(low < high && low.is_finite() && high.is_finite()) => {
                Some(format!("uniform [{low}, {high}] needs low < high"))
            }
            Self::Int([low, high]) if low >= high || high.checked_sub(*low).is_none_or(|n| n > 1_000_000) => {
                Some(format!("int [{low}, {high}] needs low < high, at most a million apart"))
            }
            Self::Choice(_) if self.count() == Some(0) => Some("choice needs at least one option".into()),
            _ => None,
        }
    }
}

// By hand, so that paths in errors lead to the key.
impl Validate for Space {
    type Context = ();

    fn validate_into(&self, _: &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        if self.is_empty() {
            report.append(
                parent(),
                garde::Error::new("name at least one key, for example train.meta_batch: {int: [4, 32]}"),
            );
        }
        let parameters = self.parameters();
        for (place, parameter) in parameters.iter().enumerate() {
            if let Some(problem) = parameter.domain.problem() {
                report.append(parent(), garde::Error::new(format!("{}: {problem}", parameter.path)));
            }
            let twice = parameters[..place].iter().any(|other| {
                other.path == parameter.path && (other.parent.is_none() || other.parent == parameter.parent)
            });
            if twice {
                report.append(parent(), garde::Error::new(format!("{} is there twice", parameter.path)));
            }
        }
    }
}

/// Which of `count` equal parts of `[0, 1)` a coordinate is in.
fn pick(u: f64, count: usize) -> usize {
    ((u * count as f64) as usize).min(count.saturating_sub(1))
}

/// To six significant digits: what a table can show is what was computed with.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        let text = "
            rate: {log_uniform: [0.01, 1]}
            learner:
              choice:
                maml: {value: {a: 1}, space: {steps: {int: [1, 4]}}}
                reptile: {value: {b: 2}}
            width: {choice: [32, 64]}
        ";
        serde_saphyr::from_str(text).expect("a space")
    }

    #[test]
    fn a_point_becomes_values_and_only_those_that_exist() {
        let space = space();
        let labels =
            |point: &[f64]| space.at(point).into_iter().map(|a| (a.path, a.label)).collect::<Vec<_>>();
        let named = |pairs: &[(&str, Value)]| {
            pairs.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect::<Vec<_>>()
        };
        let first = labels(&[0.5, 0.2, 0.99, 0.6]);
        assert_eq!(
            first,
            named(&[
                ("rate", json!(0.1)),
                ("learner", json!("maml")),
                ("steps", json!(4)),
                ("width", json!(64))
            ])
        );
        let second = labels(&[0.0, 0.7, 0.99, 0.0]);
        assert_eq!(
            second,
            named(&[("rate", json!(0.01)), ("learner", json!("reptile")), ("width", json!(32))])
        );
        assert_eq!(space.at(&[0.0, 0.7, 0.0, 0.0])[1].value, json!({"b": 2}));
    }

    #[test]
    fn what_cannot_be_searched_is_said() {
        for (text, part) in [
            ("{}", "at least one key"),
            ("{a: {log_uniform: [0, 1]}}", "logarithm"),
            ("{a: {log_uniform: [-1, 1]}}", "logarithm"),
            ("{a: {uniform: [2, 1]}}", "low < high"),
            ("{a: {int: [1, 1]}}", "low < high"),
            ("{a: {choice: []}}", "at least one option"),
        ] {
            let space: Space = serde_saphyr::from_str(text).expect(text);
            let report = space.validate().expect_err(text).to_string();
            assert!(report.contains(part), "{text}: {report}");
        }
        assert!(space().validate().is_ok());
    }
}
