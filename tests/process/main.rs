//! The real program, each test in a fresh folder of its own.

mod audit;
mod bad_data;
mod bad_experiments;
mod bench;
mod commands;
mod editors;
mod families;
mod following;
mod images;
mod learned;
mod losses;
mod measures;
mod memory;
mod output;
mod published;
mod pytorch;
mod report;
mod runs;
mod sandbox;
mod settings;
mod slurm;
mod stopping;
mod students;
mod sweeps;
mod tutor;
