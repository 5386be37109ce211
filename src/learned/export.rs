//! A learned network for PyTorch: its weights as `nn.Sequential` names them, and the Python that builds it.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use tch::Tensor;

use super::Learned;
use crate::{
    experiment::{files::CHECKPOINT, folder::write_whole, state::to_safetensors},
    misuse::{Misuse, misuse},
    models::{Params, pytorch::Module},
};

/// The weights.
pub const WEIGHTS: &str = "model.safetensors";
/// The Python that loads them.
pub const LOADER: &str = "load_model.py";

/// What the network is for, in the loader.
const CLASSIFIER: &str = "\
Takes images [batch, ...] of grey values from 0 to 1 as its data set has them (MNIST: 0 is paper, 1 is ink), flattened or not;
gives logits [batch, classes]. It is an initialisation: before it can classify, it must be adapted to the few labelled images of a
task.";
const REGRESSOR: &str = "\
Takes numbers [batch, inputs]; gives numbers [batch, outputs]. It is an initialisation: before it can answer, it must be adapted to the
points that are known of a task.";

/// Writes [`WEIGHTS`] and [`LOADER`] into a folder.
///
/// # Errors
/// A `Misuse` for a method without a network; the files cannot be written.
pub fn export(learned: &Learned, folder: &Path) -> Result<()> {
    let theta = Params::read(&learned.folder.join(CHECKPOINT))?;
    let run = learned.run(&learned.experiment)?;
    if theta.names.is_empty() {
        misuse!(
            "{}: its method ({}) has no network: there is nothing to export",
            learned.folder.display(),
            run.method.algorithm.name()
        );
    }
    let misfit = || format!("{} does not fit its experiment's model", learned.folder.display());
    let modules = match learned.experiment.model.modules(&theta) {
        Err(error) if error.is::<Misuse>() => return Err(error),
        modules => modules.with_context(misfit)?,
    };
    let mut tensors: Vec<(String, &Tensor)> = Vec::new();
    for (number, module) in modules.iter().enumerate() {
        for (name, ours) in &module.tensors {
            let tensor = theta.iter().find(|(name, _)| name == ours).with_context(misfit)?.1;
            tensors.push((format!("{number}.{name}"), tensor));
        }
    }
    let about = json!({"experiment": learned.experiment.name, "run": learned.name}).to_string();
    write_whole(&folder.join(WEIGHTS), &to_safetensors(&tensors, about)?)?;
    write_whole(&folder.join(LOADER), loader(learned, &modules)?.as_bytes())
}

fn loader(learned: &Learned, modules: &[Module]) -> Result<String> {
    let Learned { experiment, name, .. } = learned;
    let method = serde_json::to_string(&learned.run(experiment)?.method.algorithm)?;
    let use_of_it = if experiment.task.words().classes.is_some() { CLASSIFIER } else { REGRESSOR };
    let lines: String = modules.iter().map(|module| format!("        {},\n", module.code)).collect();
    Ok(format!(
        r#""""What the run {name} of the experiment {experiment} learned, as a network of PyTorch: model = load_model().

{use_of_it} The run's method does so in this way:

    {method}

Needs torch and safetensors. For ONNX: torch.onnx.export(load_model(), (inputs,), "model.onnx").
"""

from pathlib import Path

from safetensors.torch import load_file
from torch import nn


def load_model(weights=Path(__file__).with_name("{WEIGHTS}")):
    network = nn.Sequential(
{lines}    )
    network.load_state_dict(load_file(weights))
    return nn.Sequential(nn.Flatten(), network)
"#,
        experiment = experiment.name,
    ))
}
