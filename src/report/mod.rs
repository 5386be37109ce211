//! The report: one page that says what was asked, what was done and what was found, from the files of one or more experiments or
//! studies; the same in Markdown, and its tables for LaTeX and spreadsheets.

mod comparisons;
mod long_table;
mod markdown;
mod page;
mod protocol;
mod section;
mod students;
mod study;
mod surroundings;
mod table;
mod tile;

use std::path::Path;

use anyhow::Result;

use crate::{
    experiment::{
        files::{FIGURES, REPORT},
        folder::write_whole,
    },
    misuse::misuse,
    records::Damage,
    stats::comparison::correct,
};
use long_table::LongTable;
use section::Section;
use study::StudySection;
use table::Table;

/// What a report is about.
pub struct Report {
    experiments: Vec<Section>,
    studies: Vec<StudySection>,
    /// Said before anything else.
    warnings: Vec<String>,
}

impl Report {
    /// Reads results folders, of experiments and of studies. Lines that cannot be read are an error, or left out and named.
    ///
    /// # Errors
    /// A folder holds no results, or damaged ones.
    pub fn read(folders: &[impl AsRef<Path>], damage: &mut Damage) -> Result<Self> {
        let mut report = Self { experiments: Vec::new(), studies: Vec::new(), warnings: Vec::new() };
        for folder in folders.iter().map(AsRef::as_ref) {
            if study::is_study(folder) {
                report.studies.push(StudySection::read(folder)?);
            } else {
                let section = Section::read(folder, damage)?;
                if section.tests.is_empty() {
                    misuse!(
                        "{} holds no test results yet: finish the experiment with --resume",
                        folder.display()
                    );
                }
                report.experiments.push(section);
            }
        }
        let sections = report.experiments.iter_mut();
        correct(sections.flat_map(|section| &mut section.tests).flat_map(|(_, of)| &mut of.pairs));
        report.warnings = damage.named().to_vec();
        for section in report.experiments.iter().skip(1) {
            let first = &report.experiments[0];
            let differ = protocol::differences(&first.protocol, &section.protocol);
            if !differ.is_empty() {
                report.warnings.push(format!(
                    "{} and {} do not follow the same protocol, so that their numbers cannot be compared: they differ in {}",
                    first.name,
                    section.name,
                    differ.join(", ")
                ));
            }
        }
        Ok(report)
    }

    /// Writes `report.html`, `report.md` and `tables/` into a folder.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        for (prefix, table) in self.tables() {
            let file = |ending: &str| folder.join("tables").join(format!("{prefix}{}.{ending}", table.name));
            write_whole(&file("tex"), table.latex().as_bytes())?;
            write_whole(&file("csv"), &table.csv()?)?;
        }
        for (prefix, table) in self.long_tables() {
            let file = format!("{prefix}{}.csv", table.shown.name);
            write_whole(&folder.join("tables").join(file), &table.csv)?;
        }
        for figure in self.experiments.iter().flat_map(|section| &section.figures) {
            write_whole(
                &folder.join(FIGURES).join(&figure.name).with_extension("svg"),
                figure.svg.as_bytes(),
            )?;
        }
        write_whole(&folder.join("report.md"), self.markdown().as_bytes())?;
        write_whole(&folder.join(REPORT), self.page()?.as_bytes())
    }

    /// What a reader is warned of, all in one list.
    pub fn warnings(&self) -> impl Iterator<Item = &String> {
        self.warnings.iter().chain(self.experiments.iter().flat_map(|section| &section.warnings))
    }

    /// The protocols side by side.
    fn protocol(&self) -> Option<Table> {
        let experiments: Vec<_> = self
            .experiments
            .iter()
            .map(|section| (section.name.as_str(), section.protocol.as_slice()))
            .collect();
        (!experiments.is_empty()).then(|| protocol::table(&experiments))
    }

    /// What keeps the tables of several experiments apart.
    fn prefix(&self, name: &str) -> String {
        let several = self.experiments.len() + self.studies.len() > 1;
        if several { format!("{name}-") } else { String::new() }
    }

    /// The tables of which a page shows only a part.
    fn long_tables(&self) -> impl Iterator<Item = (String, &LongTable)> {
        self.experiments
            .iter()
            .flat_map(|section| section.teacher.iter().map(|view| (self.prefix(&section.name), &view.table)))
    }

    /// All other tables.
    fn tables(&self) -> Vec<(String, Table)> {
        let mut tables: Vec<(String, Table)> = Vec::new();
        for section in &self.experiments {
            tables.extend(section.tables().into_iter().map(|table| (self.prefix(&section.name), table)));
        }
        tables.extend(self.studies.iter().map(|study| (self.prefix(&study.name), study.table.clone())));
        tables.extend(self.protocol().map(|table| (String::new(), table)));
        tables
    }

    /// What the whole is called.
    fn title(&self) -> String {
        let names = self
            .experiments
            .iter()
            .map(|s| s.name.as_str())
            .chain(self.studies.iter().map(|s| s.name.as_str()));
        names.collect::<Vec<_>>().join(", ")
    }
}
