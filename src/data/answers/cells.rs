//! What the cells of files of answers mean.

use std::cmp::Ordering;

/// Whether a cell holds nothing, or what pandas and R write for nothing.
pub fn is_missing(cell: &str) -> bool {
    matches!(cell.trim(), "" | "NaN" | "nan" | "NA" | "NULL")
}

/// What a cell says of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correct {
    /// Right or wrong.
    Answer(bool),
    /// The student was shown the solution.
    Study,
    /// Something between right and wrong.
    Partial,
}

/// 0 or 1 as files write them, -1 for study trials, or a share of the points.
pub fn correct(cell: &str) -> Option<Correct> {
    match cell.trim() {
        "1" | "true" | "True" | "TRUE" => Some(Correct::Answer(true)),
        "0" | "false" | "False" | "FALSE" => Some(Correct::Answer(false)),
        other => match other.parse::<f64>().ok()? {
            1.0 => Some(Correct::Answer(true)),
            0.0 => Some(Correct::Answer(false)),
            -1.0 => Some(Correct::Study),
            share if share > 0.0 && share < 1.0 => Some(Correct::Partial),
            _ => None,
        },
    }
}

/// A number that rows are ordered by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// A whole one, exact.
    Whole(i64),
    /// Any other, finite.
    Real(f64),
}

impl Order {
    /// Reads a cell.
    pub fn read(cell: &str) -> Option<Self> {
        let cell = cell.trim();
        cell.parse().map(Self::Whole).ok().or_else(|| number(cell).map(Self::Real))
    }
}

/// The orders of all rows: whole numbers as long as all are.
#[derive(Debug)]
pub enum Orders {
    /// All are whole.
    Whole(Vec<i64>),
    /// Some are not.
    Real(Vec<f64>),
}

impl Orders {
    /// Adds that of another row.
    pub fn push(&mut self, order: Order) {
        if let (Self::Whole(whole), Order::Real(_)) = (&*self, order) {
            *self = Self::Real(whole.iter().map(|&order| order as f64).collect());
        }
        match (self, order) {
            (Self::Whole(all), Order::Whole(order)) => all.push(order),
            (Self::Real(all), Order::Real(order)) => all.push(order),
            (Self::Real(all), Order::Whole(order)) => all.push(order as f64),
            (Self::Whole(_), Order::Real(_)) => {}
        }
    }

    /// Which of two rows comes first.
    pub fn compare(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        match self {
            Self::Whole(all) => all[a].cmp(&all[b]),
            Self::Real(all) => (all[a] + 0.0).total_cmp(&(all[b] + 0.0)), // -0 is 0
        }
    }

    /// That of a row, for messages.
    pub fn show(&self, row: u32) -> String {
        match self {
            Self::Whole(all) => all[row as usize].to_string(),
            Self::Real(all) => all[row as usize].to_string(),
        }
    }
}

/// A finite number.
pub fn number(cell: &str) -> Option<f64> {
    cell.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// A point in time in seconds: a number, or date and time as in `2012-09-28 15:11:24`, as UTC unless it says otherwise (`...Z`, `...+02:00`).
pub fn seconds(cell: &str) -> Option<f64> {
    let instant = |cell: &str| -> Option<jiff::Timestamp> {
        if let Ok(instant) = cell.parse() {
            return Some(instant);
        }
        let date: jiff::civil::DateTime = cell.parse().ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(date).ok()
    };
    number(cell).or_else(|| Some(instant(cell.trim())?.as_nanosecond() as f64 / 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_files_write_them() {
        for (cell, expected) in [
            ("1", Some(Correct::Answer(true))),
            ("0.0", Some(Correct::Answer(false))),
            (" 1.0", Some(Correct::Answer(true))),
            ("True", Some(Correct::Answer(true))),
            ("FALSE", Some(Correct::Answer(false))),
            ("-1", Some(Correct::Study)),
            ("0.25", Some(Correct::Partial)),
            ("2", None),
            ("yes", None),
            ("", None),
            ("NaN", None),
            ("inf", None),
        ] {
            assert_eq!(correct(cell), expected, "{cell:?}");
        }
    }

    #[test]
    fn whole_orders_stay_exact_and_mixed_ones_compare() {
        let mut orders = Orders::Whole(Vec::new());
        for cell in ["9007199254740993", "9007199254740992", "-3"] {
            orders.push(Order::read(cell).unwrap());
        }
        assert_eq!(orders.compare(0, 1), Ordering::Greater, "f64 would hold them for the same");
        orders.push(Order::read("-2.5").unwrap());
        orders.push(Order::read("0").unwrap());
        orders.push(Order::read("-0.0").unwrap());
        assert_eq!(orders.compare(2, 3), Ordering::Less);
        assert_eq!(orders.compare(4, 5), Ordering::Equal);
        assert_eq!(orders.show(3), "-2.5");
        assert!(["", "x", "NaN", "inf"].iter().all(|cell| Order::read(cell).is_none()));
    }

    #[test]
    fn times_are_seconds_or_dates() {
        assert_eq!(seconds("1446493778"), Some(1_446_493_778.0));
        assert_eq!(seconds("1970-01-02 00:00:01.5"), Some(86_401.5));
        assert_eq!(seconds("1970-01-02T02:00:01+02:00"), Some(86_401.0));
        assert_eq!(seconds("1970-01-02T00:00:01Z"), Some(86_401.0));
        assert_eq!(seconds("yesterday"), None);
    }
}
