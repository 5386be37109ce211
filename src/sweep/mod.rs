//! Sweeps: searching a space of experiments for the one that validates best. Nothing here looks at a test episode.

pub mod estimate;
pub(crate) mod files;
pub mod launcher;
pub mod names;
pub mod objective;
pub mod pruner;
pub mod report;
pub mod run;
pub mod sampler;
pub(crate) mod sbatch;
pub mod schedule;
pub mod space;
pub mod spec;
pub mod study;
pub mod trial;
