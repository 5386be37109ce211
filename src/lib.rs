//! Quickstudy: a meta-learning research framework on libtorch.
//!
//! It learns initialisations theta from which a network adapts to a new task in a few gradient steps, and shows with figures
//! and statistics whether that beats plain training.
//!
//! The way of the data through the program, from what knows least to what knows most:
//!
//! | module | what it holds |
//! |---|---|
//! | [`crew`], [`floats`], [`memory`], [`misuse`], [`output`], [`random`], [`registry`], [`validity`] | threads, the numbers of tensors, the allocator, errors of the caller, what is said, random streams, registries, checks of numbers |
//! | [`data`] | data sets: a reader per format, fetching with checksums |
//! | [`loss`], [`measures`] | what training lowers, and what a method is judged by |
//! | [`models`] | networks as functions of parameters, for all tasks at once |
//! | [`tasks`] | episodes of T stacked tasks, and the distributions they are drawn from |
//! | [`inner`] | adaptation: the support loss as a function of fast weights, and the rules that move them |
//! | [`psychometrics`] | what the testing field predicts a student's answers by |
//! | [`algorithms`] | MAML, Reptile, ... and what they are compared with |
//! | [`chunks`], [`evaluate`], [`outer`], [`train`] | the outer loop and the test; they see only traits |
//! | [`records`], [`stats`], [`summary`], [`profiles`], [`figures`] | from the files of runs to tables and figures; no tensors |
//! | [`experiment`] | the YAML as written, checked and built; runs, their folders, resuming |
//! | [`learned`] | what a run has learned, put to use: exports, one's own images, other tests |
//! | [`sweep`] | searches: a space of experiments, samplers, pruners, launchers that run trials here or on Slurm |
//! | [`runs`], [`tensorboard`], [`report`] | what lies in results folders, as far as it has come; event files for TensorBoard; the page |
//! | [`mod@bench`] | the time of a meta-training step |
//! | [`cli`] | the command line |
//!
//! To add an algorithm, model, inner rule, data set or figure: one file, and one line in its folder's registry.

// In the order of the imports: a module imports only what stands above it (tests/imports.rs).
pub mod crew;
pub mod floats;
pub mod memory;
pub mod misuse;
pub mod output;
pub mod random;
pub mod registry;
pub mod validity;

pub mod data;
pub mod loss;
pub mod measures;
pub mod models;
pub mod tasks;

pub mod inner;
pub mod psychometrics;

pub mod algorithms;
pub mod chunks;
pub mod evaluate;
pub mod outer;
pub mod train;

pub mod records;
pub mod stats;
pub mod summary;

pub mod profiles;

pub mod figures;

pub mod experiment;
pub mod learned;
pub mod sweep;

pub mod runs;
pub mod tensorboard;

pub mod bench;
pub mod report;

pub mod cli;
