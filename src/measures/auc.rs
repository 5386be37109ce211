//! How well a yes is told from a no.

use super::{Better, Measure, Predictions, Resampled, Unit, link::yes_or_no, predictions::AnsweredQuery};

/// The area under the ROC curve: the probability that a yes is given a higher probability than a no, ties counting half (Hanley and
/// McNeil 1982, https://doi.org/10.1148/radiology.143.1.7063747). The answers of all episodes are pooled; of labels every class of every
/// query is a question of its own ("one against the rest, micro-averaged").
#[derive(Clone, Copy, Debug)]
pub struct Auc;

/// A question with its answer.
struct Answered {
    probability: f64,
    is_yes: bool,
    weight: f64,
    episode: usize,
}

impl Measure for Auc {
    fn name(&self) -> &'static str {
        "auc"
    }

    fn title(&self) -> &'static str {
        "area under the ROC curve"
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn unit(&self) -> Unit {
        Unit::Plain
    }

    fn pooled(&self) -> bool {
        true
    }

    /// Not a number where all answers are yes, or no, or numbers.
    fn of_all(&self, predictions: &Predictions) -> Resampled {
        if !predictions.are_choices() {
            return Box::new(|_| f64::NAN);
        }
        let answers = by_probability(predictions);
        Box::new(move |counts| area(&answers, counts))
    }
}

/// All answers of episodes whose outputs are finite, the least probable yes first.
fn by_probability(predictions: &Predictions) -> Vec<Answered> {
    let labelled = predictions.are_labelled();
    let mut answers = Vec::new();
    let episodes = predictions.of_episodes().zip(predictions.finite()).enumerate();
    for (episode, (rows, _)) in episodes.filter(|(_, (_, finite))| *finite) {
        answers.extend(rows.flat_map(|row| answered(row, labelled, episode)));
    }
    sort(&mut answers);
    answers
}

/// The questions of a row of an episode.
fn answered(row: AnsweredQuery<'_>, labelled: bool, episode: usize) -> impl Iterator<Item = Answered> {
    let answered = move |(probability, is_yes)| Answered { probability, is_yes, weight: row.weight, episode };
    yes_or_no(row, labelled).map(answered)
}

/// Puts the least probable yes first.
fn sort(answers: &mut [Answered]) {
    answers.sort_by(|a, b| a.probability.total_cmp(&b.probability));
}

/// The area of some rows; NaN where a yes or no is missing, or an output is not finite.
pub fn area_of<'a>(rows: impl Iterator<Item = AnsweredQuery<'a>>, labelled: bool) -> f64 {
    let mut answers = Vec::new();
    for row in rows {
        if !row.is_finite() {
            return f64::NAN;
        }
        answers.extend(answered(row, labelled, 0));
    }
    sort(&mut answers);
    area(&answers, &[1])
}

/// The area of answers in the order of their probability, each counting as often as its episode does; NaN where a yes or no is missing.
fn area(answers: &[Answered], counts: &[u32]) -> f64 {
    let (mut yes, mut no, mut pairs) = (0.0, 0.0, 0.0);
    let (mut tied_yes, mut tied_no, mut tied_at) = (0.0, 0.0, f64::NEG_INFINITY);
    for answer in answers {
        let weight = answer.weight * f64::from(counts[answer.episode]);
        if answer.probability > tied_at {
            pairs += tied_yes * (no + 0.5 * tied_no);
            (yes, no) = (yes + tied_yes, no + tied_no);
            (tied_yes, tied_no, tied_at) = (0.0, 0.0, answer.probability);
        }
        if answer.is_yes { tied_yes += weight } else { tied_no += weight }
    }
    pairs += tied_yes * (no + 0.5 * tied_no);
    pairs / ((yes + tied_yes) * (no + tied_no))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of nine pairs of a yes and a no five are in order and two are tied.
    #[test]
    fn ties_count_half() {
        let logit = |p: f32| (p / (1.0 - p)).ln();
        let predictions = Predictions {
            outputs: [0.1, 0.4, 0.35, 0.8, 0.4, 0.4].map(logit).to_vec(),
            targets: vec![0.0, 0.0, 1.0, 1.0, 1.0, 0.0],
            weights: None,
            bins: None,
            episodes: 2,
            queries: 3,
        };
        let area = Auc.of_all(&predictions);
        assert!((area(&[1, 1]) - 6.0 / 9.0).abs() < 1e-12, "{}", area(&[1, 1]));
        assert!((area(&[0, 1]) - 0.75).abs() < 1e-12);
        let all_no = Predictions { targets: vec![0.0; 6], ..predictions };
        assert!(Auc.of_all(&all_no)(&[1, 1]).is_nan());
    }

    /// Nine questions with three yeses: of eighteen pairs all are in order but one that is tied.
    #[test]
    fn every_class_of_a_label_is_a_question() {
        let predictions = Predictions {
            outputs: vec![2.0, 1.0, 0.0, 0.0, 1.0, 3.0, 0.0, 3.0, 3.0],
            targets: vec![0.0, 2.0, 1.0],
            weights: None,
            bins: None,
            episodes: 1,
            queries: 3,
        };
        assert!((Auc.of_all(&predictions)(&[1]) - 17.5 / 18.0).abs() < 1e-12);
    }
}
