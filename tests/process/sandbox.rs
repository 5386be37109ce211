//! A fresh folder with a small data set and experiment, and the program to run in it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

/// A folder that is gone after the test.
pub struct Sandbox {
    folder: TempDir,
}

/// What the program did.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Classes of the small data set; each has 30 training and 12 test images of 8 x 8.
pub const CLASSES: usize = 9;
pub const SIDE: usize = 8;

/// An experiment on the small data set that runs in a moment.
pub const EXPERIMENT: &str = "\
name: small
task:
  dataset: {idx: digits}
  ways: 3
  shots: 1
  queries: 4
  classes: {train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}
model: {mlp: {hidden: [8]}}
train:
  iterations: 12
  meta_batch: 4
  validate: {every: 4, episodes: 6}
methods:
  maml: {maml: {inner: {sgd: {lr: 0.1, steps: 2}}}}
  adam: {scratch: {adam: {lr: 0.01}}}
evaluate: {episodes: 10, steps: [0, 2, 5]}
seeds: [0, 1]
";

impl Sandbox {
    /// With the small data set in `digits/` and `small.yaml`.
    pub fn new() -> Self {
        let sandbox = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        sandbox.write("small.yaml", EXPERIMENT.as_bytes());
        for (part, name, count) in [(0, "train", 30), (1, "t10k", 12)] {
            let (images, labels) = idx(part, count);
            sandbox.write(&format!("digits/{name}-images-idx3-ubyte"), &images);
            // One kind gzipped, the other not: both must do.
            sandbox.write(&format!("digits/{name}-labels-idx1-ubyte.gz"), &gzip(&labels));
        }
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Replaces a part of `small.yaml`.
    pub fn change(&self, from: &str, to: &str) {
        let text = self.read("small.yaml");
        assert!(text.contains(from), "{from} is not in small.yaml");
        self.write("small.yaml", text.replacen(from, to, 1).as_bytes());
    }

    /// The program, not yet started, cut off from the user's cache and settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quickstudy"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("QUICKSTUDY_DATA")
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("started")
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().expect("run").into()
    }

    /// Runs `small.yaml` with more arguments.
    pub fn experiment(&self, arguments: &[&str]) -> Ended {
        self.run(&[&["experiment", "small.yaml", "--threads", "1"], arguments].concat())
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ended {
    /// The program ended with this code and said all of these things on stderr, and did not panic.
    #[track_caller]
    pub fn says(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

/// Images and labels in IDX form: each class a bar at a place of its own, moved and shaded a little.
fn idx(part: usize, per_class: usize) -> (Vec<u8>, Vec<u8>) {
    let count = per_class * CLASSES;
    let header = |magic: u32, sizes: &[usize]| {
        let sizes = sizes.iter().map(|&size| size as u32);
        [magic].into_iter().chain(sizes).flat_map(u32::to_be_bytes).collect::<Vec<u8>>()
    };
    let mut images = header(0x0803, &[count, SIDE, SIDE]);
    let mut labels = header(0x0801, &[count]);
    for i in 0..count {
        let (class, variant) = (i % CLASSES, i / CLASSES + 31 * part);
        labels.push(class as u8);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let ink = if class < 5 { x + variant % 2 == class + 1 } else { y + variant % 2 == class - 4 };
                let shade = (variant * 37 + x * 5 + y * 11) % 50;
                images.push(if ink { 200 + shade as u8 } else { shade as u8 });
            }
        }
    }
    (images, labels)
}

/// Waits until a file is there.
pub fn wait_for(sandbox: &Sandbox, file: &str) {
    let start = Instant::now();
    while !sandbox.path(file).exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "{file} never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Every CSV file below a folder with its content, by relative path, but those of times, which are others on every run.
pub fn csv_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            let inner = csv_files(&path).into_iter();
            found.extend(inner.map(|(file, bytes)| (Path::new(&entry.file_name()).join(file), bytes)));
        } else if path.extension().is_some_and(|ending| ending == "csv") && entry.file_name() != "cost.csv" {
            found.push((entry.file_name().into(), fs::read(&path).expect("readable")));
        }
    }
    found.sort();
    found
}
