//! The worked example of docs/adding.md: it learns, and the page shows it as it is. And the commands of all pages can be given.

mod prototypical;

use std::{fs, path::Path};

use clap::Parser;
use prototypical::Prototypical;
use quickstudy::{
    algorithms::{Algorithm, Setting},
    cli::Cli,
    inner::Adapts,
    models::{ModelSpec, mlp::Mlp},
    random::{Draws, Purpose, stream},
    tasks::{Episode, few_shot::TaskSize},
};
use tch::{Device, Kind, Tensor};

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Four tasks of two classes, two shots and two queries each: the class is the sign of the first of three values.
fn episode() -> Episode {
    let rows: Vec<f32> = (0..4 * 8)
        .flat_map(|row| {
            let sign = if row % 2 == 0 { 0.3 } else { -0.3 };
            [sign, (row * 7 % 5) as f32 - 2.0, (row * 11 % 7) as f32 - 3.0]
        })
        .collect();
    let labels: Vec<i64> = (0..4 * 8).map(|row| row % 2).collect();
    Episode {
        x: Tensor::from_slice(&rows).reshape([4, 8, 3]),
        y: Tensor::from_slice(&labels).reshape([4, 8]).to_device(Device::Cpu),
        weight: None,
        support: 4,
    }
}

const DRAWS: Draws = Draws { seed: 0, purpose: Purpose::Inner, occasion: 0, first_task: 0 };

fn setting() -> Setting {
    Setting {
        model: ModelSpec::Mlp(Mlp { hidden: vec![8], ..Mlp::default() }),
        interface: TaskSize { ways: 2, shots: 2, queries: 2 }.interface(3),
        pooled_outputs: None,
        whole_outputs: 2,
        adapts: Adapts::All,
        copier: None,
        memory: u64::MAX,
    }
}

#[test]
fn the_worked_example_learns() {
    let learner = Prototypical { dimensions: 4 }.build(&setting());
    let (mut theta, mut losses) = (learner.init(&mut stream(0, Purpose::Init, 0)), Vec::new());
    for _ in 0..200 {
        let step = learner.meta_gradient(&theta, &episode(), DRAWS).expect("it trains");
        losses.push(step.loss.double_value(&[]));
        for (parameter, gradient) in theta.tensors.iter_mut().zip(&step.gradient) {
            *parameter -= gradient * 0.05;
        }
    }
    assert!(losses[199] < 0.5 * losses[0], "from {} to {}", losses[0], losses[199]);
    let predicted: Vec<Tensor> = learner
        .predict(&theta, &episode(), &[0, 5], DRAWS)
        .into_iter()
        .map(|answer| answer.outputs)
        .collect();
    assert!(predicted[0].equal(&predicted[1]) && predicted[0].size() == [4, 4, 2]);
    let right = predicted[0].argmax(-1, false).eq_tensor(&episode().query_y());
    assert!(right.to_kind(Kind::Double).mean(None::<Kind>).double_value(&[]) > 0.8);
}

#[test]
fn the_worked_example_does_not_mind_how_many_classes_there_are() {
    let setting = Setting { interface: TaskSize { ways: 9, shots: 2, queries: 2 }.interface(3), ..setting() };
    let learner = Prototypical { dimensions: 4 }.build(&setting);
    let theta = learner.init(&mut stream(0, Purpose::Init, 0));
    let answers = learner.predict(&theta, &episode(), &[0], DRAWS);
    assert!(Prototypical { dimensions: 4 }.takes_any_ways());
    assert!(
        answers[0].outputs.size() == [4, 4, 2]
            && bool::try_from(answers[0].outputs.isfinite().all()).expect("one")
    );
}

#[test]
fn the_page_shows_the_worked_example_as_it_is() {
    let example = include_str!("prototypical.rs");
    assert!(page("adding.md").contains(&format!("```rust\n{example}```")), "put {} into it", file!());
}

#[test]
fn the_commands_of_all_pages_can_be_given() {
    let mut commands = 0;
    for name in ["tutorial.md", "adding.md", "implicit.md", "evaluation.md"] {
        for line in page(name).lines().filter_map(|line| line.strip_prefix("    quickstudy ")) {
            let line = line.split(" #").next().unwrap_or(line).split(" > ").next().unwrap_or(line);
            let words = line.split_whitespace().map(|word| word.trim_matches('\''));
            if let Err(error) = Cli::try_parse_from(["quickstudy"].into_iter().chain(words)) {
                panic!("{name}: quickstudy {line}: {error}");
            }
            commands += 1;
        }
    }
    assert!(commands >= 10, "{commands}");
}
