//! Benchmarks: one meta-training step of a named workload, and what the machine could do at best.

pub mod floor;
pub mod inputs;
pub mod step;
pub mod workload;
