//! The results folder of an experiment: who may write to it, and how files come to be there.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{plan::Goal, spec::Experiment};
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
    _lock: File,
}

pub(crate) const CONFIG: &str = "config.yaml";
const LOCK: &str = ".lock";
/// What a crash may leave of the first file that is written.
const UNFINISHED: &str = "config.part";

impl Folder {
    /// Locks an existing folder for this process.
    ///
    /// # Errors
    /// It cannot be written, or another process uses it.
    pub fn at(path: &Path) -> Result<Self> {
        let lock = File::create(path.join(LOCK)).with_context(|| cannot_write(path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => misuse!(
                "another quickstudy is at work in {}: wait for it, or choose another folder with --out",
                path.display()
            ),
            // Some network file systems cannot lock; then nobody can be kept out.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Opens `out/<name>` for an experiment; nothing that is there is changed yet, see [`Folder::begin`].
    ///
    /// # Errors
    /// The folder cannot be written, another process uses it, or it holds results that `existing` does not allow.
    ///
    /// What counts as finished there depends on the `goal`.
    pub fn open(out: &Path, experiment: &Experiment, existing: Existing, goal: Goal) -> Result<Self> {
        let path = out.join(&experiment.name);
        fs::create_dir_all(&path).with_context(|| cannot_write(&path))?;
        let folder = Self::at(&path)?;
        let config = serde_saphyr::to_string(experiment)?;
        match fs::read_to_string(folder.path.join(CONFIG)) {
            Ok(_) if existing == Existing::Replace => {}
            Ok(old) if old != config => misuse!(
                "{} holds results of another configuration ({}): choose another name or --out, or replace them with \
                 --fresh",
                folder.path.display(),
                first_difference(&old, &config)
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
    pub fn begin(&self, experiment: &Experiment, existing: Existing) -> Result<()> {
        if existing == Existing::Replace {
            self.clear()?;
        }
        self.write(CONFIG, serde_saphyr::to_string(experiment)?.as_bytes())
    }

    /// Writes a file under the folder, see [`write_whole`].
    pub fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        write_whole(&self.path.join(name), bytes)
    }

    /// Removes everything but the lock, the configuration last: it says that the rest is ours.
    fn clear(&self) -> Result<()> {
        for entry in fs::read_dir(&self.path).with_context(|| cannot_write(&self.path))?.flatten() {
            let path = entry.path();
            if [LOCK, CONFIG].map(OsString::from).contains(&entry.file_name()) {
                continue;
            }
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
                .with_context(|| format!("cannot remove {}", path.display()))?;
        }
        let config = self.path.join(CONFIG);
        if config.exists() {
            fs::remove_file(&config).with_context(|| format!("cannot remove {}", config.display()))?;
        }
        Ok(())
    }

    /// A folder without a configuration must be empty: its files are not ours to mix with or to remove.
    fn refuse_strangers(&self) -> Result<()> {
        let mut entries = fs::read_dir(&self.path).with_context(|| cannot_write(&self.path))?.flatten();
        let ours = [LOCK, UNFINISHED].map(OsString::from);
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

/// The first line in which two configurations differ, for a message.
fn first_difference(old: &str, new: &str) -> String {
    let mut lines = old.lines().zip(new.lines());
    match lines.find(|(old, new)| old != new) {
        Some((old, new)) => format!("there {}, now {}", old.trim(), new.trim()),
        None => "one has more keys".into(),
    }
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
