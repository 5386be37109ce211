//! The answers that a tutor was given: a file to which each is added before it is acknowledged, so that no crash loses one.
//!
//! The first line names the run; each other line is an answer. A line that a crash left half-written was never acknowledged, and is dropped.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions, TryLockError},
    io::{BufRead, BufReader, ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::Tutor;
use crate::{experiment::folder::write_whole, misuse::misuse, tasks::cohort::Given};

/// The most bytes of a line.
const LONGEST_LINE: u64 = 1 << 20;

/// A tutor's memory, locked for this process.
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Held as long as this.
    _lock: File,
    header: Header,
    /// Bytes of whole lines.
    length: u64,
    /// What each student answered, in order.
    students: BTreeMap<String, Vec<Given>>,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The run's name.
    pub tutor: String,
    /// SHA-256 of its checkpoint.
    pub checkpoint_sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    student: String,
    item: String,
    correct: u8,
}

impl Line {
    fn of(student: &str, problems: &[String], (problem, right): Given) -> Self {
        Self { student: student.into(), item: problems[problem as usize].clone(), correct: u8::from(right) }
    }

    fn text(&self) -> Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

impl Journal {
    /// Opens the journal of a run, or begins it; the second is what is to be said of it.
    ///
    /// # Errors
    /// A `Misuse` when another process has it, or it is of another run or none; it cannot be read or written, or is damaged.
    pub fn open(path: &Path, header: Header, tutor: &Tutor) -> Result<(Self, Vec<String>)> {
        let cannot = || format!("cannot open the journal {}", path.display());
        let mut lock = path.as_os_str().to_owned();
        lock.push(".lock");
        let lock = File::create(&lock).with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => misuse!(
                "another tutor uses the journal {}: end it, or keep another one with --journal FILE",
                path.display()
            ),
            // Some network file systems cannot lock; then nobody can be kept out.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        let is_new = fs::metadata(path).map_or(true, |about| about.len() == 0);
        if is_new {
            write_whole(path, (serde_json::to_string(&header)? + "\n").as_bytes())?;
        }
        let (students, length) = read(path, &header, tutor)?;
        let file = OpenOptions::new().append(true).open(path).with_context(cannot)?;
        let torn = file.metadata().with_context(cannot)?.len() - length;
        let mut said = Vec::new();
        if torn > 0 {
            file.set_len(length).with_context(cannot)?;
            said.push(format!(
                "the last line of {} was half-written ({torn} bytes) when the tutor was ended; it had not been acknowledged, and is dropped",
                path.display()
            ));
        }
        Ok((Self { path: path.to_owned(), file, _lock: lock, header, length, students }, said))
    }

    /// What a student answered, if she did.
    pub fn given(&self, student: &str) -> Option<&[Given]> {
        self.students.get(student).map(Vec::as_slice)
    }

    /// Everybody's answers.
    pub fn students(&self) -> impl Iterator<Item = (&String, &Vec<Given>)> {
        self.students.iter()
    }

    /// Keeps an answer; when this returns, it is on the disk.
    ///
    /// # Errors
    /// It cannot be written; then it is not kept.
    pub fn append(&mut self, student: &str, given: Given, problems: &[String]) -> Result<()> {
        let line = Line::of(student, problems, given).text()?;
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            let _ = self.file.set_len(self.length); // else the next start drops it
            return Err(error).with_context(|| {
                format!("the answer is not kept: cannot write to {}; is the disk full?", self.path.display())
            });
        }
        self.length += line.len() as u64;
        self.students.entry(student.into()).or_default().push(given);
        Ok(())
    }

    /// Erases a student: the journal is written anew without her. How many answers she had given, if any.
    ///
    /// # Errors
    /// It cannot be written; then nothing is erased.
    pub fn forget(&mut self, student: &str, problems: &[String]) -> Result<Option<usize>> {
        if !self.students.contains_key(student) {
            return Ok(None);
        }
        let mut text = serde_json::to_string(&self.header)? + "\n";
        for (name, given) in self.students.iter().filter(|(name, _)| *name != student) {
            for given in given {
                text += &Line::of(name, problems, *given).text()?;
            }
        }
        write_whole(&self.path, text.as_bytes())?;
        self.file =
            OpenOptions::new().append(true).open(&self.path).context("cannot open the journal again")?;
        self.length = text.len() as u64;
        Ok(self.students.remove(student).map(|given| given.len()))
    }
}

/// The students of a journal, and the bytes of its whole lines.
fn read(path: &Path, header: &Header, tutor: &Tutor) -> Result<(BTreeMap<String, Vec<Given>>, u64)> {
    let file = File::open(path).with_context(|| format!("cannot read the journal {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let (mut students, mut length) = (BTreeMap::<String, Vec<Given>>::new(), 0);
    for number in 1u64.. {
        let mut line = Vec::new();
        let mut bounded = std::io::Read::take(&mut reader, LONGEST_LINE);
        bounded.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", path.display()))?;
        if number > 1 && line.last() != Some(&b'\n') && (line.len() as u64) < LONGEST_LINE {
            break; // the end, or a line that is not whole
        }
        if number == 1 {
            let Ok(found) = serde_json::from_slice::<Header>(&line) else {
                misuse!("{} is no journal of a tutor: keep another file with --journal FILE", path.display());
            };
            if found != *header {
                misuse!(
                    "the journal {} is of another run or of another training of it ({}, not {}): keep another one with --journal FILE",
                    path.display(),
                    found.tutor,
                    header.tutor
                );
            }
        } else {
            let found = serde_json::from_slice::<Line>(&line).ok().filter(|found| found.correct <= 1);
            let known = found.and_then(|found| Some((tutor.problem(&found.item)?, found)));
            let Some((problem, found)) = known else {
                bail!("the journal {} is damaged in line {number}: mend or remove that line", path.display());
            };
            students.entry(found.student).or_default().push((problem, found.correct == 1));
        }
        length += line.len() as u64;
    }
    Ok((students, length))
}
