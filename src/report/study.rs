//! A study of a report.

use std::path::Path;

use anyhow::{Context, Result};

use super::table::Table;
use crate::{
    experiment::files::FIGURES,
    figures::study::caption,
    misuse::misuse,
    sweep::{
        files::SWEEP,
        names::Names,
        report::Standing,
        space::Assigned,
        study::{recorded, sweep},
        trial::Trial,
    },
};

/// A study with its best trials and figures.
pub struct StudySection {
    /// Its name.
    pub name: String,
    /// How many trials ended how.
    pub found: String,
    /// The best trials.
    pub table: Table,
    /// Name, caption and SVG text of its figures.
    pub figures: Vec<(String, String, String)>,
    /// The sweep as it was run.
    pub yaml: String,
}

/// Best trials that are listed.
const LISTED: usize = 10;

/// Whether a folder is a study's.
pub fn is_study(folder: &Path) -> bool {
    folder.join(SWEEP).exists()
}

impl StudySection {
    /// Reads a study's folder.
    ///
    /// # Errors
    /// No trial has a result yet, or a file is damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let sweep = sweep(folder)?;
        let trials = recorded(folder, &sweep)?;
        let best = sweep.best_first(&trials, LISTED);
        if best.is_empty() {
            misuse!("{} has no trial with a result yet: go on with the sweep", folder.display());
        }
        let found = format!(
            "{} trials: {} trained to the end, {} pruned, {} failed.",
            trials.len(),
            sweep.count(&trials, Standing::Done),
            sweep.count(&trials, Standing::Pruned),
            sweep.count(&trials, Standing::Failed)
        );
        let names = Names::of(&sweep.space);
        let cells = |trial: &&Trial| {
            let score = sweep.objective().shown(trial.score().unwrap_or(f64::NAN));
            let iterations = trial.rungs.last().map_or(0, |rung| rung.iterations);
            let mut cells = vec![trial.number.to_string(), format!("{score:.4}"), iterations.to_string()];
            cells.extend(
                names.iter().map(|(path, _)| trial.value(path).map_or_else(String::new, Assigned::text)),
            );
            cells
        };
        let mut header = vec!["trial".to_owned(), sweep.objective().label(), "iterations".to_owned()];
        header.extend(names.iter().map(|(_, name)| name.to_owned()));
        let table = Table {
            name: "best-trials".into(),
            caption: "The best trials, judged on validation episodes; the winner's test is an experiment of its own.".into(),
            header,
            rows: best.iter().map(cells).collect(),
        };
        Ok(Self {
            found,
            table,
            figures: figures(folder)?,
            yaml: serde_saphyr::to_string(&sweep)?,
            name: sweep.name,
        })
    }
}

/// The study's figures as they were drawn last.
fn figures(folder: &Path) -> Result<Vec<(String, String, String)>> {
    let folder = folder.join(FIGURES);
    let mut figures = Vec::new();
    let entries =
        std::fs::read_dir(&folder).map(|entries| entries.flatten().collect()).unwrap_or_else(|_| Vec::new());
    for entry in entries {
        let path = entry.path();
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        if let (Some(caption), true) = (caption(&name), path.extension().is_some_and(|end| end == "svg")) {
            let svg =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            figures.push((name, caption.to_owned(), svg));
        }
    }
    figures.sort();
    Ok(figures)
}
