//! `quickstudy list`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::say;

use crate::{
    algorithms::AlgorithmSpec,
    data,
    inner::RuleSpec,
    models::ModelSpec,
    outer::OuterSpec,
    registry::Entry,
    sweep::{pruner::PrunerSpec, sampler::SamplerSpec},
    tasks::TaskSpec,
};

/// List what experiment and sweep files can name, with the defaults
///
/// Examples:
///   quickstudy list
///   quickstudy list algorithms
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// What to list; everything unless said otherwise
    #[arg(value_enum)]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Algorithms,
    Families,
    Datasets,
    Models,
    Rules,
    Optimisers,
    Samplers,
    Pruners,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let mut text = String::new();
        for kind in Kind::value_variants().iter().filter(|kind| self.kind.is_none_or(|only| only == **kind)) {
            text += &match kind {
                Kind::Algorithms => {
                    let sources = AlgorithmSpec::all();
                    let note = |i: usize| format!("    source: {}\n", sources[i].source());
                    section("algorithms", AlgorithmSpec::ENTRIES, &sources, note)?
                }
                Kind::Families => {
                    let families = TaskSpec::all();
                    let note = |i: usize| format!("    source: {}\n", families[i].source());
                    section("families of tasks", TaskSpec::ENTRIES, &families, note)?
                }
                Kind::Datasets => datasets(),
                Kind::Models => section("models", ModelSpec::ENTRIES, &ModelSpec::all(), |_| String::new())?,
                Kind::Rules => {
                    section("inner rules", RuleSpec::ENTRIES, &RuleSpec::all(), |_| String::new())?
                }
                Kind::Optimisers => {
                    section("outer optimisers", OuterSpec::ENTRIES, &OuterSpec::all(), |_| String::new())?
                }
                Kind::Samplers => {
                    section("samplers of sweeps", SamplerSpec::ENTRIES, &SamplerSpec::all(), |_| {
                        String::new()
                    })?
                }
                Kind::Pruners => {
                    section("pruners of sweeps", PrunerSpec::ENTRIES, &PrunerSpec::all(), |_| String::new())?
                }
            };
        }
        say(text.trim_start())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Name, description, whatever `note` adds, and defaults of everything in a registry.
fn section(
    title: &str,
    entries: &[Entry],
    defaults: &[impl Serialize],
    note: impl Fn(usize) -> String,
) -> Result<String> {
    let mut text = format!("\n{title}\n");
    for (i, (entry, default)) in entries.iter().zip(defaults).enumerate() {
        let json = serde_json::to_value(default)?;
        let settings = json.get(entry.name).map(flow).unwrap_or_default();
        text += &format!("  {}\n    {}\n{}    defaults: {settings}\n", entry.name, entry.about, note(i));
    }
    Ok(text)
}

/// A value in YAML's one-line form.
fn flow(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(map) => {
            let items: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{{}}}", items.join(", "))
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn datasets() -> String {
    let mut text = "\ndata sets\n".to_owned();
    for entry in data::REGISTRY {
        let ((training, test), (height, width)) = (entry.images, entry.size);
        text += &format!(
            "  {}\n    {}\n    source: {}\n    {} classes, {training} + {test} images of {height} x {width}\n",
            entry.name, entry.summary, entry.source, entry.classes
        );
    }
    text + "  {idx: FOLDER}\n    Any data set in IDX form (Fashion-MNIST, KMNIST, EMNIST), from a folder with its four files.\n  \
            {images: {folder: FOLDER, size: [28, 28]}}\n    Your own images: a folder for each class, or train, val and test with one for each class.\n  \
            {omniglot: {resample: area, ink: 0, size: 28}}\n    Omniglot, made smaller in another way.\n"
}
