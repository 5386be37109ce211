//! What a run answered in its test, `predictions.safetensors`: any later measure is then a re-read, not a re-run.
//!
//! A tensor `shots<K>` `[E, steps, Q, O]` for each number of shots, `targets` `[E, Q]` (labels) or `[E, Q, O]` (numbers), and `weights<K>`
//! `[E, Q]` and `bins<K>` `[E, Q]` if rows have any. Logits of classes and labels are half precision, everything else is single.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::ErrorKind,
    path::Path,
};

use anyhow::{Context, Result, anyhow, ensure};
use half::f16;
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};

use super::{files::PREDICTIONS, plan::Run};
use crate::{
    measures::{Measure, Predictions},
    records::{EvaluationRow, TaskKind},
};

/// Larger files are not written.
pub const MOST_BYTES: usize = 64 << 20;

const WEIGHTS: &str = "weights";

/// The tensor of the weights with so many shots.
fn weights_of(shots: usize) -> String {
    format!("{WEIGHTS}{shots}")
}

const BINS: &str = "bins";

/// The tensor of the bins with so many shots.
fn bins_of(shots: usize) -> String {
    format!("{BINS}{shots}")
}

/// The answers of a run, in the order of its numbers of steps, by number of shots.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers(pub Vec<(usize, Vec<Predictions>)>);

impl Answers {
    /// The file's bytes; none where nothing was kept.
    ///
    /// # Errors
    /// Only if the format refuses the tensors.
    pub fn to_bytes(&self) -> Result<Option<Vec<u8>>> {
        let Some(first) = self.0.first().and_then(|(_, of_steps)| of_steps.first()) else { return Ok(None) };
        let Predictions { episodes, queries, .. } = *first;
        let kind = kind(first);
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (shots, of_steps) in &self.0 {
            let each = first.outputs.len() / episodes.max(1); // outputs of an episode
            let outputs = (0..episodes).flat_map(|episode| {
                of_steps.iter().flat_map(move |of| of.outputs[episode * each..(episode + 1) * each].iter())
            });
            let shape = vec![episodes, of_steps.len(), queries, first.width()];
            tensors.push((format!("shots{shots}"), shape, bytes(outputs, kind)));
            if let Some(weights) = of_steps.first().and_then(|of| of.weights.as_ref()) {
                tensors.push((
                    weights_of(*shots),
                    vec![episodes, queries],
                    bytes(weights.iter(), Dtype::F32),
                ));
            }
            if let Some(bins) = of_steps.first().and_then(|of| of.bins.as_ref()) {
                let bytes = bins.iter().flat_map(|bin| bin.to_le_bytes()).collect();
                tensors.push((bins_of(*shots), vec![episodes, queries], bytes));
            }
        }
        let mut shape = vec![episodes, queries];
        shape.extend((!first.are_labelled()).then_some(first.width()));
        tensors.push(("targets".into(), shape, bytes(first.targets.iter(), kind)));
        let views = tensors.iter().map(|(name, shape, bytes)| {
            let kind = match name {
                name if name.starts_with(WEIGHTS) => Dtype::F32,
                name if name.starts_with(BINS) => Dtype::U32,
                _ => kind,
            };
            Ok((name.as_str(), TensorView::new(kind, shape.clone(), bytes)?))
        });
        Ok(Some(serialize(views.collect::<Result<Vec<_>>>()?, None::<HashMap<String, String>>)?))
    }

    /// Those of a file, with so many steps; none where there is no file.
    ///
    /// # Errors
    /// The file is damaged, or of another test.
    pub fn read(path: &Path, shots: &[usize], steps: usize) -> Result<Option<Self>> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let read = || -> Result<Self> {
            let file = SafeTensors::deserialize(&bytes)?;
            let targets = numbers(&file.tensor("targets")?)?;
            let of_shots = |shots: &usize| -> Result<(usize, Vec<Predictions>)> {
                let weights = file.tensor(&weights_of(*shots)).ok();
                let weights = weights.map(|weights| numbers(&weights)).transpose()?;
                let bins: Option<Vec<u32>> = file.tensor(&bins_of(*shots)).ok().map(|bins| {
                    let (words, _) = bins.data().as_chunks();
                    words.iter().map(|word| u32::from_le_bytes(*word)).collect()
                });
                let view = file.tensor(&format!("shots{shots}"))?;
                let [episodes, of_steps, queries, width] = *view.shape() else {
                    return Err(anyhow!("shots{shots} has no four sizes"));
                };
                ensure!(of_steps == steps, "it has {of_steps} numbers of steps, not {steps}");
                let outputs = numbers(&view)?;
                let each = queries * width;
                let of_step = |step: usize| Predictions {
                    outputs: outputs
                        .chunks(each.max(1))
                        .skip(step)
                        .step_by(steps.max(1))
                        .flatten()
                        .copied()
                        .collect(),
                    targets: targets.clone(),
                    weights: weights.clone(),
                    bins: bins.clone(),
                    episodes,
                    queries,
                };
                let rows = episodes * queries;
                let fit = [rows, rows * width].contains(&targets.len())
                    && weights.as_ref().is_none_or(|weights| weights.len() == rows)
                    && bins.as_ref().is_none_or(|bins| bins.len() == rows);
                ensure!(fit, "targets or weights do not fit shots{shots}");
                Ok((*shots, (0..steps).map(of_step).collect()))
            };
            Ok(Self(shots.iter().map(of_shots).collect::<Result<_>>()?))
        };
        read().map(Some).with_context(|| {
            format!("{} is damaged: delete its folder and run the experiment again", path.display())
        })
    }
}

/// Adds measures to the rows of a run's test, computed from what it answered; false where that was not kept.
///
/// # Errors
/// The file is damaged, or of another test.
pub fn complete(
    rows: &mut [EvaluationRow],
    measures: &[&'static dyn Measure],
    run: &Run,
    results: &Path,
) -> Result<bool> {
    let steps = run.steps;
    let file = results.join(run.file(PREDICTIONS));
    let Some(Answers(answers)) = Answers::read(&file, &run.test_shots, steps.len())? else {
        return Ok(false);
    };
    for measure in measures {
        let mut values: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
        for (shots, of_steps) in &answers {
            let of_steps = steps.iter().zip(of_steps);
            values.extend(of_steps.map(|(step, given)| ((*shots, *step), measure.of_each(given))));
        }
        for row in rows.iter_mut().filter(|row| row.task == TaskKind::FewShot) {
            let value = values.get(&(row.shots, row.step)).and_then(|of| of.get(row.episode)).copied();
            row.values.set(measure.name(), value);
        }
    }
    Ok(true)
}

/// What numbers are written as.
fn kind(predictions: &Predictions) -> Dtype {
    if predictions.are_labelled() { Dtype::F16 } else { Dtype::F32 }
}

/// The bytes of the file for a test of so many episodes, numbers of shots and numbers of steps, from some of it.
pub fn bytes_of(some: &Predictions, sizes: [usize; 3]) -> usize {
    let each = some.outputs.len().div_ceil(some.episodes.max(1)) * kind(some).bitsize() / 8;
    sizes.into_iter().fold(each, usize::saturating_mul)
}

fn bytes<'a>(numbers: impl Iterator<Item = &'a f32>, kind: Dtype) -> Vec<u8> {
    match kind {
        Dtype::F16 => numbers.flat_map(|number| half(*number).to_le_bytes()).collect(),
        _ => numbers.flat_map(|number| number.to_le_bytes()).collect(),
    }
}

/// The nearest number of half precision; one that is too large for it stays a number.
fn half(number: f32) -> f16 {
    let most = f16::MAX.to_f32();
    f16::from_f32(if number.is_finite() { number.clamp(-most, most) } else { number })
}

fn numbers(view: &TensorView) -> Result<Vec<f32>> {
    let data = view.data();
    match view.dtype() {
        Dtype::F16 => {
            Ok(data.chunks_exact(2).map(|two| f16::from_le_bytes([two[0], two[1]]).to_f32()).collect())
        }
        Dtype::F32 => {
            Ok(data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        }
        other => Err(anyhow!("{other:?} is no kind of number that is written")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(answers: &Answers, steps: usize) -> Result<Option<Answers>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(PREDICTIONS);
        let bytes = answers.to_bytes().expect("tensors").expect("something to write");
        assert_eq!(
            bytes,
            answers.to_bytes().expect("tensors").expect("the same"),
            "the same bytes each time"
        );
        fs::write(&path, bytes).expect("written");
        Answers::read(&path, &answers.0.iter().map(|(shots, _)| *shots).collect::<Vec<_>>(), steps)
    }

    fn predictions(width: usize, targets: usize, step: usize) -> Predictions {
        Predictions {
            outputs: (0..6 * width).map(|i| (i + 10 * step) as f32 * 0.5).collect(),
            targets: (0..6 * targets).map(|i| (i % width) as f32).collect(),
            weights: (targets > 1).then(|| vec![0.3; 6]),
            bins: (targets == 1 && width == 1).then(|| vec![4, 0, 70_000, 4, 4, 1]),
            episodes: 2,
            queries: 3,
        }
    }

    #[test]
    fn answers_come_back_by_shots_and_steps() {
        for (width, targets) in [(3, 1), (2, 2), (1, 1)] {
            let of = |shots: usize| (0..4).map(|step| predictions(width, targets, step + shots)).collect();
            let answers = Answers(vec![(1, of(1)), (5, of(5))]);
            assert_eq!(back(&answers, 4).expect("sound"), Some(answers.clone()));
            let error = format!("{:#}", back(&answers, 5).expect_err("another test"));
            assert!(error.contains("4 numbers of steps, not 5"), "{error}");
        }
        assert_eq!(Answers::read(Path::new("nowhere"), &[1], 1).expect("no error"), None);
        assert_eq!(Answers::default().to_bytes().expect("nothing"), None);
    }

    #[test]
    fn logits_are_half_precision_and_what_diverged_stays_so() {
        let mut logits = predictions(3, 1, 0);
        logits.outputs[..4].copy_from_slice(&[1.000_1, f32::NAN, f32::INFINITY, 1e9]);
        let Some(Answers(answers)) = back(&Answers(vec![(1, vec![logits])]), 1).expect("sound") else {
            panic!("there")
        };
        let outputs = &answers[0].1[0].outputs;
        let kept = outputs[0] == 1.0 && outputs[1].is_nan() && outputs[2].is_infinite();
        assert!(kept && outputs[3] == 65_504.0, "{:?}", &outputs[..4]);
        assert_eq!(bytes_of(&predictions(3, 1, 0), [100, 2, 4]), 100 * 2 * 4 * 3 * 3 * 2);
        assert_eq!(bytes_of(&predictions(1, 1, 0), [100, 2, 4]), 100 * 2 * 4 * 3 * 4);
    }
}
