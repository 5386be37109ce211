//! What holds for every registered figure.

use super::*;
use crate::{
    experiment::spec::Experiment,
    measures,
    measures::reliability::{BINS, Bin},
    profiles::tests::ensemble,
    records::{TaskKind, Values},
    tasks::{
        example::{Curves, CurvesKind, ExampleCurve},
        words::ANSWERS_SEEN,
    },
};

/// Results of `methods` with 3 seeds and 2 folds of 10 episodes, whose curves cross; the last method is trained on the whole data set.
fn results(methods: &[&str]) -> Results {
    judged(methods, "accuracy")
}

/// The same judged by a measure of this name.
fn judged(methods: &[&str], measure: &str) -> Results {
    let judge = measures::find(measure).expect("registered").quantity();
    let described = "{name: a, methods: {a: {maml: {}}}, task: {dataset: mnist, ways: 5, shots: 1, classes: {train: [0, 1, 2, 3, 4], test: [5, 6, 7, 8, 9]}}}";
    let experiment: Experiment = serde_saphyr::from_str(described).expect("an experiment");
    let mut results = Results {
        title: "digits <&> letters".to_owned(),
        methods: methods.iter().map(|m| (*m).to_owned()).collect(),
        train: Vec::new(),
        evaluation: Vec::new(),
        judge,
        words: experiment.task.words(),
        validation: Vec::new(),
        cost: Vec::new(),
        examples: methods.iter().map(|m| ((*m).to_owned(), example())).collect(),
        ensembles: Vec::new(),
        calibrations: Vec::new(),
        trained_steps: [(methods[0].to_owned(), 10)].into_iter().collect(),
        lacking: Vec::new(),
    };
    results.words.axes = Some(["x", "y"]);
    for (place, method) in methods.iter().enumerate() {
        let whole = place + 1 == methods.len() && place > 0;
        for seed in 0..3 {
            for iteration in (0..=1000).step_by(100) {
                let score = 0.2 + 0.0006 * iteration as f64 + 0.01 * (place as f64 + seed as f64);
                results.train.push(TrainRow {
                    method: (*method).to_owned(),
                    fold: 0,
                    seed,
                    iteration,
                    loss: Some(1.0),
                    learning_rate: Some(0.001),
                    validation_loss: Some(1.0),
                    validation: [(judge.name, score)].into_iter().collect(),
                });
            }
            let costs = [1, 5].into_iter().flat_map(|k| [0, 1, 10, 100].map(|step| (k, step)));
            results.cost.extend(costs.filter(|_| !whole).map(|(shots, step)| CostRow {
                method: (*method).to_owned(),
                fold: 0,
                seed,
                shots,
                step,
                rows: if place == 1 { 5 * shots } else { 5 * shots * step },
                milliseconds: 0.5 + (step * shots) as f64,
            }));
            for (episode, shots, step) in (0..20)
                .flat_map(|e| [1, 5].map(|k| (e, k)))
                .flat_map(|(e, k)| [0, 1, 10, 100].map(|s| (e, k, s)))
            {
                let learnt = 1.0 - (-(1.0 + place as f64) * step as f64 / 20.0).exp();
                results.evaluation.push(EvaluationRow {
                    method: (*method).to_owned(),
                    fold: episode % 2,
                    seed,
                    task: if whole { TaskKind::WholeDataset } else { TaskKind::FewShot },
                    shots,
                    episode: episode / 2,
                    step,
                    loss: 1.0,
                    values: [(judge.name, 0.2 + 0.5 * learnt + 0.01 * (episode % 5 + shots) as f64)]
                        .into_iter()
                        .collect(),
                });
            }
        }
    }
    results
}

/// Two lines, and what was made of them.
fn example() -> Example {
    let curve = |slope: f32| ExampleCurve {
        support: vec![[0.5, 0.5 * slope]],
        x: vec![-1.0, 0.0, 1.0],
        truth: vec![-slope, 0.0, slope],
        answers: [0.0, 0.1, 0.5, 0.9].map(|part| vec![-slope * part, 0.0, slope * part]).to_vec(),
    };
    let curves = vec![curve(1.0), curve(-3.0)];
    Example::Curves(Curves { kind: CurvesKind::Curves, shots: 1, steps: vec![0, 1, 10, 100], curves })
}

/// Figures that are of students alone.
const OF_STUDENTS: [&str; 5] = ["seen", "reliability", "profile", "contexts", "misfit"];

/// The same of students.
fn of_students(methods: &[&str]) -> Results {
    let mut results = judged(methods, "log_loss");
    results.words.shots_axis = ANSWERS_SEEN;
    let bins = [Bin { answers: 30, predicted: 7.5, yes: 10 }; BINS];
    let calibration =
        |method: &&str| Calibration { method: (*method).to_owned(), shots: 5, step: 10, runs: 3, bins };
    results.calibrations = methods.iter().map(calibration).collect();
    results.ensembles = methods.iter().map(|method| ensemble(method)).collect();
    results
}

#[test]
fn same_results_same_bytes() {
    let (results, students) =
        (results(&["maml", "reptile", "plain"]), of_students(&["maml", "reptile", "plain"]));
    for (results, of_students) in [(&results, false), (&students, true)] {
        let drawn = draw_all(results).expect("figures");
        for name in OF_STUDENTS {
            assert_eq!(drawn.iter().any(|figure| figure.name == name), of_students, "{name}");
        }
        assert_eq!(drawn, draw_all(results).expect("figures"));
    }
    assert_eq!(draw_all(&results).expect("figures").len(), all().len() - OF_STUDENTS.len());
    let drawn = draw_all(&students).expect("figures");
    assert!(!drawn.iter().any(|figure| figure.name == "shots"), "seen shows as much");
}

#[test]
fn names_of_students_items_and_skills_are_escaped() {
    let results = of_students(&["a<&b"]);
    for figure in draw_all(&results).expect("figures") {
        assert!(!figure.svg.contains("<script") && !figure.svg.contains("a<&b"), "{}", figure.name);
    }
    let svg = profile::ProfileFigure.draw(&results).expect("drawn").expect("something to draw");
    assert!(svg.contains("&lt;script&gt;alert(1)") && svg.contains("not mastered") && svg.contains("✗"));
    let svg = misfit::Misfit.draw(&results).expect("drawn").expect("something to draw");
    assert!(svg.contains("AUC 1.000"));
}

#[test]
fn the_best_method_comes_first() {
    let mut results = of_students(&["maml", "reptile", "plain"]);
    let first = |results: &Results| results.ensembles_best_first()[0].method.clone();
    assert_eq!(first(&results), "maml", "whose log loss grows least");
    results.judge = measures::find("accuracy").expect("registered").quantity();
    for row in &mut results.evaluation {
        let value = row.value("log_loss");
        row.values.set("accuracy", value);
    }
    assert_eq!(first(&results), "reptile", "of those tested on students");
}

#[test]
fn every_method_is_named_and_special_characters_are_escaped() {
    let results = results(&["maml", "a<&b", "plain"]);
    for figure in all().into_iter().filter(|figure| !OF_STUDENTS.contains(&figure.name())) {
        let svg = figure.draw(&results).expect("drawn").expect("something to draw");
        assert!(svg.contains("maml") && svg.contains("a&lt;&amp;b"), "{}", figure.name());
        assert!(svg.contains("digits &lt;&amp;&gt; letters"), "{}", figure.name());
        assert!(svg.starts_with("<svg viewBox="), "{}", &svg[..80]);
    }
}

#[test]
fn errors_are_drawn_as_what_they_are() {
    let mut results = judged(&["maml", "reptile", "plain"], "mse");
    let far = |row: &mut EvaluationRow| {
        row.values = [("mse", 0.01 * 10f64.powi(row.step.min(2) as i32))].into_iter().collect()
    };
    results.evaluation.iter_mut().for_each(far);
    for figure in draw_all(&results).expect("figures").into_iter().filter(|figure| figure.name != "fits") {
        let says = figure.svg.contains("mean squared error");
        assert!(says && !figure.svg.contains("chance"), "{}", figure.name);
        assert!(!figure.caption.contains("ccuracy") && !figure.svg.contains("ccuracy"), "{}", figure.name);
    }
    let adaptation = adaptation::AdaptationFigure.draw(&results).expect("drawn").expect("something to draw");
    let shows = |number: &str| adaptation.contains(&format!("\n{number}\n"));
    assert!(shows("0.01") && shows("0.1") && shows("1"), "by logarithms");
}

#[test]
fn partial_results_are_drawn_or_left_out() {
    let full = results(&["maml", "reptile", "plain"]);
    let empty = Results { train: vec![], evaluation: vec![], cost: vec![], examples: vec![], ..full.clone() };
    assert_eq!(draw_all(&empty).expect("nothing"), []);

    let value = |value: f64| [(full.judge.name, value)].into_iter().collect();
    let nan = || value(f64::NAN);
    let nothing_but_nan = Results {
        evaluation: full.evaluation.iter().cloned().map(|r| EvaluationRow { values: nan(), ..r }).collect(),
        train: full.train.iter().cloned().map(|r| TrainRow { validation: nan(), ..r }).collect(),
        examples: vec![],
        ..full.clone()
    };
    assert_eq!(draw_all(&nothing_but_nan).expect("nothing"), []);

    let mut some_nan = full.clone();
    some_nan.evaluation.iter_mut().step_by(7).for_each(|r| r.values = value(f64::INFINITY));
    some_nan.train.iter_mut().step_by(2).for_each(|r| r.validation = Values::default());
    draw_all(&some_nan).expect("figures of what is left");

    let single = Results {
        methods: vec![],
        evaluation: full.evaluation[1..2].to_vec(),
        train: full.train[..1].to_vec(),
        ..full.clone()
    };
    let names: Vec<String> =
        draw_all(&single).expect("figures of single values").into_iter().map(|figure| figure.name).collect();
    assert!(!names.contains(&"folds".to_owned()), "{names:?}");
    assert_eq!(names.len(), all().len() - OF_STUDENTS.len() - 1);
}
