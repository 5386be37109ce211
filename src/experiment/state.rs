//! A run's training state as a safetensors file, from which training goes on exactly.

use std::{collections::HashMap, io::ErrorKind, path::Path};

use anyhow::{Context, Result, anyhow, ensure};
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::{
    models::Params,
    train::{Best, State},
};

/// What is no tensor. One JSON text under one key: several keys would be written in random order.
#[derive(Serialize, Deserialize)]
struct Header {
    iteration: usize,
    stale: usize,
    best: Option<(usize, f64)>,
}

const KEY: &str = "quickstudy";

/// Names and f32 values of tensors as a safetensors file, with one text about them.
///
/// # Errors
/// Only if the format refuses the tensors.
pub fn to_safetensors(tensors: &[(String, &Tensor)], about: String) -> Result<Vec<u8>> {
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        let flat = tensor.to_device(Device::Cpu).to_kind(Kind::Float).flatten(0, -1);
        let values = Vec::<f32>::try_from(flat).with_context(|| format!("cannot read {name}"))?;
        let shape: Vec<usize> = tensor.size().iter().map(|&n| n as usize).collect();
        data.push((name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>()));
    }
    let views = data
        .iter()
        .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(serialize(views, Some(HashMap::from([(KEY.to_owned(), about)])))?)
}

/// The tensors of such a file, and the text about them.
///
/// # Errors
/// The file is damaged, or was not written by this program.
pub fn from_safetensors(bytes: &[u8]) -> Result<(SafeTensors<'_>, String)> {
    let (_, metadata) = SafeTensors::read_metadata(bytes)?;
    let text = metadata.metadata().as_ref().and_then(|texts| texts.get(KEY));
    let about = text.ok_or_else(|| anyhow!("it has no header of quickstudy's"))?.clone();
    Ok((SafeTensors::deserialize(bytes)?, about))
}

/// The state as bytes.
pub fn save(state: &State) -> Result<Vec<u8>> {
    let header = Header {
        iteration: state.iteration,
        stale: state.stale,
        best: state.best.as_ref().map(|best| (best.iteration, best.score)),
    };
    let best = state.best.iter().flat_map(|best| best.theta.iter());
    let mut tensors: Vec<(String, &Tensor)> = Vec::new();
    tensors.extend(state.theta.iter().map(|(name, t)| (format!("theta.{name}"), t)));
    tensors.extend(state.outer.iter().enumerate().map(|(i, t)| (format!("outer.{i}"), t)));
    tensors.extend(best.map(|(name, t)| (format!("best.{name}"), t)));
    to_safetensors(&tensors, serde_json::to_string(&header)?)
}

/// The state of a learner whose theta and outer state look like `fresh`'s; `None` where there is no file.
///
/// # Errors
/// The file is damaged or of another learner.
pub fn load(path: &Path, fresh: &State, device: Device) -> Result<Option<State>> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let read = || -> Result<State> {
        let (file, about) = from_safetensors(&bytes)?;
        let header: Header = serde_json::from_str(&about)?;
        let tensor = |name: String, like: &Tensor| -> Result<Tensor> {
            let view = file.tensor(&name)?;
            let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
            ensure!(view.dtype() == Dtype::F32 && shape == like.size(), "{name} has another type or shape");
            Ok(Tensor::from_data_size(view.data(), &shape, Kind::Float).to_device(device))
        };
        let params = |part: &str| -> Result<Params> {
            let theta = fresh.theta.iter();
            let tensors = theta.map(|(name, like)| tensor(format!("{part}.{name}"), like));
            Ok(Params { names: fresh.theta.names.clone(), tensors: tensors.collect::<Result<_>>()? })
        };
        let outer = fresh.outer.iter().enumerate().map(|(i, like)| tensor(format!("outer.{i}"), like));
        let best = header.best.map(|(iteration, score)| {
            Ok::<_, anyhow::Error>(Best { iteration, score, theta: params("best")?.detached(Device::Cpu) })
        });
        Ok(State {
            iteration: header.iteration,
            theta: params("theta")?,
            outer: outer.collect::<Result<_>>()?,
            best: best.transpose()?,
            stale: header.stale,
            paused: None,
        })
    };
    read()
        .map(Some)
        .with_context(|| format!("{} is damaged: delete it to train this run from the start", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outer::OuterSpec;

    fn params(values: &[f32]) -> Params {
        Params { names: vec!["a".into()], tensors: vec![Tensor::from_slice(values)] }
    }

    #[test]
    fn a_state_comes_back_as_it_was_and_its_bytes_are_the_same_each_time() {
        let fresh = State::new(params(&[0.0, 0.0]), &OuterSpec::default());
        let mut state = State::new(params(&[1.5, f32::MIN_POSITIVE]), &OuterSpec::default());
        state.iteration = 7;
        state.stale = 2;
        state.best = Some(Best { iteration: 5, score: 0.1 + 0.2, theta: params(&[0.1, -0.0]) });
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.safetensors");
        let bytes = save(&state).expect("saved");
        std::fs::write(&path, &bytes).expect("written");
        let back = load(&path, &fresh, Device::Cpu).expect("read").expect("there");
        assert_eq!(bytes, save(&back).expect("saved"));
        assert_eq!(back.best.expect("best").score, 0.1 + 0.2);

        std::fs::write(&path, &bytes[..bytes.len() - 3]).expect("written");
        let error = load(&path, &fresh, Device::Cpu).err().expect("damaged");
        assert!(format!("{error:#}").contains("delete it"), "{error:#}");
        let absent = folder.path().join("absent");
        assert!(load(&absent, &fresh, Device::Cpu).expect("no error").is_none());
    }
}
