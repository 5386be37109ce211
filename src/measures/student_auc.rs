//! How well a yes is told from a no within a student.

use super::{Better, Measure, Predictions, Unit, auc::area_of};

/// The mean over episodes of the area under the ROC curve of each. It leaves out what makes episodes differ from one another, such as that
/// some students are better than others, and episodes whose answers are all yes or all no, for which there is no such area.
#[derive(Clone, Copy, Debug)]
pub struct StudentAuc;

impl Measure for StudentAuc {
    fn name(&self) -> &'static str {
        "student_auc"
    }

    fn title(&self) -> &'static str {
        "area under the ROC curve within tasks"
    }

    fn better(&self) -> Better {
        Better::Higher
    }

    fn unit(&self) -> Unit {
        Unit::Plain
    }

    /// Of numbers none: there is no yes and no.
    fn of_each(&self, predictions: &Predictions) -> Vec<f64> {
        if !predictions.are_choices() {
            return vec![f64::NAN; predictions.episodes];
        }
        let labelled = predictions.are_labelled();
        predictions.of_episodes().map(|rows| area_of(rows, labelled)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first tells them apart, the second has one of two pairs in order and the other tied, in the third there is no yes.
    #[test]
    fn each_student_counts_alike_and_who_is_all_wrong_not_at_all() {
        let predictions = Predictions {
            outputs: vec![-3.0, -2.0, -1.0, 4.0, 4.0, 2.0, 0.0, 1.0, 2.0],
            targets: vec![0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            weights: None,
            bins: None,
            episodes: 3,
            queries: 3,
        };
        let areas = StudentAuc.of_each(&predictions);
        assert!(areas[0] == 1.0 && areas[1] == 0.75 && areas[2].is_nan(), "{areas:?}");
        assert_eq!(StudentAuc.of_all(&predictions)(&[1, 1, 1]), 0.875);
    }
}
