//! What holds for every registered measure.

use quickstudy::measures::{self, Better, Measure, Predictions};

/// Answers to questions of three kinds: labels of three classes, a yes or no, and numbers.
fn kinds() -> Vec<Predictions> {
    let wave = |i: usize, by: f64| (i as f64 * by).sin() as f32;
    let (episodes, queries) = (6, 8);
    let rows = episodes * queries;
    let of = |width: usize, targets: Vec<f32>| Predictions {
        outputs: (0..rows * width).map(|i| 2.0 * wave(i, 1.7)).collect(),
        targets,
        weights: None,
        bins: (width == 1).then(|| (0..rows).map(|i| (i * 11 % 4) as u32).collect()),
        episodes,
        queries,
    };
    vec![
        of(3, (0..rows).map(|i| (i * 7 % 3) as f32).collect()),
        of(1, (0..rows).map(|i| (i * 5 % 2) as f32).collect()),
        of(2, (0..2 * rows).map(|i| wave(i, 0.9)).collect()),
    ]
}

/// Those kinds that a measure is defined for.
fn defined(measure: &dyn Measure) -> Vec<Predictions> {
    let defined: Vec<Predictions> =
        kinds().into_iter().filter(|given| all(measure, given).is_finite()).collect();
    assert!(!defined.is_empty(), "{measure:?} is defined for no kind of answers");
    defined
}

fn all(measure: &dyn Measure, given: &Predictions) -> f64 {
    measure.of_all(given)(&vec![1; given.episodes])
}

/// Some of the episodes, in this order.
fn only(given: &Predictions, episodes: &[usize]) -> Predictions {
    let part = |values: &[f32]| {
        let size = values.len() / given.episodes;
        episodes.iter().flat_map(|e| values[e * size..(e + 1) * size].to_vec()).collect()
    };
    Predictions {
        outputs: part(&given.outputs),
        targets: part(&given.targets),
        weights: given.weights.as_deref().map(part),
        bins: given.bins.as_ref().map(|bins| {
            let each = given.queries;
            episodes.iter().flat_map(|e| bins[e * each..(e + 1) * each].to_vec()).collect()
        }),
        episodes: episodes.len(),
        queries: given.queries,
    }
}

/// Answers that cannot be better: right, and as sure as need be.
fn perfect(given: &Predictions) -> Predictions {
    let width = given.outputs.len() / (given.episodes * given.queries);
    let outputs = if given.are_labelled() {
        let sure = |label: &f32| {
            (0..width).map(|class| if class == *label as usize { 60.0 } else { -60.0 }).collect::<Vec<f32>>()
        };
        given.targets.iter().flat_map(sure).collect()
    } else if given.targets.iter().all(|target| [0.0, 1.0].contains(target)) {
        given.targets.iter().map(|target| if *target > 0.5 { 60.0 } else { -60.0 }).collect()
    } else {
        given.targets.clone()
    };
    Predictions { outputs, ..given.clone() }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn names_are_unique_columns_and_titles_begin_small() {
    let names: Vec<&str> = measures::names().collect();
    for (place, name) in names.iter().enumerate() {
        assert!(!names[..place].contains(name), "{name} stands there twice");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
        assert_ne!(*name, measures::LOSS.name);
        let measure = measures::find(name).expect("found by its name");
        assert_eq!(measure.quantity().name, *name);
        assert!(measure.title().starts_with(char::is_lowercase), "{name}: {}", measure.title());
    }
}

#[test]
fn nothing_is_better_than_perfect_answers() {
    for measure in measures::ALL {
        // The squared error of logits says nothing of a yes or no.
        let numbers = |given: &Predictions| perfect(given).outputs == given.targets;
        let kinds = defined(measure).into_iter().filter(|given| measure.name() != "mse" || numbers(given));
        for given in kinds {
            let (best, other) = (all(measure, &perfect(&given)), all(measure, &given));
            assert!(
                measure.better().is_better(best, other) || near(best, other),
                "{measure:?}: {best} {other}"
            );
        }
    }
    let improves = |measure: &&dyn Measure| {
        let is_better = |given: &Predictions| {
            measure.better().is_better(all(*measure, &perfect(given)), all(*measure, given))
        };
        defined(*measure).iter().any(is_better)
    };
    assert!(measures::ALL.iter().all(improves), "all of them tell perfect answers from others");
    assert!(measures::ALL.iter().any(|measure| measure.better() == Better::Lower));
}

#[test]
fn the_order_of_episodes_is_nothing() {
    for measure in measures::ALL {
        for given in defined(measure) {
            let order = [3, 0, 5, 1, 4, 2];
            let turned = only(&given, &order);
            assert!(near(all(measure, &given), all(measure, &turned)), "{measure:?}");
            let (of_each, of_turned) = (measure.of_each(&given), measure.of_each(&turned));
            assert!(order.iter().zip(&of_turned).all(|(e, value)| near(of_each[*e], *value)), "{measure:?}");
        }
    }
}

#[test]
fn counts_are_repetitions() {
    for measure in measures::ALL {
        for given in defined(measure) {
            let repeated = only(&given, &[0, 0, 2, 3, 3, 3]);
            let counted = measure.of_all(&given)(&[2, 0, 1, 3, 0, 0]);
            assert!(near(counted, all(measure, &repeated)), "{measure:?}: {counted}");
        }
    }
}

#[test]
fn the_mean_over_episodes_is_the_measure_of_all() {
    for measure in measures::ALL {
        for given in defined(measure) {
            let of_each = measure.of_each(&given);
            let mean = of_each.iter().sum::<f64>() / of_each.len() as f64;
            assert!(near(mean, all(measure, &given)), "{measure:?}: {mean}");
            let spread = of_each.iter().any(|value| !near(*value, mean));
            assert!(spread, "{measure:?}: episodes differ");
        }
    }
}

#[test]
fn what_diverged_is_no_number_and_the_rest_stays() {
    for measure in measures::ALL {
        for bad in [f32::NAN, f32::INFINITY] {
            for mut given in defined(measure) {
                let each = given.outputs.len() / given.episodes;
                given.outputs[4 * each + 1] = bad;
                let of_each = measure.of_each(&given);
                assert!(of_each[4].is_nan() && of_each[3].is_finite(), "{measure:?}: {of_each:?}");
                let rest = only(&given, &[0, 1, 2, 3, 5]);
                assert!(
                    near(measure.of_all(&given)(&[1, 1, 1, 1, 0, 1]), all(measure, &rest)),
                    "{measure:?}"
                );
            }
        }
    }
}

#[test]
fn padding_changes_nothing_and_weights_are_repetitions() {
    for measure in measures::ALL {
        for given in defined(measure) {
            let (width, targets) = (given.outputs.len() / 48, given.targets.len() / 48);
            let mut padded = Predictions {
                queries: given.queries + 2,
                ..Predictions { episodes: 6, ..Default::default() }
            };
            let (mut weights, mut bins) = (Vec::new(), Vec::new());
            for row in 0..48 {
                padded.outputs.extend(&given.outputs[row * width..(row + 1) * width]);
                padded.targets.extend(&given.targets[row * targets..(row + 1) * targets]);
                weights.push(2.0);
                bins.extend(given.bins.as_ref().map(|bins| bins[row]));
                if row % 8 == 7 {
                    padded.outputs.extend(vec![f32::NAN; 2 * width]);
                    padded.targets.extend(vec![0.0; 2 * targets]);
                    weights.extend([0.0; 2]);
                    bins.extend(given.bins.as_ref().map(|_| [0, 1]).into_iter().flatten());
                }
            }
            padded.weights = Some(weights);
            padded.bins = given.bins.as_ref().map(|_| bins);
            assert!(near(all(measure, &given), all(measure, &padded)), "{measure:?}");
        }
    }
}
