//! The names of the files that a study leaves beside its trials, see [`super::study`].

/// The sweep as it was asked for.
pub const SWEEP: &str = "sweep.yaml";
/// Every trial: where it looked and how it did.
pub const TRIALS: &str = "study.csv";
/// The experiment of the best trial.
pub const BEST: &str = "best.yaml";
