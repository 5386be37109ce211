//! Where fetched files are kept, and how they are told from damaged ones and from strangers.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::idx;

/// A file of a data set, as its authors published it (gunzipped).
pub struct PublishedFile {
    pub name: &'static str,
    pub bytes: u64,
    /// In hexadecimal digits.
    pub sha256: &'static str,
}

impl PublishedFile {
    /// The path of this file in `folder`, plain or gzipped, if there is one.
    pub fn locate(&self, folder: &Path) -> Option<PathBuf> {
        let dotted = self.name.replace("-idx", ".idx");
        let names =
            [self.name.to_string(), format!("{}.gz", self.name), dotted.clone(), format!("{dotted}.gz")];
        names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
    }

    /// Reads this file from `folder` and checks its hash.
    pub fn open(&self, folder: &Path) -> Result<idx::File> {
        let path = self.locate(folder);
        let path = path.with_context(|| format!("{} has no {}", folder.display(), self.name))?;
        let file = idx::File::open(path)?;
        self.check(&file.bytes).with_context(|| format!("{} differs", file.path.display()))?;
        Ok(file)
    }

    fn check(&self, bytes: &[u8]) -> Result<()> {
        let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        ensure!(
            hash == self.sha256,
            "found {} bytes with SHA-256 {hash} for {}, expected {} bytes with {}",
            bytes.len(),
            self.name,
            self.bytes,
            self.sha256,
        );
        Ok(())
    }

    /// Writes the file into `folder` under a temporary name, and renames it when it is safe on the
    /// disk.
    pub fn keep(&self, bytes: &[u8], folder: &Path) -> Result<()> {
        self.check(bytes)?;
        let write = || -> std::io::Result<()> {
            let mut builder = tempfile::Builder::new();
            // A temporary file is its owner's alone; a cache may be shared.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
            let mut file = builder.prefix(".fetching-").tempfile_in(folder)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(folder.join(self.name))?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {} into {}", self.name, folder.display()))
    }
}

/// Where the files of the data set `name` are kept: in `$XDG_CACHE_HOME`, or else in `~/.cache`.
pub fn folder_of(name: &str) -> Result<PathBuf> {
    cache_root(std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME"))
        .map(|root| root.join("quickstudy").join(name))
        .context(
            "no folder to cache data sets in: set XDG_CACHE_HOME or HOME to an absolute path, or \
             name a folder that has the files with --data-dir FOLDER",
        )
}

/// The XDG specification tells programs to ignore a path that is not absolute.
fn cache_root(xdg: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    xdg.and_then(absolute).or_else(|| Some(home.and_then(absolute)?.join(".cache")))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    // Hashes: printf one | sha256sum
    pub const FILES: [PublishedFile; 2] = [
        PublishedFile {
            name: "one",
            bytes: 3,
            sha256: "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed",
        },
        PublishedFile {
            name: "two",
            bytes: 3,
            sha256: "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3",
        },
    ];

    #[test]
    fn what_is_kept_can_be_opened_by_all_who_may_see_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        FILES[0].keep(b"one", folder.path()).unwrap();
        let file = FILES[0].open(folder.path()).unwrap();
        assert_eq!(file.bytes, b"one");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // An ordinary file shows what the umask allows.
            let ordinary = folder.path().join("ordinary");
            std::fs::write(&ordinary, "").unwrap();
            let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode(&file.path), mode(&ordinary) & !0o022);
        }
    }

    #[test]
    fn wrong_bytes_are_neither_kept_nor_opened() {
        let folder = tempfile::tempdir().unwrap();
        assert!(FILES[0].keep(b"two", folder.path()).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(folder.path().join("one"), "two").unwrap();
        let message = format!("{:#}", FILES[0].open(folder.path()).unwrap_err());
        assert!(message.contains("one differs: found 3 bytes with SHA-256 3fc4ccfe"), "{message}");
    }

    #[test]
    fn the_cache_lies_where_the_xdg_specification_says() {
        let root = |xdg: &str, home: &str| cache_root(Some(xdg.into()), Some(home.into()));
        assert_eq!(root("/x", "/home/me"), Some("/x".into()));
        assert_eq!(root("", "/home/me"), Some("/home/me/.cache".into()));
        assert_eq!(root("relative", "/home/me"), Some("/home/me/.cache".into()));
        assert_eq!(cache_root(None, None), None);
    }
}
