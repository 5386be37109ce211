//! Errors that are the caller's to mend: exit code 2 instead of 1.

use std::fmt;

/// A mistake in the command line or in an experiment file. Somewhere in an error's chain it makes the exit code 2.
#[derive(Debug)]
pub struct Misuse(pub String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// What a panic was about, for a user.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    // tch shows what libtorch threw with its line breaks escaped; the first line says what, the rest where in C++.
    let line = text.split(['\n']).next().unwrap_or(text);
    let line = line.split("\\n").next().unwrap_or(line);
    let whose = if text.contains("Torch(") { "libtorch gave up" } else { "internal error, please report it" };
    format!("{whose}: {line}")
}

/// `did you mean X?`, on a line of its own, for the known name most like a mistyped one, if any is.
pub fn similar<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let alike = known.map(|known| (strsim::jaro_winkler(name, known), known));
    let (likeness, best) = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (likeness > 0.75).then(|| format!("\ndid you mean {best}?"))
}

/// Leaves the function with a [`Misuse`].
macro_rules! misuse {
    ($($message:tt)+) => {
        return Err($crate::misuse::Misuse(format!($($message)+)).into())
    };
}

pub(crate) use misuse;
