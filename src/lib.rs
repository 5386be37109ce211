//! Quickstudy.

pub mod algorithms;
pub mod cli;
pub mod data;
pub mod evaluate;
pub mod experiment;
pub mod figures;
pub mod inner;
pub mod loss;
pub mod misuse;
pub mod models;
pub mod outer;
pub mod random;
pub mod records;
pub mod registry;
pub mod shards;
pub mod stats;
pub mod summary;
pub mod tasks;
pub mod train;
pub mod validity;
