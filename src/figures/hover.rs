//! What a page's script shows beside the points of a chart.

use serde_json::json;

use super::{axis::Axis, frame::Frame, mark::Mark};

/// The points of a series as JSON: `[[x, y, text], …]`, in the drawing's units; `None` where it has none worth a text.
pub fn points(name: &str, marks: &[Mark], frame: &Frame) -> Option<String> {
    let text = |x: f64, y: f64| {
        let value = |y: f64| number(if frame.y.logarithmic { 10f64.powf(y) } else { y });
        let interval = marks.iter().find_map(|mark| interval(mark, x));
        let interval =
            interval.map_or(String::new(), |(low, high)| format!(" ({} to {})", value(low), value(high)));
        format!("{name}: {}{interval} at {} {}", value(y), place(frame.x, x), frame.x.label)
    };
    let point = |x: f64, y: f64| {
        let at = frame.at(x, y);
        json!([at.0, at.1, text(x, y)])
    };
    let mut all = Vec::new();
    for mark in marks {
        match mark {
            Mark::Curve(_, points) => {
                let shown = points.iter().filter(|(_, y)| frame.y.holds(*y));
                all.extend(shown.map(|&(x, y)| point(x, y)));
            }
            Mark::Bar { sides, top, .. } => all.push(point(0.5 * (sides.0 + sides.1), *top)),
            _ => {}
        }
    }
    (!all.is_empty()).then(|| json!(all).to_string())
}

/// The interval that a mark draws at `x`.
fn interval(mark: &Mark, x: f64) -> Option<(f64, f64)> {
    let near = |at: f64| (at - x).abs() < 1e-9;
    match mark {
        Mark::Band(_, points) => points.iter().find(|point| near(point.0)).map(|point| (point.1, point.2)),
        Mark::Whisker(at, low, high) => near(*at).then_some((*low, *high)),
        _ => None,
    }
}

/// What an axis calls a place: its label where there is one near, otherwise the number.
fn place(axis: &Axis, x: f64) -> String {
    let near = if axis.grid { 1e-9 } else { 0.5 };
    let tick = axis.ticks.iter().find(|tick| (tick.0 - x).abs() <= near);
    let value = if axis.logarithmic { 10f64.powf(x) } else { x };
    tick.map_or_else(|| number(value), |tick| tick.1.clone())
}

/// Four digits at most.
fn number(value: f64) -> String {
    let decimals = (2.0 - value.abs().max(1e-6).log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::style::Look;

    #[test]
    fn a_point_has_its_place_its_value_and_its_interval() {
        let (x, y) = (Axis::steps([0, 9]), Axis::linear("accuracy", 0.0, 100.0));
        let frame = Frame { left: 0, top: 0, right: 100, bottom: 100, x: &x, y: &y };
        let look = Look::of(0);
        let marks =
            [Mark::Band(look, vec![(1.0, 60.0, 62.5)]), Mark::Curve(look, vec![(0.0, 33.333), (1.0, 61.2)])];
        let text = points("maml", &marks, &frame).expect("points");
        assert!(text.contains("maml: 33.3 at 0 adaptation steps"), "{text}");
        assert!(text.contains("maml: 61.2 (60 to 62.5) at 9 adaptation steps"), "{text}");
        let x = Axis::logarithmic("rows", 0.0, 3.0);
        let text = points("maml", &marks[1..], &Frame { x: &x, ..frame }).expect("points");
        assert!(text.contains("61.2 at 10 rows"), "{text}");
        let logarithmic = Axis::logarithmic("error", -2.0, 0.0);
        let errors = [Mark::Curve(look, vec![(1.0, -1.0)])];
        let frame = Frame { left: 0, top: 0, right: 100, bottom: 100, x: &x, y: &logarithmic };
        let text = points("maml", &errors, &frame).expect("points");
        assert!(text.contains("maml: 0.1 at 10 rows"), "{text}");
        let frame = Frame { left: 0, top: 0, right: 100, bottom: 100, x: &x, y: &y };
        assert_eq!(points("maml", &marks[..1], &frame), None);
        assert_eq!([number(1000.4), number(0.00125), number(0.0)], ["1000", "0.00125", "0"]);
    }
}
