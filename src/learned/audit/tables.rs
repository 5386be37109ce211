//! The predictions of a run as tables for other programs. Rows are written one by one, names are quoted where they must be.

use std::{
    fs::{self, File},
    io::BufWriter,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use csv::Writer;
use sha2::Sha256;
use tch::Tensor;

use super::subject::{Subject, Tested, probability};
use crate::tasks::{Episode, FreezableSource, Part, TaskSource, cohort::Sitting};

/// Which tables are asked for.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// For the PyPI package `kt-audit` 0.2: `user_id,timestamp,split,kc_ids,item_id,y_true,y_pred,fold`. Each draw with each number of seen
    /// answers is a fold; seen answers are training rows, predicted as they are after adaptation to them, asked ones are test rows. Time is
    /// the order of a student's answers, where that is taken for time, and else the order in which they are seen, then asked.
    pub kt_audit: Option<PathBuf>,
    /// For `psychometrics.py compare --predictions`: `student,draw,k,problem,correct,<method>`, a row for each asked answer.
    pub predictions: Option<PathBuf>,
    /// For `psychometrics.py fit-eval --support`: `student,draw,k,problem`, a row for each seen answer.
    pub support: Option<PathBuf>,
    /// For `psychometrics.py fit-eval --split`: `student,split`, a row for each student who is in tasks.
    pub split: Option<PathBuf>,
}

/// A task with its draw and what was answered.
struct Drawn<'a> {
    shots: usize,
    draw: usize,
    sitting: &'a Sitting,
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
            ("--split", &self.split),
        ];
        all.into_iter().filter_map(|(option, file)| Some((option, file.as_ref()?)))
    }

    /// Writes them; false when the user stops it.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(super) fn write(&self, subject: &Subject, tests: &[Tested]) -> Result<bool> {
        let (cohort, method) = (subject.cohort()?, subject.run.name);
        let answers = cohort.answers();
        let student = |drawn: &Drawn| answers.students[drawn.sitting.student as usize].as_str();
        let problem = |row: usize| answers.problems[answers.problem[row] as usize].as_str();
        let right = |row: usize| if answers.correct[row] { "1" } else { "0" };
        let predicted = |drawn: &Drawn, row: usize| {
            probability(drawn.outputs[row - answers.of(drawn.sitting.student).start]).to_string()
        };
        if let Some(file) = &self.split {
            table(file, &["student", "split"], |rows| {
                for (part, name) in
                    [(Part::Train, "train"), (Part::Validation, "validation"), (Part::Test, "test")]
                {
                    for student in cohort.students(subject.run.fold, part) {
                        rows.write_record([answers.students[*student as usize].as_str(), name])?;
                    }
                }
                Ok(())
            })?;
        }
        if let Some(file) = &self.support {
            table(file, &["student", "draw", "k", "problem"], |rows| {
                each(tests, None, |drawn| {
                    let (draw, k) = (drawn.draw.to_string(), drawn.shots.to_string());
                    let mut write =
                        |row: &usize| rows.write_record([student(drawn), &draw, &k, problem(*row)]);
                    drawn.sitting.seen.iter().try_for_each(&mut write)
                })
            })?;
        }
        if let Some(file) = &self.predictions {
            table(file, &["student", "draw", "k", "problem", "correct", method], |rows| {
                each(tests, None, |drawn| {
                    let (draw, k) = (drawn.draw.to_string(), drawn.shots.to_string());
                    drawn.sitting.asked.iter().try_for_each(|row| {
                        let p = predicted(drawn, *row);
                        rows.write_record([student(drawn), &draw, &k, problem(*row), right(*row), &p])
                    })
                })
            })?;
        }
        if let Some(file) = &self.kt_audit {
            let mut with_seen = Vec::new();
            for tested in tests {
                let (source, sittings) = (subject.source()?, tested.sittings.clone());
                let starts = sittings.iter().map(|sitting| answers.of(sitting.student).start).collect();
                let source = Box::new(SeenToo { source, sittings, starts });
                let at = (tested.shots, tested.step);
                let answered = subject.answer(source, tested.predictions.episodes, at, &subject.ready.split);
                let Some(predictions) = answered else { return Ok(false) };
                with_seen.push(predictions.outputs);
            }
            let skills: Vec<String> =
                (0..answers.problems.len()).map(|problem| skills(subject, problem)).collect::<Result<_>>()?;
            let header = ["user_id", "timestamp", "split", "kc_ids", "item_id", "y_true", "y_pred", "fold"];
            table(file, &header, |rows| {
                each(tests, Some(&with_seen), |drawn| {
                    let fold = format!("fold{}-seen{}-draw{}", subject.run.fold, drawn.shots, drawn.draw);
                    let seen = drawn.sitting.seen.iter().map(|row| ("train", *row));
                    let asked = drawn.sitting.asked.iter().map(|row| ("test", *row));
                    seen.chain(asked).enumerate().try_for_each(|(turn, (split, row))| {
                        let place = row - answers.of(drawn.sitting.student).start;
                        rows.write_record([
                            student(drawn),
                            &(if cohort.in_time() { place } else { turn }).to_string(),
                            split,
                            &skills[answers.problem[row] as usize],
                            problem(row),
                            right(row),
                            &predicted(drawn, row),
                            &fold,
                        ])
                    })
                })
            })?;
        }
        Ok(true)
    }
}

/// The names of a problem's skills as a JSON list. Every row must have a skill there: a problem without any is one of its own.
fn skills(subject: &Subject, problem: usize) -> Result<String> {
    let answers = subject.cohort()?.answers();
    let names: Vec<&str> =
        answers.skills_of[problem].iter().map(|skill| answers.skills[*skill as usize].as_str()).collect();
    let names = if names.is_empty() { vec![answers.problems[problem].as_str()] } else { names };
    serde_json::to_string(&names).context("JSON")
}

/// Writes a file, to another one first, which is then renamed.
fn table(
    file: &Path,
    header: &[&str],
    rows: impl FnOnce(&mut Writer<BufWriter<File>>) -> csv::Result<()>,
) -> Result<()> {
    let part = file.with_extension("part");
    let write = || -> Result<()> {
        let mut writer = Writer::from_writer(BufWriter::new(File::create(&part)?));
        writer.write_record(header)?;
        rows(&mut writer)?;
        writer.into_inner().map_err(|error| error.into_error())?.into_inner()?.sync_all()?;
        Ok(fs::rename(&part, file)?)
    };
    write().with_context(|| format!("cannot write {}: is the disk full or read-only?", file.display()))
}

/// Visits every task, draw by draw, with the outputs of the tests or with others in their place.
fn each(
    tests: &[Tested],
    outputs: Option<&[Vec<f32>]>,
    mut visit: impl FnMut(&Drawn) -> csv::Result<()>,
) -> csv::Result<()> {
    for (number, tested) in tests.iter().enumerate() {
        let outputs = outputs.map_or(&tested.predictions.outputs, |outputs| &outputs[number]);
        for draw in 0..tested.draws() {
            for (task, sitting) in tested.sittings.iter().enumerate().skip(draw).step_by(tested.draws()) {
                let (start, each) = tested.rows(task);
                let outputs = &outputs[start..start + each];
                visit(&Drawn { shots: tested.shots, draw, sitting, outputs })?;
            }
        }
    }
    Ok(())
}

/// Test tasks in which the seen answers are asked too, so that they have predictions.
struct SeenToo {
    source: Box<dyn FreezableSource>,
    sittings: Vec<Sitting>,
    /// The first row of the student of each.
    starts: Vec<usize>,
}

impl TaskSource for SeenToo {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        let shots = self.sittings[tasks.start].seen.len();
        self.sample_with(index, tasks, shots)
    }
}

impl FreezableSource for SeenToo {
    fn sample_with(&self, index: u64, tasks: Range<usize>, shots: usize) -> Episode {
        let episode = self.source.sample_with(index, tasks.clone(), shots);
        let [count, each] = [tasks.len(), (episode.support + episode.queries()) as usize];
        let mut seen = vec![0f32; count * each];
        for (place, task) in tasks.enumerate() {
            for row in &self.sittings[task].seen {
                seen[place * each + shots + row - self.starts[task]] = 1.0;
            }
        }
        let seen = Tensor::from_slice(&seen).reshape([count as i64, each as i64]);
        let weight = episode.weight.as_ref().map(|weight| weight + seen.to_device(weight.device()));
        Episode { weight, ..episode }
    }

    fn describe(&self, hash: &mut Sha256) {
        self.source.describe(hash);
    }

    fn identify(&self, index: u64, task: usize, hash: &mut Sha256) {
        self.source.identify(index, task, hash);
    }
}
