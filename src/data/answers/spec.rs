//! How the experiment file says where answers come from.

use anyhow::Result;
use garde::{Path, Report, Validate, util::nested_path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answers, Assistments, LongCsv, Pykt};
use crate::data::Source;

/// A file of answers, by its form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnswersSpec {
    /// A CSV file with a row for each answer.
    Csv(Box<LongCsv>),
    /// A file that pyKT has prepared.
    Pykt(Pykt),
    /// A file of ASSISTments as downloaded.
    Assistments(Assistments),
}

impl AnswersSpec {
    /// The file's name without its folder and its ending.
    pub fn title(&self) -> String {
        let file = match self {
            Self::Csv(csv) => &csv.file,
            Self::Pykt(pykt) => &pykt.file,
            Self::Assistments(assistments) => &assistments.file,
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split('.').next().unwrap_or_default().to_owned()
    }

    /// Reads the answers. A relative file that is not below the working directory is looked for in `source.data_dir`.
    ///
    /// # Errors
    /// A `Misuse` with file, line and what was expected.
    pub fn load(&self, source: &Source) -> Result<Answers> {
        let answers = match self {
            Self::Csv(csv) => csv.load(source),
            Self::Pykt(pykt) => pykt.load(source),
            Self::Assistments(assistments) => assistments.load(source),
        };
        Ok(answers?.sealed())
    }
}

// By hand, so that paths in errors have the names in YAML.
impl Validate for AnswersSpec {
    type Context = ();

    fn validate_into(&self, context: &(), mut parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        match self {
            Self::Csv(csv) => csv.validate_into(context, &mut nested_path!(parent, "csv"), report),
            Self::Pykt(pykt) => pykt.validate_into(context, &mut nested_path!(parent, "pykt"), report),
            Self::Assistments(assistments) => {
                assistments.validate_into(context, &mut nested_path!(parent, "assistments"), report);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_refused_and_the_spec_survives_writing() {
        for yaml in [
            "csv: {file: a.csv, columns: {student: who}, skill_separator: ;, encoding: latin1}",
            "csv: {file: a.csv, q_matrix: q.csv}",
            "pykt: {file: data.txt}",
            "assistments: {file: a.csv}",
        ] {
            let spec: AnswersSpec = serde_saphyr::from_str(yaml).unwrap();
            let json = serde_json::to_value(&spec).unwrap();
            assert_eq!(serde_json::from_value::<AnswersSpec>(json).unwrap(), spec);
        }
        for yaml in [
            "csv: {}",
            "csv: {file: a, colums: {}}",
            "csv: {file: a, columns: {who: a}}",
            "csv: {file: a, encoding: utf16}",
            "pykt: {files: a}",
        ] {
            assert!(serde_saphyr::from_str::<AnswersSpec>(yaml).is_err(), "{yaml}");
        }
        let empty: AnswersSpec = serde_saphyr::from_str("csv: {file: a, skill_separator: ''}").unwrap();
        assert!(empty.validate().unwrap_err().to_string().contains("csv.skill_separator"));
    }

    /// What is read of a file in `../shared/data`, or none where that is not there.
    fn shared(yaml: &str) -> Option<Answers> {
        let data_dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
        let spec: AnswersSpec = serde_saphyr::from_str(yaml).unwrap();
        let source = Source { data_dir: Some(data_dir.clone()), ..Source::default() };
        data_dir.join("students").is_dir().then(|| spec.load(&source).unwrap())
    }

    #[test]
    fn real_files_are_read() {
        for (yaml, students, problems, rows, notes) in [
            ("csv: {file: students/matura2019.csv.gz}", 15_702, 30, 471_060, 0),
            ("csv: {file: students/medical100.csv.gz}", 2_392, 100, 239_200, 0),
            ("csv: {file: students/pisa12us.csv.gz}", 4_952, 76, 117_371, 0),
            ("csv: {file: students/credential170.csv.gz}", 1_636, 170, 278_120, 0),
            // Study trials; practice.
            ("csv: {file: students/statscloze.csv.gz, columns: {latency: latency_ms}}", 478, 144, 55_122, 2),
            ("csv: {file: frcsub/frcsub.csv, q_matrix: frcsub/q.csv}", 536, 20, 10_720, 0),
        ] {
            let Some(answers) = shared(yaml) else { return };
            let found = (answers.students.len(), answers.problems.len(), answers.problem.len());
            assert_eq!(found, (students, problems, rows), "{yaml}: {:?}", answers.notes);
            assert_eq!(answers.notes.len(), notes, "{yaml}: {:?}", answers.notes);
            let has_time = yaml.contains("latency");
            assert_eq!([answers.time.len(), answers.latency.len()], [if has_time { rows } else { 0 }; 2]);
            if yaml.contains("q_matrix") {
                assert_eq!(answers.skills_of[0], [3, 5, 6], "the first row of q.csv");
            }
        }
    }

    /// Prints what a large file takes: `cargo test --release --lib -- --ignored --nocapture ten_million`.
    #[test]
    #[ignore = "writes a file of 300 MB and takes half a minute"]
    fn ten_million_rows_take_30_bytes_each() {
        use std::io::Write;

        let rows: u64 = 10_000_000;
        let folder = tempfile::tempdir().unwrap();
        let mut file = std::io::BufWriter::new(std::fs::File::create(folder.path().join("a.csv")).unwrap());
        writeln!(file, "student,order,skill,problem,correct").unwrap();
        for row in 0..rows {
            let (order, student) = (row / 100_000, row.wrapping_mul(0x9e37_79b9) % 100_000); // students take turns
            let problem = (row * 7919 + order) % 5000;
            writeln!(file, "student{student},{order},skill{},problem{problem},{}", problem % 50, row % 3 % 2)
                .unwrap();
        }
        file.into_inner().unwrap();
        let spec: AnswersSpec = serde_saphyr::from_str("csv: {file: a.csv}").unwrap();
        let source = Source { data_dir: Some(folder.path().into()), ..Source::default() };
        let (before, start) = (crate::memory::peak().unwrap(), std::time::Instant::now());
        let answers = spec.load(&source).unwrap();
        let bytes = (crate::memory::peak().unwrap() - before) as f64 / rows as f64;
        println!("{bytes:.1} bytes a row, {:.1} s, {:?}", start.elapsed().as_secs_f64(), answers.notes);
        assert_eq!((answers.problem.len() as u64, answers.students.len()), (rows, 100_000));
        assert!(bytes < 32.0, "{bytes} bytes a row");
    }
}
