//! The results as a table: for the terminal, and as Markdown.

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::{records::Task, summary::SummaryRow};

/// A table for each number of shots: methods down, adaptation steps across, accuracy in per cent.
///
/// Cells read `mean ± half-width of the 95 % interval over episodes (standard deviation over seeds)`; the number of steps that
/// validation chose for a method is marked with `*`. A method of which not all of `seeds` are done says how many are.
pub fn tables(
    rows: &[SummaryRow],
    seeds: usize,
    chosen: impl Fn(&SummaryRow) -> bool,
    markdown: bool,
) -> String {
    let mut text = String::new();
    let mut kinds: Vec<(Task, usize)> = rows.iter().map(|row| (row.task, row.shots)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for (task, shots) in kinds {
        let rows: Vec<&SummaryRow> =
            rows.iter().filter(|row| (row.task, row.shots) == (task, shots)).collect();
        let heading = match task {
            Task::FewShot => {
                format!("{shots}-shot test episodes: accuracy in % after so many adaptation steps")
            }
            Task::WholeDataset => {
                "the whole data set: test accuracy in % after so many full-batch steps".into()
            }
        };
        text += &format!("{heading}\n\n{}\n\n", table(&rows, seeds, &chosen, markdown));
    }
    text += "mean ± 95 % interval over test episodes (standard deviation over seeds)";
    if rows.iter().any(&chosen) {
        text += "; * the number of steps that did best on validation tasks";
    }
    text + "\n"
}

fn table(rows: &[&SummaryRow], seeds: usize, chosen: &impl Fn(&SummaryRow) -> bool, markdown: bool) -> Table {
    let mut steps: Vec<usize> = rows.iter().map(|row| row.step).collect();
    steps.sort_unstable();
    steps.dedup();
    let mut methods: Vec<&str> = rows.iter().map(|row| row.method.as_str()).collect();
    methods.dedup();
    let mut table = Table::new();
    table.load_style(if markdown { presets::ASCII_MARKDOWN } else { presets::UTF8_HORIZONTAL_ONLY });
    table.set_header(std::iter::once("method".to_owned()).chain(steps.iter().map(usize::to_string)));
    for method in methods {
        let cells = steps.iter().map(|step| {
            let row = rows.iter().find(|row| row.method == method && row.step == *step);
            let text = row.map_or_else(String::new, |row| cell(row, chosen(row)));
            Cell::new(text).set_alignment(CellAlignment::Right)
        });
        let done = rows.iter().filter(|row| row.method == method).map(|row| row.seeds).min().unwrap_or(0);
        let name = if done < seeds { format!("{method} ({done} of {seeds} seeds)") } else { method.into() };
        table.add_row(std::iter::once(Cell::new(name)).chain(cells));
    }
    table
}

/// Mean, interval and spread over seeds, in per cent.
pub fn cell(row: &SummaryRow, chosen: bool) -> String {
    let percent = |part: f64| format!("{:.1}", part * 100.0);
    let mark = if chosen { "*" } else { "" };
    let interval = row.accuracy_interval.map(|half| format!(" ± {}", percent(half))).unwrap_or_default();
    let seeds = row.accuracy_seed_std.map(|std| format!(" ({})", percent(std))).unwrap_or_default();
    format!("{mark}{}{interval}{seeds}", percent(row.accuracy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_with_missing_seeds_says_so() {
        let row = |method: &str, seeds| SummaryRow {
            method: method.into(),
            task: Task::FewShot,
            shots: 1,
            step: 5,
            accuracy: 0.5,
            accuracy_interval: Some(0.012),
            accuracy_seed_std: None,
            loss: 1.0,
            episodes: 10,
            seeds,
        };
        let text = tables(&[row("whole", 3), row("part", 2)], 3, |_| false, true);
        assert!(text.contains("part (2 of 3 seeds)") && text.contains("50.0 ± 1.2"), "{text}");
        assert!(!text.contains("whole ("), "{text}");
    }
}
