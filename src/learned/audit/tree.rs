//! A cheap baseline: a shallow decision tree on a few numbers that are known before an answer is asked (Breiman et al. 1984, Classification and
//! regression trees). Shares of right answers are its leaves; variance reduction on answers of 0 and 1 is the Gini criterion.

use anyhow::{Result, anyhow};
use smartcore::{
    linalg::basic::matrix::DenseMatrix,
    tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters},
};

use crate::{data::answers::Answers, measures::Predictions, tasks::cohort::Sitting};

/// Questions from the root to a leaf.
pub const DEPTH: u16 = 5;
/// The fewest training rows of a leaf.
const LEAF: usize = 50;
/// Rows that are looked at at once.
const AT_ONCE: usize = 1 << 14;
/// Columns.
const FEATURES: usize = 4;
/// No leaf is surer than this.
const SUREST: f64 = 0.999;
/// Where there is nothing to take the share of.
const NONE: f64 = -1.0;

type Tree = DecisionTreeRegressor<f64, f64, DenseMatrix<f64>, Vec<f64>>;

/// What is known of items from training students: answers and right ones.
pub struct Items {
    items: Vec<[f64; 2]>,
    skills: Vec<[f64; 2]>,
    all: [f64; 2],
}

impl Items {
    /// From the answers of some students.
    pub fn new(answers: &Answers, students: &[u32]) -> Self {
        let mut known = Self {
            items: vec![[0.0; 2]; answers.problems.len()],
            skills: vec![[0.0; 2]; answers.skills.len()],
            all: [0.0; 2],
        };
        for row in students.iter().flat_map(|student| answers.of(*student)) {
            let (problem, right) = (answers.problem[row] as usize, f64::from(u8::from(answers.correct[row])));
            let add = |of: &mut [f64; 2]| *of = [of[0] + 1.0, of[1] + right];
            answers.skills_of[problem].iter().for_each(|skill| add(&mut known.skills[*skill as usize]));
            add(&mut known.items[problem]);
            add(&mut known.all);
        }
        known
    }

    /// The share of right answers to a problem, drawn a little towards that of its skills, and so to that of all; without the answers
    /// `(number, right)` of a student herself.
    fn share(&self, answers: &Answers, problem: u32, without: [f64; 2]) -> f64 {
        let towards = |[count, right]: [f64; 2], prior: f64| (right + 2.0 * prior) / (count + 2.0);
        let overall = towards(self.all, 0.5);
        let skills = &answers.skills_of[problem as usize];
        let of_skills = skills.iter().map(|skill| towards(self.skills[*skill as usize], overall));
        let prior = if skills.is_empty() { overall } else { of_skills.sum::<f64>() / skills.len() as f64 };
        let [count, right] = self.items[problem as usize];
        towards([count - without[0], right - without[1]], prior)
    }
}

/// What is known before each asked answer of a sitting, row by row: the item's share of right answers in training, how many answers were seen,
/// the share of right ones among them, and among those of the same skill. `trains`: whether the student is one of those that items are known
/// from.
fn features(answers: &Answers, items: &Items, sitting: &Sitting, trains: bool, rows: &mut Vec<f64>) {
    let right = |row: &usize| f64::from(u8::from(answers.correct[*row]));
    let share = |sum: f64, count: usize| if count == 0 { NONE } else { sum / count as f64 };
    let seen = share(sitting.seen.iter().map(right).sum(), sitting.seen.len());
    for row in &sitting.asked {
        let problem = answers.problem[*row];
        let skills = &answers.skills_of[problem as usize];
        let alike = |row: &&usize| {
            let theirs = &answers.skills_of[answers.problem[**row] as usize];
            theirs.iter().any(|skill| skills.contains(skill))
        };
        let (sum, count) = sitting
            .seen
            .iter()
            .filter(alike)
            .fold((0.0, 0), |(sum, count), row| (sum + right(row), count + 1));
        let mut without = [0.0; 2];
        if trains {
            let own = answers.of(sitting.student).filter(|row| answers.problem[*row] == problem);
            own.for_each(|row| without = [without[0] + 1.0, without[1] + right(&row)]);
        }
        rows.extend([
            items.share(answers, problem, without),
            sitting.seen.len() as f64,
            seen,
            share(sum, count),
        ]);
    }
}

/// A tree that has learned from sittings of training students, with at most so many asked answers.
///
/// # Errors
/// There are none.
pub fn learn(answers: &Answers, items: &Items, sittings: &[Sitting], most: usize) -> Result<Tree> {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for sitting in sittings {
        features(answers, items, sitting, true, &mut x);
        y.extend(sitting.asked.iter().map(|row| f64::from(u8::from(answers.correct[*row]))));
        if y.len() >= most {
            break;
        }
    }
    let parameters = DecisionTreeRegressorParameters::default()
        .with_max_depth(DEPTH)
        .with_min_samples_leaf(LEAF.min(y.len() / 10).max(1));
    let rows = DenseMatrix::new(y.len(), FEATURES, x, false).map_err(|error| anyhow!("{error}"))?;
    Tree::fit(&rows, &y, parameters).map_err(|error| anyhow!("{error}"))
}

/// What the tree answers in the place of a run's `predictions`, which are those of the `sittings`.
///
/// # Errors
/// None comes of a tree that was fitted.
pub fn predict(
    tree: &Tree,
    answers: &Answers,
    items: &Items,
    sittings: &[Sitting],
    predictions: &Predictions,
) -> Result<Predictions> {
    let each = predictions.outputs.len() / sittings.len().max(1);
    let mut outputs = vec![0f32; predictions.outputs.len()];
    let (mut x, mut places) = (Vec::new(), Vec::new());
    for (task, sitting) in sittings.iter().enumerate() {
        features(answers, items, sitting, false, &mut x);
        let first = answers.of(sitting.student).start;
        places.extend(sitting.asked.iter().map(|row| task * each + row - first));
        if places.len() >= AT_ONCE || task + 1 == sittings.len() {
            let rows = DenseMatrix::new(places.len(), FEATURES, std::mem::take(&mut x), false);
            let rows = rows.map_err(|error| anyhow!("{error}"))?;
            let shares = tree.predict(&rows).map_err(|error| anyhow!("{error}"))?;
            for (place, share) in places.drain(..).zip(shares) {
                let share = share.clamp(1.0 - SUREST, SUREST);
                outputs[place] = (share / (1.0 - share)).ln() as f32;
            }
        }
    }
    Ok(Predictions { outputs, ..predictions.clone() })
}
