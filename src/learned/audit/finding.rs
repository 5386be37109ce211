//! What a check found.

use serde::Serialize;
use serde_json::Value;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Not as it should be: the run's numbers are not to be trusted, or not worth having.
    Failed,
    /// There is nothing to check.
    NotApplicable,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found, in words.
    pub found: String,
    /// What is to be known besides, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The numbers, for each number of seen answers where they differ by it.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub numbers: Value,
}

impl Finding {
    /// A check that has failed if there are any `faults`, and else found what is said.
    pub fn new(check: &'static str, faults: Vec<String>, found: String) -> Self {
        let (verdict, found) =
            if faults.is_empty() { (Verdict::Ok, found) } else { (Verdict::Failed, faults.join("; ")) };
        Self { check, verdict, found, warnings: Vec::new(), numbers: Value::Null }
    }

    /// A check of what is not there.
    pub fn not_applicable(check: &'static str, why: &str) -> Self {
        let (verdict, found) = (Verdict::NotApplicable, why.to_owned());
        Self { check, verdict, found, warnings: Vec::new(), numbers: Value::Null }
    }

    /// With warnings.
    pub fn warn(self, warnings: impl IntoIterator<Item = String>) -> Self {
        Self { warnings: warnings.into_iter().collect(), ..self }
    }

    /// With numbers.
    pub fn with(self, numbers: Value) -> Self {
        Self { numbers, ..self }
    }

    /// For a terminal.
    pub fn lines(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Failed => "FAILED",
            Verdict::NotApplicable => "not applicable",
        };
        let warnings = self.warnings.iter().map(|warning| format!("                  warning: {warning}\n"));
        format!("{verdict:<14}  {}: {}\n{}", self.check, self.found, warnings.collect::<String>())
    }
}
