//! Few-shot classification: N classes, K support images and Q queries of each.

use std::{ops::Range, sync::Arc};

use rand::{RngExt, seq::index::sample};
use tch::{Device, Kind, Tensor, no_grad};

use super::{
    Episode, TaskSource,
    augmentation::{Augmentation, Map, quarter_turn, transform},
};
use crate::{
    data::Dataset,
    random::{Purpose, Stream, stream},
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

impl FewShot {
    /// Episodes whose classes are `pools`; meta-batch `i` comes from the stream (`seed`, `purpose`, `i`).
    ///
    /// The pools must hold at least N classes of K + Q images each, which the experiment's checks see to.
    pub fn new(bank: ImageBank, pools: Vec<Vec<usize>>, size: TaskSize, seed: u64, purpose: Purpose) -> Self {
        Self { bank, pools, size, augmentation: Augmentation::default(), seed, purpose }
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

    /// Draws a task: N classes in random order (so labels are permuted), K + Q different images of each, class by class.
    pub fn draw(&self, stream: &mut Stream) -> Vec<usize> {
        let TaskSize { ways, shots, queries } = self.size;
        let mut rows = Vec::with_capacity(ways * (shots + queries));
        for class in sample(stream, self.pools.len(), ways) {
            let pool = &self.pools[class];
            rows.extend(sample(stream, pool.len(), shots + queries).into_iter().map(|i| pool[i]));
        }
        rows
    }

    /// The episode of tasks drawn by [`FewShot::draw`], one after the other in `rows`, with these sizes.
    ///
    /// Of each class the first `size.shots` images are support and the last `size.queries` queries.
    pub fn assemble(&self, rows: &[usize], size: TaskSize) -> Episode {
        let block = self.size.shots + self.size.queries; // images drawn per class
        let tasks = rows.len() / (block * size.ways);
        let order = support_first(size, block);
        let picked: Vec<usize> =
            rows.chunks_exact(block * size.ways).flat_map(|task| order.iter().map(|&i| task[i])).collect();
        let x = self.bank.gather(&picked).reshape(self.shape(tasks, order.len()));
        Episode { y: self.labels(tasks, size), x, support: (size.ways * size.shots) as i64 }
    }

    /// Labels `[T, N*K + N*Q]`: the place of each row's class in its task.
    fn labels(&self, tasks: usize, size: TaskSize) -> Tensor {
        let of = |count: usize| (0..size.ways).flat_map(move |way| vec![way as i64; count]);
        let labels: Vec<i64> = of(size.shots).chain(of(size.queries)).collect();
        Tensor::from_slice(&labels).to_device(self.bank.device).repeat([tasks as i64, 1])
    }

    /// Images `[rows, D]`, each moved by its map.
    fn transformed(&self, images: &Tensor, maps: &[Map]) -> Tensor {
        let square = images.reshape([-1, 1, self.bank.height as i64, self.bank.width as i64]);
        no_grad(|| transform(&square, maps)).reshape(images.size())
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

impl TaskSource for FewShot {
    fn sample(&self, index: u64, tasks: Range<usize>) -> Episode {
        let (count, block) = (tasks.len(), self.size.shots + self.size.queries);
        let (mut rows, mut maps) = (Vec::new(), Vec::new());
        for task in tasks {
            let mut stream = self.stream(index, task);
            rows.extend(self.draw(&mut stream));
            if self.augmentation.moves() {
                maps.extend((0..self.size.ways).flat_map(|_| self.augmentation.draw(block, &mut stream)));
            }
        }
        let mut episode = self.assemble(&rows, self.size);
        if self.augmentation.moves() {
            let order = support_first(self.size, block);
            let maps: Vec<Map> =
                maps.chunks_exact(order.len()).flat_map(|task| order.iter().map(|&i| task[i])).collect();
            let images = episode.x.reshape([-1, self.bank.inputs() as i64]);
            episode.x = self.transformed(&images, &maps).reshape(self.shape(count, order.len()));
        }
        episode
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
        let mut x = source.bank.gather(&rows);
        if source.augmentation.moves() {
            x = source.transformed(&x, &maps);
        }
        let y = Tensor::from_slice(&labels).to_device(x.device());
        let shape = source.shape(count, ways * (shots + queries));
        Episode { x: x.reshape(shape), y: y.reshape([count as i64, -1]), support: 0 }
    }
}

/// The whole data set as one task: its training images are the support set, its test images the queries.
pub fn whole_dataset(data: &Dataset, bank: &ImageBank) -> Episode {
    let rows: Vec<usize> = (0..data.len()).collect();
    let labels: Vec<i64> = data.labels.iter().map(|&label| i64::from(label)).collect();
    let y = Tensor::from_slice(&labels).to_device(bank.device);
    Episode { x: bank.gather(&rows).unsqueeze(0), y: y.unsqueeze(0), support: data.training as i64 }
}
