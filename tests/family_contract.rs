//! What holds for every registered family of tasks: to register one is to have it tested here.

use std::{fs, path::Path};

use quickstudy::{
    data::Source,
    loss,
    measures::{Measure, Predictions},
    random::{Purpose, stream},
    tasks::{
        Asks, Episode, Part, Pool, TaskSpec, Tasks,
        example::Example,
        family::{Need, Retest, Show},
        frozen::FrozenEpisodes,
    },
};
use rand::RngExt;
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};
use tempfile::TempDir;

const SHOTS: usize = 4;
const PARTS: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

/// Every family with its defaults, but for data sets, which are small ones in a folder.
fn families() -> (TempDir, Vec<TaskSpec>) {
    let folder = tempfile::tempdir().expect("a folder");
    digits(folder.path());
    let small = |family: TaskSpec| {
        let mut json = serde_json::to_value(&family).expect("JSON");
        let settings = &mut json[family.name()];
        if settings.get("dataset").is_some() {
            settings["dataset"] = json!({"idx": folder.path()});
            settings["classes"] = json!({"split": [3, 3, 3], "seed": 0});
        }
        serde_json::from_value(json).expect("a family")
    };
    let families = TaskSpec::all().into_iter().map(small).collect();
    (folder, families)
}

/// Nine classes of 6x6 images, 20 to train with and 10 to test, all different.
fn digits(folder: &Path) {
    let mut draw = stream(0, Purpose::Split, 0);
    for (part, of_class) in [("train", 20u8), ("t10k", 10)] {
        let count = 9 * of_class;
        let mut images = [&[0, 0, 8, 3, 0, 0, 0, count][..], &[0, 0, 0, 6, 0, 0, 0, 6]].concat();
        images.extend((0..usize::from(count) * 36).map(|_| draw.random::<u8>()));
        let labels =
            [&[0, 0, 8, 1, 0, 0, 0, count][..], &(0..count).map(|i| i % 9).collect::<Vec<_>>()].concat();
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).expect("written");
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).expect("written");
    }
}

fn asks() -> Asks {
    Asks { training_shots: Some(SHOTS), fixed_ways: None, pools: true, validates: true, test_shots: SHOTS }
}

fn load(family: &TaskSpec) -> Box<dyn Tasks> {
    assert!(family.check(&asks()).is_empty(), "{family:?}");
    family.load(&asks(), &Source::default(), Device::Cpu).expect("loaded")
}

/// Calls `check` with every family, loaded.
fn each(check: impl Fn(&TaskSpec, &dyn Tasks)) {
    let (_folder, families) = families();
    families.iter().for_each(|family| check(family, &*load(family)));
}

fn frozen(tasks: &dyn Tasks, fold: usize, part: Part, shots: usize, seed: u64) -> FrozenEpisodes {
    FrozenEpisodes::new(tasks.source(fold, part, shots, seed).expect("enough"), 5, fold)
}

fn same(a: &Episode, b: &Episode) -> bool {
    a.x.equal(&b.x) && a.y.equal(&b.y) && a.support == b.support
}

/// The rows of each task, inputs and targets beside each other.
fn rows(x: &Tensor, y: &Tensor) -> Vec<Vec<Vec<f64>>> {
    let y = if y.dim() == 2 { y.unsqueeze(-1) } else { y.shallow_clone() };
    let rows = Tensor::cat(&[x.to_kind(Kind::Double), y.to_kind(Kind::Double)], -1);
    let [count, width] = [1, 2].map(|at| rows.size()[at] as usize);
    let values = Vec::<f64>::try_from(rows.contiguous().view(-1)).expect("a vector");
    values.chunks(count * width).map(|task| task.chunks(width).map(<[f64]>::to_vec).collect()).collect()
}

#[test]
fn a_task_depends_on_its_place_alone() {
    let (_folder, families) = families();
    for family in &families {
        let sources = [load(family), load(family)].map(|tasks| tasks.source(0, Part::Train, SHOTS, 1));
        let [one, other] = sources.map(|source| source.expect("enough"));
        let whole = one.sample(3, 0..5);
        assert!(same(&whole, &other.sample(3, 0..5)), "{family:?}: drawn twice");
        let (first, last) = (other.sample(3, 0..2), one.sample(3, 2..5));
        assert!(whole.x.equal(&Tensor::cat(&[first.x, last.x], 0)), "{family:?}: drawn in parts");
        assert!(whole.y.equal(&Tensor::cat(&[first.y, last.y], 0)), "{family:?}: drawn in parts");
        assert!(!whole.x.equal(&one.sample(4, 0..5).x), "{family:?}: two meta-batches are the same");
        assert!(!whole.x.get(0).equal(&whole.x.get(1)), "{family:?}: two tasks are the same");
    }
}

#[test]
fn fewer_shots_are_the_first_of_the_same_support_with_the_same_queries() {
    each(|family, tasks| {
        let episodes = frozen(tasks, 0, Part::Test, SHOTS, 0);
        let (many, few) = (episodes.batch(1..4, SHOTS), episodes.batch(1..4, 1));
        assert_eq!(few.support * SHOTS as i64, many.support, "{family:?}");
        assert!(few.query_x().equal(&many.query_x()) && few.query_y().equal(&many.query_y()), "{family:?}");
        let [few, many] = [few, many].map(|episode| rows(&episode.support_x(), &episode.support_y()));
        for (few, many) in few.iter().zip(&many) {
            // The first of each class where there are classes.
            let first: Vec<_> = many.chunks(many.len() / few.len()).map(|same| &same[0]).collect();
            assert_eq!(few.iter().collect::<Vec<_>>(), first, "{family:?}");
        }
    });
}

#[test]
fn parts_folds_and_seeds_have_tasks_of_their_own() {
    each(|family, tasks| {
        let x = |fold: usize, part: Part, seed: u64| {
            let source = tasks.source(0, part, 1, seed).expect("enough");
            let episode = FrozenEpisodes::new(source, 5, fold).batch(0..5, 1);
            let x = episode.query_x();
            episode.query_weight().map_or(x.shallow_clone(), |asked| x * asked.unsqueeze(-1))
        };
        let mut drawn =
            vec![x(0, Part::Train, 0), x(0, Part::Validation, 0), x(0, Part::Test, 0), x(0, Part::Test, 1)];
        if tasks.count(0, Part::Test).is_none() {
            drawn.push(x(1, Part::Test, 0)); // otherwise folds are of other tasks, and here there is one fold
        }
        for (place, one) in drawn.iter().enumerate() {
            let narrowed = |other: &Tensor| {
                let shared = one.size()[1].min(other.size()[1]);
                one.narrow(1, 0, shared).equal(&other.narrow(1, 0, shared))
            };
            assert!(!drawn[..place].iter().any(narrowed), "{family:?}: {place}");
        }
    });
}

#[test]
fn the_hash_is_of_what_episodes_are_made_of() {
    let (_folder, families) = families();
    for family in &families {
        let tasks = load(family);
        let hash =
            |tasks: &dyn Tasks, shots: usize, seed: u64| frozen(tasks, 0, Part::Test, shots, seed).hash();
        let episodes = |tasks: &dyn Tasks| frozen(tasks, 0, Part::Test, SHOTS, 0).batch(0..5, SHOTS);
        let reference = hash(&*tasks, SHOTS, 0);
        assert_eq!(reference, hash(&*load(family), SHOTS, 0), "{family:?}");
        assert_ne!(reference, hash(&*tasks, SHOTS - 1, 0), "{family:?}: shots");
        assert_ne!(reference, hash(&*tasks, SHOTS, 1), "{family:?}: seed");
        let validation = frozen(&*tasks, 0, Part::Validation, SHOTS, 0).hash();
        assert_ne!(reference, validation, "{family:?}: part");
        // Every number among the settings but that of shots, which are given to `source`; a limit that nothing reaches changes nothing.
        let settings = serde_json::to_value(family).expect("JSON");
        let numbers = settings[family.name()].as_object().expect("settings").iter();
        for (key, value) in numbers.filter(|(key, value)| value.is_number() && *key != "shots") {
            let mut changed = settings.clone();
            changed[family.name()][key] = match value.as_u64() {
                Some(whole) => json!(if whole > 2 { whole - 1 } else { whole + 1 }),
                None => json!(value.as_f64().unwrap_or(0.0) + 0.5),
            };
            let changed: TaskSpec = serde_json::from_value(changed).expect("a family");
            let changed = load(&changed);
            let is_limit = ["known_from", "longest"].contains(&key.as_str());
            if is_limit && same(&episodes(&*tasks), &episodes(&*changed)) {
                continue;
            }
            assert_ne!(reference, hash(&*changed, SHOTS, 0), "{family:?}: {key}");
        }
    }
}

#[test]
fn episodes_have_the_shapes_that_the_interface_promises() {
    each(|family, tasks| {
        let interface = tasks.interface();
        for part in PARTS {
            for shots in [1, SHOTS] {
                let source = tasks.source(0, part, shots, 0).expect("enough");
                let (episode, extent) = (source.sample(0, 0..3), tasks.extent(part, shots));
                let size = [3, extent.support + extent.queries, extent.inputs].map(|size| size as i64);
                assert_eq!(episode.x.size(), size, "{family:?} {part:?}");
                assert_eq!(episode.support, extent.support as i64, "{family:?} {part:?}");
                assert_eq!(extent.inputs, interface.inputs, "{family:?} {part:?}");
                assert_eq!(episode.x.kind(), Kind::Float, "{family:?} {part:?}");
            }
        }
        let episode = tasks.source(0, Part::Test, 1, 0).expect("enough").sample(0, 0..3);
        let (targets, queries) = (episode.query_y(), episode.queries());
        let outputs = Tensor::zeros([3, queries, interface.outputs as i64], (Kind::Float, Device::Cpu));
        let losses = loss::per_task(interface.loss, &outputs, &targets, None);
        assert!(losses.size() == [3] && bool::try_from(losses.isfinite().all()).expect("one"), "{family:?}");
        let flat = |tensor: &Tensor| -> Vec<f32> {
            Vec::try_from(tensor.to_kind(Kind::Float).contiguous().view(-1)).expect("a vector")
        };
        let predictions = Predictions {
            outputs: flat(&outputs),
            targets: flat(&targets),
            episodes: 3,
            queries: queries as usize,
            weights: None,
            bins: interface.bins.map(|bins| {
                let bins = Vec::<i64>::try_from(bins(&episode.query_x()).flatten(0, -1)).expect("a vector");
                bins.into_iter().map(|bin| bin as u32).collect()
            }),
        };
        let names =
            |measures: &[&'static dyn Measure]| -> Vec<&str> { measures.iter().map(|m| m.name()).collect() };
        assert_eq!(names(&interface.measures), names(&family.measures()), "{family:?}");
        assert!(!interface.measures.is_empty(), "{family:?}: nothing judges");
        for measure in interface.measures {
            let values = measure.of_each(&predictions);
            assert!(
                values.len() == 3 && values.iter().all(|value| value.is_finite()),
                "{family:?} {measure:?}"
            );
        }
    });
}

#[test]
fn pooled_rows_are_queries_that_the_pooled_network_can_answer() {
    each(|family, tasks| {
        let extent = tasks.extent(Part::Train, SHOTS);
        for (pool, rows) in [(Pool::Support, extent.support), (Pool::All, extent.support + extent.queries)] {
            let episode = tasks.pooled(0, pool, SHOTS, 0).sample(0, 0..3);
            let found = episode.queries() as usize;
            let as_many = found == rows || episode.weight.is_some() && found < rows; // of tasks of unequal size
            assert!(episode.support == 0 && as_many, "{family:?} {pool:?}: {found} of {rows}");
            let outputs = tasks.pooled_outputs(0).unwrap_or(tasks.interface().outputs) as i64;
            let outputs = Tensor::zeros([3, episode.queries(), outputs], (Kind::Float, Device::Cpu));
            let losses = loss::per_task(tasks.interface().loss, &outputs, &episode.query_y(), None);
            assert!(bool::try_from(losses.isfinite().all()).expect("one"), "{family:?} {pool:?}");
        }
    });
}

#[test]
fn what_a_family_offers_it_has() {
    each(|family, tasks| {
        let offers = family.offers();
        assert_eq!(offers.contains(&Need::Images), tasks.images().is_some(), "{family:?}");
        assert_eq!(offers.contains(&Need::Classes), family.words().classes.is_some(), "{family:?}");
        assert_eq!(offers.contains(&Need::WholeDataset), tasks.whole().is_some(), "{family:?}");
        if let Some(whole) = tasks.whole() {
            let episode = (whole.episode)();
            assert!(episode.tasks() == 1 && episode.support > 0 && episode.queries() > 0, "{family:?}");
            assert!(episode.y.max().int64_value(&[]) < whole.outputs as i64, "{family:?}");
        }
    });
}

#[test]
fn a_test_of_what_was_learned_is_the_same_unless_something_is_changed() {
    each(|family, tasks| {
        let retest =
            |retest: &Retest| family.load_for_retest(0, retest, &asks(), &Source::default(), Device::Cpu);
        let (again, warning) = retest(&Retest::default()).expect("loaded");
        let hash = |tasks: &dyn Tasks| frozen(tasks, 0, Part::Test, SHOTS, 0).hash();
        assert!(hash(&*again) == hash(tasks) && warning.is_none(), "{family:?}");
        let classes = Some(vec!["no such class".into()]);
        let error = retest(&Retest { classes, ..Retest::default() }).err().expect("refused").to_string();
        assert!(error.contains("--classes"), "{family:?}: {error}");
    });
}

#[test]
fn an_example_can_be_read_back() {
    each(|family, tasks| {
        let outputs = tasks.interface().outputs as i64;
        let answer = |episode: &Episode| {
            let size = [episode.tasks(), episode.queries(), outputs];
            [0, 5].map(|_| Tensor::zeros(size, (Kind::Float, Device::Cpu))).into()
        };
        let steps = [0, 5];
        let show = Show {
            fold: 0,
            seed: 0,
            shots: SHOTS,
            largest_shots: SHOTS,
            steps: &steps,
            answer: &answer,
            contexts: &|_| None,
        };
        let example = tasks.example(&show);
        assert_eq!((example.shots(), example.steps()), (SHOTS, &steps[..]), "{family:?}");
        let text = serde_json::to_string(&example).expect("JSON");
        assert_eq!(serde_json::from_str::<Example>(&text).expect("an example"), example, "{family:?}");
    });
}

#[test]
fn there_are_words_for_everything() {
    let (_folder, families) = families();
    for family in families {
        let words = family.words();
        let shots = [1, 5].map(words.shots);
        let called = [
            words.title.as_str(),
            &words.task,
            words.support,
            words.shots_axis,
            family.source(),
            &shots[0],
            &shots[1],
        ];
        let facts = words.facts.iter().flat_map(|(name, value)| [name, value.as_str()]);
        assert!(called.into_iter().chain(facts).all(|word| !word.trim().is_empty()), "{words:?}");
        assert_ne!(shots[0], shots[1]);
        assert!(family.shots() > 0 && family.training_shots() > 0 && family.folds() > 0, "{family:?}");
        assert!(matches!(serde_json::to_value(&family), Ok(Value::Object(_))));
    }
}
