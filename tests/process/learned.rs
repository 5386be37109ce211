//! What a run has learned, put to use: `evaluate`, `adapt` and `export`.

use std::{collections::BTreeMap, fs, path::Path};

use image::{GrayImage, imageops, imageops::FilterType};

use crate::sandbox::{Ended, SIDE, Sandbox};

const MAML: &str = "results/small/maml-seed0";
const NEAREST: &str = "results/small/nearest-seed0";

/// With runs of MAML, nearest neighbour and these methods.
fn trained(others: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let nearest = "  nearest: {nearest_neighbour: {}}\n";
    sandbox.change("  adam: {scratch: {adam: {lr: 0.01}}}\n", &format!("{nearest}{others}"));
    sandbox.experiment(&["--seeds", "0", "--quiet"]).says(0, &[]);
    sandbox
}

impl Sandbox {
    fn evaluate(&self, run: &str, arguments: &[&str]) -> Ended {
        self.run(&[&["evaluate", run, "--threads", "1"], arguments].concat())
    }

    fn adapt(&self, run: &str, arguments: &[&str]) -> Ended {
        let folders = ["adapt", run, "--support", "support", "--query", "query", "--threads", "1"];
        self.run(&[&folders, arguments].concat())
    }

    /// Test images of the small data set: four of each of three classes in `support/`, others in `query/`, both in folders `c6`
    /// to `c8`.
    pub fn draw_task(&self, change: impl Fn(GrayImage) -> GrayImage) {
        for folder in ["support", "query"] {
            let _ = fs::remove_dir_all(self.path(folder));
        }
        let images = fs::read(self.path("digits/t10k-images-idx3-ubyte")).expect("images");
        for (number, pixels) in images[16..].chunks_exact(SIDE * SIDE).enumerate().take(9 * 9) {
            let (class, variant) = (number % 9, number / 9);
            if class >= 6 {
                let side = SIDE as u32;
                let image = GrayImage::from_raw(side, side, pixels.to_vec()).expect("an image");
                let folder = if variant < 4 { "support" } else { "query" };
                let file = self.path(&format!("{folder}/c{class}/{variant}.png"));
                fs::create_dir_all(file.parent().expect("a folder")).expect("made");
                change(image).save(file).expect("saved");
            }
        }
    }
}

/// The bytes of every file in a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let name = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(|entry| (name(&entry), fs::read(entry.path()).expect("a file"))).collect()
}

#[test]
fn evaluate_gives_the_very_rows_of_the_run() {
    let sandbox =
        trained("  pretrained: {pretrained: {adam: {lr: 0.01}}}\n  adam: {scratch: {adam: {lr: 0.01}}}\n");
    for method in ["maml", "nearest", "pretrained", "adam"] {
        let run = format!("results/small/{method}-seed0");
        let before = files(&sandbox.path(&run));
        let ended = sandbox.evaluate(&run, &["--out", "again.csv"]);
        ended.says(0, &[]);
        assert!(
            ended.stdout.contains("the run's own test") && ended.stdout.contains(method),
            "{}",
            ended.stdout
        );
        assert_eq!(sandbox.read(&format!("{run}/evaluation.csv")), sandbox.read("again.csv"), "{method}");
        assert!(before == files(&sandbox.path(&run)), "{method}: the run was touched");
    }
    // Wherever the folder is now.
    fs::rename(sandbox.path(MAML), sandbox.path("mine")).expect("moved");
    sandbox.evaluate("mine", &["--out", "moved.csv", "--quiet"]).says(0, &[]);
    assert_eq!(sandbox.read("mine/evaluation.csv"), sandbox.read("moved.csv"));
}

#[test]
fn evaluate_finds_the_classes_of_its_fold() {
    let sandbox = Sandbox::new();
    sandbox.change("{train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}", "{folds: 3}");
    sandbox.experiment(&["--seeds", "0", "--quiet"]).says(0, &[]);
    let run = "results/small/maml-fold1-seed0";
    sandbox.evaluate(run, &["--out", "again.csv"]).says(0, &[]);
    assert_eq!(sandbox.read(&format!("{run}/evaluation.csv")), sandbox.read("again.csv"));
}

#[test]
fn evaluate_on_other_tasks() {
    let sandbox = trained("");
    let rows = |arguments: &[&str]| {
        let ended = sandbox.evaluate(MAML, &[arguments, &["--out", "out/other.csv"]].concat());
        ended.says(0, &[]);
        let text = sandbox.read("out/other.csv");
        let rows: Vec<Vec<String>> =
            text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
        (rows, ended)
    };
    let (more, ended) = rows(&["--shots", "5,2", "--steps", "3,0", "--episodes", "4"]);
    assert_eq!(more.len(), 2 * 2 * 4);
    assert_eq!((more[0][4].as_str(), more[1][6].as_str()), ("2", "3"), "ascending");
    assert!(!ended.stdout.contains("the run's own test"), "{}", ended.stdout);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);

    // Fewer episodes and other steps are of the same tasks.
    let (fewer, _) = rows(&["--steps", "2", "--episodes", "6"]);
    let own = sandbox.read(&format!("{MAML}/evaluation.csv"));
    let own = own.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[6] == "2").then(|| cells[8].to_owned())
    });
    assert_eq!(fewer.iter().map(|row| row[8].clone()).collect::<Vec<_>>(), own.take(6).collect::<Vec<_>>());

    let (_, known) = rows(&["--classes", "0,1,2"]);
    assert!(known.stderr.contains("warning") && known.stderr.contains("0, 1, 2"), "{}", known.stderr);
    fs::create_dir(sandbox.path("copy")).expect("made");
    for (name, bytes) in files(&sandbox.path("digits")) {
        sandbox.write(&format!("copy/{name}"), &bytes);
    }
    let (copy, ended) = rows(&["--dataset", "copy"]);
    assert_eq!(copy.len(), 30);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
}

#[test]
fn evaluate_refuses_what_cannot_be() {
    let sandbox = trained("  plain: {plain: {adam: {lr: 0.01}}}\n");
    let refuses = |arguments: &[&str], parts: &[&str]| sandbox.evaluate(MAML, arguments).says(2, parts);
    refuses(&["--shots", "0"], &["evaluate.shots"]);
    refuses(&["--shots", "40"], &["40 shots + 4 queries", "42"]);
    refuses(&["--episodes", "1"], &["evaluate.episodes"]);
    refuses(&["--classes", "6,7"], &["3 classes", "only 2"]);
    refuses(&["--classes", "6,7,x"], &["no class x", "0, 1, 2"]);
    refuses(&["--classes", "6,7,7"], &["7 stands there twice"]);
    refuses(&["--dataset", "nothing"], &["--dataset nothing", "mnist"]);
    let own = format!("{MAML}/evaluation.csv");
    let before = sandbox.read(&own);
    refuses(&["--out", &own], &["--out", "stays as it is"]);
    assert_eq!(before, sandbox.read(&own));
    refuses(&["--out", "digits"], &["--out digits is a folder"]);
    sandbox.evaluate("results/small/plain-seed0", &[]).says(2, &["plain", "whole data set"]);

    let (images, labels) = ([&[0, 0, 8, 3, 0, 0, 0, 30, 0, 0, 0, 2, 0, 0, 0, 2][..], &[0; 120]].concat(), 30);
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 30][..], &(0..labels).map(|i| i % 3).collect::<Vec<u8>>()].concat();
    for part in ["train", "t10k"] {
        sandbox.write(&format!("tiny/{part}-images-idx3-ubyte"), &images);
        sandbox.write(&format!("tiny/{part}-labels-idx1-ubyte"), &labels);
    }
    refuses(&["--dataset", "tiny"], &["tiny are 2 x 2", "[8, 64]", "[8, 4]"]);
}

#[test]
fn a_folder_that_is_no_trained_run_is_told_what_it_lacks() {
    let sandbox = trained("");
    sandbox.draw_task(|image| image);
    let each = |run: &str, code: i32, parts: &[&str]| {
        sandbox.adapt(run, &[]).says(code, parts);
        sandbox.run(&["export", run]).says(code, parts);
        sandbox.evaluate(run, &[]).says(code, parts);
    };
    let opening = |run: &str, code: i32, parts: &[&str]| sandbox.run(&["export", run]).says(code, parts);
    opening("nowhere", 2, &["nowhere", "no run's folder"]);
    opening("digits", 2, &["digits", "no run's folder", "config.yaml"]);
    opening("results/small", 2, &["results/small", "whole experiment", "maml-seed0", "nearest-seed0"]);
    let checkpoint = format!("{MAML}/checkpoint.safetensors");
    let bytes = fs::read(sandbox.path(&checkpoint)).expect("there");
    for damaged in [&bytes[..bytes.len() - 7], &bytes[..20], b"", b"no safetensors at all"] {
        sandbox.write(&checkpoint, damaged);
        opening(MAML, 1, &["checkpoint.safetensors is damaged"]);
    }
    each(MAML, 1, &["checkpoint.safetensors is damaged"]);
    sandbox.write(
        &checkpoint,
        &fs::read(sandbox.path(&format!("{NEAREST}/checkpoint.safetensors"))).expect("there"),
    );
    sandbox.evaluate(MAML, &[]).says(0, &[]); // the checkpoint says whose it is
    fs::remove_file(sandbox.path(&checkpoint)).expect("removed");
    each(MAML, 2, &["no checkpoint.safetensors", "--resume"]);
    sandbox.write(&format!("{MAML}/config.yaml"), b"name: [");
    opening(MAML, 2, &["config.yaml"]);
}

#[test]
fn adapt_classifies_images_whatever_their_size_and_shade() {
    let sandbox = trained("");
    sandbox.draw_task(|image| image);
    let nearest = sandbox.adapt(NEAREST, &["--out", "same.csv"]);
    nearest.says(0, &[]);
    assert_eq!(nearest.stderr, "");
    assert!(nearest.stdout.contains("15 of 15 right, 100.0 %"), "{}", nearest.stdout);
    let classes = |file: &str| {
        let text = sandbox.read(file);
        let cells = |line: &str| line.split(',').take(3).map(str::to_owned).collect::<Vec<_>>();
        text.lines().map(cells).collect::<Vec<_>>()
    };
    let same = classes("same.csv");
    assert_eq!(same[0], ["image", "class", "predicted"]);
    assert_eq!(same[1], ["query/c6/4.png", "c6", "c6"]);

    sandbox.draw_task(|image| imageops::resize(&image, 24, 24, FilterType::Nearest));
    sandbox.adapt(NEAREST, &["--out", "large.csv"]).says(0, &[]);
    assert_eq!(same, classes("large.csv"));

    sandbox.draw_task(|mut image| {
        imageops::invert(&mut image);
        image
    });
    sandbox.adapt(NEAREST, &[]).says(0, &["warning", "look inverted", "--invert"]);
    let inverted = sandbox.adapt(NEAREST, &["--invert", "--out", "inverted.csv"]);
    inverted.says(0, &[]);
    assert_eq!(inverted.stderr, "");
    assert_eq!(sandbox.read("same.csv"), sandbox.read("inverted.csv"), "to the last digit");

    sandbox.draw_task(|image| imageops::resize(&image, 8, 16, FilterType::Nearest));
    sandbox.adapt(NEAREST, &[]).says(0, &["27 of 27 images", "8 x 8", "stretched"]);
}

#[test]
fn adapt_takes_the_steps_that_validation_chose() {
    let sandbox = trained("  pretrained: {pretrained: {adam: {lr: 0.01}}}\n");
    sandbox.draw_task(|image| image);
    sandbox.adapt("results/small/pretrained-seed0", &[]).says(0, &[]);
    let header = "method,fold,seed,task,shots,episode,step,loss,accuracy\n";
    let row = |step: usize, accuracy: f64| format!("maml,0,0,few_shot,1,0,{step},1.0,{accuracy}\n");
    let validation = format!("{MAML}/validation.csv");
    sandbox.write(&validation, [header, &row(0, 0.1), &row(2, 0.9), &row(5, 0.8)].concat().as_bytes());
    let chosen = sandbox.adapt(MAML, &[]).stdout;
    assert!(chosen.contains("after 2 adaptation steps"), "{chosen}");
    assert_eq!(chosen, sandbox.adapt(MAML, &["--steps", "2"]).stdout);
    assert_ne!(chosen, sandbox.adapt(MAML, &["--steps", "40"]).stdout);
    fs::remove_file(sandbox.path(&validation)).expect("removed");
    assert!(sandbox.adapt(MAML, &[]).stdout.contains("after 5 adaptation steps"));

    // Images without class folders are classified alike, and nobody can tell how well.
    let labelled = sandbox.adapt(MAML, &["--out", "labelled.csv"]).stdout;
    for class in [6, 7, 8] {
        for (name, bytes) in files(&sandbox.path(&format!("query/c{class}"))) {
            sandbox.write(&format!("flat/c{class}-{name}"), &bytes);
        }
    }
    let flat =
        ["adapt", MAML, "--support", "support", "--query", "flat", "--threads", "1", "--out", "flat.csv"];
    let flat = sandbox.run(&flat);
    flat.says(0, &[]);
    assert!(labelled.contains("of 15 right") && !flat.stdout.contains("right"), "{}", flat.stdout);
    let last = |file: &str| {
        let text = sandbox.read(file);
        text.lines().map(|line| line.split(',').skip(2).collect::<Vec<_>>().join(",")).collect::<Vec<_>>()
    };
    assert_eq!(last("labelled.csv"), last("flat.csv"));
}

#[test]
fn adapt_refuses_folders_that_are_no_task() {
    let sandbox = trained("  plain: {plain: {adam: {lr: 0.01}}}\n");
    let refuses = |change: &dyn Fn(), parts: &[&str]| {
        sandbox.draw_task(|image| image);
        change();
        sandbox.adapt(MAML, &[]).says(2, parts);
    };
    let remove = |folder: &str| fs::remove_dir_all(sandbox.path(folder)).expect("removed");
    refuses(&|| remove("support/c7"), &["2 classes (c6, c8)", "tasks of 3", "task.ways"]);
    refuses(
        &|| {
            remove("support/c7");
            fs::create_dir(sandbox.path("support/c7")).expect("made");
        },
        &["support/c7", "no image"],
    );
    refuses(&|| sandbox.write("support/c7/notes.txt", b"hello"), &["support/c7/notes.txt", "PNG, JPEG"]);
    refuses(&|| sandbox.write("query/c5/a.png", b"x"), &["class c5", "c6, c7, c8"]);
    sandbox.draw_task(|image| image);
    sandbox.adapt("results/small/plain-seed0", &[]).says(2, &["plain", "whole data set"]);
    let inside = format!("{MAML}/out.csv");
    sandbox.adapt(MAML, &["--out", &inside]).says(2, &["--out", "stays as it is"]);
    sandbox.adapt(MAML, &["--memory", "100B"]).says(2, &["--memory"]);
}

#[test]
fn export_writes_weights_under_pytorchs_names() {
    let sandbox = trained("  adam: {scratch: {adam: {lr: 0.01}}}\n");
    sandbox.run(&["export", MAML, "--out", "network"]).says(0, &[]);
    let read = |file: &str| -> BTreeMap<String, tch::Tensor> {
        tch::Tensor::read_safetensors(sandbox.path(file)).expect("safetensors").into_iter().collect()
    };
    let (theirs, ours) = (read("network/model.safetensors"), read(&format!("{MAML}/checkpoint.safetensors")));
    assert_eq!(theirs.keys().collect::<Vec<_>>(), ["0.bias", "0.weight", "2.bias", "2.weight"]);
    assert_eq!((theirs["0.weight"].size(), theirs["2.bias"].size()), (vec![8, 64], vec![3]));
    assert!(theirs["2.weight"].equal(&ours["layer1.weight"]));
    let loader = sandbox.read("network/load_model.py");
    assert!(loader.contains("nn.Linear(64, 8),\n        nn.ReLU(),\n        nn.Linear(8, 3),"), "{loader}");

    let ended = sandbox.run(&["export", "results/small/adam-seed0"]);
    ended.says(0, &["learns nothing", "random"]);
    assert!(ended.stdout.contains("adam-seed0/pytorch/model.safetensors"), "{}", ended.stdout);
    sandbox.run(&["export", NEAREST]).says(2, &["nearest_neighbour", "no network"]);
    let blocked = sandbox.run(&["export", MAML, "--out", "small.yaml/network"]);
    blocked.says(1, &["cannot write", "small.yaml/network"]);
}
