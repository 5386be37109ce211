//! A run's `example.json`: some of the first test episodes with what a method answers, for people to look at.

use serde::{Deserialize, Serialize};

/// What is shown of an episode. Old files, which are all of images, have no `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Example {
    /// Functions of one variable.
    Curves(Curves),
    /// Students.
    Students(Profiles),
    /// Images that are to be classified.
    Images(Images),
}

/// An episode of images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Images {
    /// Support images per class.
    pub shots: usize,
    /// Pixels down.
    pub height: usize,
    /// Pixels across.
    pub width: usize,
    /// What each label of the episode stands for.
    pub classes: Vec<String>,
    /// The support set, class by class.
    pub support: Vec<Image>,
    /// Some queries of each class.
    pub queries: Vec<Image>,
    /// Numbers of adaptation steps.
    pub steps: Vec<usize>,
    /// The label given to each query after each number of steps: `[steps][queries]`, none where the network had diverged.
    pub answers: Vec<Vec<usize>>,
}

/// An image with its label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The class's place in the episode.
    pub label: usize,
    /// A byte per pixel, row by row, ink is 255; in base64.
    pub pixels: String,
}

/// Some episodes of functions of one variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Tells the file from one of images.
    pub kind: CurvesKind,
    /// Support points.
    pub shots: usize,
    /// Numbers of adaptation steps.
    pub steps: Vec<usize>,
    /// The episodes.
    pub curves: Vec<ExampleCurve>,
}

/// What a method makes of some students.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profiles {
    /// Tells the file from others.
    pub kind: ProfilesKind,
    /// The most answers that are seen.
    pub shots: usize,
    /// Numbers of adaptation steps that the method was asked after; profiles are those after the last.
    pub steps: Vec<usize>,
    /// How many answers are seen: 0, then more and more.
    pub seen: Vec<usize>,
    /// What success is predicted for: skills, or items where an item has a skill of its own.
    pub skills: Vec<String>,
    /// The students.
    pub students: Vec<Profile>,
}

/// What a method makes of a student.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Her name in the file.
    pub student: String,
    /// Her group, if the file has groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The answers in the order in which they are seen: item, and whether it was right.
    pub answers: Vec<(String, bool)>,
    /// Share of her answers, seen or not, that are right.
    pub right: f32,
    /// Predicted success with the items of each skill after each number of seen answers: `[seen][skills]`.
    pub success: Vec<Vec<f32>>,
    /// Whether she has mastered each skill, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mastered: Option<Vec<bool>>,
    /// Mean log-likelihood of her answers before adaptation, and after adaptation to all of them.
    pub likelihood: [f32; 2],
    /// By how many standard deviations they are then less likely than answers that fit.
    pub misfit: f32,
    /// Whether her answers were made not to fit, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aberrant: Option<bool>,
    /// Her adapted context on two axes, if the method has contexts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<[f32; 2]>,
    /// The number of the group of students with contexts like hers, if the method has contexts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<usize>,
}

/// Always the same word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfilesKind {
    /// `students`
    Students,
}

/// Always the same word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurvesKind {
    /// `curves`
    Curves,
}

/// One function, and how well it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExampleCurve {
    /// The support set: `[points][x, y]`.
    pub support: Vec<[f32; 2]>,
    /// Where the function is shown, ascending.
    pub x: Vec<f32>,
    /// The function there; empty where it is not known.
    pub truth: Vec<f32>,
    /// The answer there after each number of steps: `[steps][x]`, none where the network had diverged.
    pub answers: Vec<Vec<f32>>,
}

impl Example {
    /// The shots of what is shown.
    pub fn shots(&self) -> usize {
        match self {
            Self::Images(images) => images.shots,
            Self::Curves(curves) => curves.shots,
            Self::Students(profiles) => profiles.shots,
        }
    }

    /// The numbers of adaptation steps.
    pub fn steps(&self) -> &[usize] {
        match self {
            Self::Images(images) => &images.steps,
            Self::Curves(curves) => &curves.steps,
            Self::Students(profiles) => &profiles.steps,
        }
    }
}
