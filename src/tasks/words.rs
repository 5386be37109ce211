//! What figures, tables and reports call the tasks of a family. Made from the experiment file alone.

/// The words for a family's tasks.
#[derive(Clone, Debug)]
pub struct Words {
    /// Stands behind the experiment's name in titles: "3-way".
    pub title: String,
    /// A number of shots: "5-shot", "5 points".
    pub shots: fn(usize) -> String,
    /// What shots count, on an axis: "support images per class".
    pub shots_axis: &'static str,
    /// Classes of a task, if it has such: guessing is right once in so many times.
    pub classes: Option<usize>,
    /// What a task is, after "solves a new task": "of 3 classes from mnist".
    pub task: String,
    /// What a support set holds, after its size: "labelled images of each".
    pub support: &'static str,
    /// Names of the input and the output, where a task is a function of one variable that can be drawn.
    pub axes: Option<[&'static str; 2]>,
    /// What a reader must know of the tasks: name and value.
    pub facts: Vec<(&'static str, String)>,
}

/// What shots count where a task is a learner who practises.
pub const REVIEWS_SEEN: &str = "reviews seen";

/// What shots count where a task is a student, see [`Words::of_students`].
pub const ANSWERS_SEEN: &str = "answers seen";

impl Words {
    /// What the people are called whom tasks are about, if they are: results are then drawn by how much is seen of them.
    pub fn people(&self) -> Option<&'static str> {
        match self.shots_axis {
            ANSWERS_SEEN => Some("students"),
            REVIEWS_SEEN => Some("learners"),
            _ => None,
        }
    }

    /// Whether a task is a student of whom some answers are seen.
    pub fn of_students(&self) -> bool {
        self.shots_axis == ANSWERS_SEEN
    }
}

/// A value in one line, as an experiment file could have it.
pub fn in_one_line(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    text.replace('"', "").replace(':', ": ").replace(',', ", ")
}
