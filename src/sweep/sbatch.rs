//! The options of `sbatch` that a sweep file may give.

use anyhow::Result;
use indexmap::IndexMap;
use serde_json::Value;

use crate::misuse::misuse;

/// What the sweep itself says to `sbatch`.
const OWN: [&str; 6] = ["array", "job-name", "chdir", "output", "error", "requeue"];

/// Checks the options that a sweep file passes on to `sbatch`.
///
/// # Errors
/// A `Misuse` that names the option.
pub fn check_options(options: &IndexMap<String, Value>) -> Result<()> {
    for (key, value) in options {
        let sound =
            !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !sound || key.starts_with('-') {
            misuse!(
                "slurm: {key:?} is no option of sbatch: write its long name without dashes, partition for example"
            );
        }
        if OWN.contains(&key.as_str()) {
            misuse!("slurm: {key} is set by the sweep itself: leave it out");
        }
        let text = value.as_str().unwrap_or_default();
        if value.is_object() || value.is_array() || text.contains(['\n', '\r']) {
            misuse!("slurm: {key} needs one value in one line");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> IndexMap<String, Value> {
        serde_saphyr::from_str(text).expect("options")
    }

    #[test]
    fn options_that_would_not_reach_sbatch_are_refused() {
        let fine = options("{partition: gpu, time: 60, exclusive: true, overcommit: false}");
        check_options(&fine).expect("fine");
        for (bad, part) in [
            ("{array: 0-9}", "array is set by the sweep"),
            ("{--time: 3}", "without dashes"),
            ("{time: [1]}", "one value"),
            ("{\"wrap=rm\": x}", "no option"),
        ] {
            let error = check_options(&options(bad)).expect_err(bad).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
