//! The log of reviews in a collection.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::Result;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{history::Row, package};
use crate::misuse::misuse;

/// The newest schema that is known: that of Anki 2.1.50 and later.
const NEWEST_SCHEMA: i64 = 18;

/// The most rows of a log.
const MOST_ROWS: i64 = 50_000_000;

/// What a collection says of its learner.
pub struct Log {
    /// The rows of each card in the order of time.
    pub cards: BTreeMap<i64, Vec<Row>>,
    /// Cards without any.
    pub unseen: usize,
    /// Rows that are no numbers.
    pub damaged: usize,
}

/// Reads a collection or a package of one.
///
/// # Errors
/// A `Misuse`: there is no such file; it is in use, encrypted, of a newer schema, damaged, or something else.
pub fn read(file: &Path) -> Result<Log> {
    let path = file.display();
    let mut start = Vec::new();
    match File::open(file).and_then(|open| open.take(20).read_to_end(&mut start)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => misuse!(
            "there is no file {path}: Anki keeps a profile's collection.anki2 in its folder (Anki2/PROFILE); relative names are looked for \
             in the working directory and in the folder of --data-dir"
        ),
        Err(error) => misuse!("cannot read {path}: {error}"),
    }
    if start.starts_with(b"PK\x03\x04") {
        let unpacked = package::unpack(file)?;
        return of_database(unpacked.path(), file, true);
    }
    if !start.starts_with(b"SQLite format 3\0") {
        misuse!("{path} is no collection of Anki: it is no SQLite database, or an encrypted one");
    }
    let has = |ending: &str| {
        let beside = file
            .with_file_name(format!("{}{ending}", file.file_name().unwrap_or_default().to_string_lossy()));
        beside.metadata().is_ok_and(|about| about.len() > 0)
    };
    if has("-wal") || has("-journal") {
        misuse!(
            "{path} is in use, or was not closed: close Anki; if it is closed, open it once and close it again"
        );
    }
    // Byte 18: whether changes are logged apart. SQLite would make files beside such a database, also to read it; nobody else uses it.
    of_database(file, file, start.get(18) == Some(&2))
}

/// Reads a database; `named` is what the user called it. One that is `alone` is used by nobody else.
fn of_database(database: &Path, named: &Path, alone: bool) -> Result<Log> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let log =
        Connection::open_with_flags(uri(database, alone), flags).and_then(|connection| query(&connection));
    let path = named.display();
    let error = match log {
        Ok(Ok(log)) => return Ok(log),
        Ok(Err(wrong)) => misuse!("{path} {wrong}"),
        Err(error) => error,
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            misuse!("{path} is in use: close Anki, or name a copy of the file")
        }
        Some(ErrorCode::NotADatabase) => {
            misuse!("{path} is no collection of Anki: it is encrypted, or no SQLite database")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            misuse!("{path} is damaged ({error}): in Anki, choose Tools, Check Database, or take a backup")
        }
        _ => misuse!("cannot read the collection {path}: {error}"),
    }
}

/// The address of a database, as SQLite takes it: all but letters, digits and a few signs by their numbers.
fn uri(database: &Path, alone: bool) -> String {
    let path = std::path::absolute(database).unwrap_or_else(|_| database.to_owned());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    let written = path.as_os_str().as_encoded_bytes().iter().map(|byte| match byte {
        byte if plain(*byte) => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("file:{}{}", written.collect::<String>(), if alone { "?immutable=1" } else { "" })
}

/// The log of a collection, or what is wrong with it, to be said behind its name.
fn query(connection: &Connection) -> rusqlite::Result<Result<Log, String>> {
    connection.busy_timeout(std::time::Duration::ZERO)?;
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = number(
        "select count(*) from sqlite_master where type = 'table' and name in ('revlog', 'cards', 'col')",
    )?;
    if tables < 3 {
        return Ok(Err(
            "is an SQLite database, but no collection of Anki: it has no tables revlog, cards and col".into(),
        ));
    }
    let schema = number("select ver from col limit 1").unwrap_or(0);
    if schema > NEWEST_SCHEMA {
        return Ok(Err(format!(
            "was written by a newer Anki (schema {schema}, and {NEWEST_SCHEMA} is the newest that is known here): export it with \
             \"Support older Anki versions\""
        )));
    }
    let rows = number("select count(*) from revlog")?;
    if rows > MOST_ROWS {
        return Ok(Err(format!("holds {rows} reviews, more than {MOST_ROWS}: export one deck of it")));
    }
    let unseen = number("select count(*) from cards where id not in (select cid from revlog)")?;
    const NUMBERS: &str = "typeof(cid) || typeof(id) || typeof(ease) || typeof(factor) || typeof(type) = \
                           'integerintegerintegerintegerinteger' and id > 0";
    let damaged = rows - number(&format!("select count(*) from revlog where {NUMBERS}"))?;
    let select = format!("select cid, id, ease, factor, type from revlog where {NUMBERS} order by id");
    let mut statement = connection.prepare(&select)?;
    let mut found = statement.query([])?;
    let mut cards: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    while let Some(row) = found.next()? {
        cards.entry(row.get(0)?).or_default().push(Row {
            id: row.get(1)?,
            ease: row.get(2)?,
            factor: row.get(3)?,
            kind: row.get(4)?,
        });
    }
    let count = |number: i64| usize::try_from(number).unwrap_or(0);
    Ok(Ok(Log { cards, unseen: count(unseen), damaged: count(damaged) }))
}
