//! Figures of a study: how the objective went, and what it has to do with each parameter.
//!
//! To add one: one file with a function from a `View` to charts, one line in [`draw`].

mod curves;
mod heat_map;
mod importance;
mod objective;
mod parallel;
mod response;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result};

use super::{Drawn, axis::Axis, color_scale::ColorScale, raster};

/// The trials of a study that have a score, as figures need them.
#[derive(Clone, Debug)]
pub struct StudyResults {
    /// The study's name.
    pub name: String,
    /// What the scores are.
    pub objective: String,
    /// Whether lower scores are better.
    pub lower_is_better: bool,
    /// The trials by number.
    pub trials: Vec<TrialResult>,
    /// The parameters in the order of the space.
    pub parameters: Vec<StudyParameter>,
}

/// A trial.
#[derive(Clone, Debug)]
pub struct TrialResult {
    /// Its number in the study.
    pub number: usize,
    /// How good it is, as far as it came.
    pub score: f64,
    /// Whether it was trained to the end; others were pruned.
    pub complete: bool,
    /// Its value of each parameter, of a choice the option's place; nothing where the parameter does not exist for it.
    pub values: Vec<Option<f64>>,
    /// Meta-iterations and the score there.
    pub curve: Vec<(f64, f64)>,
}

/// A parameter of the space.
#[derive(Clone, Debug)]
pub struct StudyParameter {
    /// The key that varies.
    pub path: String,
    /// As short as the parameters of this study allow.
    pub name: String,
    /// How its values lie on an axis.
    pub scale: Scale,
}

/// How a parameter's values lie on an axis.
#[derive(Clone, Debug)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By their logarithm.
    Logarithmic,
    /// As options with these names.
    Options(Vec<String>),
}

/// Draws a study's figures; none without a score.
///
/// # Errors
/// Names the figure that cannot be drawn.
pub fn draw(results: &StudyResults) -> Result<Vec<Drawn>> {
    let Some(view) = View::of(results) else { return Ok(Vec::new()) };
    let mut figures = vec![objective::figure(&view)];
    figures.extend(response::figures(&view));
    figures.extend(heat_map::figure(&view));
    figures.extend(parallel::figure(&view));
    figures.extend(importance::figure(&view));
    figures.extend(curves::figure(&view));
    let finish = |figure: Figure| {
        let problem = || format!("cannot draw the figure {}", figure.name);
        let svg = figure.svg.with_context(problem)?;
        let png = raster::png(&svg).with_context(problem)?;
        Ok(Drawn {
            caption: caption(&figure.name).unwrap_or_default().to_owned(),
            name: figure.name,
            svg,
            png,
        })
    };
    figures.into_iter().map(finish).collect()
}

/// The caption of a figure by its name; `None` for what is no figure of a study.
pub fn caption(name: &str) -> Option<&'static str> {
    let known = [
        ("objective", objective::CAPTION),
        ("response", response::CAPTION),
        ("heat_map", heat_map::CAPTION),
        ("parallel", parallel::CAPTION),
        ("importance", importance::CAPTION),
        ("curves", curves::CAPTION),
    ];
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    known.into_iter().find(|known| known.0 == stem).map(|known| known.1)
}

/// A figure before it is turned into pixels.
struct Figure {
    name: String,
    svg: Result<String>,
}

impl Figure {
    fn new(name: &str, svg: Result<String>) -> Self {
        Self { name: name.to_owned(), svg }
    }
}

/// A study's results with what its figures share.
struct View<'a> {
    results: &'a StudyResults,
    /// The trials whose score is a number, the worst first.
    trials: Vec<&'a TrialResult>,
    /// The scores that fit on an axis; a trial far worse than nearly all others is drawn at its end.
    low: f64,
    high: f64,
}

impl<'a> View<'a> {
    fn of(results: &'a StudyResults) -> Option<Self> {
        let mut trials: Vec<&TrialResult> = results.trials.iter().filter(|t| t.score.is_finite()).collect();
        let order = |a: &&TrialResult, b: &&TrialResult| a.score.total_cmp(&b.score);
        trials.sort_by(|a, b| if results.lower_is_better { order(b, a) } else { order(a, b) });
        let (best, poor) = (trials.last()?.score, trials[trials.len() / 20].score);
        let bound = poor - 1.5 * (best - poor);
        let worst = trials[0].score;
        let worst = if results.lower_is_better { worst.min(bound) } else { worst.max(bound) };
        Some(Self { results, trials, low: best.min(worst), high: best.max(worst) })
    }

    /// At most `most` trials, the worst first: evenly over the ranks, the best among them.
    fn sample(&self, most: usize) -> Vec<&'a TrialResult> {
        let every = self.trials.len().div_ceil(most);
        let mut sample: Vec<_> = self.trials.iter().rev().step_by(every).copied().collect();
        sample.reverse();
        sample
    }

    /// What a subtitle adds where only `drawn` trials are drawn.
    fn sampled(&self, drawn: usize) -> String {
        let of = self.trials.len();
        if drawn < of { format!(" ({drawn} of {of} trials drawn)") } else { String::new() }
    }

    /// The axis of scores.
    fn score_axis(&self) -> Axis {
        let room = (0.05 * (self.high - self.low)).max(1e-3);
        Axis::linear(&self.results.objective, self.low - room, self.high + room)
    }

    /// Where a score lies on the axis.
    fn at(&self, score: f64) -> f64 {
        score.clamp(self.low, self.high)
    }

    /// Colours for scores from `low` to `high`.
    fn colors(&self, low: f64, high: f64) -> ColorScale {
        if self.results.lower_is_better { ColorScale::new(high, low) } else { ColorScale::new(low, high) }
    }

    /// A parameter's values and scores of the trials that have it, with whether they are complete.
    fn points(&self, parameter: usize, trials: &[&TrialResult]) -> Vec<(f64, f64, bool)> {
        let scale = &self.results.parameters[parameter].scale;
        let point = |trial: &&TrialResult| {
            Some((scale.position(trial.values[parameter]?), self.at(trial.score), trial.complete))
        };
        trials.iter().filter_map(point).filter(|p| p.0.is_finite()).collect()
    }
}

impl Scale {
    /// Where a value lies on the axis: a logarithm, or the middle of an option's place.
    fn position(&self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
            Self::Options(_) => value + 0.5,
        }
    }

    /// An axis for positions from `low` to `high`.
    fn axis(&self, label: &str, low: f64, high: f64) -> Axis {
        match self {
            Self::Logarithmic => Axis::logarithmic(label, low, high),
            Self::Options(names) => Axis::groups(label, names.iter().cloned()),
            Self::Linear => {
                let room = if high > low { 0.03 * (high - low) } else { 0.5 };
                Axis::linear(label, low - room, high + room)
            }
        }
    }
}

/// The smallest and the largest number.
fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let wider = |(low, high): (f64, f64), value: f64| (low.min(value), high.max(value));
    values.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), wider)
}
