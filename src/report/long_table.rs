//! A table of so many rows that a page shows only the first ones; the CSV file has them all.

use anyhow::{Context, Result};

use super::table::Table;

/// Rows that a page shows.
const SHOWN: usize = 20;

/// A long table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongTable {
    /// Its first rows.
    pub shown: Table,
    /// All of it as CSV.
    pub csv: Vec<u8>,
}

impl LongTable {
    /// Takes in rows with as many cells each as the header.
    ///
    /// # Errors
    /// A row has another number of cells.
    pub fn of(
        name: &str,
        caption: &str,
        header: &[&str],
        rows: impl Iterator<Item = Vec<String>>,
    ) -> Result<Self> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header)?;
        let (mut first, mut count) = (Vec::new(), 0);
        for row in rows {
            writer.write_record(&row)?;
            count += 1;
            if first.len() < SHOWN {
                first.push(row);
            }
        }
        let which = match count {
            many if many > SHOWN => {
                format!("The first {SHOWN} of {many} rows; all are in tables/{name}.csv.")
            }
            _ => format!("Also in tables/{name}.csv."),
        };
        let shown = Table {
            name: name.to_owned(),
            caption: format!("{caption} {which}"),
            header: header.iter().map(|column| (*column).to_owned()).collect(),
            rows: first,
        };
        Ok(Self { shown, csv: writer.into_inner().context("cannot format CSV")? })
    }

    /// For `report.md`: names from files are text there too, no HTML and no ends of cells.
    pub fn markdown(&self) -> String {
        let escaped = |cell: &String| {
            let cell = cell.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            cell.replace('|', "\\|").replace(['\n', '\r'], " ")
        };
        let escaped = |row: &Vec<String>| row.iter().map(escaped).collect();
        Table { rows: self.shown.rows.iter().map(escaped).collect(), ..self.shown.clone() }.markdown()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: usize) -> LongTable {
        let rows = (0..rows).map(|row| vec![format!("<b>a, \"{row}\" | b</b>"), row.to_string()]);
        LongTable::of("names", "Names.", &["name", "number"], rows).expect("a table")
    }

    #[test]
    fn the_page_has_the_first_rows_and_the_file_all() {
        let (short, long) = (table(20), table(21));
        assert_eq!((short.shown.rows.len(), long.shown.rows.len()), (20, 20));
        assert_eq!(short.shown.caption, "Names. Also in tables/names.csv.");
        assert_eq!(long.shown.caption, "Names. The first 20 of 21 rows; all are in tables/names.csv.");
        let mut reader = csv::Reader::from_reader(&long.csv[..]);
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
        assert_eq!((rows.len(), &rows[20][0]), (21, "<b>a, \"20\" | b</b>"));
    }

    #[test]
    fn names_are_no_html_in_markdown() {
        let text = table(1).markdown();
        assert!(text.contains("&lt;b&gt;a, \"0\" \\| b&lt;/b&gt;") && !text.contains("<b>"), "{text}");
    }
}
