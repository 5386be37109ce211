//! One's own images: a folder with a folder for each class, or with one for each part (`train`, `val`, `test`) that has a folder for each
//! class.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Dataset, Source, image};
use crate::misuse::misuse;

/// A folder of images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ImageFolder {
    /// The folder; looked for in the folder of `--data-dir` too.
    #[garde(skip)]
    pub folder: PathBuf,
    /// Height and width that all images are brought to, in grey values: upright, colours by their luminance, transparency on white, scaled
    /// with a triangle filter.
    #[garde(inner(range(min = 1, max = 512)))]
    #[serde(default = "usual_size")]
    pub size: [usize; 2],
}

/// Height and width unless said otherwise: those of MNIST and Omniglot.
pub fn usual_size() -> [usize; 2] {
    [28, 28]
}

/// What folders of parts are called.
const PARTS: [&str; 4] = ["train", "val", "validation", "test"];
/// Endings of images.
const ENDINGS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];
/// The most bytes that all images take, each pixel one.
const MOST_BYTES: usize = 8 << 30;
/// The most classes.
const MOST_CLASSES: usize = 60_000;

impl ImageFolder {
    /// Reads all images: classes in the order of their names, images in that of their files' names. Where there are folders of parts, a class is
    /// named `train/cat`, and its group is `train`.
    ///
    /// # Errors
    /// A `Misuse`: there is no such folder, a class has no images, a file cannot be read, or there is one class only.
    pub fn load(&self, source: &Source) -> Result<Dataset> {
        let root = source.locate(&self.folder);
        let path = root.display();
        if !root.is_dir() {
            misuse!("there is no folder {path}: name one that has a folder for each class");
        }
        let first = folders(&root)?;
        let is_part = |name: &String| PARTS.contains(&name.as_str());
        let by_part = first.len() > 1 && first.iter().all(is_part);
        let mut classes: Vec<(String, String, PathBuf)> = Vec::new(); // name, group, folder
        for name in first {
            let folder = root.join(&name);
            if !by_part {
                classes.push((name, String::new(), folder));
                continue;
            }
            classes.extend(
                folders(&folder)?
                    .into_iter()
                    .map(|class| (format!("{name}/{class}"), name.clone(), folder.join(class))),
            );
        }
        if classes.len() < 2 {
            misuse!(
                "{path} has {} folder{} of images: a data set has a folder for each class, and at least two of them",
                classes.len(),
                if classes.len() == 1 { "" } else { "s" }
            );
        }
        if classes.len() > MOST_CLASSES {
            misuse!("{path} has {} folders of images: at most {MOST_CLASSES} classes can be", classes.len());
        }
        let [height, width] = self.size;
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for (label, (name, _, folder)) in classes.iter().enumerate() {
            let files = images(folder)?;
            if files.is_empty() {
                misuse!(
                    "{} holds no image of class {name}: put PNG, JPEG, WebP or BMP files there",
                    folder.display()
                );
            }
            if pixels.len() + files.len() * height * width > MOST_BYTES {
                misuse!("the images in {path} take more than {MOST_BYTES} bytes: make `size` smaller");
            }
            for file in files {
                pixels.extend(image::read(&file, height, width)?.pixels);
                labels.push(label as u16);
            }
        }
        let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
        let groups =
            if by_part { classes.iter().map(|(_, group, _)| group.clone()).collect() } else { Vec::new() };
        let training = labels.len();
        let classes = classes.into_iter().map(|(name, ..)| name).collect();
        Ok(Dataset { name, height, width, pixels: pixels.into(), labels, classes, groups, training })
    }
}

/// Names of the folders in a folder, sorted, but for hidden ones.
fn folders(folder: &Path) -> Result<Vec<String>> {
    let is_folder = |path: &PathBuf| path.is_dir();
    let names = entries(folder)?.into_iter().filter(is_folder);
    Ok(names.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
}

/// The image files in a folder, sorted.
fn images(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_image = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        path.is_file() && ENDINGS.contains(&ending.as_str())
    };
    Ok(entries(folder)?.into_iter().filter(is_image).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) => misuse!("cannot read the folder {}: {error}", folder.display()),
    };
    let mut entries: Vec<PathBuf> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.retain(|path| !path.file_name().unwrap_or_default().to_string_lossy().starts_with('.'));
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use ::image::{GrayImage, Luma, Rgb, RgbImage};

    use super::*;

    fn load(folder: &Path, size: [usize; 2]) -> Result<Dataset> {
        ImageFolder { folder: folder.into(), size }.load(&Source::default())
    }

    fn grey(folder: &Path, name: &str, value: u8, side: u32) {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        GrayImage::from_pixel(side, side, Luma([value])).save(folder.join(name)).unwrap();
    }

    #[test]
    fn a_folder_is_a_class_whatever_its_images_are() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        grey(root, "cat/2.png", 40, 8);
        grey(root, "cat/1.bmp", 30, 31);
        grey(root, "dog/a.png", 50, 4);
        RgbImage::from_pixel(9, 5, Rgb([255, 255, 255])).save(root.join("dog/b.jpg")).unwrap();
        fs::write(root.join("dog/notes.txt"), "not an image").unwrap();
        fs::create_dir(root.join(".cache")).unwrap();
        let data = load(root, [3, 2]).unwrap();
        assert_eq!((data.classes.as_slice(), data.groups.len()), (&["cat".to_owned(), "dog".into()][..], 0));
        assert_eq!((&data.labels[..], data.height, data.width), (&[0u16, 0, 1, 1][..], 3, 2));
        assert_eq!([data.image(0)[0], data.image(1)[0], data.image(2)[0]], [30, 40, 50]);
        assert!(data.image(3)[0] > 250);
    }

    #[test]
    fn folders_of_parts_are_groups() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["train/cat", "train/dog", "val/cow", "test/cat"] {
            grey(folder.path(), &format!("{name}/a.png"), 1, 2);
        }
        let data = load(folder.path(), [2, 2]).unwrap();
        assert_eq!(data.classes, ["test/cat", "train/cat", "train/dog", "val/cow"]);
        assert_eq!(data.groups, ["test", "train", "train", "val"]);
    }

    #[test]
    fn what_is_no_data_set_is_told_why() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let said = || load(root, [2, 2]).unwrap_err().to_string();
        assert!(load(&root.join("nowhere"), [2, 2]).unwrap_err().to_string().contains("there is no folder"));
        assert!(said().contains("has 0 folders of images"));
        grey(root, "cat/a.png", 1, 2);
        assert!(said().contains("has 1 folder of images: a data set has a folder for each class"));
        fs::create_dir(root.join("dog")).unwrap();
        assert!(said().contains("holds no image of class dog"));
        fs::write(root.join("dog/a.png"), "no image").unwrap();
        assert!(said().contains("dog/a.png"));
    }
}
