//! Named tensors: meta-parameters theta.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};
use rand::RngExt;
use rand_distr::StandardNormal;
use tch::{Device, Kind, Tensor};

use crate::{misuse::misuse, random::Stream};

/// Name, shape and initial distribution of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Unique within its model.
    pub name: String,
    /// Without a task dimension.
    pub shape: Vec<i64>,
    /// Where training starts.
    pub initial: Initial,
    /// The number of its layer, from the input on.
    pub layer: usize,
    /// What it is in its layer.
    pub role: Role,
}

/// What a parameter is in its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Multiplies what comes in.
    Weight,
    /// Is added to that.
    Bias,
    /// Multiplies what was normalised.
    Scale,
    /// Is added to that.
    Shift,
    /// An input that belongs to the task, not to a row.
    Context,
    /// How fast another parameter moves.
    Rate,
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Every element the same.
    Constant(f64),
    /// Independent normal values of mean 0.
    Normal {
        /// Standard deviation.
        std: f64,
    },
    /// The same without what is more than two standard deviations from 0, which is drawn again.
    TruncatedNormal {
        /// Standard deviation before that.
        std: f64,
    },
    /// Independent values between two bounds, all alike likely.
    Uniform {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
}

impl Initial {
    /// One element.
    fn draw(self, stream: &mut Stream) -> f32 {
        match self {
            Self::Constant(value) => value as f32,
            Self::Normal { std } => stream.sample::<f32, _>(StandardNormal) * std as f32,
            Self::TruncatedNormal { std } => loop {
                let value: f32 = stream.sample(StandardNormal);
                if value.abs() <= 2.0 {
                    break value * std as f32;
                }
            },
            Self::Uniform { low, high } => (low + (high - low) * stream.random::<f64>()) as f32,
        }
    }
}

/// Named tensors in the model's order.
#[derive(Debug, Default)]
pub struct Params {
    /// One name per tensor.
    pub names: Vec<String>,
    /// The values, without a task dimension.
    pub tensors: Vec<Tensor>,
}

impl Params {
    /// Draws parameters from their initial distributions, in f32 on the CPU.
    pub fn init(parameters: &[Parameter], stream: &mut Stream) -> Self {
        let names = parameters.iter().map(|p| p.name.clone()).collect();
        let tensors = parameters
            .iter()
            .map(|p| {
                let count = p.shape.iter().product::<i64>();
                let values: Vec<f32> = (0..count).map(|_| p.initial.draw(stream)).collect();
                Tensor::from_slice(&values).reshape(&p.shape)
            })
            .collect();
        Self { names, tensors }
    }

    /// Independent copies without gradient history, on `device`.
    pub fn detached(&self, device: Device) -> Self {
        Self {
            names: self.names.clone(),
            tensors: self.tensors.iter().map(|t| t.detach().to_device(device).copy()).collect(),
        }
    }

    /// The same tensors, sharing their memory.
    pub fn share(&self) -> Self {
        let tensors = self.tensors.iter().map(Tensor::shallow_clone).collect();
        Self { names: self.names.clone(), tensors }
    }

    /// Those of the tensors that are wanted, sharing their memory; `wanted` has a place for each.
    pub fn only(&self, wanted: &[bool]) -> Self {
        let kept = self.iter().zip(wanted).filter(|(_, wanted)| **wanted);
        let (names, tensors) = kept.map(|((name, t), _)| (name.to_owned(), t.shallow_clone())).unzip();
        Self { names, tensors }
    }

    /// The same values as leaves of a new graph, to differentiate with respect to them.
    pub fn leaves(&self) -> Vec<Tensor> {
        self.tensors.iter().map(|t| t.detach().set_requires_grad(true)).collect()
    }

    /// Name and tensor, in the model's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.names.iter().map(String::as_str).zip(&self.tensors)
    }

    /// The shape of a tensor.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn shape(&self, name: &str) -> Result<Vec<i64>> {
        let found = self.iter().find(|(other, _)| *other == name);
        found.map(|(_, tensor)| tensor.size()).with_context(|| format!("there is no tensor {name}"))
    }

    /// Reads all tensors of a safetensors file, as f32 on the CPU.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        match Tensor::read_safetensors(path) {
            Ok(read) => {
                let (names, tensors): (_, Vec<Tensor>) = read.into_iter().unzip();
                Ok(Self { names, tensors: tensors.iter().map(|t| t.to_kind(Kind::Float)).collect() })
            }
            Err(error) => misuse!("cannot read the checkpoint {}: {error}", path.display()),
        }
    }

    /// Reads parameters of the names and shapes of `like` from a safetensors checkpoint, as f32 on the CPU.
    ///
    /// # Errors
    /// The file cannot be read, lacks one of them, or has it in another shape.
    pub fn from_checkpoint(path: &Path, like: &Self) -> Result<Self> {
        let read = Self::read(path)?;
        let mut found: BTreeMap<String, Tensor> = read.names.into_iter().zip(read.tensors).collect();
        let mut tensors = Vec::new();
        for (name, like) in like.iter() {
            let Some(tensor) = found.remove(name) else {
                let names: Vec<_> = found.keys().map(String::as_str).collect();
                misuse!(
                    "the checkpoint {} has no tensor {name}; it has {}",
                    path.display(),
                    names.join(", ")
                );
            };
            if tensor.size() != like.size() {
                misuse!(
                    "{name} in the checkpoint {} has shape {:?}, but the model of this experiment needs {:?}: \
                     make model and task.ways the checkpoint's, or name another checkpoint",
                    path.display(),
                    tensor.size(),
                    like.size()
                );
            }
            tensors.push(tensor);
        }
        Ok(Self { names: like.names.clone(), tensors })
    }
}
