//! Folders of images: one folder for each class.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::misuse::misuse;

/// A class and its image files.
pub struct Class {
    /// The folder's name.
    pub name: String,
    /// Its images, by name.
    pub files: Vec<PathBuf>,
}

/// The classes of a folder, by name.
///
/// # Errors
/// A `Misuse` when there is none, or one without images, or something else beside them.
pub fn classes(folder: &Path) -> Result<Vec<Class>> {
    let Entries { folders, files } = Entries::of(folder)?;
    if let Some(file) = files.first() {
        misuse!("{} lies beside class folders: put each image into the folder of its class", file.display());
    }
    if folders.is_empty() {
        misuse!("{} is empty: expected a folder for each class, with its images", folder.display());
    }
    folders.iter().map(|folder| class(folder)).collect()
}

fn class(folder: &Path) -> Result<Class> {
    let Entries { folders, files } = Entries::of(folder)?;
    if let Some(inner) = folders.first() {
        misuse!("{} is a folder in a class's folder: expected images only", inner.display());
    }
    if files.is_empty() {
        misuse!("the class folder {} has no image", folder.display());
    }
    Ok(Class { name: name(folder), files })
}

/// Image files, each with the number of its class where folders tell it: either images alone, or folders of some of these classes.
///
/// # Errors
/// A `Misuse` when there is no image, or a folder of another class.
pub fn queries(folder: &Path, classes: &[Class]) -> Result<Vec<(PathBuf, Option<usize>)>> {
    let Entries { folders, files } = Entries::of(folder)?;
    if !folders.is_empty() {
        let mut queries = Vec::new();
        for labelled in self::classes(folder)? {
            let Some(number) = classes.iter().position(|class| class.name == labelled.name) else {
                let known: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
                misuse!(
                    "{} has a class {}, of which there are no support images: there are {}",
                    folder.display(),
                    labelled.name,
                    known.join(", ")
                );
            };
            queries.extend(labelled.files.into_iter().map(|file| (file, Some(number))));
        }
        return Ok(queries);
    }
    if files.is_empty() {
        misuse!("{} has no image", folder.display());
    }
    Ok(files.into_iter().map(|file| (file, None)).collect())
}

/// What lies in a folder, by name, but for hidden files.
struct Entries {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Entries {
    fn of(folder: &Path) -> Result<Self> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => misuse!("cannot read the folder {} ({error})", folder.display()),
        };
        let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>();
        let mut paths = paths.with_context(|| format!("cannot list {}", folder.display()))?;
        paths.retain(|path| !name(path).starts_with('.'));
        paths.sort();
        let (folders, files) = paths.into_iter().partition(|path| path.is_dir());
        Ok(Self { folders, files })
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A folder with these files; names that end in a slash are folders.
    fn folder(names: &[&str]) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(if name.ends_with('/') { &path } else { path.parent().expect("a folder") })
                .expect("made");
            if !name.ends_with('/') {
                fs::write(path, "x").expect("written");
            }
        }
        folder
    }

    #[test]
    fn folders_are_classes_by_name_and_hidden_files_are_nothing() {
        let folder = folder(&["b/2.png", "b/1.png", "a/1.png", "a/.DS_Store", ".git/x"]);
        let classes = classes(folder.path()).expect("two classes");
        assert_eq!(classes.iter().map(|class| class.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(classes[1].files, ["b/1.png", "b/2.png"].map(|file| folder.path().join(file)));
    }

    #[test]
    fn queries_have_classes_where_folders_tell() {
        let support = classes(folder(&["a/1.png", "b/1.png"]).path()).expect("two classes");
        let of = |names: &[&str]| {
            let queries = queries(folder(names).path(), &support).expect("queries");
            queries.into_iter().map(|(_, class)| class).collect::<Vec<_>>()
        };
        assert_eq!(of(&["b/1.png", "b/2.png"]), [Some(1), Some(1)]);
        assert_eq!(of(&["1.png", "2.png"]), [None, None]);
    }

    #[test]
    fn folders_that_are_no_task_are_told_why() {
        let refused = |names: &[&str], part: &str| {
            let folder = folder(names);
            let error = classes(folder.path()).err().expect("refused").to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(&[], "is empty");
        refused(&["a/1.png", "notes.txt"], "notes.txt lies beside class folders");
        refused(&["a/1.png", "b/"], "b has no image");
        refused(&["a/deep/1.png"], "images only");

        let support = classes(folder(&["a/1.png"]).path()).expect("a class");
        let refused = |names: &[&str], part: &str| {
            let folder = folder(names);
            let error = queries(folder.path(), &support).expect_err("refused").to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(&[], "has no image");
        refused(&["c/1.png"], "has a class c, of which");
        refused(&["a/"], "a has no image");
        refused(&["a/1.png", "2.png"], "lies beside");
    }
}
