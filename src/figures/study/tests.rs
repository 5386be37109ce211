//! What holds for all figures of a study.

use super::*;

/// A complete trial with a learning curve of three points.
pub fn trial(number: usize, score: f64, values: &[Option<f64>]) -> TrialResult {
    let curve = vec![(0.0, 2.0), (100.0, 0.5 * (2.0 + score)), (200.0, score)];
    TrialResult { number, score, complete: true, values: values.to_vec(), curve }
}

/// A study of a rate and an algorithm, of which one has a parameter of its own, with forty trials.
pub fn rates() -> StudyResults {
    let parameter =
        |path: &str, name: &str, scale| StudyParameter { path: path.into(), name: name.into(), scale };
    let random = |i: usize, by: f64| (i as f64 * by).fract();
    let one = |i: usize| {
        let (rate, algorithm) = (10f64.powf(2.0 * random(i, 0.618) - 2.0), f64::from(i.is_multiple_of(2)));
        let steps = (i.is_multiple_of(2)).then_some((i % 10) as f64);
        trial(i, 1.0 + (rate.log10() + 1.0).powi(2) + 0.2 * algorithm, &[Some(rate), Some(algorithm), steps])
    };
    StudyResults {
        name: "rates <&>".into(),
        objective: "validation loss".into(),
        lower_is_better: true,
        trials: (0..40).map(one).collect(),
        parameters: vec![
            parameter("methods.one.lr", "lr", Scale::Logarithmic),
            parameter("methods.one", "one", Scale::Options(vec!["maml".into(), "reptile".into()])),
            parameter("methods.one.steps", "steps", Scale::Linear),
        ],
    }
}

fn names(drawn: &[Drawn]) -> Vec<&str> {
    drawn.iter().map(|figure| figure.name.as_str()).collect()
}

#[test]
fn every_figure_is_drawn_and_the_same_bytes_again() {
    let drawn = draw(&rates()).expect("drawn");
    let responses = ["response-1", "response-2", "response-3"];
    let all: Vec<&str> =
        [&["objective"][..], &responses, &["heat_map", "parallel", "importance", "curves"]].concat();
    assert_eq!(names(&drawn), all);
    assert_eq!(drawn, draw(&rates()).expect("drawn again"));
    for figure in &drawn {
        assert!(figure.svg.contains("rates &lt;&amp;&gt;") && !figure.svg.contains("NaN"), "{}", figure.name);
        assert!(figure.svg.contains("validation loss"), "{}", figure.name);
    }
    let svg = |name: &str| drawn.iter().find(|figure| figure.name == name).map_or("", |f| f.svg.as_str());
    assert!(svg("response-2").contains("reptile") && svg("parallel").contains("reptile"));
    assert!(svg("parallel").contains("none"), "reptile has no steps");
}

#[test]
fn a_study_of_one_parameter_or_one_trial_has_the_figures_that_make_sense() {
    let mut results = rates();
    results.trials.truncate(1);
    results.trials[0].curve.truncate(1);
    assert_eq!(
        names(&draw(&results).expect("drawn")),
        ["objective", "response-1", "response-2", "response-3", "parallel"]
    );
    let mut results = rates();
    results.parameters.truncate(1);
    results.trials.iter_mut().for_each(|trial| trial.values.truncate(1));
    assert_eq!(names(&draw(&results).expect("drawn")), ["objective", "response-1", "importance", "curves"]);
}

#[test]
fn what_diverged_is_left_out_and_what_is_far_off_stands_at_the_edge() {
    let mut results = rates();
    results.trials[7].score = f64::NAN;
    results.trials[8].score = 1e30;
    let view = View::of(&results).expect("trials");
    assert_eq!(view.trials.len(), 39);
    assert!(view.high < 10.0, "{}", view.high);
    assert!(draw(&results).expect("drawn").iter().all(|figure| !figure.svg.contains("NaN")));

    results.trials.iter_mut().for_each(|trial| trial.score = f64::NAN);
    assert!(draw(&results).expect("nothing").is_empty());
}

#[test]
fn pruned_trials_are_told_from_complete_ones() {
    let mut results = rates();
    for trial in results.trials.iter_mut().skip(10) {
        trial.complete = false;
        trial.curve.truncate(2);
        trial.score = trial.curve[1].1;
    }
    for figure in draw(&results).expect("drawn") {
        let tells = ["objective", "response-1", "curves"].contains(&figure.name.as_str());
        assert!(!tells || figure.svg.contains("pruned"), "{}", figure.name);
    }
}

#[test]
fn ten_thousand_trials_make_a_figure_of_a_thousand_dots() {
    let mut results = rates();
    let one = results.trials[3].clone();
    results.trials = (0..10_000).map(|number| TrialResult { number, ..one.clone() }).collect();
    let view = View::of(&results).expect("trials");
    let svg = objective::figure(&view).svg.expect("drawn");
    assert!(svg.contains("1000 of 10000"), "{}", &svg[..600]);
    assert!(svg.len() < 500_000, "{}", svg.len());
}
