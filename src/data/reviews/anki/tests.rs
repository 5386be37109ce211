use std::{fs, io::Write};

use rusqlite::Connection;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::data::reviews::Grade;

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// A collection of this schema with two cards that were reviewed and one that was not.
fn collection(file: &Path, schema: i64) -> Connection {
    let made = Connection::open(file).unwrap();
    made.execute_batch(&format!(
        "create table col (id integer primary key, ver integer);
         create table cards (id integer primary key, nid integer);
         create table revlog (id integer primary key, cid integer, usn integer, ease integer, ivl integer, lastIvl integer,
                              factor integer, time integer, type integer);
         insert into col values (1, {schema});
         insert into cards values (7, 1), (8, 1), (9, 2);"
    ))
    .unwrap();
    // Card, day, ease, factor, kind: not in the order of time.
    for (card, day, ease, factor, kind) in [
        (8, 2, 1, 0, 0),
        (7, 1, 3, 0, 0),
        (7, 4, 4, 2500, 1),
        (7, 2, 0, 2500, 4),
        (7, 9, 1, 2500, 1),
        (5, 3, 3, 2500, 1),
    ] {
        made.execute(
            "insert into revlog values (?1, ?2, -1, ?3, 1, 1, ?4, 5000, ?5)",
            (day * DAY + card, card, ease, factor, kind),
        )
        .unwrap();
    }
    made
}

fn said(path: &Path) -> String {
    load(path, 1e9).unwrap_err().to_string()
}

#[test]
fn a_collection_is_read_by_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("collection.anki2");
    drop(collection(&file, 18));
    let reviews = load(&file, 8.0 * 86_400.0).unwrap();
    assert_eq!(reviews.learners, ["collection.anki2"]);
    assert_eq!(reviews.cards, ["7", "8"]);
    assert_eq!(reviews.card, [0, 1, 0]);
    assert_eq!(reviews.time, [86_400.007, 172_800.008, 345_600.007]);
    assert_eq!(reviews.grade, [Grade::Good, Grade::Again, Grade::Easy]);
    let notes = reviews.notes.join("; ");
    for said in [
        "reviews left out, which lie in the future: 1 of 4",
        "cards without reviews: 1",
        "with learning: 1",
        "was reset: 1",
    ] {
        assert!(notes.contains(said), "{notes}");
    }
}

#[test]
fn packages_of_all_ages_are_read_and_a_folder_has_many_learners() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    drop(collection(&plain, 11));
    let bytes = fs::read(&plain).unwrap();
    let compressed =
        ruzstd::encoding::compress_to_vec(&bytes[..], ruzstd::encoding::CompressionLevel::Fastest);
    let write = |name: &str, members: &[(&str, &[u8])]| {
        let mut archive = ZipWriter::new(fs::File::create(folder.path().join(name)).unwrap());
        for (member, bytes) in members {
            archive.start_file(*member, SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap();
    };
    write("old.apkg", &[("collection.anki2", &bytes)]);
    write("new.colpkg", &[("collection.anki2", b"a note to update"), ("collection.anki21b", &compressed)]);
    let old = load(&folder.path().join("old.apkg"), 1e9).unwrap();
    let new = load(&folder.path().join("new.colpkg"), 1e9).unwrap();
    assert_eq!(
        (&old.card, &old.time, old.learners.as_slice()),
        (&new.card, &new.time, &["old.apkg".to_owned()][..])
    );
    let both = load(folder.path(), 1e9).unwrap();
    assert_eq!(both.learners, ["new.colpkg", "old.apkg"]);
    assert_eq!(both.cards.len(), 2 * old.cards.len(), "cards of two collections are never one");
    write("media.apkg", &[("media", b"{}")]);
    assert!(said(&folder.path().join("media.apkg")).contains("holds none of collection.anki21b"));
    fs::write(folder.path().join("torn.apkg"), &fs::read(folder.path().join("old.apkg")).unwrap()[..90])
        .unwrap();
    assert!(said(&folder.path().join("torn.apkg")).contains("damaged package"));
    fs::write(folder.path().join("bad.apkg"), b"PK\x03\x04nothing").unwrap();
    assert!(said(&folder.path().join("bad.apkg")).contains("damaged package"));
}

#[test]
fn what_is_no_readable_collection_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(said(&at("missing.anki2")).contains("there is no file"));
    assert!(said(folder.path()).contains("holds no collection of Anki"));
    fs::write(at("text.anki2"), "front;back\n").unwrap();
    assert!(said(&at("text.anki2")).contains("no SQLite database, or an encrypted one"));
    fs::write(at("empty.anki2"), "").unwrap();
    assert!(said(&at("empty.anki2")).contains("no SQLite database"));
    drop(collection(&at("newer.anki2"), 19));
    assert!(said(&at("newer.anki2")).contains("schema 19"));
    Connection::open(at("other.anki2")).unwrap().execute_batch("create table notes (id integer)").unwrap();
    assert!(said(&at("other.anki2")).contains("no tables revlog, cards and col"));
    let none = collection(&at("none.anki2"), 18);
    none.execute("delete from revlog", []).unwrap();
    drop(none);
    assert!(
        said(&at("none.anki2")).contains("holds no reviews to learn from: 3 cards have none"),
        "cards without reviews"
    );
    let mut damaged = fs::read(at("newer.anki2")).unwrap();
    let half = damaged.len() / 2;
    damaged[100..half].fill(0x5a);
    fs::write(at("damaged.anki2"), damaged).unwrap();
    let text = said(&at("damaged.anki2"));
    assert!(text.contains("damaged") || text.contains("no collection"), "{text}");
}

/// As Anki holds it while it is open.
#[test]
fn a_collection_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("collection.anki2");
    let open = collection(&file, 18);
    open.execute_batch("pragma locking_mode = exclusive; begin exclusive;").unwrap();
    assert!(said(&file).contains("is in use: close Anki"));
    open.execute_batch("commit").unwrap();
}

/// As Anki leaves it when it is closed: changes are logged apart, and nothing lies beside it; nor does anything after it was read.
#[test]
fn reading_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a # collection?.anki2");
    let open = collection(&file, 18);
    open.query_row("pragma journal_mode = wal", [], |_| Ok(())).unwrap();
    open.execute("update revlog set ease = 4 where cid = 8", []).unwrap();
    assert!(said(&file).contains("is in use, or was not closed"), "{}", said(&file));
    drop(open);
    assert_eq!(load(&file, 1e9).unwrap().cards.len(), 2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn rows_that_are_no_numbers_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("collection.anki2");
    let made = collection(&file, 18);
    made.execute_batch(
        "insert into revlog values (99, null, 0, 3, 1, 1, 2500, 1, 1), (98, 7, 0, 'easy', 1, 1, 2500, 1, 1), (-5, 7, 0, 3, 1, 1, 2500, 1, 1);",
    )
    .unwrap();
    drop(made);
    let reviews = load(&file, 1e9).unwrap();
    assert!(reviews.notes.contains(&"damaged rows of logs left out: 3".to_owned()), "{:?}", reviews.notes);
    assert_eq!(reviews.card.len(), 4);
}

/// As SQLCipher leaves it: the header is that of SQLite where the salt is kept apart, and the rest is noise.
#[test]
fn an_encrypted_collection_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("collection.anki2");
    drop(collection(&file, 18));
    let mut bytes = fs::read(&file).unwrap();
    bytes
        .iter_mut()
        .skip(16)
        .zip(0u32..)
        .for_each(|(byte, place)| *byte ^= (place.wrapping_mul(2_654_435_761) >> 24) as u8 | 1);
    fs::write(&file, bytes).unwrap();
    assert!(said(&file).contains("encrypted"), "{}", said(&file));
}
