//! What a teacher sees: what a method makes of students, over its trainings. No tensors.

mod detector;
mod estimate;
mod groups;
mod skills;

pub use detector::Detector;
pub use estimate::{Estimate, MASTERY, Mastery};
pub use groups::{StudentGroup, groups};
pub use skills::{SkillSpeed, speeds};

use crate::tasks::example::{Profile, Profiles};

/// What the trainings of a method make of the same students.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// The method's name in the experiment file.
    pub method: String,
    /// Of each training; never empty, and all of the same students, skills and numbers of answers.
    trainings: Vec<Profiles>,
}

impl Ensemble {
    /// Of all trainings that tell of what the first one tells of; `None` where that is of no student, or not whole.
    pub fn of(method: &str, mut trainings: Vec<Profiles>) -> Option<Self> {
        trainings.retain(is_whole);
        let about = |of: &Profiles| {
            let names = of.students.iter().map(|student| student.student.clone()).collect::<Vec<_>>();
            (of.seen.clone(), of.skills.clone(), names)
        };
        let first = about(trainings.first()?);
        trainings.retain(|training| about(training) == first);
        Some(Self { method: method.to_owned(), trainings })
    }

    /// How many trainings there are.
    pub fn trainings(&self) -> usize {
        self.trainings.len()
    }

    /// Whether trainings differ at all: a method that draws nothing at random is the same with every seed.
    pub fn varies(&self) -> bool {
        self.trainings.iter().any(|training| training.students != self.trainings[0].students)
    }

    /// What intervals are, in words.
    pub fn interval_is(&self) -> String {
        match self.trainings() {
            1 => "There is no interval with one seed".into(),
            _ if !self.varies() => "There is no interval, since all seeds agree".into(),
            2 => "Intervals reach from the lower to the higher of the two seeds".into(),
            seeds => format!("Intervals are 95 % t-intervals of the mean over {seeds} seeds"),
        }
    }

    /// Numbers of answers seen, ascending from none.
    pub fn seen(&self) -> &[usize] {
        &self.trainings[0].seen
    }

    /// What success is predicted for.
    pub fn skills(&self) -> &[String] {
        &self.trainings[0].skills
    }

    /// The students, with what the first training makes of them.
    pub fn students(&self) -> &[Profile] {
        &self.trainings[0].students
    }

    /// Adaptation steps after which all this holds.
    pub fn steps(&self) -> usize {
        self.trainings[0].steps.last().copied().unwrap_or(0)
    }

    /// A student's predicted success with a skill at a place among the numbers of answers seen.
    pub fn success(&self, student: usize, seen: usize, skill: usize) -> Estimate {
        let of_training = |of: &Profiles| f64::from(of.students[student].success[seen][skill]);
        Estimate::of(&self.trainings.iter().map(of_training).collect::<Vec<_>>())
    }

    /// The mean over trainings of by how many standard deviations a student's answers are less likely than answers that fit.
    pub fn misfit(&self, student: usize) -> f64 {
        self.mean(|of| of.students[student].misfit)
    }

    /// The mean over trainings of a student's mean log-likelihood before adaptation, and after adaptation to all her answers.
    pub fn likelihood(&self, student: usize) -> [f64; 2] {
        [0, 1].map(|place| self.mean(|of| of.students[student].likelihood[place]))
    }

    /// Whether a student has mastered a skill, where that is known of each of the skills.
    pub fn mastered(&self, student: usize, skill: usize) -> Option<bool> {
        let of_skills = self.students()[student].mastered.as_ref()?;
        (of_skills.len() == self.skills().len()).then(|| of_skills[skill])
    }

    /// By how much adaptation to so many answers changes a student's predicted successes: the mean over skills.
    fn change(&self, student: usize, seen: usize) -> f64 {
        let change =
            |skill| (self.success(student, seen, skill).mean - self.success(student, 0, skill).mean).abs();
        (0..self.skills().len()).map(change).sum::<f64>() / self.skills().len() as f64
    }

    /// The student whose predicted successes adaptation changes by the median.
    pub fn typical(&self) -> usize {
        let last = self.seen().len() - 1;
        let mut changes: Vec<(f64, usize)> =
            (0..self.students().len()).map(|student| (self.change(student, last), student)).collect();
        changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        changes[(changes.len() - 1) / 2].1
    }

    /// Misfit as a detector of students whose answers were made not to fit, where that is known.
    pub fn detector(&self) -> Option<Detector> {
        let students = self.students().iter().enumerate();
        let known = students.filter_map(|(place, of)| Some((self.misfit(place), of.aberrant?)));
        Detector::of(known.collect())
    }

    fn mean(&self, of_training: impl Fn(&Profiles) -> f32) -> f64 {
        let values = self.trainings.iter().map(|training| f64::from(of_training(training)));
        values.sum::<f64>() / self.trainings.len() as f64
    }
}

/// Whether there are students, each with a predicted success for each skill after each number of answers.
fn is_whole(profiles: &Profiles) -> bool {
    let (seen, skills) = (profiles.seen.len(), profiles.skills.len());
    let whole = |student: &Profile| {
        student.success.len() == seen && student.success.iter().all(|of_skills| of_skills.len() == skills)
    };
    seen > 0 && skills > 0 && !profiles.students.is_empty() && profiles.students.iter().all(whole)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::tasks::example::ProfilesKind;

    /// Two trainings of three students, two skills and three numbers of answers; the higher a student's number the better she is.
    pub fn ensemble(method: &str) -> Ensemble {
        let student = |number: usize, training: usize| {
            let at = |seen: usize| 0.5 + 0.04 * (seen * number) as f32 + 0.02 * training as f32;
            Profile {
                student: format!("<script>alert({number})</script>"),
                group: Some(["north", "south"][number % 2].to_owned()),
                answers: (0..5).map(|answer| (format!("item{answer}"), answer % 3 < number)).collect(),
                right: number as f32 / 3.0,
                success: (0..3).map(|seen| vec![at(seen), at(seen) / 2.0]).collect(),
                mastered: Some(vec![number > 0, false]),
                likelihood: [-0.7, -0.6],
                misfit: number as f32 - 1.0,
                aberrant: Some(number == 2),
                place: Some([number as f32, -1.0]),
                cluster: Some(number % 2),
            }
        };
        let training = |training| Profiles {
            kind: ProfilesKind::Students,
            shots: 5,
            steps: vec![0, 5],
            seen: vec![0, 1, 5],
            skills: vec!["adding".into(), "dividing".into()],
            students: (0..3).map(|number| student(number, training)).collect(),
        };
        Ensemble::of(method, vec![training(0), training(1)]).expect("students")
    }

    #[test]
    fn means_are_over_trainings_of_the_same_students() {
        let ensemble = ensemble("cavia");
        let success = ensemble.success(1, 2, 0);
        assert!((success.mean - 0.59).abs() < 1e-6, "{success:?}");
        assert_eq!((ensemble.trainings(), ensemble.steps(), ensemble.misfit(0)), (2, 5, -1.0));
        assert!(ensemble.varies() && ensemble.interval_is().contains("two seeds"));
        assert_eq!([ensemble.mastered(0, 0), ensemble.mastered(1, 0)], [Some(false), Some(true)]);
        assert_eq!(ensemble.typical(), 1, "none changes less than the first, none more than the last");
    }

    #[test]
    fn trainings_of_others_and_damaged_ones_do_not_count() {
        let [first, second] = &ensemble("a").trainings[..] else { panic!("two trainings") };
        let mut others = second.clone();
        others.students[0].student = "somebody else".into();
        let of = |trainings: &[&Profiles]| {
            let trainings = trainings.iter().map(|training| (*training).clone()).collect();
            Ensemble::of("a", trainings).map(|ensemble| ensemble.trainings())
        };
        assert_eq!(of(&[first, &others, second]), Some(2));
        let mut damaged = first.clone();
        damaged.students[1].success[2].pop();
        assert_eq!(of(&[&damaged, second]), Some(1));
        assert_eq!(of(&[&damaged]), None);
        let nobody = Profiles { students: vec![], ..first.clone() };
        assert_eq!(of(&[&nobody]), None);
        let mut unknown = ensemble("a");
        unknown.trainings[0].students[0].mastered = Some(vec![true]);
        assert_eq!(unknown.mastered(0, 0), None, "of one skill of two");
    }

    #[test]
    fn misfit_finds_the_student_whose_answers_do_not_fit() {
        assert_eq!(ensemble("a").detector().map(|detector| detector.area), Some(1.0));
    }
}
