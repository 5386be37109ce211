//! What a workload computes on: weights and episodes from a file, or noise.

use std::{
    ops::Range,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use bytesize::ByteSize;
use rand::{Rng, RngExt};
use tch::{Device, Kind, Tensor};

use super::workload::{INPUTS, Workload};
use crate::{
    data::Dataset,
    memory,
    misuse::misuse,
    models::Params,
    random::{Purpose, stream},
    tasks::{
        Episode, Extent, TaskSource,
        few_shot::{FewShot, ImageBank},
    },
};

/// The same meta-batch every time.
pub struct Fixed(Mutex<Episode>);

impl TaskSource for Fixed {
    fn sample(&self, _index: u64, tasks: Range<usize>) -> Episode {
        let Episode { x, y, weight, support } = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let part = |t: &Tensor| t.narrow(0, tasks.start as i64, tasks.len() as i64);
        Episode { x: part(x), y: part(y), weight: weight.as_ref().map(part), support: *support }
    }
}

/// A meta-batch of random images.
///
/// # Errors
/// It would fill more than the free memory.
pub fn noise(workload: &Workload, device: Device) -> Result<Fixed> {
    let Extent { support, queries, .. } = workload.extent();
    let rows = support + queries;
    let bytes = (workload.tasks * rows * INPUTS * size_of::<f32>()) as u64;
    if let Some(free) = memory::available()
        && bytes > free
    {
        misuse!(
            "the images of {} tasks take {}, but {} is free: take fewer --tasks, or --with-sampling, which draws them chunk by chunk",
            workload.tasks,
            ByteSize::b(bytes),
            ByteSize::b(free)
        );
    }
    let mut stream = stream(0, Purpose::Train, 0);
    let (tasks, task) = (workload.tasks as i64, [rows as i64, INPUTS as i64]);
    let x = Tensor::empty([tasks, task[0], task[1]], (Kind::Float, device));
    for i in 0..tasks {
        let values: Vec<f32> = (0..rows * INPUTS).map(|_| stream.random()).collect();
        x.get(i).copy_(&Tensor::from_slice(&values).reshape(task)); // one after the other, not to hold all twice
    }
    let y = workload.size.labels(workload.tasks, device);
    Ok(Fixed(Mutex::new(Episode { x, y, weight: None, support: support as i64 })))
}

/// Meta-batches drawn from 70,000 random images, as much memory as MNIST takes.
pub fn sampled(workload: &Workload, device: Device) -> FewShot {
    const IMAGES: usize = 70_000;
    let classes = workload.size.ways.max(10);
    let mut pixels = vec![0; IMAGES * INPUTS];
    stream(0, Purpose::Train, 0).fill_bytes(&mut pixels);
    let data = Dataset {
        name: "noise".into(),
        height: 28,
        width: 28,
        pixels: pixels.into(),
        labels: (0..IMAGES).map(|i| (i % classes) as u16).collect(),
        classes: (0..classes).map(|class| class.to_string()).collect(),
        groups: Vec::new(),
        training: IMAGES,
    };
    let pools = (0..classes).map(|class| (class..IMAGES).step_by(classes).collect()).collect();
    FewShot::new(ImageBank::new(&data, device), pools, workload.size, 0, Purpose::Train)
}

/// Weights and episodes from a safetensors file with `layer0.weight`, `layer0.bias`, ..., `support_x` `[T, S, D]`, `support_y`
/// `[T, S]`, `query_x` and `query_y`, for this workload and the parameters of `like`.
///
/// # Errors
/// The file cannot be read, lacks one of them, or has it in another shape.
pub fn from_file(path: &Path, workload: &Workload, like: &Params, device: Device) -> Result<(Params, Fixed)> {
    let file = match Tensor::read_safetensors(path) {
        Ok(file) => file,
        Err(error) => misuse!("--inputs {}: cannot be read: {error}", path.display()),
    };
    let get = |name: &str, shape: &[i64]| {
        let Some((_, tensor)) = file.iter().find(|(n, _)| n == name) else {
            let names: Vec<&str> = file.iter().map(|(n, _)| n.as_str()).collect();
            misuse!("--inputs {}: there is no tensor {name}; there is {}", path.display(), names.join(", "));
        };
        if tensor.size() != shape {
            misuse!(
                "--inputs {}: {name} has shape {:?}, but workload {} needs {shape:?}: write the file for this workload",
                path.display(),
                tensor.size(),
                workload.name
            );
        }
        anyhow::Ok(tensor.to_device(device))
    };
    let (tasks, inputs) = (workload.tasks as i64, INPUTS as i64);
    let Extent { support, queries, .. } = workload.extent();
    let (s, q) = (support as i64, queries as i64);
    let mut tensors = Vec::new();
    for (name, like) in like.iter() {
        tensors.push(get(name, &like.size())?.to_kind(Kind::Float));
    }
    let x = [get("support_x", &[tasks, s, inputs])?, get("query_x", &[tasks, q, inputs])?];
    let y = [get("support_y", &[tasks, s])?, get("query_y", &[tasks, q])?];
    let ways = workload.size.ways as f64;
    for labels in &y {
        let labels = labels.to_kind(Kind::Double);
        let whole = labels.round().eq_tensor(&labels);
        if whole.logical_and(&labels.ge(0.0)).logical_and(&labels.lt(ways)).all().int64_value(&[]) != 1 {
            misuse!(
                "--inputs {}: support_y and query_y must hold labels from 0 to {}",
                path.display(),
                ways - 1.0
            );
        }
    }
    let episode = Episode {
        x: Tensor::cat(&x, 1).to_kind(Kind::Float),
        y: Tensor::cat(&y, 1).to_kind(Kind::Int64),
        weight: None,
        support: s,
    };
    Ok((Params { names: like.names.clone(), tensors }, Fixed(Mutex::new(episode))))
}
