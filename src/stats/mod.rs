//! How well means are known, over seeds, episodes and folds, and paired comparisons of methods.

pub mod comparison;
pub mod grid;
pub mod inference;
pub mod pairing;
mod sentence;
pub mod settle;
pub mod signed_rank;

#[cfg(test)]
mod simulation;
