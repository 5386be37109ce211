//! The results folder of an experiment: who may write to it, and how files come to be there.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{files::CONFIG, plan::Goal, spec::Experiment};
use crate::misuse::misuse;

/// What to do with results that are already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave them; only a finished experiment may be looked at again.
    Refuse,
    /// Go on where they end.
    Resume,
    /// Replace them.
    Replace,
}

/// A results folder, locked for this process.
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Whether results that are there are to be removed.
    pub replaces: bool,
    lock: File,
    is_new: bool,
}

const LOCK: &str = ".lock";
/// What a crash may leave of the first file that is written.
const UNFINISHED: &str = "config.part";
/// There while old results are being removed: what is then left of them is none.
const CLEARING: &str = ".clearing";
/// What is said where another process holds the lock.
pub(crate) const AT_WORK: &str = "another quickstudy is at work in";
/// How long a lock may be held by somebody who only looks whether it is held.
const GLANCE: Duration = Duration::from_millis(300);

impl Folder {
    /// Locks an existing folder for this process.
    ///
    /// # Errors
    /// It cannot be written, or another process uses it.
    pub fn at(path: &Path) -> Result<Self> {
        let file = path.join(LOCK);
        let started = Instant::now();
        let lock = loop {
            let lock = File::create(&file).with_context(|| cannot_write(path))?;
            match lock.try_lock() {
                // Whoever had it may have removed it, see `drop`.
                Ok(()) if is_at(&lock, &file) => break lock,
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if started.elapsed() < GLANCE => {}
                Err(TryLockError::WouldBlock) => {
                    misuse!("{AT_WORK} {}: wait for it, or choose another folder with --out", path.display())
                }
                // Some network file systems cannot lock; then nobody can be kept out.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => break lock,
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
            std::thread::sleep(GLANCE / 30);
        };
        Ok(Self { path: path.to_owned(), replaces: false, lock, is_new: false })
    }

    /// Opens `out/<name>` for an experiment; nothing that is there is changed yet, see [`Folder::begin`].
    ///
    /// # Errors
    /// The folder cannot be written, another process uses it, or it holds results that `existing` does not allow.
    ///
    /// What counts as finished there depends on the `goal`.
    pub fn open(out: &Path, experiment: &Experiment, existing: Existing, goal: Goal) -> Result<Self> {
        let path = out.join(&experiment.name);
        let is_new = !path.exists();
        fs::create_dir_all(&path).with_context(|| cannot_write(&path))?;
        let mut folder = Self::at(&path)?;
        folder.is_new = is_new;
        folder.replaces = existing == Existing::Replace || path.join(CLEARING).exists();
        match fs::read_to_string(folder.path.join(CONFIG)) {
            Ok(_) if folder.replaces => {}
            Ok(old) if let Some(difference) = difference(&old, experiment)? => misuse!(
                "{} holds results of another configuration ({difference}): choose another name or --out, or replace them \
                 with --fresh",
                folder.path.display()
            ),
            Ok(_) if existing == Existing::Refuse && !experiment.is_finished(&folder.path, goal) => misuse!(
                "{} holds an unfinished run of this experiment: go on with --resume, or start anew with --fresh",
                folder.path.display()
            ),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => folder.refuse_strangers()?,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", folder.path.display()));
            }
        }
        Ok(folder)
    }

    /// Makes the folder the experiment's: removes old results if they are to be replaced, and writes the resolved
    /// configuration.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn begin(&self, experiment: &Experiment) -> Result<()> {
        if self.replaces {
            self.clear()?;
        }
        self.write(CONFIG, serde_saphyr::to_string(experiment)?.as_bytes())
    }

    /// Writes a file under the folder, see [`write_whole`].
    pub fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        write_whole(&self.path.join(name), bytes)
    }

    /// Removes everything but the lock, the configuration last: it says that the rest is ours. Killed meanwhile, the next start goes
    /// on with it.
    fn clear(&self) -> Result<()> {
        self.write(CLEARING, b"")?;
        for entry in fs::read_dir(&self.path).with_context(|| cannot_write(&self.path))?.flatten() {
            let path = entry.path();
            if [LOCK, CONFIG, CLEARING].map(OsString::from).contains(&entry.file_name()) {
                continue;
            }
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
                .with_context(|| format!("cannot remove {}", path.display()))?;
        }
        for last in [CONFIG, CLEARING].map(|name| self.path.join(name)) {
            if last.exists() {
                fs::remove_file(&last).with_context(|| format!("cannot remove {}", last.display()))?;
            }
        }
        Ok(())
    }

    /// A folder without a configuration must be empty: its files are not ours to mix with or to remove.
    fn refuse_strangers(&self) -> Result<()> {
        let mut entries = fs::read_dir(&self.path).with_context(|| cannot_write(&self.path))?.flatten();
        let ours = [LOCK, UNFINISHED, CLEARING].map(OsString::from);
        if let Some(stranger) = entries.find(|entry| !ours.contains(&entry.file_name())) {
            misuse!(
                "{} has files that are no results of quickstudy's ({}): choose another name or --out",
                self.path.display(),
                stranger.file_name().to_string_lossy()
            );
        }
        Ok(())
    }
}

impl Drop for Folder {
    /// An experiment that was refused leaves no folder behind.
    fn drop(&mut self) {
        let lock = self.path.join(LOCK);
        if self.is_new && !self.path.join(CONFIG).exists() && is_at(&self.lock, &lock) {
            let _ = fs::remove_file(&lock);
            let _ = fs::remove_dir(&self.path); // only if it is empty
        }
    }
}

/// Whether an open file is the one that is at this path.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let (open, there) = (file.metadata().map(identity), fs::metadata(path).map(identity));
    matches!((open, there), (Ok(open), Ok(there)) if open == there)
}

/// Whether a process is at work in a results folder. Its lock is only shared for an instant: the folder stays as it is.
pub(crate) fn is_at_work(folder: &Path) -> bool {
    let lock = File::open(folder.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Whether there is nothing in a folder but a lock, as an experiment leaves that was killed before it began.
pub(crate) fn is_bare(folder: &Path) -> bool {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.all(|entry| [LOCK, UNFINISHED, CLEARING].map(OsString::from).contains(&entry.file_name()))
}

/// Writes a file: to a temporary one beside it first, then renamed, so that a reader or a crash never meets half a file.
///
/// # Errors
/// It cannot be written.
pub fn write_whole(to: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let parent = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent)?;
        let part = to.with_extension("part");
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, to)?;
        File::open(parent)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}: is the disk full or read-only?", to.display()))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write to the results folder {}: choose another with --out", path.display())
}

/// In what the configuration of results differs from an experiment's, for a message. Keys that it lacks have their defaults.
fn difference(old: &str, experiment: &Experiment) -> Result<Option<String>> {
    let old = match super::read::parse(old, CONFIG) {
        Ok(mut old) => {
            // What more is measured is computed from what is there.
            old.evaluate.measures.clone_from(&experiment.evaluate.measures);
            old.evaluate.predictions = experiment.evaluate.predictions;
            old.expect.clone_from(&experiment.expect);
            if old == *experiment {
                return Ok(None);
            }
            serde_saphyr::to_string(&old)?
        }
        Err(error) => return Ok(Some(format!("{error:#}"))),
    };
    let new = serde_saphyr::to_string(experiment)?;
    let mut lines = old.lines().zip(new.lines());
    Ok(Some(match lines.find(|(old, new)| old != new) {
        Some((old, new)) => format!("there {}, now {}", old.trim(), new.trim()),
        None => "one has more keys".into(),
    }))
}

/// Reads a results folder's configuration.
///
/// # Errors
/// The folder is none of results.
pub fn config(path: &Path) -> Result<Experiment> {
    let file = path.join(CONFIG);
    let Ok(text) = fs::read_to_string(&file) else {
        bail!(crate::misuse::Misuse(format!(
            "{} is no results folder: it has no {CONFIG}; name one that an experiment made, like results/maml",
            path.display()
        )));
    };
    super::read::parse(&text, &file.display().to_string())
}
