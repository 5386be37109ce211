//! Families of tasks, and what few-shot tasks may be made of: names, groups, other data sets, other sizes in training.

use std::fs;

use crate::sandbox::{CLASSES, Sandbox};

const SPLIT: &str = "{train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}";

/// The small data set's folder once more under another name.
fn copy(sandbox: &Sandbox, name: &str) {
    for entry in fs::read_dir(sandbox.path("digits")).expect("a folder").flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        sandbox.write(&format!("{name}/{file}"), &fs::read(entry.path()).expect("a file"));
    }
}

/// Which classes a part of a run has, as numbers with names.
fn classes(sandbox: &Sandbox, part: &str) -> String {
    let text = sandbox.read("results/small/maml-seed0/environment.json");
    let entries: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    entries[0]["classes"][part].to_string()
}

#[test]
fn classes_are_split_by_name_and_by_group() {
    let sandbox = Sandbox::new();
    let names = ["alpha", "beta", "gamma", "a", "b", "c", "fehu", "uruz", "thurs"];
    let groups = ["Greek", "Latin", "Runes"];
    let line = |class: usize| format!("{class},{},{}\n", names[class], groups[class / 3]);
    let csv: String = (0..CLASSES).map(line).collect();
    sandbox.write("digits/classes.csv", format!("class,name,group\n{csv}").as_bytes());

    sandbox.change(SPLIT, "{train: [beta, alpha, gamma], validation: [a, b, c], test: [fehu, uruz, thurs]}");
    sandbox.experiment(&["--seeds", "0", "--quiet"]).says(0, &[]);
    assert_eq!(classes(&sandbox, "train"), r#"[[1,"beta"],[0,"alpha"],[2,"gamma"]]"#);
    let named = sandbox.read("results/small/adam-seed0/evaluation.csv");

    let by_group = "task.classes={groups: {train: [Greek], validation: [Latin], test: [Runes]}}";
    sandbox.experiment(&["--seeds", "0", "--quiet", "--fresh", "--set", by_group]).says(0, &[]);
    assert_eq!(classes(&sandbox, "test"), r#"[[6,"fehu"],[7,"uruz"],[8,"thurs"]]"#);
    assert_eq!(sandbox.read("results/small/config.yaml").matches("Runes").count(), 1);
    // The same test classes are the same test tasks, however they are said.
    assert_eq!(named, sandbox.read("results/small/adam-seed0/evaluation.csv"));
    let run = "results/small/maml-seed0";
    sandbox
        .run(&["evaluate", run, "--classes", "alpha,beta,gamma"])
        .says(0, &["trained", "alpha, beta, gamma"]);

    let check =
        |classes: &str| sandbox.run(&["check", "small.yaml", "--set", &format!("task.classes={classes}")]);
    check("{train: [alpha, beta, delta], test: [a, b, c]}").says(2, &["class delta", "alpha, beta"]);
    check("{groups: {train: [Greek], test: [Cyrillic]}}").says(2, &["group Cyrillic", "Greek, Latin, Runes"]);
    check("{groups: {train: [Greek], test: [Greek]}}").says(2, &["class alpha is in train and in test"]);
    check("{groups: {train: [Greek]}}").says(2, &["missing field `test`"]);
    check("{groups: {train: [Greek], test: [Runes]}, seed: 1}").says(2, &["classes are"]);
}

#[test]
fn classes_without_groups_have_none_to_split_by() {
    let sandbox = Sandbox::new();
    sandbox.change(SPLIT, "{groups: {train: [Greek], test: [Runes]}}");
    sandbox.experiment(&[]).says(2, &["task.classes", "group Greek", "no groups", "classes.csv"]);
    sandbox.write("digits/classes.csv", b"class,name\n0,alpha\n");
    sandbox.experiment(&[]).says(1, &["classes.csv", "class 1 has no line"]);
}

#[test]
fn each_part_may_have_a_data_set_of_its_own() {
    let sandbox = Sandbox::new();
    copy(&sandbox, "letters");
    sandbox.change("{idx: digits}", "{train: {idx: digits}, test: {idx: letters}}");
    // A class of another data set is another class, though it is called the same.
    sandbox.change("test: [6, 7, 8]", "test: [0, 1, 2]");
    sandbox.experiment(&["--seeds", "0", "--quiet"]).says(0, &[]);
    assert_eq!(classes(&sandbox, "test"), r#"[[0,"0"],[1,"1"],[2,"2"]]"#);
    let run = "results/small/maml-seed0";
    let again = sandbox.run(&["evaluate", run, "--out", "again.csv"]);
    again.says(0, &[]);
    assert!(!again.stderr.contains("trained"), "{}", again.stderr);
    assert_eq!(sandbox.read("again.csv"), sandbox.read(&format!("{run}/evaluation.csv")));

    let check = |set: &str| sandbox.run(&["check", "small.yaml", "--set", set]);
    check("task.classes={split: [6, 3, 9]}").says(0, &["is sound"]);
    check("task.classes={split: [6, 4, 9]}").says(2, &["6 + 4 = 10 classes"]);
    check("task.classes={folds: 3}").says(2, &["folds divide the classes of one data set"]);
    check("task.classes=shared").says(0, &["is sound"]);
    check("task.dataset={train: mnist, test: mnits}").says(2, &["task.dataset", "mnits"]);
    check("task.dataset={train: mnist}").says(2, &["task.dataset", "one for each part"]);
    check("task.dataset={idx: digits, test: mnist}").says(2, &["one for each part"]);
    check("task.dataset={train: {idx: digits}, tset: mnist}").says(2, &["tset", "did you mean test?"]);

    let images = [&[0, 0, 8, 3, 0, 0, 0, 90, 0, 0, 0, 2, 0, 0, 0, 2][..], &[0; 360]].concat();
    let labels = [&[0, 0, 8, 1, 0, 0, 0, 90][..], &(0..90).map(|i| i % 9).collect::<Vec<u8>>()].concat();
    for part in ["train", "t10k"] {
        sandbox.write(&format!("tiny/{part}-images-idx3-ubyte"), &images);
        sandbox.write(&format!("tiny/{part}-labels-idx1-ubyte"), &labels);
    }
    check("task.dataset={train: {idx: digits}, test: {idx: tiny}}")
        .says(2, &["digits are 8 x 8", "tiny are 2 x 2", "one size"]);
}

#[test]
fn training_may_differ_from_the_test() {
    let sandbox = Sandbox::new();
    let run = |arguments: &[&str]| {
        sandbox.experiment(&[&["--seeds", "0", "--quiet", "--fresh"], arguments].concat()).says(0, &[]);
        ["environment.json", "train.csv"]
            .map(|file| sandbox.read(&format!("results/small/maml-seed0/{file}")))
    };
    let hash = |environment: &str| environment.split("sha256").nth(1).map(|rest| rest[..70].to_owned());
    let [environment, train] = run(&[]);
    let [others, trained_otherwise] = run(&["--set", "task.training={shots: 3, queries: 2}"]);
    assert_eq!(hash(&environment), hash(&others), "the test is the same");
    assert_ne!(train, trained_otherwise);
    let check = |set: &[&str]| {
        let set: Vec<&str> = set.iter().flat_map(|change| ["--set", change]).collect();
        sandbox.run(&[&["check", "small.yaml"], &set[..]].concat())
    };
    check(&["task.training.ways=3"]).says(0, &["is sound"]);
    check(&["task.training.ways=2"])
        .says(2, &["task.training.ways", "maml", "trained on 2 ways and tested on 3"]);
    check(&["task.training.shots=40"]).says(2, &["40 shots + 4 queries"]);
    check(&["task.training.shotz=4"]).says(2, &["shotz", "did you mean shots?"]);
    // Methods that are not trained on episodes do not mind.
    let pretrained = "methods={base: {pretrained: {adam: {lr: 0.01}}}, nearest: {nearest_neighbour: {}}}";
    check(&["task.training.ways=2", pretrained]).says(0, &["is sound"]);
}

#[test]
fn what_a_family_lacks_no_method_may_need() {
    let sandbox = Sandbox::new();
    let text = sandbox.read("small.yaml");
    let begin = text.find("task:").expect("a task");
    let end = text.find("model:").expect("a model");
    let task = "task: {sinusoid: {shots: 5}}\n";
    sandbox.write("small.yaml", [&text[..begin], task, &text[end..]].concat().as_bytes());
    let check = |set: &str| sandbox.run(&["check", "small.yaml", "--set", set]);
    check("name=sound").says(0, &["is sound", "4 runs"]);
    check("methods.near={nearest_neighbour: {}}")
        .says(2, &["methods.near", "needs class labels, which sinusoid has not"]);
    check("methods.plain={plain: {adam: {}}}").says(2, &["methods.plain", "needs a whole data set"]);
    check("methods.adam.adapt={copies: 3}")
        .says(2, &["methods.adam", "copies of images, which sinusoid has not"]);
    check("task.sinusoid.noise=-1").says(2, &["task.sinusoid.noise", "0 or above"]);
    check("task.sinusoid.phase=[1, 0]").says(2, &["task.sinusoid.phase", "the lower one first"]);
    check("task.sinusoid.queries={grid: 1}").says(2, &["task.sinusoid.queries", "2 to 10000 points"]);
    check("task.sinusoid.family=fin").says(2, &["fin", "did you mean finn?"]);
    check("task.ways=3").says(2, &["one family, here sinusoid"]);
}

/// A regression from the file to what is made of its results.
#[test]
fn sine_waves_are_learned_tested_and_exported() {
    let sandbox = Sandbox::new();
    let text = sandbox.read("small.yaml");
    let parts = ["task:", "model:"].map(|part| text.find(part).expect(part));
    let task = "task: {sinusoid: {shots: 5, training: {queries: 10}}}\n";
    sandbox.write("small.yaml", [&text[..parts[0]], task, &text[parts[1]..]].concat().as_bytes());
    sandbox.change("  adam: {scratch: {adam: {lr: 0.01}}}", "  base: {pretrained: {adam: {lr: 0.01}}}");
    sandbox.change("steps: [0, 2, 5]", "steps: [0, 2, 5], shots: [5, 10]");
    sandbox.experiment(&["--quiet"]).says(0, &[]);
    sandbox.experiment(&["--quiet"]).says(0, &[]); // it is finished: nothing is run again
    let config = sandbox.read("results/small/config.yaml");
    assert!(config.contains("sinusoid:") && config.contains("family: finn"), "{config}");

    let run = "results/small/maml-seed1";
    sandbox.run(&["evaluate", run, "--threads", "1", "--out", "again.csv"]).says(0, &[]);
    let rows = sandbox.read(&format!("{run}/evaluation.csv"));
    assert_eq!(sandbox.read("again.csv"), rows);
    assert_eq!(rows.lines().count(), 1 + 10 * 3 * 2);
    assert!(rows.lines().next().is_some_and(|header| header.contains("mse")), "{rows}");
    sandbox.run(&["evaluate", run, "--classes", "1,2"]).says(2, &["--classes", "no data set with classes"]);
    sandbox.run(&["evaluate", run, "--dataset", "mnist"]).says(2, &["--dataset", "no data set with classes"]);

    let example: serde_json::Value =
        serde_json::from_str(&sandbox.read("results/small/maml-seed0/example.json")).expect("JSON");
    assert_eq!(example["kind"], "curves");
    let curve = &example["curves"][0];
    let lengths = |of: &str| curve[of].as_array().expect("a list").len();
    assert_eq!((lengths("support"), lengths("answers")), (5, 3));
    assert_eq!(lengths("x"), lengths("truth"));

    sandbox.run(&["export", run, "--out", "network"]).says(0, &[]);
    let loader = sandbox.read("network/load_model.py");
    assert!(
        loader.contains("nn.Linear(1, 8)") && loader.contains("Takes numbers [batch, inputs]"),
        "{loader}"
    );
    sandbox
        .run(&["adapt", run, "--support", "digits", "--query", "digits"])
        .says(2, &["sinusoid", "only be of images"]);
    sandbox.run(&["report", "results/small"]).says(0, &[]);
    let report = sandbox.read("results/small/report.md");
    assert!(report.contains("of sinusoid regression with 5 or 10 points?"), "{report}");
}
