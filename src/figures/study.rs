//! What a sweep found: the objective over trials, and how it responds to each parameter.

use anyhow::Result;

use super::{
    Drawn,
    axis::Axis,
    chart::{Chart, Entry, Mark, Panel, Sample},
    raster,
    style::Look,
};

/// The trials of a study that are done, as a figure needs them.
#[derive(Clone, Debug)]
pub struct StudyResults {
    /// The study's name.
    pub name: String,
    /// What the scores are.
    pub objective: String,
    /// Whether lower scores are better.
    pub lower_is_better: bool,
    /// Trial number and score.
    pub scores: Vec<(usize, f64)>,
    /// The parameters.
    pub parameters: Vec<Response>,
}

/// One parameter and the scores at its values.
#[derive(Clone, Debug)]
pub struct Response {
    /// The key's path.
    pub path: String,
    /// How its values lie on an axis.
    pub scale: Scale,
    /// Value, of a choice the option's number, and score.
    pub points: Vec<(f64, f64)>,
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

/// Draws a study's figures: `objective`, then `response-1`, `response-2`, ... in the order of the parameters; none without a score.
///
/// # Errors
/// If the drawing library fails.
pub fn draw(results: &StudyResults) -> Result<Vec<Drawn>> {
    if results.scores.is_empty() {
        return Ok(Vec::new());
    }
    let mut drawn = vec![finished("objective".into(), objective(results), OBJECTIVE)?];
    for (i, response) in results.parameters.iter().enumerate().filter(|(_, r)| !r.points.is_empty()) {
        drawn.push(finished(format!("response-{}", i + 1), response_chart(results, response), RESPONSE)?);
    }
    Ok(drawn)
}

const OBJECTIVE: &str = "Each dot is a trial, judged on validation episodes; the line is the best so far.";
const RESPONSE: &str = "Each dot is a trial at its value of this parameter, whatever its other parameters; the line joins means over neighbouring trials.";

fn finished(name: String, chart: Chart, caption: &str) -> Result<Drawn> {
    let svg = chart.svg()?;
    let png = raster::png(&svg)?;
    Ok(Drawn { name, caption: caption.to_owned(), svg, png })
}

fn objective(results: &StudyResults) -> Chart {
    let points: Vec<(f64, f64)> =
        results.scores.iter().map(|&(trial, score)| (trial as f64, score)).collect();
    let mut best: Vec<(f64, f64)> = Vec::new();
    for &(trial, score) in &points {
        let so_far = best.last().map_or(score, |&(_, best)| {
            if results.lower_is_better { best.min(score) } else { best.max(score) }
        });
        best.extend(best.last().map(|&(_, before)| (trial, before))); // a step, not a slope
        best.push((trial, so_far));
    }
    let last = points.last().map_or(1.0, |p| p.0);
    Chart {
        title: results.name.clone(),
        subtitle: format!("{} over trials", results.objective),
        x: Axis::linear("trial", 0.0, last),
        y: y_axis(results),
        panels: vec![Panel {
            heading: None,
            marks: vec![Mark::Line(BEST, best), Mark::Dots(Look::of(0), points)],
        }],
        legend: vec![entry("a trial", Look::of(0)), entry("best so far", BEST)],
    }
}

fn response_chart(results: &StudyResults, response: &Response) -> Chart {
    let at = |value: f64| if matches!(response.scale, Scale::Logarithmic) { value.log10() } else { value };
    let mut points: Vec<(f64, f64)> =
        response.points.iter().map(|&(value, score)| (at(value), score)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (low, high) = (points[0].0, points[points.len() - 1].0);
    let x = match &response.scale {
        Scale::Linear => Axis::linear(&response.path, low, high),
        Scale::Logarithmic => Axis::logarithmic(&response.path, low, high),
        Scale::Options(names) => Axis::groups(&response.path, names.iter().cloned()),
    };
    let mut marks = Vec::new();
    if let Scale::Options(_) = response.scale {
        points.iter_mut().for_each(|point| point.0 += 0.5);
    } else {
        marks.push(Mark::Line(BEST, trend(&points)));
    }
    marks.push(Mark::Dots(Look::of(0), points));
    Chart {
        title: results.name.clone(),
        subtitle: format!("{} by {}", results.objective, response.path),
        x,
        y: y_axis(results),
        panels: vec![Panel { heading: None, marks }],
        legend: vec![entry("a trial", Look::of(0)), entry("mean of neighbours", BEST)],
    }
}

/// Means over windows of a fifth of the trials, at least three, along the sorted values.
fn trend(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let window = (points.len() / 5).clamp(3, 1000).min(points.len());
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / window as f64;
    let windows = points.windows(window);
    windows.map(|w| (mean(&mut w.iter().map(|p| p.0)), mean(&mut w.iter().map(|p| p.1)))).collect()
}

const BEST: Look = Look::line(1);

fn entry(label: &str, look: Look) -> Entry {
    let sample = if look == BEST { Sample::Line(look) } else { Sample::Dot(look) };
    Entry { sample, label: label.into(), note: None }
}

fn y_axis(results: &StudyResults) -> Axis {
    let scores = || results.scores.iter().map(|(_, score)| *score);
    let (low, high) = (scores().fold(f64::INFINITY, f64::min), scores().fold(f64::NEG_INFINITY, f64::max));
    let room = (0.05 * (high - low)).max(1e-3);
    Axis::linear(&results.objective, low - room, high + room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> StudyResults {
        let response = |path: &str, scale, points: &[(f64, f64)]| Response {
            path: path.into(),
            scale,
            points: points.to_vec(),
        };
        StudyResults {
            name: "rates".into(),
            objective: "validation loss".into(),
            lower_is_better: true,
            scores: vec![(0, 1.5), (1, 1.2), (3, 1.9)],
            parameters: vec![
                response("train.lr", Scale::Logarithmic, &[(0.01, 1.5), (0.1, 1.2), (1.0, 1.9)]),
                response(
                    "methods.one",
                    Scale::Options(vec!["maml".into(), "reptile".into()]),
                    &[(0.0, 1.5), (1.0, 1.2)],
                ),
                response("never.there", Scale::Linear, &[]),
                response("once.there", Scale::Linear, &[(4.0, 1.9)]),
            ],
        }
    }

    #[test]
    fn a_figure_for_the_objective_and_each_parameter_that_was_tried() {
        let drawn = draw(&results()).expect("drawn");
        let names: Vec<&str> = drawn.iter().map(|figure| figure.name.as_str()).collect();
        assert_eq!(names, ["objective", "response-1", "response-2", "response-4"]);
        assert!(drawn[0].svg.contains("validation loss") && drawn[0].svg.contains("best so far"));
        assert!(drawn[1].svg.contains("train.lr") && drawn[1].svg.contains("0.05"));
        assert!(drawn[2].svg.contains("reptile"));
    }

    #[test]
    fn the_best_so_far_goes_down_in_steps_where_lower_is_better() {
        let chart = objective(&results());
        let Mark::Line(_, best) = &chart.panels[0].marks[0] else { panic!("the line comes first") };
        assert_eq!(best, &[(0.0, 1.5), (1.0, 1.5), (1.0, 1.2), (3.0, 1.2), (3.0, 1.2)]);
    }

    #[test]
    fn nothing_done_nothing_drawn() {
        let none = StudyResults { scores: vec![], ..results() };
        assert!(draw(&none).expect("nothing").is_empty());
    }
}
