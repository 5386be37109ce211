//! The collection in a package: a zip archive with an SQLite file, which newer versions of Anki compress by Zstandard.

use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
    path::Path,
};

use anyhow::Result;
use tempfile::NamedTempFile;
use zip::{ZipArchive, result::ZipError};

use crate::misuse::misuse;

/// Names of the collection, the newest first: beside a newer one lies an older one that only says so.
const NAMES: [&str; 3] = ["collection.anki21b", "collection.anki21", "collection.anki2"];

/// Bytes of the largest collection.
const MOST: u64 = 8 << 30;

/// Unpacks the collection into a file that goes with what is returned.
///
/// # Errors
/// A `Misuse`: the package is damaged, encrypted, or holds no collection.
pub fn unpack(package: &Path) -> Result<NamedTempFile> {
    let path = package.display();
    let mut archive = match File::open(package)
        .map_err(ZipError::from)
        .and_then(|file| ZipArchive::new(BufReader::new(file)))
    {
        Ok(archive) => archive,
        Err(error) => misuse!("{path} is a damaged package: {error}; export it from Anki again"),
    };
    let Some(name) = NAMES.into_iter().find(|name| archive.index_for_name(name).is_some()) else {
        misuse!("{path} is a zip archive, but no package of Anki: it holds none of {}", NAMES.join(", "));
    };
    let packed = match archive.by_name(name) {
        Ok(packed) => packed,
        Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {
            misuse!("{path} is encrypted: unpack it with its password, and name the {name} in it")
        }
        Err(error) => misuse!("{path} is a damaged package: {error}; export it from Anki again"),
    };
    let mut file = NamedTempFile::new()?;
    let copied = if name.ends_with('b') {
        match ruzstd::decoding::StreamingDecoder::new(packed) {
            Ok(plain) => copy(plain, &mut file),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{name} is not compressed by Zstandard"),
            )),
        }
    } else {
        copy(packed, &mut file)
    };
    match copied {
        Ok(bytes) if bytes > MOST => {
            misuse!("{path} holds a collection of more than {MOST} bytes: export one deck of it")
        }
        Ok(_) => Ok(file),
        Err(error) => misuse!("{path} is a damaged package: {error}; export it from Anki again"),
    }
}

/// Copies, though not without end.
fn copy(from: impl Read, to: &mut impl Write) -> io::Result<u64> {
    let bytes = io::copy(&mut from.take(MOST + 1), to)?;
    to.flush()?;
    Ok(bytes)
}
