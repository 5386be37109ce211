//! How fast predictions of each skill adapt to a student.

use super::Ensemble;

/// A skill over all students.
#[derive(Clone, Debug, PartialEq)]
pub struct SkillSpeed {
    /// Its name.
    pub skill: String,
    /// Mean absolute change of the predicted success since before adaptation, after each number of answers seen.
    pub change: Vec<f64>,
    /// Mean squared distance of the predicted success from mastery (1) or none (0), where that is known (Brier 1950).
    pub brier: Option<Vec<f64>>,
}

/// Every skill, those that change most at the last number of answers first.
pub fn speeds(ensemble: &Ensemble) -> Vec<SkillSpeed> {
    let students = 0..ensemble.students().len();
    let of_skill = |skill: usize| {
        let success = |student, seen| ensemble.success(student, seen, skill).mean;
        let change = |seen| {
            let changes =
                students.clone().map(|student| (success(student, seen) - success(student, 0)).abs());
            changes.sum::<f64>() / students.len() as f64
        };
        let known: Vec<(usize, f64)> = students
            .clone()
            .filter_map(|student| Some((student, f64::from(u8::from(ensemble.mastered(student, skill)?)))))
            .collect();
        let brier = |seen| {
            let squares = known.iter().map(|(student, truth)| (success(*student, seen) - truth).powi(2));
            squares.sum::<f64>() / known.len() as f64
        };
        let seen = || 0..ensemble.seen().len();
        SkillSpeed {
            skill: ensemble.skills()[skill].clone(),
            change: seen().map(change).collect(),
            brier: (!known.is_empty()).then(|| seen().map(brier).collect()),
        }
    };
    let mut all: Vec<SkillSpeed> = (0..ensemble.skills().len()).map(of_skill).collect();
    all.sort_by(|a, b| b.change.last().partial_cmp(&a.change.last()).unwrap_or(std::cmp::Ordering::Equal));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::tests::ensemble;

    #[test]
    fn the_fastest_skill_comes_first() {
        let speeds = speeds(&ensemble("a"));
        assert_eq!(speeds.iter().map(|of| of.skill.as_str()).collect::<Vec<_>>(), ["adding", "dividing"]);
        // The students change by 0, 0.04 and 0.08 with the first answer.
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(near(speeds[0].change[0], 0.0) && near(speeds[0].change[1], 0.04), "{speeds:?}");
        assert!(near(speeds[1].change[2], 0.04), "{speeds:?}");
        let brier = speeds[0].brier.as_ref().expect("known")[0];
        assert!(near(brier, (0.51f64.powi(2) + 2.0 * 0.49f64.powi(2)) / 3.0), "{brier}");
    }
}
