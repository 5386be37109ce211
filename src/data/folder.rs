//! Any data set that lies in a folder in IDX form: Fashion-MNIST, KMNIST, one of EMNIST, or one's
//! own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{Dataset, Source, class_names, idx};
use crate::misuse::misuse;

/// What each of the four files is called, after a prefix and before a `.gz` that both may be
/// missing.
const ROLES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Reads the four IDX files in `folder`. A relative folder that is not below the current one is
/// looked for in `source.data_dir`.
///
/// The images are taken as they lie in the files: those of EMNIST are transposed. A file `classes.csv` beside them gives classes
/// names, and groups.
pub fn idx_folder(folder: &Path, source: &Source) -> Result<Dataset> {
    let folder = source.locate(folder);
    let [a, b, c, d] = four_files(&folder)?.map(idx::File::open);
    let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
    let mut dataset = idx::dataset(&name, [a?, b?, c?, d?])?;
    let names = folder.join(class_names::FILE);
    if names.exists() {
        class_names::read(&names, &mut dataset)?;
    }
    Ok(dataset)
}

/// The paths of the four files, in the order of [`ROLES`].
fn four_files(folder: &Path) -> Result<[PathBuf; 4]> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            misuse!(
                "cannot read the folder {} ({error}): expected a folder with {}",
                folder.display(),
                wanted()
            )
        }
    };
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<String>>>()
        .with_context(|| format!("cannot list the folder {}", folder.display()))?;
    // Sorted, a plain file stands before its gzipped copy, and is the one to be read.
    names.sort();

    let mut sets: BTreeMap<&str, [Option<PathBuf>; 4]> = BTreeMap::new();
    for name in &names {
        if let Some((prefix, role)) = prefix_and_role(name) {
            let set = sets.entry(prefix).or_default();
            set[role].get_or_insert_with(|| folder.join(name));
        }
    }
    let folder = folder.display();
    if sets.len() > 1 {
        let prefixes: Vec<String> = sets.keys().map(|prefix| format!("`{prefix}`")).collect();
        bail!(
            "{folder} holds files of {} data sets, told apart by how their names begin: {}. Put \
             the four files of one set into a folder of its own",
            sets.len(),
            prefixes.join(", "),
        );
    }
    match sets.into_values().next().unwrap_or_default() {
        [Some(a), Some(b), Some(c), Some(d)] => Ok([a, b, c, d]),
        found => {
            let missing = ROLES.iter().zip(&found).filter(|(_, path)| path.is_none());
            let missing: Vec<&str> = missing.map(|(role, _)| *role).collect();
            bail!("{folder} has no {}: expected a folder with {}", missing.join(", no "), wanted())
        }
    }
}

/// Splits `emnist-letters-test-images-idx3-ubyte.gz` into `emnist-letters-` and the index of its
/// role.
fn prefix_and_role(name: &str) -> Option<(&str, usize)> {
    // Archives packed on a Mac leave `._train-images-...` beside the real file.
    if name.starts_with('.') {
        return None;
    }
    let stem = name.strip_suffix(".gz").unwrap_or(name);
    ROLES.iter().enumerate().find_map(|(index, role)| {
        let test = role.replace("t10k", "test");
        let spellings = [role.replace("-idx", ".idx"), test.replace("-idx", ".idx"), test, role.to_string()];
        spellings.iter().find_map(|spelling| Some((stem.strip_suffix(spelling)?, index)))
    })
}

fn wanted() -> String {
    format!(
        "the four files {} (gzipped or not, with any one prefix; `test` for `t10k` will do)",
        ROLES.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::idx::tests::{gzip, images, labels};
    use super::*;

    /// A folder with a set of three training images and one test image under these four names.
    fn folder(names: [&str; 4]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        add(&folder, names);
        folder
    }

    fn add(folder: &TempDir, names: [&str; 4]) {
        let contents = [images(3), labels(&[5, 4, 5]), images(1), labels(&[4])];
        for (name, bytes) in names.iter().zip(contents) {
            let bytes = if name.ends_with(".gz") { gzip(&bytes) } else { bytes };
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
    }

    fn load(folder: &Path) -> Result<Dataset> {
        idx_folder(folder, &Source::default())
    }

    #[track_caller]
    fn refused(folder: &Path, parts: &[&str]) {
        let message = format!("{:#}", load(folder).unwrap_err());
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
    }

    #[test]
    fn reads_every_usual_spelling() {
        let spellings = [
            ROLES,
            [
                "emnist-letters-train-images-idx3-ubyte.gz",
                "emnist-letters-train-labels-idx1-ubyte.gz",
                "emnist-letters-test-images-idx3-ubyte.gz",
                "emnist-letters-test-labels-idx1-ubyte.gz",
            ],
            [
                "train-images.idx3-ubyte",
                "train-labels.idx1-ubyte",
                "t10k-images.idx3-ubyte.gz",
                "t10k-labels.idx1-ubyte",
            ],
        ];
        for names in spellings {
            let folder = folder(names);
            std::fs::write(folder.path().join("readme.txt"), "").unwrap();
            std::fs::write(folder.path().join("._train-images-idx3-ubyte"), "").unwrap();
            let dataset = load(folder.path()).unwrap();
            assert_eq!((dataset.len(), dataset.training), (4, 3));
            assert_eq!(dataset.classes, ["4", "5"]);
            assert_eq!(dataset.labels, [1, 0, 1, 0]);
            assert_eq!(dataset.name, folder.path().file_name().unwrap().to_string_lossy());
        }
    }

    #[test]
    fn a_plain_file_is_read_rather_than_its_gzipped_copy() {
        let folder = folder(ROLES);
        std::fs::write(folder.path().join("train-images-idx3-ubyte.gz"), "no gzip").unwrap();
        assert_eq!(load(folder.path()).unwrap().len(), 4);
    }

    #[test]
    fn a_relative_folder_is_looked_for_in_the_data_folder() {
        let data = tempfile::tempdir().unwrap();
        let folder = folder(ROLES);
        std::fs::rename(folder.path(), data.path().join("set-of-mine")).unwrap();
        let source = Source { data_dir: Some(data.path().into()), ..Source::default() };
        let dataset = idx_folder(Path::new("set-of-mine"), &source).unwrap();
        assert_eq!(dataset.name, "set-of-mine");
    }

    #[test]
    fn several_sets_in_one_folder_are_listed() {
        let folder = folder(ROLES);
        add(&folder, ["a-", "b-", "c-", "d-"]);
        std::fs::write(folder.path().join("emnist-digits-train-images-idx3-ubyte.gz"), "").unwrap();
        refused(folder.path(), &["2 data sets", "``, `emnist-digits-`", "folder of its own"]);
    }

    #[test]
    fn an_empty_or_missing_folder_is_told_the_four_names() {
        let empty = tempfile::tempdir().unwrap();
        refused(empty.path(), &ROLES);
        let missing = empty.path().join("gone");
        refused(&missing, &ROLES);
        refused(&missing, &["gone", "cannot read the folder"]);
    }

    #[test]
    fn one_missing_file_is_named() {
        let folder = folder(ROLES);
        std::fs::remove_file(folder.path().join(ROLES[3])).unwrap();
        refused(folder.path(), &["has no t10k-labels-idx1-ubyte: expected"]);
    }

    #[test]
    fn a_bad_file_is_named() {
        let folder = folder(ROLES);
        std::fs::write(folder.path().join(ROLES[1]), images(1)).unwrap();
        refused(folder.path(), &["train-labels-idx1-ubyte", "0x00000803"]);
    }
}
