//! Quickstudy: a meta-learning research framework on libtorch.
//!
//! It learns initialisations theta from which a network adapts to a new task in a few gradient steps, and shows with figures
//! and statistics whether that beats plain training.
//!
//! The way of the data through the program, from what knows least to what knows most:
//!
//! | module | what it holds |
//! |---|---|
//! | [`random`], [`floats`], [`validity`], [`registry`], [`misuse`], [`output`], [`memory`] | random streams, the numbers of tensors, checks of numbers, registries, errors of the caller, what is said, the allocator |
//! | [`data`] | data sets: a reader per format, fetching with checksums |
//! | [`tasks`] | episodes of T stacked tasks, and the distributions they are drawn from |
//! | [`loss`], [`measures`] | what training lowers, and what a method is judged by |
//! | [`models`] | networks as functions of parameters, for all tasks at once |
//! | [`inner`] | adaptation: the support loss as a function of fast weights, and the rules that move them |
//! | [`algorithms`] | MAML, Reptile, ... and what they are compared with |
//! | [`outer`], [`crew`], [`chunks`], [`train`], [`evaluate`] | the outer loop and the test; they see only traits |
//! | [`records`], [`stats`], [`summary`], [`figures`], [`report`] | from CSV files to tables, figures and a page; no tensors |
//! | [`experiment`] | the YAML as written, checked and built; runs, their folders, resuming |
//! | [`sweep`] | searches: a space of experiments, samplers, pruners, launchers that run trials here or on Slurm |
//! | [`runs`], [`tensorboard`] | what lies in results folders, as far as it has come; event files for TensorBoard |
//! | [`learned`] | what a run has learned, put to use: exports, one's own images, other tests |
//! | [`mod@bench`] | the time of a meta-training step |
//! | [`cli`] | the command line |
//!
//! To add an algorithm, model, inner rule, data set or figure: one file, and one line in its folder's registry.

pub mod algorithms;
pub mod bench;
pub mod chunks;
pub mod cli;
pub mod crew;
pub mod data;
pub mod evaluate;
pub mod experiment;
pub mod figures;
pub mod floats;
pub mod inner;
pub mod learned;
pub mod loss;
pub mod measures;
pub mod memory;
pub mod misuse;
pub mod models;
pub mod outer;
pub mod output;
pub mod random;
pub mod records;
pub mod registry;
pub mod report;
pub mod runs;
pub mod stats;
pub mod summary;
pub mod sweep;
pub mod tasks;
pub mod tensorboard;
pub mod train;
pub mod validity;
