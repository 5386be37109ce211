//! What the program says to its user. A terminal that is gone, a full disk or a reader that has seen enough never ends the work.

use std::{
    fmt::Arguments,
    io::{ErrorKind, Write, stderr, stdout},
};

use anyhow::{Context, Result};

/// Writes to stdout what a command was asked for. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// It cannot be written, to a full disk for example.
pub fn say(text: &str) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to the standard output"),
    }
}

/// Writes to stdout what is also in files: where that fails, a word on stderr is all.
pub fn show(text: &str) {
    if let Err(error) = say(text) {
        whisper(format_args!("warning: {error:#}\n"));
    }
}

/// Writes to stderr, see `note!`.
pub fn whisper(text: Arguments) {
    let _ = stderr().lock().write_all(text.to_string().as_bytes()); // there is nowhere else to say so
}

/// Writes a line to stderr if that can be had; `eprintln!` panics where it cannot.
macro_rules! note {
    ($($message:tt)+) => {
        $crate::output::whisper(format_args!("{}\n", format_args!($($message)+)))
    };
}

pub(crate) use note;
