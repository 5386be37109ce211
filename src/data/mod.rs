//! Data sets: where their files come from, and how they are read.
//!
//! To add a data set, write one file beside `mnist.rs` and add its [`DatasetEntry`] to [`REGISTRY`]. A
//! data set that lies in a folder in IDX form needs no code at all: see [`idx_folder`].

pub mod answers;
mod cache;
mod class_names;
mod fetch;
mod folder;
mod idx;
pub mod image;
mod image_folder;
mod mirror;
mod mnist;
mod npm;
mod omniglot;
pub mod reviews;
mod spec;
pub mod table;
mod text;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use sha2::{Digest, Sha256};

pub use folder::idx_folder;
pub use image_folder::ImageFolder;
pub use omniglot::{Omniglot, Resample};
pub use spec::{DatasetSpec, registered};

/// Images grouped by class, in memory, as bytes.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The registered name, or the name of the folder that was read.
    pub name: String,
    /// Rows of each image.
    pub height: usize,
    /// Columns of each image.
    pub width: usize,
    /// Grey values, ink = 255, row by row: `[images, height * width]`.
    pub pixels: Arc<Vec<u8>>,
    /// Index into `classes` of each image.
    pub labels: Vec<u16>,
    /// Names of the classes, each another. Of a data set that has none they are the distinct label numbers in ascending order, as text.
    pub classes: Vec<String>,
    /// What each class belongs to, its alphabet for example; empty where classes belong to nothing.
    pub groups: Vec<String>,
    /// The first so many images come from the training files, the rest from the test files.
    pub training: usize,
}

impl Dataset {
    /// Number of images, training and test together.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image at all. The readers refuse to make such a data set.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// SHA-256 of images and labels.
    pub fn digest(&self) -> Vec<u8> {
        let mut digest = Sha256::new();
        digest.update(&*self.pixels);
        match self.classes.len() {
            // As ever since labels were bytes.
            ..=256 => digest.update(self.labels.iter().map(|&label| label as u8).collect::<Vec<_>>()),
            _ => self.labels.iter().for_each(|label| digest.update(label.to_le_bytes())),
        }
        digest.finalize().to_vec()
    }

    /// The grey values of image `i`, row by row. Panics unless `i < len()`.
    pub fn image(&self, i: usize) -> &[u8] {
        let size = self.height * self.width;
        &self.pixels[i * size..(i + 1) * size]
    }
}

/// Where files already lie, and whether to show how a download gets on.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The folder given by the user; none means the cache, filled from the network on first use.
    pub data_dir: Option<PathBuf>,
    /// Draw a progress bar while fetching, if stderr is a terminal.
    pub progress: bool,
    /// Only what is on this computer: nothing is fetched.
    pub offline: bool,
}

impl Source {
    /// Where a file or folder lies that an experiment names: a relative one that is not below the working directory is looked for in
    /// `data_dir`.
    pub fn locate(&self, path: &Path) -> PathBuf {
        match &self.data_dir {
            Some(data_dir) if !path.exists() => data_dir.join(path),
            _ => path.to_path_buf(),
        }
    }
}

/// A registered data set: what can be said of it without loading it, and how to load it.
pub struct DatasetEntry {
    /// The name an experiment uses: `task.dataset: mnist`.
    pub name: &'static str,
    /// One line for `quickstudy list datasets`.
    pub summary: &'static str,
    /// Whom to cite, and where it is published.
    pub source: &'static str,
    /// Number of classes.
    pub classes: usize,
    /// Whether its classes are named 0, 1, ...
    pub numbered: bool,
    /// Number of training images and of test images.
    pub images: (usize, usize),
    /// Height and width of each image.
    pub size: (usize, usize),
    load: fn(&Source) -> Result<Dataset>,
}

impl DatasetEntry {
    /// Reads the data set from `source.data_dir`, or from the cache, which is filled on first use.
    pub fn load(&self, source: &Source) -> Result<Dataset> {
        (self.load)(source)
    }
}

/// Every data set that has a name.
pub static REGISTRY: &[DatasetEntry] = &[mnist::ENTRY, omniglot::ENTRY];

/// The data set registered as `name`.
pub fn find(name: &str) -> Option<&'static DatasetEntry> {
    REGISTRY.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_names_are_found_and_unique() {
        for entry in REGISTRY {
            assert!(std::ptr::eq(find(entry.name).unwrap(), entry));
        }
        assert!(find("mnits").is_none());
    }

    #[test]
    fn an_image_is_its_own_slice_of_the_pixels() {
        let dataset = Dataset {
            name: "two".into(),
            height: 1,
            width: 2,
            pixels: Arc::new(vec![1, 2, 3, 4]),
            labels: vec![0, 0],
            classes: vec!["7".into()],
            groups: Vec::new(),
            training: 1,
        };
        assert_eq!(dataset.len(), 2);
        assert!(!dataset.is_empty());
        assert_eq!(dataset.image(1), [3, 4]);
    }

    #[test]
    fn the_digest_is_of_bytes_where_bytes_will_do() {
        let of = |classes: usize, labels: Vec<u16>| {
            let dataset = Dataset {
                name: "some".into(),
                height: 1,
                width: 1,
                pixels: Arc::new(vec![5; labels.len()]),
                labels,
                classes: (0..classes).map(|class| class.to_string()).collect(),
                groups: Vec::new(),
                training: 1,
            };
            dataset.digest()
        };
        assert_eq!(of(2, vec![0, 1]), Sha256::digest([5, 5, 0, 1]).to_vec());
        assert_eq!(of(256, vec![255, 1]), Sha256::digest([5, 5, 255, 1]).to_vec());
        // Bytes would not tell 256 from 0.
        assert_eq!(of(257, vec![256, 1]), Sha256::digest([5, 5, 0, 1, 1, 0]).to_vec());
        assert_ne!(of(257, vec![256, 1]), of(257, vec![0, 1]));
    }
}
