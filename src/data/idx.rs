//! The IDX format of MNIST and its successors: a magic number, the sizes of each dimension as
//! big-endian `u32`, then the bytes. Described at <https://yann.lecun.org/exdb/mnist/>.
//!
//! Nothing in a file is trusted: no more is read than its header promises, and sizes are compared
//! with the bytes that are there before they are used.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::MultiGzDecoder;

use super::Dataset;

/// Bounds what a small gzipped file can grow into. EMNIST, the largest known set, has 0.6 GiB.
const LARGEST: u64 = 1 << 30;
/// Magic number and three sizes.
const LONGEST_HEADER: u64 = 16;

/// The bytes of a file, gunzipped, with the path they came from for messages.
#[derive(Debug)]
pub struct File {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

impl File {
    /// Reads `path`, gzipped or not: as much as its header promises and a byte of what is too much.
    pub fn open(path: PathBuf) -> Result<File> {
        let read =
            std::fs::File::open(&path).and_then(|file| inflate(file, |start| Ok(promised(start)? + 1)));
        let bytes = read.with_context(|| {
            let path = path.display();
            format!("cannot read {path}: put a complete copy in its place, and see that it is readable")
        })?;
        Ok(File { path, bytes })
    }

    /// Checks that this is an IDX file of unsigned bytes in `N` dimensions, complete and with
    /// nothing behind its end. Returns the sizes of the dimensions and the data.
    fn parse<const N: usize>(&self) -> Result<([usize; N], &[u8])> {
        let path = self.path.display();
        let kind = if N == 3 { "images" } else { "labels" };
        let expected = 0x0800 + N as u32;
        let found = self.bytes.len();
        let header_length = 4 + 4 * N;
        let Some((header, data)) = self.bytes.split_at_checked(header_length) else {
            bail!(
                "{path} has {found} bytes, but the header of an IDX file of {kind} alone takes \
                 {header_length}: the file is cut off or empty; put a complete copy in its place"
            );
        };
        let mut words = header.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word));
        let magic = words.next().unwrap_or_default();
        ensure!(
            magic == expected,
            "{path} starts with 0x{magic:08x}, expected 0x{expected:08x} (IDX, {kind} as unsigned \
             bytes): check that it is what its name says"
        );
        let mut sizes = [0; N];
        for (size, word) in sizes.iter_mut().zip(words) {
            *size = word as usize;
        }
        let shape = sizes.map(|size| size.to_string()).join(" x ");
        ensure!(!sizes.contains(&0), "{path} holds no {kind}: its header says {shape}");
        // Three u32 multiplied fit into 96 bits.
        let promised = sizes.iter().map(|&size| size as u128).product::<u128>();
        ensure!(
            data.len() as u128 == promised,
            "{path} has {} bytes of data, but its header promises {shape} = {promised}: the file \
             is {}; put a complete copy in its place",
            data.len(),
            if promised > data.len() as u128 { "cut off" } else { "too long (more may follow)" },
        );
        Ok((sizes, data))
    }
}

/// The length of a file that begins so, by its header; that of what is at hand where it is no IDX file of bytes.
fn promised(start: &[u8]) -> io::Result<u64> {
    let words = start.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word));
    let mut words = words.map(u128::from);
    let dimensions = words.next().unwrap_or_default().wrapping_sub(0x0800);
    let header = 4 + 4 * dimensions;
    if !(1..=3).contains(&dimensions) || header > start.len() as u128 {
        return Ok(start.len() as u64);
    }
    let length = header + words.take(dimensions as usize).product::<u128>();
    if length > u128::from(LARGEST) {
        let text = format!("its header promises {length} bytes, but at most {LARGEST} are read");
        return Err(io::Error::other(text));
    }
    Ok(length as u64)
}

/// All bytes of `reader`, gunzipped if they begin as gzip does; an error if there are more than
/// `most`.
pub fn gunzip(reader: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let bytes = inflate(reader, |_| Ok(most + 1))?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("more than {most} bytes")));
    }
    Ok(bytes)
}

/// So many of the bytes of `reader` as `most` says, which is shown the first ones; gunzipped if
/// they begin as gzip does.
fn inflate(mut reader: impl Read, most: impl Fn(&[u8]) -> io::Result<u64>) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.by_ref().take(2).read_to_end(&mut start)?;
    let whole = start.as_slice().chain(reader);
    let is_gzip = start == [0x1f, 0x8b];
    let mut inflated: Box<dyn Read> =
        if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
    let damaged = |error: io::Error| match is_gzip {
        true => io::Error::new(error.kind(), format!("the gzip data is damaged or cut off ({error})")),
        false => error,
    };
    let mut bytes = Vec::new();
    inflated.by_ref().take(LONGEST_HEADER).read_to_end(&mut bytes).map_err(damaged)?;
    let left = most(&bytes)?.saturating_sub(bytes.len() as u64);
    inflated.take(left).read_to_end(&mut bytes).map_err(damaged)?;
    Ok(bytes)
}

/// Joins training images and labels, test images and labels (in this order) into one data set.
pub fn dataset(name: &str, files: [File; 4]) -> Result<Dataset> {
    let [training_images, training_labels, test_images, test_labels] = &files;
    let ([height, width], pixels, numbers) = part(training_images, training_labels)?;
    let (test_size, test_pixels, test_numbers) = part(test_images, test_labels)?;
    ensure!(
        test_size == [height, width],
        "{} holds images of {} x {}, but {} of {height} x {width}: put files of one data set \
         together",
        test_images.path.display(),
        test_size[0],
        test_size[1],
        training_images.path.display(),
    );
    let training = numbers.len();
    let pixels = [pixels, test_pixels].concat();
    let numbers = [numbers, test_numbers].concat();

    let distinct: BTreeSet<u8> = numbers.iter().copied().collect();
    let mut index_of = [0; 256];
    for (index, &number) in (0..).zip(&distinct) {
        index_of[usize::from(number)] = index;
    }
    Ok(Dataset {
        name: name.to_string(),
        height,
        width,
        pixels: pixels.into(),
        labels: numbers.iter().map(|&number| index_of[usize::from(number)]).collect(),
        classes: distinct.iter().map(u8::to_string).collect(),
        groups: Vec::new(),
        training,
    })
}

/// Height and width, pixels and label numbers of a file of images and the file of their labels.
fn part<'a>(images: &'a File, labels: &'a File) -> Result<([usize; 2], &'a [u8], &'a [u8])> {
    let ([count, height, width], pixels) = images.parse()?;
    let ([label_count], numbers) = labels.parse()?;
    ensure!(
        count == label_count,
        "{} holds {count} images, but {} holds {label_count} labels: put files of one data set \
         together",
        images.path.display(),
        labels.path.display(),
    );
    Ok(([height, width], pixels, numbers))
}

#[cfg(test)]
pub mod tests {
    use std::io::Write;

    use super::*;

    /// A file of images of 2 x 2 pixels, all of a value that tells them apart.
    pub fn images(count: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2];
        bytes.extend((0..count).flat_map(|i| [i; 4]));
        bytes
    }

    pub fn labels(numbers: &[u8]) -> Vec<u8> {
        [&[0, 0, 8, 1, 0, 0, 0, numbers.len() as u8], numbers].concat()
    }

    pub fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn file(name: &str, bytes: Vec<u8>) -> File {
        File { path: name.into(), bytes }
    }

    fn load(images: Vec<u8>, labels: Vec<u8>) -> Result<Dataset> {
        let test = [file("test-images", self::images(1)), file("test-labels", self::labels(&[3]))];
        let [test_images, test_labels] = test;
        dataset("x", [file("images", images), file("labels", labels), test_images, test_labels])
    }

    #[track_caller]
    fn refused(result: Result<impl std::fmt::Debug>, parts: &[&str]) {
        let message = format!("{:#}", result.unwrap_err());
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
    }

    #[test]
    fn joins_both_parts_and_numbers_the_classes() {
        let dataset = load(images(3), labels(&[9, 3, 200])).unwrap();
        assert_eq!((dataset.height, dataset.width, dataset.training), (2, 2, 3));
        assert_eq!(*dataset.pixels, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0]);
        assert_eq!(dataset.classes, ["3", "9", "200"]);
        assert_eq!(dataset.labels, [1, 0, 2, 0]);
    }

    #[test]
    fn all_256_label_numbers_can_be_classes() {
        let numbers: Vec<u8> = (0..=255).collect();
        let mut many = vec![0, 0, 8, 3, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 2];
        many.resize(16 + 4 * 256, 0);
        let label_file = [&[0, 0, 8, 1, 0, 0, 1, 0], numbers.as_slice()].concat();
        let labels = load(many, label_file).unwrap().labels;
        assert!(labels[..256].iter().copied().eq(numbers.into_iter().map(u16::from)));
    }

    #[test]
    fn gzip_is_told_by_its_bytes_not_by_the_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("plain.gz", images(2)), ("zipped", gzip(&images(2)))] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(File::open(path).unwrap().bytes, images(2));
        }
    }

    #[test]
    fn a_cut_off_gzip_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.gz");
        let bytes = gzip(&images(200));
        for length in [2, 9, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            refused(File::open(path.clone()), &["images.gz", "cut off", "complete copy"]);
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        refused(File::open("/nowhere/images".into()), &["/nowhere/images"]);
    }

    #[test]
    fn what_grows_beyond_the_limit_is_refused() {
        let bytes = vec![7; 1000];
        assert_eq!(gunzip(gzip(&bytes).as_slice(), 1000).unwrap(), bytes);
        assert!(gunzip(gzip(&bytes).as_slice(), 999).is_err());
        assert!(gunzip(bytes.as_slice(), 999).is_err());
    }

    #[test]
    fn no_more_is_read_than_the_header_promises() {
        let folder = tempfile::tempdir().unwrap();
        let open = |bytes: &[u8]| {
            let path = folder.path().join("images.gz");
            std::fs::write(&path, gzip(bytes)).unwrap();
            File::open(path)
        };
        let mut long = images(2);
        long.resize(50 << 20, 0);
        assert_eq!(open(&long).unwrap().bytes.len(), 16 + 8 + 1);
        refused(open(&long).unwrap().parse::<3>(), &["promises 2 x 2 x 2", "too long"]);
        assert!(open(&vec![7; 50 << 20]).unwrap().bytes.len() < 100, "no IDX file at all");
        long[4..8].fill(0xff);
        refused(open(&long), &["images.gz", "promises 17179869196 bytes"]);
    }

    #[test]
    fn wrong_magic_is_shown_with_the_right_one() {
        let wrong = ["images starts with 0x00000801", "expected 0x00000803"];
        refused(load(labels(&[1; 20]), labels(&[1])), &wrong);
        refused(load(images(1), images(1)), &["labels starts with 0x00000803", "0x00000801"]);
    }

    #[test]
    fn too_few_and_too_many_bytes_are_refused() {
        let mut short = images(3);
        short.pop();
        refused(load(short, labels(&[1; 3])), &["images has 11", "3 x 2 x 2 = 12", "cut off"]);
        let mut long = labels(&[1; 3]);
        long.push(1);
        refused(load(images(3), long), &["labels has 4", "promises 3 = 3", "too long"]);
    }

    #[test]
    fn empty_files_and_zero_sizes_are_refused() {
        refused(load(vec![], labels(&[1])), &["images has 0 bytes", "empty"]);
        refused(load(images(0), labels(&[])), &["holds no images", "0 x 2 x 2"]);
    }

    #[test]
    fn sizes_beyond_any_memory_are_refused() {
        let mut bytes = images(1);
        bytes[4..16].fill(0xff);
        refused(load(bytes, labels(&[1])), &["images has 4", "cut off"]);
    }

    #[test]
    fn images_and_labels_must_be_as_many() {
        refused(load(images(2), labels(&[1, 2, 3])), &["2 images", "3 labels"]);
    }

    #[test]
    fn both_parts_must_have_one_size() {
        let mut wide = images(1);
        wide[11] = 1;
        wide[15] = 4;
        refused(load(wide, labels(&[1])), &["test-images", "2 x 2", "1 x 4"]);
    }

    #[test]
    fn every_beginning_of_a_good_file_is_refused_without_panic() {
        for length in 0..images(2).len() {
            assert!(load(images(2)[..length].to_vec(), labels(&[1, 2])).is_err());
        }
    }
}
