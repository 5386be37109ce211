//! The predictions of a run as tables for other programs. Rows are written one by one, names are quoted where they must be.

use std::{
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use csv::Writer;

use super::subject::{Subject, Tested, probability};
use crate::tasks::cohort::Sitting;

/// Which tables are asked for.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// For the PyPI package `kt-audit` 0.2: `user_id,timestamp,split,kc_ids,item_id,y_true,y_pred,fold`. Each draw with each number of seen
    /// answers is a fold; seen answers are training rows, asked ones test rows. Time is the order of a student's answers, where that is
    /// taken for time, and else the order in which they are seen, then asked.
    pub kt_audit: Option<PathBuf>,
    /// For `psychometrics.py compare --predictions`: `student,draw,k,problem,correct,<method>`, a row for each asked answer.
    pub predictions: Option<PathBuf>,
    /// For `psychometrics.py fit-eval --support`: `student,draw,k,problem`, a row for each seen answer.
    pub support: Option<PathBuf>,
}

/// A task with its draw and what was answered.
struct Drawn<'a> {
    tested: &'a Tested,
    sitting: &'a Sitting,
    draw: usize,
    /// The output of each of the student's answers, by its place.
    outputs: &'a [f32],
}

impl Tables {
    /// The options that ask for them, with their files.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let all = [
            ("--kt-audit", &self.kt_audit),
            ("--predictions", &self.predictions),
            ("--support", &self.support),
        ];
        all.into_iter().filter_map(|(option, file)| Some((option, file.as_ref()?)))
    }

    /// Writes them.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn write(&self, subject: &Subject, tests: &[Tested]) -> Result<()> {
        let (cohort, method) = (subject.cohort()?, subject.run.name);
        let answers = cohort.answers();
        let student = |drawn: &Drawn| answers.students[drawn.sitting.student as usize].as_str();
        let problem = |row: usize| answers.problems[answers.problem[row] as usize].as_str();
        let right = |row: usize| if answers.correct[row] { "1" } else { "0" };
        let place = |drawn: &Drawn, row: usize| row - answers.of(drawn.sitting.student).start;
        let predicted = |drawn: &Drawn, row: usize| probability(drawn.outputs[place(drawn, row)]).to_string();
        if let Some(file) = &self.support {
            table(file, ["student", "draw", "k", "problem"], tests, |drawn, rows| {
                let (draw, k) = (drawn.draw.to_string(), drawn.tested.shots.to_string());
                drawn
                    .sitting
                    .seen
                    .iter()
                    .try_for_each(|row| rows.write_record([student(drawn), &draw, &k, problem(*row)]))
            })?;
        }
        if let Some(file) = &self.predictions {
            let header = ["student", "draw", "k", "problem", "correct", method];
            table(file, header, tests, |drawn, rows| {
                let (draw, k) = (drawn.draw.to_string(), drawn.tested.shots.to_string());
                drawn.sitting.asked.iter().try_for_each(|row| {
                    let p = predicted(drawn, *row);
                    rows.write_record([student(drawn), &draw, &k, problem(*row), right(*row), &p])
                })
            })?;
        }
        if let Some(file) = &self.kt_audit {
            let skills: Vec<String> = (0..answers.problems.len())
                .map(|problem| {
                    let of = &answers.skills_of[problem];
                    let names: Vec<&str> =
                        of.iter().map(|skill| answers.skills[*skill as usize].as_str()).collect();
                    // Every row must have a skill there: a problem without any is one of its own.
                    let names = if of.is_empty() { vec![answers.problems[problem].as_str()] } else { names };
                    serde_json::to_string(&names)
                })
                .collect::<Result<_, _>>()?;
            let fold = subject.run.fold;
            let header = ["user_id", "timestamp", "split", "kc_ids", "item_id", "y_true", "y_pred", "fold"];
            table(file, header, tests, |drawn, rows| {
                let fold = format!("fold{fold}-seen{}-draw{}", drawn.tested.shots, drawn.draw);
                let seen = drawn.sitting.seen.iter().map(|row| ("train", *row));
                let asked = drawn.sitting.asked.iter().map(|row| ("test", *row));
                seen.chain(asked).enumerate().try_for_each(|(turn, (split, row))| {
                    let time = if cohort.in_time() { place(drawn, row) } else { turn };
                    rows.write_record([
                        student(drawn),
                        &time.to_string(),
                        split,
                        &skills[answers.problem[row] as usize],
                        problem(row),
                        right(row),
                        &predicted(drawn, row),
                        &fold,
                    ])
                })
            })?;
        }
        Ok(())
    }
}

/// Writes a file with what `rows` makes of every task, draw by draw: to another one first, then renamed.
fn table<const N: usize>(
    file: &Path,
    header: [&str; N],
    tests: &[Tested],
    rows: impl Fn(&Drawn, &mut Writer<BufWriter<File>>) -> csv::Result<()>,
) -> Result<()> {
    let part = file.with_extension("part");
    let write = || -> Result<()> {
        let mut writer = Writer::from_writer(BufWriter::new(File::create(&part)?));
        writer.write_record(header)?;
        for tested in tests {
            for draw in 0..tested.draws() {
                for (task, sitting) in tested.sittings.iter().enumerate().skip(draw).step_by(tested.draws()) {
                    let (start, each) = tested.rows(task);
                    let outputs = &tested.predictions.outputs[start..start + each];
                    rows(&Drawn { tested, sitting, draw, outputs }, &mut writer)?;
                }
            }
        }
        writer.into_inner().map_err(|error| error.into_error())?.into_inner()?.sync_all()?;
        Ok(fs::rename(&part, file)?)
    };
    write().with_context(|| format!("cannot write {}: is the disk full or read-only?", file.display()))
}
