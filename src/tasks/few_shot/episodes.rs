//! Few-shot episodes: N classes, K support images and Q queries of each, drawn from pools of images.

use std::{ops::Range, sync::Arc};

use rand::{RngExt, seq::index::sample};
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

use crate::{
    data::Dataset,
    loss::CrossEntropy,
    measures::Accuracy,
    random::{Purpose, Stream, stream},
    tasks::{
        Episode, Extent, FreezableSource, Interface, TaskSource,
        augmentation::{Augmentation, Map, quarter_turn, warp},
    },
};

/// Images as bytes, a quarter of the memory, turned into f32 only when drawn. Clones share the memory.
#[derive(Clone)]
pub struct ImageBank {
    /// `[images, height * width]`.
    pixels: Arc<Vec<u8>>,
    height: usize,
    width: usize,
    device: Device,
}

impl ImageBank {
    /// All images of a data set, to be drawn onto `device`.
    pub fn new(data: &Dataset, device: Device) -> Self {
        let Dataset { pixels, height, width, .. } = data;
        Self { pixels: Arc::clone(pixels), height: *height, width: *width, device }
    }

    /// D, the pixels of an image.
    pub fn inputs(&self) -> usize {
        self.height * self.width
    }

    /// One image by its number.
    fn image(&self, number: usize) -> &[u8] {
        &self.pixels[number * self.inputs()..][..self.inputs()]
    }

    /// Images by their numbers, each moved by its map, scaled to 0..1: `[rows, D]`, f32.
    fn gather_moved(&self, rows: &[usize], maps: &[Map]) -> Tensor {
        let mut values = Vec::with_capacity(rows.len() * self.inputs());
        for (&row, map) in rows.iter().zip(maps) {
            warp(self.image(row), self.height, self.width, map, &mut values);
        }
        let shape = [rows.len() as i64, self.inputs() as i64];
        Tensor::from_slice(&values).reshape(shape).to_device(self.device)
    }

    /// Images by their numbers, scaled to 0..1: `[rows, D]`, f32.
    pub fn gather(&self, rows: &[usize]) -> Tensor {
        let mut bytes = Vec::with_capacity(rows.len() * self.inputs());
        rows.iter().for_each(|&row| bytes.extend_from_slice(self.image(row)));
        let shape = [rows.len() as i64, self.inputs() as i64];
        let images = Tensor::from_slice(&bytes).reshape(shape).to_device(self.device);
        images.to_kind(Kind::Float).g_mul_scalar_(1.0 / 255.0)
    }
}

/// Few-shot episodes from pools of images.
pub struct FewShot {
    bank: ImageBank,
    /// The image numbers of each class.
    pools: Vec<Vec<usize>>,
    /// Sizes of a task.
    pub size: TaskSize,
    augmentation: Augmentation,
    seed: u64,
    purpose: Purpose,
    /// SHA-256 of the images and labels, where hashes are asked for.
    digest: Vec<u8>,
}

/// N, K and Q.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSize {
    /// N, classes per task.
    pub ways: usize,
    /// K, support images per class.
    pub shots: usize,
    /// Q, queries per class.
    pub queries: usize,
}

impl TaskSize {
    /// Rows of a task of images with `inputs` pixels.
    pub fn extent(self, inputs: usize) -> Extent {
        Extent { support: self.ways * self.shots, queries: self.ways * self.queries, inputs }
    }

    /// What a network must know of classification of images with `inputs` pixels.
    pub fn interface(self, inputs: usize) -> Interface {
        Interface {
            inputs,
            outputs: self.ways,
            items: 0,
            bins: None,
            loss: &CrossEntropy,
            measures: vec![&Accuracy],
        }
    }

    /// Labels `[T, N*K + N*Q]` of `tasks` tasks, i64: the place of each row's class in its task.
    pub fn labels(self, tasks: usize, device: Device) -> Tensor {
        let of = |count: usize| (0..self.ways).flat_map(move |way| vec![way as i64; count]);
        let labels: Vec<i64> = of(self.shots).chain(of(self.queries)).collect();
        Tensor::from_slice(&labels).to_device(device).repeat([tasks as i64, 1])
    }
}

impl FewShot {
    /// Episodes whose classes are `pools`; meta-batch `i` comes from the stream (`seed`, `purpose`, `i`).
    ///
    /// The pools must hold at least N classes of K + Q images each, which the experiment's checks see to.
    pub fn new(bank: ImageBank, pools: Vec<Vec<usize>>, size: TaskSize, seed: u64, purpose: Purpose) -> Self {
        let (augmentation, digest) = (Augmentation::default(), Vec::new());
        Self { bank, pools, size, augmentation, seed, purpose, digest }
    }

    /// Of images and labels with this digest.
    pub fn of_digest(self, digest: &[u8]) -> Self {
        Self { digest: digest.to_vec(), ..self }
    }

    /// Adds turned classes and random affine maps.
    pub fn augmented(mut self, augmentation: &Augmentation) -> Self {
        self.augmentation = augmentation.clone();
        if augmentation.rotations {
            let (height, width) = (self.bank.height, self.bank.width);
            let (mut pixels, mut pools, mut images) = (Vec::new(), Vec::new(), 0);
            for pool in &self.pools {
                let mut turned: Vec<Vec<u8>> =
                    pool.iter().map(|&image| self.bank.image(image).to_vec()).collect();
                for _quarter in 0..4 {
                    pools.push((images..images + turned.len()).collect());
                    images += turned.len();
                    pixels.extend(turned.iter().flatten());
                    turned.iter_mut().for_each(|i| *i = quarter_turn(i, height, width));
                }
            }
            self.bank.pixels = Arc::new(pixels);
            self.pools = pools;
        }
        self
    }

    /// The image numbers of a task, class by class: K + Q different images of each of N classes in random order, so that labels are permuted.
    pub fn rows(&self, index: u64, task: usize) -> Vec<usize> {
        self.draw(&mut self.stream(index, task))
    }

    fn draw(&self, stream: &mut Stream) -> Vec<usize> {
        let TaskSize { ways, shots, queries } = self.size;
        let mut rows = Vec::with_capacity(ways * (shots + queries));
        for class in sample(stream, self.pools.len(), ways) {
            let pool = &self.pools[class];
            rows.extend(sample(stream, pool.len(), shots + queries).into_iter().map(|i| pool[i]));
        }
        rows
    }

    /// The episode of images `[T * (N*K + N*Q), D]`, in order.
    fn episode(&self, images: Tensor, size: TaskSize) -> Episode {
        let rows = size.ways * (size.shots + size.queries);
        let tasks = images.size()[0] as usize / rows;
        let x = images.reshape(self.shape(tasks, rows));
        let y = size.labels(tasks, self.bank.device);
        Episode { x, y, weight: None, support: (size.ways * size.shots) as i64 }
    }

    /// Images drawn of each class.
    fn block(&self) -> usize {
        self.size.shots + self.size.queries
    }

    fn shape(&self, tasks: usize, rows: usize) -> [i64; 3] {
        [tasks as i64, rows as i64, self.bank.inputs() as i64]
    }

    fn stream(&self, index: u64, task: usize) -> Stream {
        stream(self.seed, self.purpose, index << 24 | task as u64)
    }
}

/// Where the rows of a task lie among its images drawn class by class, `block` per class: all support, then all queries.
fn support_first(size: TaskSize, block: usize) -> Vec<usize> {
    let of = |from: usize, count: usize| {
        (0..size.ways).flat_map(move |way| way * block + from..way * block + from + count)
    };
    of(0, size.shots).chain(of(block - size.queries, size.queries)).collect()
}

/// Of every `per_task` things those at the places `order`, in that order.
fn reordered<T: Copy>(things: &[T], order: &[usize], per_task: usize) -> Vec<T> {
    things.chunks_exact(per_task).flat_map(|task| order.iter().map(|&i| task[i])).collect()
}

impl TaskSource for FewShot {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        self.sample_with(index, tasks, self.size.shots)
    }
}

impl FreezableSource for FewShot {
    /// Of each class the first `shots` of the images drawn are support and the last `size.queries` queries.
    fn sample_with(&self, index: u64, tasks: Range<usize>, shots: usize) -> Episode {
        let (mut rows, mut maps) = (Vec::new(), Vec::new());
        for task in tasks {
            let mut stream = self.stream(index, task);
            rows.extend(self.draw(&mut stream));
            if self.augmentation.moves() {
                let classes = 0..self.size.ways;
                maps.extend(classes.flat_map(|_| self.augmentation.draw(self.block(), &mut stream)));
            }
        }
        let size = TaskSize { shots, ..self.size };
        let (order, drawn) = (support_first(size, self.block()), size.ways * self.block());
        let rows = reordered(&rows, &order, drawn);
        let images = match self.augmentation.moves() {
            true => self.bank.gather_moved(&rows, &reordered(&maps, &order, drawn)),
            false => self.bank.gather(&rows),
        };
        self.episode(images, size)
    }

    fn describe(&self, hash: &mut Sha256) {
        let TaskSize { ways, shots, queries } = self.size;
        hash.update(&self.digest);
        [ways, shots, queries].iter().for_each(|size| hash.update((*size as u64).to_le_bytes()));
    }

    /// By the numbers of its images.
    fn identify(&self, index: u64, task: usize, hash: &mut Sha256) {
        self.rows(index, task).iter().for_each(|row| hash.update((*row as u64).to_le_bytes()));
    }
}

/// Labelled images of all classes of a few-shot source: ordinary supervised batches.
pub struct AllClasses(pub FewShot);

impl TaskSource for AllClasses {
    /// Tasks without support whose queries are as many random images as a few-shot task holds. Each image is moved by a
    /// map of its own.
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        let source = &self.0;
        let TaskSize { ways, shots, queries } = source.size;
        let (mut rows, mut labels, mut maps) = (Vec::new(), Vec::new(), Vec::new());
        let count = tasks.len();
        for task in tasks {
            let mut stream = source.stream(index, task);
            for _ in 0..ways * (shots + queries) {
                let class = stream.random_range(0..source.pools.len());
                let pool = &source.pools[class];
                rows.push(pool[stream.random_range(0..pool.len())]);
                labels.push(class as i64);
                maps.extend(source.augmentation.draw(1, &mut stream));
            }
        }
        let x = if source.augmentation.moves() {
            source.bank.gather_moved(&rows, &maps)
        } else {
            source.bank.gather(&rows)
        };
        let y = Tensor::from_slice(&labels).to_device(x.device());
        let shape = source.shape(count, ways * (shots + queries));
        Episode { x: x.reshape(shape), y: y.reshape([count as i64, -1]), weight: None, support: 0 }
    }
}

/// The whole data set as one task: its training images are the support set, its test images the queries.
pub fn whole_dataset(data: &Dataset, bank: &ImageBank) -> Episode {
    let rows: Vec<usize> = (0..data.len()).collect();
    let labels: Vec<i64> = data.labels.iter().map(|&label| i64::from(label)).collect();
    let y = Tensor::from_slice(&labels).to_device(bank.device);
    let x = bank.gather(&rows).unsqueeze(0);
    Episode { x, y: y.unsqueeze(0), weight: None, support: data.training as i64 }
}
