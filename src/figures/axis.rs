//! Axes: the part of the numbers that is shown, and where it carries labels.

use super::raster;
use super::style::TICK;

/// A range of numbers with labelled places.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What the numbers are.
    pub label: String,
    /// The smallest number shown.
    pub low: f64,
    /// The largest number shown.
    pub high: f64,
    /// Labelled numbers.
    pub ticks: Vec<(f64, String)>,
    /// Whether a line of the grid leaves the axis at each label.
    pub grid: bool,
    /// Whether its places are base-ten logarithms of the numbers.
    pub logarithmic: bool,
}

impl Axis {
    /// An axis from `low` to `high` with about seven round numbers.
    pub fn linear(label: &str, low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let raw = (high - low) / 8.0;
        let magnitude = 10f64.powf(raw.log10().floor());
        let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * magnitude >= raw).unwrap_or(10.0);
        let step = factor * magnitude;
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        let ticks = ((low / step - 1e-9).ceil() as i64..)
            .map(|i| i as f64 * step)
            .take_while(|at| *at <= high + step * 1e-9)
            .map(|at| (at, format!("{at:.decimals$}")))
            .collect();
        Self { label: label.to_owned(), low, high, ticks, grid: true, logarithmic: false }
    }

    /// An axis of per cent that shows all of `values`; those that are not numbers do not count.
    ///
    /// It reaches down to `chance` as well, unless the curves, far above it, would then be pressed into one line.
    pub fn percent(label: &str, values: impl Iterator<Item = f64>, chance: Option<f64>) -> Self {
        let (mut low, mut high) = values
            .filter(|v| v.is_finite())
            .fold((100.0f64, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
        if let Some(chance) = chance.filter(|c| low - c <= 1.5 * (high - low) + 1.0) {
            (low, high) = (low.min(chance), high.max(chance));
        }
        let room = (0.05 * (high - low)).max(0.1);
        Self::linear(label, (low - room).max(0.0), (high + room).min(100.0))
    }

    /// An axis of adaptation steps, for numbers that went through [`step_position`].
    pub fn steps(steps: impl IntoIterator<Item = usize>) -> Self {
        let ticks: Vec<_> = steps.into_iter().map(|step| (step_position(step), step.to_string())).collect();
        let first = ticks.first().map_or(0.0, |t| t.0);
        let last = ticks.last().map_or(first, |t| t.0);
        let room = if last > first { 0.05 * (last - first) } else { 0.5 };
        let label = "adaptation steps".to_owned();
        Self { label, low: first - room, high: last + room, ticks, grid: true, logarithmic: false }
    }

    /// An axis for the base-ten logarithms `low` to `high`, labelled with the numbers themselves: 1, 2 and 5 times powers of ten.
    pub fn logarithmic(label: &str, low: f64, high: f64) -> Self {
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, high + 0.5) };
        let decades = low.floor() as i32..=high.ceil() as i32;
        let numbers = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(decade)));
        let room = 0.03 * (high - low);
        let (low, high) = (low - room, high + room);
        let shown = numbers.map(|number| (number.log10(), format!("{}", number as f32)));
        let ticks = shown.filter(|(at, _)| (low..=high).contains(at)).collect();
        Self { label: label.to_owned(), low, high, ticks, grid: true, logarithmic: true }
    }

    /// An axis of groups, each one wide and with its name in the middle.
    pub fn groups(label: &str, names: impl Iterator<Item = String>) -> Self {
        let ticks: Vec<_> = names.enumerate().map(|(i, name)| (i as f64 + 0.5, name)).collect();
        let high = ticks.len() as f64;
        Self { label: label.to_owned(), low: 0.0, high, ticks, grid: false, logarithmic: false }
    }

    /// How far along the axis `value` lies: 0 at its beginning, 1 at its end.
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Whether `value` is shown.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The width of the longest label.
    pub fn widest_tick(&self) -> i32 {
        self.ticks.iter().map(|tick| raster::text_width(&tick.1, TICK)).max().unwrap_or(0)
    }

    /// The ticks whose labels do not run into each other on an axis `length` long; the last one always has its label.
    pub fn separate_ticks(&self, length: i32) -> Vec<&(f64, String)> {
        let mut free = f64::INFINITY;
        let mut kept = Vec::new();
        for tick in self.ticks.iter().rev() {
            let half = 0.5 * f64::from(raster::text_width(&tick.1, TICK));
            let middle = self.share(tick.0) * f64::from(length);
            if middle + half <= free {
                free = middle - half - 0.3 * f64::from(TICK.size);
                kept.push(tick);
            }
        }
        kept
    }
}

/// Where a number of steps lies: its logarithm, moved by one so that no steps at all have a place too.
pub fn step_position(step: usize) -> f64 {
    (1.0 + step as f64).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|t| t.1.as_str()).collect()
    }

    #[test]
    fn round_numbers_inside_the_range() {
        assert_eq!(labels(&Axis::linear("", 0.0, 100.0)), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(labels(&Axis::linear("", 99.15, 99.6)), ["99.2", "99.3", "99.4", "99.5", "99.6"]);
        assert!(!Axis::linear("", 3.0, 3.0).ticks.is_empty());
    }

    #[test]
    fn logarithms_are_labelled_with_their_numbers() {
        let axis = Axis::logarithmic("", -2.0, 0.0);
        assert_eq!(labels(&axis), ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]);
        assert!(!Axis::logarithmic("", -1.0, -1.0).ticks.is_empty());
    }

    #[test]
    fn chance_is_shown_unless_it_flattens_the_curves() {
        let near = Axis::percent("", [40.0, 80.0, f64::NAN].into_iter(), Some(20.0));
        assert!(near.holds(20.0) && near.holds(80.0));
        let far = Axis::percent("", [99.0, 99.8].into_iter(), Some(20.0));
        assert!(!far.holds(20.0) && far.holds(99.0) && far.high <= 100.0);
    }

    #[test]
    fn crowded_tick_labels_are_thinned() {
        let axis = Axis::steps(0..=100);
        let kept = axis.separate_ticks(400).len();
        assert!((3..20).contains(&kept), "{kept}");
        assert_eq!(Axis::steps([0, 1, 5, 10, 50, 100]).separate_ticks(900).len(), 6);
    }
}
