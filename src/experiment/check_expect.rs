//! Checks of published values: whether each is of something that the experiment measures.

use garde::{Path, Report};

use super::{expect::ExpectedAt, spec::Experiment};
use crate::{algorithms::Testing, measures::Unit, misuse::similar};

/// Checks that every value is of something that the experiment measures.
pub fn check_expect(experiment: &Experiment, parent: &mut dyn FnMut() -> Path, report: &mut Report) {
    for (method, expected) in &experiment.expect {
        let path = parent().join("expect").join(method.as_str());
        if !experiment.methods.contains_key(method) {
            let names = || experiment.methods.keys().map(String::as_str);
            let known = names().collect::<Vec<_>>().join(", ");
            let hint = similar(method, names()).unwrap_or_default();
            let message = format!("there is no method {method}, only {known}: leave it out{hint}");
            report.append(path, garde::Error::new(message));
            continue;
        }
        for place in expected.places() {
            if let Some((key, wrong)) = problem(experiment, method, &place) {
                let path = path.join(place.measure);
                let path = key.into_iter().fold(path, |path, number| path.join(number.to_string()));
                report.append(path, garde::Error::new(wrong));
            }
        }
    }
}

/// The numbers below the measure at which something is wrong with a value, and what.
fn problem(experiment: &Experiment, method: &str, place: &ExpectedAt) -> Option<(Vec<usize>, String)> {
    let ExpectedAt { measure, shots, step, value } = *place;
    let list = |numbers: &[usize]| numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let Some(quantity) = experiment.quantities().into_iter().find(|known| known.name == measure) else {
        let known: Vec<_> = experiment.quantities().iter().map(|known| known.name).collect();
        let message = format!(
            "{measure} is not measured, only {}: add it to evaluate.measures, or leave it out here",
            known.join(", ")
        );
        return Some((vec![], message));
    };
    let keys = || shots.into_iter().chain([step]).collect();
    let (tested, steps) = (experiment.test_shots(), &experiment.evaluate.steps);
    let whole = experiment.methods[method].algorithm.testing() == Testing::WholeDataset;
    match shots {
        Some(shots) if whole => {
            let message =
                format!("{method} is tested on the whole data set, which has no shots: {{{step}: [...]}}");
            return Some((vec![shots], message));
        }
        Some(shots) if !tested.contains(&shots) => {
            let message = format!(
                "no test has {shots} shots, only {}: add it to evaluate.shots, or leave it out here",
                list(&tested)
            );
            return Some((vec![shots], message));
        }
        None if tested.len() > 1 && !whole => {
            let message = format!(
                "tests are with {} shots: say with how many this is, {{{}: {{{step}: [...]}}}}",
                list(&tested),
                tested[0]
            );
            return Some((vec![step], message));
        }
        _ => {}
    }
    if !steps.contains(&step) {
        let message = format!(
            "the test does not measure after {step} steps, only after {}: add it to evaluate.steps, or leave it out here",
            list(steps)
        );
        return Some((keys(), message));
    }
    let numbers = || [Some(value.mean), value.half_width].into_iter().flatten();
    if numbers().any(|number| !number.is_finite()) || value.half_width.is_some_and(|half| half < 0.0) {
        return Some((keys(), "expected a finite number, and a half-width that is not negative".into()));
    }
    if quantity.unit == Unit::Percent && value.mean > 0.0 && value.mean <= 1.0 {
        let message =
            format!("{measure} is in per cent here: {} instead of {}?", 100.0 * value.mean, value.mean);
        return Some((keys(), message));
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::experiment::read::parse;

    fn text(expect: &str, evaluate: &str) -> String {
        format!(
            "{{name: a, task: {{sinusoid: {{}}}}, methods: {{maml: {{maml: {{}}}}}}, evaluate: {{{evaluate}}}, expect: {expect}}}"
        )
    }

    const STEPS: &str = "steps: [0, 1, 5]";

    #[test]
    fn mistakes_are_told_with_their_keys() {
        let several = "steps: [0, 1], shots: [5, 10]";
        for (expect, evaluate, told) in [
            ("{mmal: {mse: {1: [1]}}}", STEPS, &["expect.mmal", "did you mean maml?"][..]),
            ("{maml: {msee: {1: [1]}}}", STEPS, &["unknown field `msee`", "did you mean mse?"]),
            (
                "{maml: {mse: {2: [1]}}}",
                STEPS,
                &["expect.maml.mse.2", "only after 0, 1, 5", "evaluate.steps"],
            ),
            ("{maml: {auc: {1: [0.5]}}}", STEPS, &["expect.maml.auc", "only mse", "evaluate.measures"]),
            ("{maml: {mse: {1: [1, 2, 3]}}}", STEPS, &["[value, half-width]", "3 numbers"]),
            ("{maml: {mse: {1: [1, -2]}}}", STEPS, &["expect.maml.mse.1", "not negative"]),
            ("{maml: {mse: {1: [.nan]}}}", STEPS, &["expect.maml.mse.1", "finite"]),
            ("{maml: {mse: {1: 0.67}}}", STEPS, &["[value, half-width]"]),
            ("{maml: {mse: {x: [1]}}}", STEPS, &["x"]),
            ("{maml: {mse: {1: [1]}, mark: maybe}}", STEPS, &["maybe", "confirmed"]),
            ("{maml: {mse: {1: [1]}}}", several, &["expect.maml.mse.1", "5, 10", "{5: {1: [...]}}"]),
            ("{maml: {mse: {7: {1: [1]}}}}", several, &["expect.maml.mse.7", "only 5, 10"]),
            ("{maml: {mse: {5: {3: [1]}}}}", several, &["expect.maml.mse.5.3", "only after 0, 1"]),
        ] {
            let error = parse(&text(expect, evaluate), "it").expect_err(expect).to_string();
            for part in told {
                assert!(error.contains(part), "no {part:?} for {expect} in: {error}");
            }
        }
    }

    #[test]
    fn shares_are_in_per_cent() {
        let few_shot = |value: &str| {
            let text = format!(
                "{{name: a, task: {{dataset: mnist, ways: 3, shots: 1, classes: {{train: [0, 1, 2], test: [5, 6, 7]}}}}, methods: {{maml: \
                 {{maml: {{}}}}, all: {{plain: {{adam: {{}}}}}}}}, train: {{validate: null}}, expect: {value}}}"
            );
            parse(&text, "it").map_err(|error| error.to_string())
        };
        few_shot("{maml: {accuracy: {1: [98.7, 0.4]}}, all: {accuracy: {5: [97]}}}").expect("sound");
        let error = few_shot("{maml: {accuracy: {1: [0.987]}}}").expect_err("a share");
        assert!(error.contains("per cent") && error.contains("98.7"), "{error}");
        let error = few_shot("{all: {accuracy: {1: {5: [97]}}}}").expect_err("shots");
        assert!(error.contains("no shots"), "{error}");
    }
}
