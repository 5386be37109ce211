//! The objective over two parameters.

use std::collections::BTreeMap;

use super::{Figure, Scale, View, importance, range};
use crate::figures::{
    axis::Axis,
    chart::{Chart, Panel},
    mark::Mark,
};

/// What it shows.
pub const CAPTION: &str = "Mean score of the trials in each cell of two parameters' values, the two that matter most; cells without a trial stay \
white. Pruned trials count with their last score only in cells where no trial was trained to the end.";

/// Cells along an axis.
const CELLS: usize = 8;
/// As many values still have a cell each.
const FEW: usize = 12;

/// A map over the two most important parameters, `None` where there are not two of them that a trial can have together.
pub fn figure(view: &View) -> Option<Figure> {
    let varied = |parameter: &usize| {
        let mut values: Vec<f64> = view.trials.iter().filter_map(|trial| trial.values[*parameter]).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values.len() > 1
    };
    let mut order: Vec<usize> = (0..view.results.parameters.len()).filter(varied).collect();
    if let Some(shares) = importance::importance(view) {
        order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]));
    }
    let both = |a: usize, b: usize| {
        view.trials.iter().filter(|t| t.values[a].is_some() && t.values[b].is_some()).count()
    };
    let first = *order.first()?;
    let second = *order[1..].iter().find(|other| both(first, **other) > 3)?;
    // Names of options need the room that the axis across has; otherwise the space's own order.
    let options = |parameter: usize| matches!(view.results.parameters[parameter].scale, Scale::Options(_));
    let down = options(second) && !options(first) || options(first) == options(second) && second < first;
    let (x, y) = if down { (second, first) } else { (first, second) };
    let (across, upwards) = (Cells::of(view, x)?, Cells::of(view, y)?);
    let means = means(view, (x, &across), (y, &upwards));
    let (low, high) = range(means.iter().map(|cell| cell.2));
    let colors = view.colors(low, high);
    let decimals = if high - low > 5.0 { 1 } else { 2 };
    let cell = |&(column, row, mean): &(usize, usize, f64)| Mark::Cell {
        color: colors.color(mean),
        sides: (across.bounds[column], across.bounds[column + 1]),
        heights: (upwards.bounds[row], upwards.bounds[row + 1]),
        text: format!("{mean:.decimals$}"),
    };
    let marks = means.iter().map(cell).collect();
    let chart = Chart {
        title: view.results.name.clone(),
        subtitle: format!(
            "mean {} by {} and {}",
            view.results.objective, view.results.parameters[x].name, view.results.parameters[y].name
        ),
        x: across.axis,
        y: upwards.axis,
        panels: vec![Panel { heading: None, marks }],
        legend: colors.legend(),
    };
    Some(Figure::new("heat_map", chart.svg()))
}

/// Column, row and mean score of every cell with a trial.
fn means(view: &View, across: (usize, &Cells), upwards: (usize, &Cells)) -> Vec<(usize, usize, f64)> {
    let mut cells: BTreeMap<(usize, usize), [(f64, f64); 2]> = BTreeMap::new();
    for trial in &view.trials {
        let place = |(parameter, cells): (usize, &Cells)| cells.place(trial.values[parameter]?);
        if let (Some(column), Some(row)) = (place(across), place(upwards)) {
            let (sum, count) = &mut cells.entry((column, row)).or_default()[usize::from(trial.complete)];
            *sum += view.at(trial.score);
            *count += 1.0;
        }
    }
    let mean = |((column, row), [pruned, complete]): (_, [(f64, f64); 2])| {
        let (sum, count) = if complete.1 > 0.0 { complete } else { pruned };
        (column, row, sum / count)
    };
    cells.into_iter().map(mean).collect()
}

/// How a parameter's values are divided along an axis.
struct Cells {
    axis: Axis,
    /// Where cells begin and end on the axis.
    bounds: Vec<f64>,
    /// The value of each cell, if each has one.
    values: Option<Vec<f64>>,
    scale: Scale,
}

impl Cells {
    /// `None` where no trial has the parameter.
    fn of(view: &View, parameter: usize) -> Option<Self> {
        let (scale, name) =
            (view.results.parameters[parameter].scale.clone(), &view.results.parameters[parameter].name);
        let mut values: Vec<f64> = view.trials.iter().filter_map(|trial| trial.values[parameter]).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        if values.len() > FEW && !matches!(scale, Scale::Options(_)) {
            let (low, high) = range(values.iter().map(|value| scale.position(*value)));
            let width = (high - low) / CELLS as f64;
            let bounds = (0..=CELLS).map(|cell| low + width * cell as f64).collect();
            return Some(Self { axis: scale.axis(name, low, high), bounds, values: None, scale });
        }
        values.first()?;
        let label = |value: &f64| match &scale {
            Scale::Options(names) => names.get(*value as usize).cloned().unwrap_or_default(),
            _ => format!("{}", *value as f32),
        };
        let axis = Axis::groups(name, values.iter().map(label));
        let bounds = (0..=values.len()).map(|cell| cell as f64).collect();
        Some(Self { axis, bounds, values: Some(values), scale })
    }

    /// The cell of a value.
    fn place(&self, value: f64) -> Option<usize> {
        if let Some(values) = &self.values {
            return values.iter().position(|of_cell| *of_cell == value);
        }
        let at = self.scale.position(value);
        let cells = self.bounds.len() - 1;
        Some(self.bounds[1..].iter().position(|end| at < *end).unwrap_or(cells - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::study::tests::{rates, trial};

    #[test]
    fn few_values_have_a_cell_each_and_many_share_cells() {
        let mut results = rates();
        results.parameters.truncate(2);
        let few = |i: usize| [Some(10f64.powi(-(i as i32 % 3))), Some(f64::from(i.is_multiple_of(2)))];
        results.trials = (0..6).map(|i| trial(i, i as f64, &few(i))).collect();
        let view = View::of(&results).expect("trials");
        let cells = Cells::of(&view, 0).expect("values");
        assert_eq!([cells.place(0.01), cells.place(0.1), cells.place(1.0)], [Some(0), Some(1), Some(2)]);
        assert_eq!(cells.axis.ticks.iter().map(|t| t.1.as_str()).collect::<Vec<_>>(), ["0.01", "0.1", "1"]);

        let many = |i: usize| [Some(10f64.powf(i as f64 / 39.0)), Some(0.0)];
        results.trials = (0..40).map(|i| trial(i, i as f64, &many(i))).collect();
        let view = View::of(&results).expect("trials");
        let cells = Cells::of(&view, 0).expect("values");
        assert_eq!(cells.bounds.len(), CELLS + 1);
        assert_eq!([cells.place(1.0), cells.place(3.0), cells.place(10.0)], [Some(0), Some(3), Some(7)]);
        assert!(figure(&view).is_none(), "the second parameter never varied");
    }
}
