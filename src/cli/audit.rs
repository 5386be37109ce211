//! `quickstudy audit`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::{DataDir, Machine, say, stop_flag};
use crate::{
    experiment::{INTERRUPTED, folder::write_whole, workplace},
    learned::{
        Learned,
        audit::{AUDIT, audit, tables::Tables},
    },
    output::note,
};

/// Check that a run on students knew nothing of an answer before it was asked, and beats a cheap baseline
///
/// Ends with exit code 1 if a check fails. What was found is in audit.json too. It takes about as
/// long as four tests of the run.
///
/// Examples:
///   quickstudy audit results/students/cavia-seed0
///   quickstudy audit results/students/cavia-seed0 --kt-audit events.csv && kt-audit run events.csv
///   quickstudy audit results/matura/cavia-seed0 --predictions ours.csv --support support.csv --split split.csv
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A run's folder, for example results/students/cavia-seed0
    run: PathBuf,
    /// Where to write what was found, as JSON; audit.json in the run's folder unless said otherwise
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write seen and asked answers with their predictions as a CSV file for the PyPI package kt-audit 0.2
    #[arg(long, value_name = "FILE")]
    kt_audit: Option<PathBuf>,
    /// Write the predictions of asked answers to a CSV file: student,draw,k,problem,correct,<method>
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Write which answers were seen to a CSV file: student,draw,k,problem
    #[arg(long, value_name = "FILE")]
    support: Option<PathBuf>,
    /// Write who is in which part to a CSV file: student,split
    #[arg(long, value_name = "FILE")]
    split: Option<PathBuf>,
    /// Nothing but what is wrong
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    machine: Machine,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let learned = Learned::open(&self.run)?;
        let tables = Tables {
            kt_audit: self.kt_audit,
            predictions: self.predictions,
            support: self.support,
            split: self.split,
        };
        for (option, file) in tables.files().chain(self.out.iter().map(|file| ("--out", file))) {
            learned.check_output(option, file)?;
        }
        let source = self.data.source(self.quiet);
        let device = self.machine.device()?;
        let split = self.machine.split(device)?;
        let machine = workplace::Machine { device, split: &split, budget: self.machine.budget(device) };
        let stop = stop_flag()?;
        let Some(audit) = audit(&learned, &tables, &source, &machine, &stop)? else {
            return Ok(ExitCode::from(INTERRUPTED));
        };
        let file = self.out.unwrap_or_else(|| learned.folder.join(AUDIT));
        write_whole(&file, serde_json::to_string_pretty(&audit)?.as_bytes())?;
        if !self.quiet {
            say(&audit.lines())?;
        } else if !audit.is_passed() {
            note!("{}", audit.faults().trim_end());
        }
        Ok(ExitCode::from(u8::from(!audit.is_passed())))
    }
}
