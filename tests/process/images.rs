//! One's own images as few-shot tasks.

use image::{GrayImage, Luma};

use crate::sandbox::Sandbox;

const EXPERIMENT: &str = "\
name: mine
task:
  dataset: {images: {folder: pictures, size: [8, 8]}}
  ways: 2
  shots: 1
  queries: 2
  classes: {file: split.csv}
model: {mlp: {hidden: [8]}}
train: {iterations: 3, meta_batch: 2, validate: null}
methods:
  maml: {maml: {inner: {sgd: {lr: 0.1, steps: 1}}}}
  nearest_neighbour: {nearest_neighbour: {}}
evaluate: {episodes: 40, steps: [0, 1]}
seeds: [0]
";

const SPLIT: &str = "class,split\na,train\nb,train\nc,train\nd,test\ne,test\n";

/// Four images of a class, each of another size, whose grey tells the class.
fn picture(sandbox: &Sandbox, class: &str, grey: u8) {
    let folder = sandbox.path(&format!("pictures/{class}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    for number in 0..4u8 {
        let image = GrayImage::from_pixel(8 + u32::from(number), 8, Luma([grey + number]));
        image.save(folder.join(format!("{number}.png"))).expect("saved");
    }
}

#[test]
fn a_folder_for_each_class_is_a_data_set() {
    let sandbox = Sandbox::new();
    for (class, grey) in ["a", "b", "c", "d", "e"].iter().zip([0, 50, 100, 150, 200]) {
        picture(&sandbox, class, grey);
    }
    sandbox.write("mine.yaml", EXPERIMENT.as_bytes());
    sandbox.write("split.csv", SPLIT.as_bytes());
    sandbox.run(&["experiment", "mine.yaml", "--quiet"]).says(0, &[]);
    let rows = sandbox.read("results/mine/nearest_neighbour-seed0/evaluation.csv");
    let header: Vec<&str> = rows.lines().next().expect("a header").split(',').collect();
    let accuracy = header.iter().position(|name| *name == "accuracy").expect("accuracy");
    assert!(
        rows.lines().skip(1).all(|row| row.split(',').nth(accuracy) == Some("1.0")),
        "greys tell classes: {rows}"
    );
    // The run says which classes were where.
    assert!(sandbox.read("results/mine/maml-seed0/environment.json").contains("\"d\""));

    for (split, expected) in [
        (SPLIT.replace("e,test", "f,test"), "test names class f"),
        (SPLIT.replace("e,test", "a,test"), "class a is in train and in test"),
        (SPLIT.replace("e,test", "e,dev"), "line 6: split is \"dev\""),
        (SPLIT.replace("e,test\n", ""), "2"),
        (SPLIT.replace("class,split", "class,part"), "has no column split"),
    ] {
        sandbox.write("split.csv", split.as_bytes());
        sandbox.run(&["experiment", "mine.yaml", "--quiet", "--out", "other"]).says(2, &[expected]);
    }
    sandbox.write("split.csv", SPLIT.as_bytes());
    sandbox.write("pictures/e/3.png", b"no picture");
    sandbox.run(&["experiment", "mine.yaml", "--quiet", "--out", "other"]).says(2, &["e/3.png"]);
}

#[test]
fn folders_of_parts_are_groups_of_classes() {
    let sandbox = Sandbox::new();
    for (class, grey) in [("train/a", 0), ("train/b", 60), ("test/a", 120), ("test/c", 180)] {
        picture(&sandbox, class, grey);
    }
    let groups = "classes: {groups: {train: [train], test: [test]}}";
    sandbox.write("mine.yaml", EXPERIMENT.replace("classes: {file: split.csv}", groups).as_bytes());
    sandbox.run(&["experiment", "mine.yaml", "--quiet"]).says(0, &[]);
    sandbox.write("one.yaml", EXPERIMENT.replace("folder: pictures", "folder: pictures/train/a").as_bytes());
    sandbox
        .run(&["experiment", "one.yaml", "--quiet", "--out", "other"])
        .says(2, &["has 0 folders of images"]);
}

#[test]
fn omniglot_says_where_its_files_are_to_be() {
    let sandbox = Sandbox::new();
    let omniglot = EXPERIMENT
        .replace("{images: {folder: pictures, size: [8, 8]}}", "{omniglot: {resample: area}}")
        .replace("{file: split.csv}", "{published: vinyals}");
    sandbox.write("mine.yaml", omniglot.as_bytes());
    let asked = ["experiment", "mine.yaml", "--quiet", "--data-dir", "."];
    sandbox.run(&asked).says(2, &["no images_background.zip and no images_evaluation.zip", "--data-dir"]);
    sandbox.write("images_background.zip", b"no zip");
    sandbox.write("images_evaluation.zip", b"no zip");
    sandbox.run(&asked).says(2, &["cannot read ./images_background.zip"]);
    sandbox.write("mine.yaml", omniglot.replace("vinyals", "vinyl").as_bytes());
    sandbox.run(&asked).says(2, &["vinyals"]);
}
