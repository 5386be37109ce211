//! Students grouped by their adapted contexts.

use std::collections::BTreeMap;

use super::Ensemble;

/// Students with contexts alike, by the first training: numbers of groups are others in every training.
#[derive(Clone, Debug, PartialEq)]
pub struct StudentGroup {
    /// Its number.
    pub number: usize,
    /// How many students it has.
    pub size: usize,
    /// The mean of their shares of right answers.
    pub right: f64,
    /// Their mean predicted success with each skill after the most answers.
    pub success: Vec<f64>,
}

/// The groups by number; none of a method without contexts.
pub fn groups(ensemble: &Ensemble) -> Vec<StudentGroup> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (student, profile) in ensemble.students().iter().enumerate() {
        if let Some(cluster) = profile.cluster {
            members.entry(cluster).or_default().push(student);
        }
    }
    let last = ensemble.seen().len() - 1;
    let of_group = |(number, members): (usize, Vec<usize>)| {
        let students = || members.iter().map(|student| &ensemble.students()[*student]);
        let mean =
            |values: &mut dyn Iterator<Item = f32>| values.map(f64::from).sum::<f64>() / members.len() as f64;
        let success = |skill: usize| mean(&mut students().map(|student| student.success[last][skill]));
        StudentGroup {
            number,
            size: members.len(),
            right: mean(&mut students().map(|student| student.right)),
            success: (0..ensemble.skills().len()).map(success).collect(),
        }
    };
    members.into_iter().map(of_group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::tests::ensemble;

    #[test]
    fn groups_have_the_means_of_their_students() {
        let groups = groups(&ensemble("a"));
        assert_eq!(
            groups.iter().map(|group| (group.number, group.size)).collect::<Vec<_>>(),
            [(0, 2), (1, 1)]
        );
        assert!((groups[0].right - 1.0 / 3.0).abs() < 1e-6, "{groups:?}");
        assert!((groups[0].success[0] - 0.58).abs() < 1e-6, "{groups:?}");
    }
}
