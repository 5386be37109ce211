//! What a column of numbers is: how it is called, shown and judged.

use std::cmp::Ordering;

/// Which of two values is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The higher.
    Higher,
    /// The lower.
    Lower,
}

/// How values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Shares from 0 to 1, shown in per cent with one decimal.
    Percent,
    /// Numbers, shown with three digits that count.
    Plain,
}

/// What a measure's values are, or the losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The name of the column.
    pub name: &'static str,
    /// What it is called in sentences and on axes, in small letters.
    pub title: &'static str,
    /// Which way is better.
    pub better: Better,
    /// How values are shown.
    pub unit: Unit,
}

/// The mean loss over queries, which every family has.
pub const LOSS: Quantity = Quantity { name: "loss", title: "loss", better: Better::Lower, unit: Unit::Plain };

impl Better {
    /// How good a value is: more is better.
    pub fn goodness(self, value: f64) -> f64 {
        match self {
            Self::Higher => value,
            Self::Lower => -value,
        }
    }

    /// "higher" or "lower".
    pub fn word(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
        }
    }

    /// Whether the one is better than the other, and both are numbers.
    pub fn is_better(self, one: f64, other: f64) -> bool {
        self.goodness(one) > self.goodness(other)
    }

    /// The better one first.
    pub fn best_first(self, one: f64, other: f64) -> Ordering {
        self.goodness(other).total_cmp(&self.goodness(one))
    }
}

impl Quantity {
    /// "accuracy in %", "mean squared error".
    pub fn in_unit(&self) -> String {
        match self.unit {
            Unit::Percent => format!("{} in %", self.title),
            Unit::Plain => self.title.to_owned(),
        }
    }

    /// For an axis: "accuracy (%)", "mean squared error".
    pub fn label(&self) -> String {
        match self.unit {
            Unit::Percent => format!("{} (%)", self.title),
            Unit::Plain => self.title.to_owned(),
        }
    }

    /// The title as a sentence begins.
    pub fn capitalised(&self) -> String {
        let mut letters = self.title.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// A value as axes and tables have it: in per cent, or itself.
    pub fn shown(&self, value: f64) -> f64 {
        match self.unit {
            Unit::Percent => 100.0 * value,
            Unit::Plain => value,
        }
    }

    /// A value for a cell of a table: "69.7", "0.671".
    pub fn number(&self, value: f64) -> String {
        self.number_beside(value, value)
    }

    /// A value with as many decimals as another one has, which it belongs to.
    pub fn number_beside(&self, value: f64, other: f64) -> String {
        match self.unit {
            Unit::Percent => format!("{:.1}", 100.0 * value),
            Unit::Plain => digits(value, other),
        }
    }

    /// A value by itself: "69.7 %", "0.671".
    pub fn text(&self, value: f64) -> String {
        match self.unit {
            Unit::Percent => format!("{} %", self.number(value)),
            Unit::Plain => self.number(value),
        }
    }

    /// A difference of values in words: "7.2 points", "0.12".
    pub fn size(&self, difference: f64) -> String {
        let gap = self.gap(difference, difference);
        match self.unit {
            Unit::Percent => format!("{gap} points"),
            Unit::Plain => gap,
        }
    }

    /// A difference of values as a number, with as many decimals as another one; never "-0.0".
    pub fn gap(&self, difference: f64, other: f64) -> String {
        let text = match self.unit {
            Unit::Percent => format!("{:.1}", (1000.0 * difference).round() / 10.0),
            Unit::Plain => digits(difference, other),
        };
        let is_zero = text.chars().all(|c| "-0.".contains(c));
        if is_zero { text.replace('-', "") } else { text }
    }

    /// Differences smaller than this are rounding. Shares are counted, so that it would make differences unequal that are equal.
    pub fn resolution(&self) -> f64 {
        match self.unit {
            Unit::Percent => 1e-6,
            Unit::Plain => 0.0,
        }
    }
}

/// So many decimals that three digits of the other number count; very large and very small ones by powers of ten.
fn digits(value: f64, other: f64) -> String {
    let counts = |number: f64| number != 0.0 && number.is_finite();
    if !counts(other) {
        return if counts(value) { digits(value, value) } else { format!("{value}") };
    }
    let magnitude = other.abs().log10().floor();
    if !(-5.0..6.0).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    format!("{value:.*}", (2.0 - magnitude).max(0.0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: Quantity = Quantity { unit: Unit::Percent, better: Better::Higher, title: "hits", ..LOSS };

    #[test]
    fn shares_are_shown_in_per_cent_and_numbers_with_three_digits() {
        let values = [0.0, 0.123_456, -0.000_123_4, 2.0, 1234.5, 1e-9, f64::NAN];
        let plain = values.map(|value| LOSS.number(value));
        assert_eq!(plain, ["0", "0.123", "-0.000123", "2.00", "1234", "1.00e-9", "NaN"]);
        assert_eq!([SHARE.text(0.6972), LOSS.text(0.6972)], ["69.7 %", "0.697"]);
        assert_eq!([SHARE.size(0.0721), LOSS.size(0.0721)], ["7.2 points", "0.0721"]);
        assert_eq!(
            [SHARE.gap(-0.0001, 0.1), LOSS.gap(-0.0, -0.0), LOSS.gap(-0.0004, 0.5)],
            ["0.0", "0", "0.000"]
        );
        assert_eq!([LOSS.number_beside(0.01234, 0.671), LOSS.gap(-0.5, 0.0)], ["0.012", "-0.500"]);
        assert_eq!([SHARE.label(), LOSS.label()], ["hits (%)", "loss"]);
        assert_eq!([SHARE.in_unit(), SHARE.capitalised()], ["hits in %", "Hits"]);
    }

    #[test]
    fn the_better_one_is_known_by_the_direction() {
        assert!(LOSS.better.is_better(0.1, 0.2) && !SHARE.better.is_better(0.1, 0.2));
        assert!(!LOSS.better.is_better(0.1, f64::NAN) && !LOSS.better.is_better(0.1, 0.1));
        let mut values = [0.3, 0.1, 0.2];
        values.sort_by(|a, b| LOSS.better.best_first(*a, *b));
        assert_eq!(values, [0.1, 0.2, 0.3]);
    }
}
