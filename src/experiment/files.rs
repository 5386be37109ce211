//! The names of the files that an experiment leaves: in the folder of each run, and beside those folders.

/// The experiment, with every default filled in; of the whole experiment, and again in each run's folder.
pub const CONFIG: &str = "config.yaml";

/// Where the numbers came from: an entry for every start of the program that worked on the run.
pub const ENVIRONMENT: &str = "environment.json";
/// What happened to the run, a line for each event.
pub const LOG: &str = "log.jsonl";
/// Every iteration of training.
pub const TRAIN: &str = "train.csv";
/// From which training goes on.
pub const STATE: &str = "state.safetensors";
/// What was learned.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// Written when a run is trained and validated.
pub const VALIDATION: &str = "validation.csv";
/// What the first run of a method answers on an episode, see [`Example`](crate::tasks::example::Example).
pub const EXAMPLE: &str = "example.json";
/// What adaptation took in the test, see [`CostRow`](crate::records::CostRow); apart, since times are others on every run.
pub const COST: &str = "cost.csv";
/// What was answered in the test, see [`predictions`](super::predictions).
pub const PREDICTIONS: &str = "predictions.safetensors";
/// The test; written last.
pub const EVALUATION: &str = "evaluation.csv";

/// Means and intervals of all methods.
pub const SUMMARY: &str = "summary.csv";
/// The same and the figures, to be read.
pub const SUMMARY_PAGE: &str = "summary.md";
/// The folder of figures.
pub const FIGURES: &str = "figures";
/// Everything on one page.
pub const REPORT: &str = "report.html";

/// The validation of a run whose training paused at an iteration.
pub fn validation_at(iteration: usize) -> String {
    format!("validation-{iteration}.csv")
}
