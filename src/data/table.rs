//! CSV files with a header, read one record at a time.

use std::{
    borrow::Cow,
    io::{BufRead, Chain, Cursor, Read},
    path::{Path, PathBuf},
};

use anyhow::{Error, Result};
use csv::{ByteRecord, ErrorKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Source,
    text::{self, Text},
};
use crate::misuse::{Misuse, misuse, similar};

/// How the bytes of a file are read as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// What nearly all programs write today.
    #[default]
    Utf8,
    /// ISO 8859-1: each byte is a character.
    Latin1,
}

/// A CSV file and the record that was read last.
pub struct Table {
    file: PathBuf,
    /// The first line, then the others.
    csv: csv::Reader<Chain<Cursor<Vec<u8>>, Text>>,
    /// None: each cell by itself, Latin-1 where it is no UTF-8.
    /// Whether lines end in CR and LF, the second of which the reader counts with the record after it.
    crlf: bool,
    encoding: Option<Encoding>,
    header: Vec<String>,
    record: ByteRecord,
}

impl Table {
    /// Opens a file, gzipped or not, and reads its header. Without an encoding each cell that is no UTF-8 is taken as Latin-1.
    ///
    /// # Errors
    /// A `Misuse`: the file cannot be read, or is empty.
    pub fn open(file: &Path, encoding: Option<Encoding>, source: &Source) -> Result<Self> {
        let file = source.locate(file);
        let mut text = text::open(&file, source.progress)?;
        let mut first = Vec::new();
        if let Err(error) = text.read_until(b'\n', &mut first) {
            misuse!("cannot read {}: {error}", file.display());
        }
        let crlf = first.ends_with(b"\r\n");
        let csv = csv::Reader::from_reader(Cursor::new(first).chain(text));
        let mut table = Self { file, csv, crlf, encoding, header: Vec::new(), record: ByteRecord::new() };
        let header = match table.csv.byte_headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(table.cannot(&error)),
        };
        table.record = header;
        if table.record.is_empty() {
            misuse!("{} is empty: its first line must name the columns", table.path());
        }
        let columns = 0..table.record.len();
        let header = columns.map(|column| Ok(table.text(column)?.trim().to_owned()));
        table.header = header.collect::<Result<_>>()?;
        Ok(table)
    }

    /// The file, for messages.
    pub fn path(&self) -> String {
        self.file.display().to_string()
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The column of a name, if there is one.
    ///
    /// # Errors
    /// There are two.
    pub fn find(&self, name: &str) -> Result<Option<usize>> {
        let mut at = (0..self.header.len()).filter(|&column| self.header[column] == name);
        match (at.next(), at.next()) {
            (first, None) => Ok(first),
            _ => misuse!("{} has two columns {name}: rename one of them", self.path()),
        }
    }

    /// The column of a name.
    ///
    /// # Errors
    /// There is none: those there are named, and `remedy`; or there are two.
    pub fn column(&self, name: &str, remedy: &str) -> Result<usize> {
        if let Some(column) = self.find(name)? {
            return Ok(column);
        }
        let mut there: Vec<&str> = self.header.iter().take(40).map(String::as_str).collect();
        if there.len() < self.header.len() {
            there.push("...");
        }
        let mut there = there.join(", ");
        if let (1, Some(separator)) = (self.header.len(), self.header[0].find([';', '\t', '|'])) {
            let separator = self.header[0][separator..].chars().next().unwrap_or_default();
            there += &format!(" (it seems to be separated by {separator:?}: save it with commas)");
        }
        let meant = similar(name, self.header.iter().map(String::as_str)).unwrap_or_default();
        misuse!("{} has no column {name}; {remedy}. Its columns are: {there}{meant}", self.path())
    }

    /// Goes to the next record; whether there is one.
    ///
    /// # Errors
    /// A `Misuse`: it cannot be read, or has not as many cells as the header.
    pub fn advance(&mut self) -> Result<bool> {
        self.csv.get_mut().get_mut().1.get_mut().allow();
        match self.csv.read_byte_record(&mut self.record) {
            Ok(more) => Ok(more),
            Err(error) => Err(self.cannot(&error)),
        }
    }

    /// The line at which the record begins.
    pub fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line) + u64::from(self.crlf)
    }

    /// A cell of the record.
    ///
    /// # Errors
    /// A `Misuse`: it is not written in the file's encoding.
    pub fn text(&self, column: usize) -> Result<Cow<'_, str>> {
        let cell = self.record.get(column).unwrap_or_default();
        match (std::str::from_utf8(cell), self.encoding) {
            (Ok(text), None | Some(Encoding::Utf8)) => Ok(text.into()),
            (Ok(text), _) if text.is_ascii() => Ok(text.into()),
            (_, None | Some(Encoding::Latin1)) => {
                Ok(cell.iter().map(|&byte| char::from(byte)).collect::<String>().into())
            }
            (Err(_), Some(Encoding::Utf8)) => misuse!(
                "{}, line {}: {} is no UTF-8 text; try `encoding: latin1`, or save the file as UTF-8",
                self.path(),
                self.line().max(1),
                self.header.get(column).map_or("the header".into(), |name| format!("the cell of {name}")),
            ),
        }
    }

    /// What is wrong with a cell of the record.
    pub fn wrong(&self, column: usize, expected: &str) -> Error {
        let cell = self.text(column).unwrap_or_default();
        let shown: String = cell.chars().take(60).collect();
        let (path, line, name) = (self.path(), self.line(), &self.header[column]);
        Misuse(format!("{path}, line {line}: {name} is {shown:?}, expected {expected}")).into()
    }

    fn cannot(&self, error: &csv::Error) -> Error {
        let path = self.path();
        Misuse(match error.kind() {
            ErrorKind::Io(error) => format!("cannot read {path} from line {} on: {error}", self.line().max(1)),
            ErrorKind::UnequalLengths { pos, expected_len, len } => format!(
                "{path}, line {}: has {len} cells, but the header has {expected_len}; put cells with commas into quotes",
                pos.as_ref().map_or(0, csv::Position::line),
            ),
            _ => format!("cannot read {path}: {error}"),
        })
        .into()
    }
}
