//! Damaged, missing and unreachable data.

use std::{fs, net::TcpListener};

use crate::sandbox::{Sandbox, gzip};

const IMAGES: &str = "digits/train-images-idx3-ubyte";
const LABELS: &str = "digits/train-labels-idx1-ubyte.gz";

/// With a file of the data set replaced, the program fails and says all of `parts`.
#[track_caller]
fn fails(file: &str, bytes: impl Fn(Vec<u8>) -> Vec<u8>, parts: &[&str]) {
    let sandbox = Sandbox::new();
    let before = fs::read(sandbox.path(file)).expect("there");
    sandbox.write(file, &bytes(before));
    let name = file.strip_prefix("digits/").expect("below digits/");
    sandbox.experiment(&[]).says(1, &[&[name], parts].concat());
}

#[test]
fn truncated_gzip() {
    fails(LABELS, |bytes| bytes[..bytes.len() / 2].to_vec(), &[]);
}

#[test]
fn wrong_magic_number() {
    fails(
        IMAGES,
        |mut bytes| {
            bytes[3] = 9;
            bytes
        },
        &["0x00000809", "0x00000803"],
    );
}

#[test]
fn fewer_bytes_than_announced() {
    fails(
        IMAGES,
        |mut bytes| {
            bytes.pop();
            bytes
        },
        &[],
    );
}

#[test]
fn labels_and_images_of_different_length() {
    let fewer = |_| {
        let count = 100u32;
        gzip(&[&0x0801u32.to_be_bytes()[..], &count.to_be_bytes(), &[0; 100]].concat())
    };
    fails(LABELS, fewer, &["100", "270"]);
}

#[test]
fn an_empty_or_missing_folder() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("empty")).expect("made");
    for (folder, code) in [("empty", 1), ("nowhere", 2)] {
        let dataset = format!("task.dataset={{idx: {folder}}}");
        sandbox.experiment(&["--set", &dataset]).says(code, &[folder]);
    }
}

#[test]
fn files_that_are_not_mnist_are_not_taken_for_it() {
    let sandbox = Sandbox::new();
    let mnist = ["--set", "task.dataset=mnist", "--data-dir", "digits"];
    sandbox.experiment(&mnist).says(1, &["SHA-256", "{idx: FOLDER}"]);
}

#[test]
fn without_a_network_it_says_where_to_put_the_files() {
    let sandbox = Sandbox::new();
    // A port that nobody listens on stands for the network.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let dead = format!("http://127.0.0.1:{port}");
    let mut command = sandbox.command(&["experiment", "small.yaml", "--set", "task.dataset=mnist"]);
    for variable in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(variable, &dead);
    }
    command.env("NO_PROXY", "").env("no_proxy", "").env("PATH", sandbox.path("no-programs-here"));
    let ended: crate::sandbox::Ended = command.output().expect("run").into();
    ended.says(1, &["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "--data-dir", "npm"]);
}
