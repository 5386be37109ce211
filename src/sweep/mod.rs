//! Sweeps: searching a space of experiments for the one that validates best. Nothing here looks at a test episode.

pub mod local;
pub mod sampler;
pub mod space;
pub mod spec;
pub mod study;
