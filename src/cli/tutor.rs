//! `quickstudy tutor`.

use std::{
    fs,
    io::{stdin, stdout},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use super::{DataDir, Machine, say, stop_flag};
use crate::{
    experiment::{INTERRUPTED, files::CHECKPOINT, workplace},
    learned::{
        Learned,
        tutor::{
            Tutor,
            asking::Policy,
            journal::{Header, Journal},
            rehearsal::{Way, rehearse},
            service::Service,
        },
    },
    output::note,
    tasks::Part,
};

/// Know each student after a few answers: a service that predicts, asks, and remembers
///
/// Reads a request a line from standard input, and replies to each with a line of JSON:
///
///   {"answer": {"student": "Ada", "item": "f1", "correct": 1}}    or, as CSV, Ada,f1,1
///   {"predict": {"student": "Ada", "items": ["f2", "d1"]}}        success with items, or with all
///   {"next": {"student": "Ada"}}                                  what to ask her, or that it is enough
///   {"state": {"student": "Ada"}}                                 success by skill, with 95 % intervals
///   {"forget": {"student": "Ada"}}                                erases her
///
/// An answer is on the disk before it is acknowledged. docs/tutor.md has a whole dialogue.
///
/// Examples:
///   quickstudy tutor results/students/cavia-seed0 --demo
///   quickstudy tutor results/students/cavia-seed0 --exposure 0.3 --stop-width 0.3
///   quickstudy tutor results/matura/cavia-seed0 --rehearse test --asked 5,10
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A run's folder, for example results/students/cavia-seed0
    run: PathBuf,
    /// Where answers are kept
    #[arg(long, value_name = "FILE", default_value = "tutor.jsonl")]
    journal: PathBuf,
    #[command(flatten)]
    policy: Policy,
    /// Watch it ask one of the run's test students, predict her answers and stop
    #[arg(long, conflicts_with = "rehearse")]
    demo: bool,
    /// Ask all validation or test students of the run, whose answers are known, and tell how well a fifth of their answers that is
    /// set apart is predicted: to choose how to ask, and to judge what was chosen
    #[arg(long, value_name = "PART")]
    rehearse: Option<Rehearsed>,
    /// After how many questions, with --rehearse
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "5,10", requires = "rehearse",
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    asked: Vec<u16>,
    /// Adaptation steps; the most that did best on the run's validation students unless said otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100_000))]
    steps: Option<u32>,
    /// Nothing on standard error but what is wrong
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    machine: Machine,
}

/// Whose answers are known.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Rehearsed {
    Validation,
    Test,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let learned = Learned::open(&self.run)?;
        let device = self.machine.device()?;
        let split = self.machine.split(device)?;
        let machine = workplace::Machine { device, split: &split, budget: self.machine.budget(device) };
        tch::set_num_threads(split.threads() as i32);
        let steps = self.steps.map(|steps| steps as usize);
        let tutor = Tutor::open(&learned, steps, &self.data.source(self.quiet), &machine)?;
        if self.demo {
            tutor.demo(&self.policy, say)?;
        } else if let Some(part) = self.rehearse {
            return self.rehearse(&tutor, part);
        } else {
            self.serve(&learned, tutor)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn serve(&self, learned: &Learned, tutor: Tutor) -> Result<()> {
        let file = learned.folder.join(CHECKPOINT);
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let header = Header { tutor: learned.name.clone(), checkpoint_sha256: digest };
        let (journal, said) = Journal::open(&self.journal, header, &tutor)?;
        for warning in said {
            note!("warning: {warning}");
        }
        if !self.quiet {
            let (students, problems) = (journal.students().count(), tutor.problems()?.len());
            note!("{problems} items, {students} students in {}; a request a line", self.journal.display());
        }
        let mut service = Service { tutor, journal, policy: self.policy.clone() };
        service.serve(stdin().lock(), stdout().lock())
    }

    fn rehearse(&self, tutor: &Tutor, part: Rehearsed) -> Result<ExitCode> {
        let (stop, started) = (stop_flag()?, Instant::now());
        let (part, whose) = match part {
            Rehearsed::Validation => (Part::Validation, "validation"),
            Rehearsed::Test => (Part::Test, "test"),
        };
        let mut asked: Vec<usize> = self.asked.iter().map(|asked| usize::from(*asked)).collect();
        asked.sort_unstable();
        asked.dedup();
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.set_style(ProgressStyle::with_template("{elapsed_precise}  {human_pos} questions asked")?);
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["questions", "after", "auc", "log loss", "asked most", "in common"]);
        let mut count = 0;
        for (way, name) in [(Way::Random, "at random"), (Way::Chosen, "chosen")] {
            let found =
                rehearse(tutor, part, &self.policy, way, &asked, &stop, |students| bar.inc(students as u64))?;
            let Some((outcomes, students)) = found else { return Ok(ExitCode::from(INTERRUPTED)) };
            count = students;
            for outcome in outcomes {
                table.add_row([
                    name.to_owned(),
                    outcome.asked.to_string(),
                    format!("{:.4}", outcome.auc),
                    format!("{:.4}", outcome.log_loss),
                    format!("{:.1} %", 100.0 * outcome.most_asked),
                    format!("{:.1} %", 100.0 * outcome.overlap),
                ]);
            }
        }
        bar.finish_and_clear();
        say(&format!(
            "{table}\n\n{count} {whose} students, of each of whom a random fifth of the answers is predicted.\n\
             asked most: the share of students who were asked the most frequent question\n\
             in common: the share of questions that two students have in common, on average\n\
             {} adaptations, {:.0} a second\n",
            tutor.adapted(),
            tutor.adapted() as f64 / started.elapsed().as_secs_f64()
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}
