//! A table that is the same on a page, in Markdown, in LaTeX and as CSV.

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, presets};

/// Cells as they are read; the first column is text, the others are numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The stem of its files.
    pub name: String,
    /// What it shows and how to read it.
    pub caption: String,
    /// The names of the columns.
    pub header: Vec<String>,
    /// As many cells each as the header.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// For `report.md`.
    pub fn markdown(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header(&self.header).add_rows(&self.rows);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("{table}\n\n{}\n", self.caption)
    }

    /// For `\input` in a paper that uses the package booktabs.
    pub fn latex(&self) -> String {
        let line = |cells: &[String]| {
            cells.iter().map(|cell| latex(cell)).collect::<Vec<_>>().join(" & ") + " \\\\\n"
        };
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!(
            "% {}\n\\begin{{tabular}}{{l{}}}\n\\toprule\n{}\\midrule\n{rows}\\bottomrule\n\\end{{tabular}}\n",
            self.caption.replace('\n', " "),
            "r".repeat(self.header.len().saturating_sub(1)),
            line(&self.header),
        )
    }

    /// For a spreadsheet.
    ///
    /// # Errors
    /// None that these cells can cause.
    pub fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.header).chain(&self.rows) {
            writer.write_record(row)?;
        }
        writer.into_inner().context("cannot format CSV")
    }
}

/// Text with LaTeX's special characters escaped.
fn latex(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{c}"),
        '~' => "\\textasciitilde{}".into(),
        '^' => "\\textasciicircum{}".into(),
        '\\' => "\\textbackslash{}".into(),
        '±' => "$\\pm$".into(),
        '<' => "$<$".into(),
        '>' => "$>$".into(),
        _ => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let cells = |row: [&str; 2]| row.map(str::to_owned).to_vec();
        Table {
            name: "accuracy".into(),
            caption: "in %".into(),
            header: cells(["method", "5"]),
            rows: vec![cells(["adam_tuned", "54.8 ± 1.0"])],
        }
    }

    #[test]
    fn latex_is_booktabs_with_special_characters_escaped() {
        let expected = "% in %\n\\begin{tabular}{lr}\n\\toprule\nmethod & 5 \\\\\n\\midrule\n\
                        adam\\_tuned & 54.8 $\\pm$ 1.0 \\\\\n\\bottomrule\n\\end{tabular}\n";
        assert_eq!(table().latex(), expected);
        assert_eq!(latex("a\\b{50 %}"), "a\\textbackslash{}b\\{50 \\%\\}");
    }

    #[test]
    fn markdown_and_csv_hold_the_same_cells() {
        assert!(table().markdown().starts_with("| method     |          5 |\n"), "{}", table().markdown());
        assert_eq!(table().csv().expect("csv"), "method,5\nadam_tuned,54.8 ± 1.0\n".as_bytes());
    }
}
