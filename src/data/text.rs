//! Text files as they come from others: gzipped or not, large, and perhaps not text at all. They are read piece by piece.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use anyhow::Result;
use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use crate::misuse::misuse;

/// The most bytes that a record may take, so that a quote that is never closed does not put a whole file into memory.
pub const LONGEST_RECORD: usize = 64 << 20;

/// The text of a file, gunzipped where it begins as gzip does.
pub type Text = BufReader<Bounded<Box<dyn Read>>>;

/// Opens a text file; `progress` shows on a terminal how far it has been read.
///
/// # Errors
/// A `Misuse`: there is no such file, it cannot be read, or is an archive or UTF-16 text.
pub fn open(file: &Path, progress: bool) -> Result<Text> {
    let path = file.display();
    let opened = File::open(file).and_then(|open| Ok((open.metadata()?, open)));
    let (about, opened) = match opened {
        Ok((about, _)) if about.is_dir() => misuse!("{path} is a folder: name a file in it"),
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => misuse!(
            "there is no file {path}: name it relative to the working directory, or the folder that it lies in with --data-dir FOLDER"
        ),
        Err(error) => misuse!("cannot read {path}: {error}"),
    };
    let mut whole = bar(progress, about.len(), &path.to_string()).wrap_read(opened);
    let mut start = Vec::new();
    if let Err(error) = whole.by_ref().take(4).read_to_end(&mut start) {
        misuse!("cannot read {path}: {error}");
    }
    let is_gzip = start.starts_with(&[0x1f, 0x8b]);
    match start.as_slice() {
        [b'P', b'K', 3, 4] => {
            misuse!("{path} is a zip archive or a spreadsheet: unpack it, or save it as CSV")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => misuse!("{path} is UTF-16 text: save it as UTF-8"),
        _ => {}
    }
    let whole = io::Cursor::new(start).chain(whole);
    let inflated: Box<dyn Read> =
        if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
    Ok(BufReader::with_capacity(1 << 16, Bounded { inner: inflated, left: LONGEST_RECORD }))
}

/// Invisible unless `progress`, and also (indicatif sees to it) when stderr is no terminal.
fn bar(progress: bool, length: u64, name: &str) -> ProgressBar {
    if !progress {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bytes} {wide_bar} {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(length).with_style(style).with_message(name.to_owned());
    bar.with_finish(ProgressFinish::AndClear)
}

/// A reader that gives so many bytes until it is allowed more.
#[derive(Debug)]
pub struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R> Bounded<R> {
    /// Another record may be read.
    pub fn allow(&mut self) {
        self.left = LONGEST_RECORD;
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let most = LONGEST_RECORD >> 20;
            let text = format!("more than {most} MiB without an end of the record: is a quote never closed?");
            return Err(io::Error::other(text));
        }
        let most = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

/// The next line that is not blank, without its end, and its number; `number` is that of the line read last, 0 before the first.
///
/// # Errors
/// A `Misuse`: it cannot be read, is too long or no UTF-8.
pub fn line(text: &mut Text, number: &mut u64, file: &Path) -> Result<Option<String>> {
    loop {
        let mut bytes = Vec::new();
        text.get_mut().allow();
        *number += 1;
        match text.read_until(b'\n', &mut bytes) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) => misuse!("{}, line {number}: cannot be read: {error}", file.display()),
        }
        let Ok(line) = String::from_utf8(bytes) else {
            misuse!("{}, line {number}: is no UTF-8 text", file.display());
        };
        let line = line.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
        if !line.trim().is_empty() {
            return Ok(Some(line.to_owned()));
        }
    }
}
