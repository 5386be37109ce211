//! A run's `example.json`: some of the first test episodes with what a method answers, for people to look at.

use serde::{Deserialize, Serialize};

/// What is shown of an episode. Old files, which are all of images, have no `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Example {
    /// Functions of one variable.
    Curves(Curves),
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
    /// The function there.
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
        }
    }

    /// The numbers of adaptation steps.
    pub fn steps(&self) -> &[usize] {
        match self {
            Self::Images(images) => &images.steps,
            Self::Curves(curves) => &curves.steps,
        }
    }
}
