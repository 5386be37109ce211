//! The results as a table: for the terminal, and as Markdown.

use comfy_table::{CellAlignment, Table, presets};

use super::published::{self, Published};
use crate::{measures::Quantity, records::TaskKind, summary::SummaryRow, tasks::words::Words};

/// How tables are written.
#[derive(Clone, Copy)]
pub struct Style<'a> {
    /// What the tasks are called.
    pub words: &'a Words,
    /// What stands in the cells.
    pub judge: Quantity,
    /// What stands below it.
    pub published: &'a [Published],
    /// As Markdown, not for a terminal.
    pub markdown: bool,
}

/// A table for each number of shots: methods down, adaptation steps across.
///
/// Cells read `mean ± half-width of the 95 % interval (standard deviation over seeds)`, see [`crate::summary::SummaryRow`]; the number of
/// steps that validation chose for a method is marked with `*`, a mean that leaves scores out with `!`. A method of which not all of
/// `seeds` are done says how many are.
pub fn tables(
    rows: &[SummaryRow],
    seeds: usize,
    chosen: impl Fn(&SummaryRow) -> bool,
    style: Style,
) -> String {
    let mut text = String::new();
    let mut kinds: Vec<(TaskKind, usize)> = rows.iter().map(|row| (row.task, row.shots)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for (task, shots) in kinds {
        let rows: Vec<&SummaryRow> =
            rows.iter().filter(|row| (row.task, row.shots) == (task, shots)).collect();
        let what = style.judge.in_unit();
        let heading = match task {
            TaskKind::FewShot => {
                let shots = (style.words.shots)(shots);
                format!("{shots} test episodes: {what} after so many adaptation steps")
            }
            TaskKind::WholeDataset => {
                format!("the whole data set: test {what} after so many full-batch steps")
            }
        };
        text += &format!("{heading}\n\n{}\n\n", table(&rows, seeds, &chosen, style));
    }
    text += "mean ± 95 % interval over ";
    text += what_varies(&rows.iter().collect::<Vec<_>>());
    text += " (standard deviation over seeds)";
    if rows.iter().any(&chosen) {
        text += "; * the number of steps that did best on validation tasks";
    }
    let left_out: usize = rows.iter().map(|row| row.left_out).sum();
    if left_out > 0 {
        text += &format!("; ! without {left_out} scores of outputs that were not finite");
    }
    let shown = style.published.iter().filter(|of| of.quantity == style.judge);
    text.extend(published::legend(shown).map(|legend| format!("; {legend}")));
    text + "\n"
}

/// What an interval of these rows is over.
pub fn what_varies(rows: &[&SummaryRow]) -> &'static str {
    let most = |of: fn(&SummaryRow) -> usize| rows.iter().map(|row| of(row)).max().unwrap_or(0);
    match (most(|row| row.folds), most(|row| row.seeds)) {
        (2.., _) => "folds",
        (_, 2..) if rows.iter().any(|row| row.seeds == 1) => {
            "seeds and test episodes (test episodes only where there is a single seed)"
        }
        (_, 2..) => "seeds and test episodes",
        _ => "test episodes, of one training: other seeds are not in it",
    }
}

fn table(rows: &[&SummaryRow], seeds: usize, chosen: &impl Fn(&SummaryRow) -> bool, style: Style) -> Table {
    let (steps, lines) = cells(rows, seeds, chosen, style.judge, style.published);
    let mut table = Table::new();
    table.load_style(if style.markdown { presets::ASCII_MARKDOWN } else { presets::UTF8_HORIZONTAL_ONLY });
    table.set_header(std::iter::once("method".to_owned()).chain(steps.iter().map(usize::to_string)));
    table.add_rows(lines);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The numbers of steps, and a line for each method: its name, then a cell for each number of steps. Below it may stand what was published.
pub fn cells(
    rows: &[&SummaryRow],
    seeds: usize,
    chosen: impl Fn(&SummaryRow) -> bool,
    judge: Quantity,
    published: &[Published],
) -> (Vec<usize>, Vec<Vec<String>>) {
    let mut steps: Vec<usize> = rows.iter().map(|row| row.step).collect();
    steps.sort_unstable();
    steps.dedup();
    let mut methods: Vec<&str> = rows.iter().map(|row| row.method.as_str()).collect();
    methods.dedup();
    let folds = rows.iter().map(|row| row.folds).max().unwrap_or(1);
    let line = |method: &str| {
        let of_method = || rows.iter().filter(|row| row.method == method);
        // After steps at which every network of a seed diverged there is no number of it, though it is done.
        let most = |of: fn(&SummaryRow) -> usize| of_method().map(|row| of(row)).max().unwrap_or(0);
        let (done, in_folds) = (most(|row| row.seeds), most(|row| row.folds));
        let mut gaps = Vec::new();
        if done < seeds {
            gaps.push(format!("{done} of {seeds} seeds"));
        }
        if in_folds < folds && in_folds > 0 {
            gaps.push(format!("{in_folds} of {folds} folds"));
        }
        let name =
            if gaps.is_empty() { method.to_owned() } else { format!("{method} ({})", gaps.join(", ")) };
        let cell = |step: &usize| {
            let row = of_method().find(|row| row.step == *step);
            row.map_or_else(String::new, |row| cell(row, chosen(row), judge))
        };
        std::iter::once(name).chain(steps.iter().map(cell)).collect()
    };
    let below = |method: &str| {
        let shots = rows.first().map_or(0, |row| row.shots);
        let values = published::of_table(published, judge, shots, method);
        let cell =
            |step: &usize| values.iter().find(|of| of.step == *step).map_or_else(String::new, |of| of.cell());
        let name = values.first().map(|of| format!("{method}, {}", of.word()));
        name.map(|name| std::iter::once(name).chain(steps.iter().map(cell)).collect())
    };
    let lines = methods.into_iter().flat_map(|method| std::iter::once(line(method)).chain(below(method)));
    let lines = lines.collect();
    (steps, lines)
}

/// Mean, interval and spread over seeds.
fn cell(row: &SummaryRow, chosen: bool, judge: Quantity) -> String {
    let Some(measured) = row.measured(judge.name) else { return String::new() };
    let mark = if chosen { "*" } else { "" };
    let gaps = if row.left_out > 0 { "!" } else { "" };
    let interval = measured
        .interval
        .map(|half| format!(" ± {}", judge.number_beside(half, measured.mean)))
        .unwrap_or_default();
    let seeds = measured
        .seed_std
        .map(|std| format!(" ({})", judge.number_beside(std, measured.mean)))
        .unwrap_or_default();
    format!("{mark}{}{gaps}{interval}{seeds}", judge.number(measured.mean))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{experiment::spec::Experiment, measures, summary::Measured};

    #[test]
    fn a_method_with_missing_seeds_says_so() {
        let row = |method: &str, seeds| SummaryRow {
            method: method.into(),
            task: TaskKind::FewShot,
            shots: 1,
            step: 5,
            measured: ["accuracy", "mse"]
                .map(|name| Measured { name, mean: 0.5, interval: Some(0.012), seed_std: None })
                .to_vec(),
            loss: 1.0,
            episodes: 10,
            seeds,
            folds: 1,
            left_out: 0,
        };
        let described = "{name: a, methods: {a: {maml: {}}}, task: {dataset: mnist, ways: 3, shots: 1, classes: {train: [0, 1, 2], test: [5, 6, 7]}}}";
        let experiment: Experiment = serde_saphyr::from_str(described).expect("an experiment");
        let words = experiment.task.words();
        let text = |name: &str| {
            let judge = measures::find(name).expect("registered").quantity();
            let style = Style { words: &words, judge, published: &[], markdown: true };
            tables(&[row("whole", 3), row("part", 2)], 3, |_| false, style)
        };
        let shares = text("accuracy");
        assert!(shares.contains("part (2 of 3 seeds)") && shares.contains("50.0 ± 1.2"), "{shares}");
        assert!(!shares.contains("whole (") && shares.contains("accuracy in %"), "{shares}");
        let errors = text("mse");
        assert!(
            errors.contains("0.500 ± 0.012")
                && errors.contains("1-shot test episodes: mean squared error after"),
            "{errors}"
        );
    }
}
