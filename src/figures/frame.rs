//! A rectangle of the canvas with its axes: where numbers lie on it.

use super::{axis::Axis, canvas::Point};

/// A rectangle of the canvas with its axes.
pub struct Frame<'a> {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
    pub x: &'a Axis,
    pub y: &'a Axis,
}

impl Frame<'_> {
    /// Where two numbers of the axes are on the canvas.
    pub fn at(&self, x: f64, y: f64) -> Point {
        let across = self.x.share(x) * f64::from(self.right - self.left);
        let up = self.y.share(y) * f64::from(self.bottom - self.top);
        (self.left + across.round() as i32, self.bottom - up.round() as i32)
    }

    /// The same, of what lies above or below the upward axis the place at its end.
    pub fn at_most(&self, x: f64, y: f64) -> Point {
        self.at(x, y.max(self.y.low).min(self.y.high))
    }

    /// The pieces of the line through `points` that lie within the upward axis.
    pub fn pieces(&self, points: &[(f64, f64)]) -> Vec<Vec<Point>> {
        let mut path: Vec<(f64, f64)> = points.iter().take(1).copied().collect();
        for pair in points.windows(2) {
            let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
            let mut ends = [self.y.low, self.y.high];
            if y1 < y0 {
                ends.reverse();
            }
            let crossings = ends.into_iter().map(|end| ((end - y0) / (y1 - y0), end));
            let crossings = crossings.filter(|(share, _)| 0.0 < *share && *share < 1.0);
            path.extend(crossings.map(|(share, end)| (x0 + share * (x1 - x0), end)));
            path.push((x1, y1));
        }
        let pieces = path.split(|(_, y)| !self.y.holds(*y)).filter(|piece| !piece.is_empty());
        pieces.map(|piece| piece.iter().map(|(x, y)| self.at(*x, *y)).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_it_leaves_the_axis() {
        let (x, y) = (Axis::linear("", 0.0, 10.0), Axis::linear("", 0.0, 10.0));
        let frame = Frame { left: 0, top: 0, right: 100, bottom: 100, x: &x, y: &y };
        let inside = [(0.0, 0.0), (5.0, 10.0), (10.0, 5.0)];
        assert_eq!(frame.pieces(&inside), [[(0, 100), (50, 0), (100, 50)]]);
        let outside = [(0.0, 5.0), (2.0, 15.0), (4.0, 5.0), (8.0, 5.0), (9.0, -5.0), (10.0, 15.0)];
        let pieces = frame.pieces(&outside);
        let expected = [
            vec![(0, 50), (10, 0)],
            vec![(30, 0), (40, 50), (80, 50), (85, 100)],
            vec![(93, 100), (98, 0)], // through from below
        ];
        assert_eq!(pieces, expected);
        assert_eq!(frame.pieces(&[(1.0, 20.0)]), Vec::<Vec<Point>>::new());
        assert_eq!(frame.at_most(5.0, 1e72), (50, 0));
    }
}
