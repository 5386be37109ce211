//! The answers of a method, as plain numbers.

/// The answers of one method to the queries of E episodes, after one number of steps: Q queries each, O outputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// `[E, Q, O]`, row by row: numbers, logits of classes, or of a yes.
    pub outputs: Vec<f32>,
    /// Labels `[E, Q]`, or numbers `[E, Q, O]`: those of a yes are 1, of a no 0.
    pub targets: Vec<f32>,
    /// `[E, Q]`, if not all rows count alike; 0 is padding.
    pub weights: Option<Vec<f32>>,
    /// The bin of each row `[E, Q]`, if rows that are alike are to be looked at together.
    pub bins: Option<Vec<u32>>,
    /// E.
    pub episodes: usize,
    /// Q.
    pub queries: usize,
}

/// A query's answer.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredQuery<'a> {
    /// `[O]`.
    pub outputs: &'a [f32],
    /// The label, or `[O]`.
    pub targets: &'a [f32],
    /// How much it counts.
    pub weight: f64,
    /// Its place among the rows of all episodes.
    pub place: usize,
}

impl Predictions {
    /// Those of other episodes behind these.
    pub fn extend(&mut self, others: Self) {
        if self.episodes == 0 {
            *self = others;
            return;
        }
        self.outputs.extend(others.outputs);
        self.targets.extend(others.targets);
        if let (Some(weights), Some(others)) = (&mut self.weights, others.weights) {
            weights.extend(others);
        }
        if let (Some(bins), Some(others)) = (&mut self.bins, others.bins) {
            bins.extend(others);
        }
        self.episodes += others.episodes;
    }

    /// O.
    pub fn width(&self) -> usize {
        self.outputs.len() / self.rows().max(1)
    }

    /// Whether targets are labels of classes: one number for several outputs.
    pub fn are_labelled(&self) -> bool {
        self.width() > 1 && self.targets.len() == self.rows()
    }

    /// Whether there is a right and a wrong answer: targets are labels, or each is a yes or a no.
    pub fn are_choices(&self) -> bool {
        self.are_labelled() || self.targets.iter().all(|target| [0.0, 1.0].contains(target))
    }

    /// The rows of each episode that count.
    pub fn of_episodes(&self) -> impl Iterator<Item = impl Iterator<Item = AnsweredQuery<'_>>> {
        (0..self.episodes).map(|episode| self.of_episode(episode))
    }

    /// Whether all outputs of each episode that count are numbers, and there are any.
    pub fn finite(&self) -> Vec<bool> {
        let finite = |mut rows: Box<dyn Iterator<Item = AnsweredQuery<'_>> + '_>| match rows.next() {
            Some(first) => first.is_finite() && rows.all(|row| row.is_finite()),
            None => false,
        };
        self.of_episodes().map(|rows| finite(Box::new(rows))).collect()
    }

    /// Each episode's mean over its rows, by their weight; not a number where an output is not finite or nothing counts.
    pub fn means(&self, of_row: impl Fn(AnsweredQuery) -> f64) -> Vec<f64> {
        let mean = |rows: &mut dyn Iterator<Item = AnsweredQuery<'_>>| {
            let (mut sum, mut weight) = (0.0, 0.0);
            for row in rows {
                if !row.is_finite() {
                    return f64::NAN;
                }
                sum += row.weight * of_row(row);
                weight += row.weight;
            }
            let mean = sum / weight;
            if mean.is_finite() { mean } else { f64::NAN }
        };
        self.of_episodes().map(|mut rows| mean(&mut rows)).collect()
    }

    fn rows(&self) -> usize {
        self.episodes * self.queries
    }

    fn of_episode(&self, episode: usize) -> impl Iterator<Item = AnsweredQuery<'_>> {
        let (outputs, targets) = (self.width(), self.targets.len() / self.rows().max(1));
        let rows = episode * self.queries..(episode + 1) * self.queries;
        let row = move |row: usize| AnsweredQuery {
            outputs: &self.outputs[row * outputs..(row + 1) * outputs],
            targets: &self.targets[row * targets..(row + 1) * targets],
            weight: self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row])),
            place: row,
        };
        rows.map(row).filter(|row| row.weight != 0.0)
    }
}

impl AnsweredQuery<'_> {
    /// Whether all outputs are numbers.
    pub fn is_finite(&self) -> bool {
        self.outputs.iter().all(|output| output.is_finite())
    }

    /// The place of the largest output, the first of equals.
    pub fn largest(&self) -> usize {
        let later = |best: usize, at: usize| if self.outputs[at] > self.outputs[best] { at } else { best };
        (1..self.outputs.len()).fold(0, later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_does_not_count_and_what_is_not_finite_has_no_mean() {
        let mut predictions = Predictions {
            outputs: vec![1.0, 2.0, 9.0, 4.0, f32::NAN, 6.0],
            targets: vec![0.0; 6],
            weights: Some(vec![1.0, 3.0, 0.0, 1.0, 1.0, 1.0]),
            bins: None,
            episodes: 2,
            queries: 3,
        };
        let means = predictions.means(|row| f64::from(row.outputs[0]));
        assert!(means[0] == 1.75 && means[1].is_nan(), "{means:?}");
        assert_eq!(predictions.finite(), [true, false]);
        predictions.weights = Some(vec![0.0; 6]);
        assert!(predictions.means(|_| 1.0)[0].is_nan() && !predictions.finite()[0], "nothing counts");
    }

    #[test]
    fn one_number_for_several_outputs_is_a_label() {
        let of = |outputs: usize, targets: usize| Predictions {
            outputs: vec![0.0; 4 * outputs],
            targets: vec![0.0; 4 * targets],
            weights: None,
            bins: None,
            episodes: 2,
            queries: 2,
        };
        assert!(of(3, 1).are_labelled() && !of(3, 3).are_labelled() && !of(1, 1).are_labelled());
        let numbers = Predictions { targets: vec![0.5; 4], ..of(1, 1) };
        assert!(of(3, 3).are_choices() && of(3, 1).are_choices() && !numbers.are_choices());
        let mut joined = Predictions::default();
        joined.extend(of(3, 1));
        joined.extend(of(3, 1));
        assert_eq!((joined.episodes, joined.width(), joined.of_episodes().count()), (4, 3, 4));
    }
}
