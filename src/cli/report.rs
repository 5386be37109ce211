//! `quickstudy report`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use clap::Args;

use super::say;
use crate::{experiment::files::REPORT, output::note, records::Damage, report::Report};

/// Write a page about results: what was asked, done and found, with figures, statistics and how to repeat it
///
/// Examples:
///   quickstudy report results/maml
///   quickstudy report results/maml results/reptile --out results/both
///   quickstudy report results/inner_rate                 (a sweep's study)
///
/// It leaves report.html (one file, for any browser), report.md, and tables/ with LaTeX (booktabs) and CSV.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// Results folders of experiments or sweeps, such as results/maml
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Where the report goes; into the results folder itself, or for several into results/report
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Leave out lines of CSV files that cannot be read, and name them in the report
    #[arg(long)]
    skip_damaged: bool,
    /// Do not say where the report is
    #[arg(long, short)]
    quiet: bool,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let mut damage = if self.skip_damaged { Damage::Skip(Vec::new()) } else { Damage::Refuse };
        let report = Report::read(&self.folders, &mut damage)?;
        let out = match (&self.out, &self.folders[..]) {
            (Some(out), _) => out.clone(),
            (None, [one]) => one.clone(),
            (None, _) => self.folders[0].parent().unwrap_or(Path::new(".")).join("report"),
        };
        report.write(&out)?;
        for warning in report.warnings() {
            note!("warning: {warning}");
        }
        if !self.quiet {
            say(&format!("{}\n", out.join(REPORT).display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
