//! A study of a report.

use std::path::Path;

use anyhow::{Context, Result};

use super::table::Table;
use crate::figures::study::caption;

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
    folder.join("sweep.yaml").exists()
}

impl StudySection {
    /// Reads a study's folder.
    ///
    /// # Errors
    /// It has no trial yet, or a file is damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let read = |name: &str| {
            let file = folder.join(name);
            std::fs::read_to_string(&file).with_context(|| {
                format!("cannot read {}: run the sweep until it has a result", file.display())
            })
        };
        let yaml = read("sweep.yaml")?;
        let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let text = read("study.csv")?;
        let file = folder.join("study.csv");
        let damaged = || format!("{} is damaged: run the sweep again, which writes it anew", file.display());
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let header: Vec<String> = csv.headers().with_context(damaged)?.iter().map(str::to_owned).collect();
        let rows: Vec<csv::StringRecord> = csv.records().collect::<Result<_, _>>().with_context(damaged)?;
        let column = |name: &str| header.iter().position(|cell| cell == name).with_context(damaged);
        let (trial, state, score) = (column("trial")?, column("state")?, column("score")?);
        let mut last: Vec<&csv::StringRecord> = Vec::new();
        for row in &rows {
            match last.last_mut() {
                Some(known) if known[trial] == row[trial] => *known = row,
                _ => last.push(row),
            }
        }
        let count = |name: &str| last.iter().filter(|row| &row[state] == name).count();
        let found = format!(
            "{} trials: {} trained to the end, {} pruned, {} failed.",
            last.len(),
            count("done"),
            count("pruned"),
            count("failed")
        );
        let value = |row: &&csv::StringRecord| row[score].parse::<f64>().unwrap_or(f64::NEG_INFINITY);
        let mut best: Vec<&csv::StringRecord> =
            last.into_iter().filter(|row| &row[state] == "done").collect();
        best.sort_by(|a, b| value(b).total_cmp(&value(a)));
        let shown: Vec<usize> =
            (0..header.len()).filter(|place| !["state", "rung"].contains(&header[*place].as_str())).collect();
        let cells = |row: &csv::StringRecord| shown.iter().map(|place| row[*place].to_owned()).collect();
        let table = Table {
            name: "best-trials".into(),
            caption: "The best trials, judged on validation episodes; the winner's test is an experiment of its own.".into(),
            header: shown.iter().map(|place| header[*place].clone()).collect(),
            rows: best.into_iter().take(LISTED).map(cells).collect(),
        };
        Ok(Self { found, table, figures: figures(folder)?, yaml, name })
    }
}

/// The study's figures as they were drawn last.
fn figures(folder: &Path) -> Result<Vec<(String, String, String)>> {
    let folder = folder.join("figures");
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
