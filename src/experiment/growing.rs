//! Files that grow while a run is at work: `log.jsonl` and `train.csv`. Whole lines are added by one write, so that a crash tears at
//! most the last one, and that is cut off before more are added.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::records::{self, TrainRow};

/// Adds whole lines to a file, which need not be there yet; gives the file, whose content may not be on the disk yet.
///
/// # Errors
/// It cannot be written; it is then as it was before.
pub(super) fn append(path: &Path, lines: &[u8]) -> Result<File> {
    let add = || -> std::io::Result<File> {
        let mut file = File::options().create(true).read(true).append(true).open(path)?;
        let whole = whole_lines(&mut file)?;
        if let Err(error) = file.write_all(lines) {
            file.set_len(whole)?;
            return Err(error);
        }
        Ok(file)
    };
    add().with_context(|| format!("cannot write {}: is the disk full or read-only?", path.display()))
}

/// Cuts off half a line at the end; how many bytes are left.
fn whole_lines(file: &mut File) -> std::io::Result<u64> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last == [b'\n'] {
        return Ok(length);
    }
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end as u64 + 1);
    file.set_len(whole)?;
    Ok(whole)
}

/// `train.csv` of a run that trains: rows wait here until they are saved.
///
/// Rows are saved before the state, so that the file may hold more iterations than the state, but never fewer.
pub(super) struct TrainCsv {
    path: PathBuf,
    waiting: Vec<TrainRow>,
}

impl TrainCsv {
    /// An empty one, in place of what is there.
    ///
    /// # Errors
    /// What is there cannot be removed.
    pub fn new(path: PathBuf) -> Result<Self> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(Self { path, waiting: Vec::new() }),
        }
    }

    /// The one that is there, cut off after a state's iteration; `None` where it lacks iterations until there.
    ///
    /// # Errors
    /// It cannot be read or cut.
    pub fn until(path: PathBuf, iteration: usize) -> Result<Option<Self>> {
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut reader = csv::Reader::from_reader(&bytes[..whole]);
        let Ok(header) = reader.headers().cloned() else { return Ok(None) };
        let mut record = csv::StringRecord::new();
        let (mut reached, mut end) = (0, reader.position().byte());
        while let Ok(true) = reader.read_record(&mut record) {
            let Ok(row) = records::parse::<TrainRow>(&header, &record) else { break };
            if row.iteration > iteration || row.iteration != reached + usize::from(row.iteration > 0) {
                break;
            }
            (reached, end) = (row.iteration, reader.position().byte());
        }
        if reached != iteration {
            return Ok(None);
        }
        let cut = || File::options().write(true).open(&path)?.set_len(end);
        cut().with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Some(Self { path, waiting: Vec::new() }))
    }

    /// One more row.
    pub fn push(&mut self, row: TrainRow) {
        self.waiting.push(row);
    }

    /// Adds what waits to the file, and waits until it is on the disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let rows = records::to_csv(&self.waiting)?;
        let begins = fs::metadata(&self.path).is_ok_and(|file| file.len() > 0);
        let header = rows.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let file = append(&self.path, &rows[if begins { header } else { 0 }..])?;
        file.sync_all().with_context(|| format!("cannot write {}", self.path.display()))?;
        self.waiting.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Values;

    fn row(iteration: usize) -> TrainRow {
        TrainRow {
            method: "m".into(),
            fold: 0,
            seed: 0,
            iteration,
            loss: Some(0.1 * iteration as f64),
            learning_rate: None,
            validation_loss: None,
            validation: Values::default(),
        }
    }

    #[test]
    fn half_a_line_is_cut_off_before_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.jsonl");
        append(&path, b"one\n").expect("written");
        fs::write(&path, b"one\ntw").expect("torn");
        append(&path, b"three\n").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"one\nthree\n");
    }

    #[test]
    fn rows_saved_in_parts_and_after_a_cut_are_the_bytes_of_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("train.csv");
        let mut csv = TrainCsv::new(path.clone()).expect("new");
        for iteration in 0..=6 {
            csv.push(row(iteration));
            if iteration % 2 == 0 {
                csv.save().expect("saved");
            }
        }
        fs::write(&path, [fs::read(&path).expect("there"), b"m,0,0,7,0.7".to_vec()].concat()).expect("torn");
        assert!(TrainCsv::until(path.clone(), 7).expect("readable").is_none(), "the row is not whole");
        let mut csv = TrainCsv::until(path.clone(), 3).expect("readable").expect("all there");
        (4..=8).for_each(|iteration| csv.push(row(iteration)));
        csv.save().expect("saved");
        let all: Vec<_> = (0..=8).map(row).collect();
        assert_eq!(fs::read(&path).expect("there"), records::to_csv(&all).expect("CSV"));

        let lacking: Vec<_> = [0, 1, 3].map(row).into();
        fs::write(&path, records::to_csv(&lacking).expect("CSV")).expect("written");
        assert!(TrainCsv::until(path, 3).expect("readable").is_none());
    }
}
