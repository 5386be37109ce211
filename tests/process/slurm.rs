//! Sweeps on Slurm. Those that need a cluster start a real one on loopback by scripts/slurm/up, which takes root, slurm-wlm and munge:
//! they run with `cargo test --release --test process slurm -- --ignored`.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    sandbox::{Ended, Sandbox, wait_for},
    sweeps::{SWEEP, sandbox, study},
};

/// A cluster of two nodes with one core each.
struct Cluster(TempDir);

impl Cluster {
    fn up(largest_array: usize) -> Self {
        let cluster = Self(tempfile::tempdir().expect("a folder"));
        cluster.script("up", largest_array);
        cluster
    }

    fn script(&self, name: &str, largest_array: usize) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/slurm").join(name);
        let mut command = Command::new(script);
        let done = command.arg(self.0.path()).env("MAX_ARRAY", largest_array.to_string()).status();
        assert!(
            done.expect("a script").success(),
            "{name}: are slurm-wlm and munge there, and are you root?"
        );
    }

    fn command(&self, sandbox: &Sandbox, arguments: &[&str]) -> Command {
        let mut command =
            sandbox.command(&[&["sweep", "rate.yaml", "--launcher", "slurm"], arguments].concat());
        command.env("SLURM_CONF", self.0.path().join("slurm.conf"));
        command
    }

    fn sweep(&self, sandbox: &Sandbox, arguments: &[&str]) -> Ended {
        self.command(sandbox, arguments).output().expect("run").into()
    }

    fn start(&self, sandbox: &Sandbox) -> Child {
        self.command(sandbox, &[]).spawn().expect("started")
    }

    fn queue(&self) -> String {
        let mut squeue = Command::new("squeue");
        let queue =
            squeue.env("SLURM_CONF", self.0.path().join("slurm.conf")).args(["-h", "-r", "-o", "%j %T"]);
        String::from_utf8(queue.output().expect("squeue").stdout).expect("text")
    }

    fn kill(&self, node: &str) {
        let id =
            fs::read_to_string(self.0.path().join("run").join(format!("{node}.pid"))).expect("a pid file");
        assert!(Command::new("kill").args(["-9", id.trim()]).status().expect("kill").success());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.script("down", 0);
    }
}

/// The whole trainings that a trial's runs have come to the end of.
fn completions(sandbox: &Sandbox, number: usize) -> usize {
    let log = sandbox.read(&format!("results/rate/trials/{number:04}/maml-seed0/log.jsonl"));
    log.lines().filter(|line| line.contains("\"seconds\"")).count()
}

/// Eight trials, of which the grid takes the long one as trial 3, which meets its time limit (Slurm looks at those every 30 seconds), and the one
/// that diverges as trial 6.
fn eight() -> String {
    let rule = |lr: &str| format!("{{maml: {{inner: {{sgd: {{lr: {lr}, steps: 2}}}}}}");
    let mut options: String =
        (1..=6).map(|i| format!("    s{i}: {{value: {}}}}}\n", rule(&format!("0.{i}")))).collect();
    options += &format!("    diverges: {{value: {}}}}}\n", rule("1e30"));
    options +=
        &format!("    long: {{value: {}, train: {{iterations: 240000, meta_batch: 40}}}}}}\n", rule("0.1"));
    format!(
        "name: rate\nbase: small.yaml\nset:\n  methods: {{maml: {{maml: {{}}}}}}\n  train.validate.every: 1000\nspace:\n  \
         methods.maml:\n   choice:\n{options}sampler: {{grid: {{}}}}\nbudget: {{trials: 8}}\n\
         slurm: {{time: 1, signal: 'B:TERM@57'}}\n"
    )
}

#[test]
#[ignore = "needs a Slurm cluster: root, slurm-wlm and munge"]
fn eight_trials_survive_a_failure_a_time_limit_a_dead_node_and_a_dead_sweep() {
    let (cluster, sandbox) = (Cluster::up(1001), sandbox());
    sandbox.write("rate.yaml", eight().as_bytes());
    let mut first = cluster.start(&sandbox);
    let log = "results/rate/trials/0003/maml-seed0/log.jsonl";
    wait_for(&sandbox, log);
    let start = Instant::now();
    while !sandbox.read(log).contains("resumed") {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the time limit never came: {}",
            sandbox.read(log)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    cluster.kill("n1");
    cluster.kill("n2");
    first.kill().expect("SIGKILL");
    let first: Ended = first.wait_with_output().expect("ended").into();
    assert!(first.stderr.contains("trial 3: stopped at its time limit"), "{}", first.stderr);
    std::thread::sleep(Duration::from_secs(1));
    cluster.script("up", 1001);
    let second = cluster.sweep(&sandbox, &[]);
    second.says(0, &[]);
    let said = first.stderr + &second.stderr;
    assert!(said.contains("trial 6 failed: maml-seed0") && said.contains("inner lr"), "{said}");
    let rows = study(&sandbox, "results/rate");
    let states: Vec<&str> = rows[1..].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(states, ["done", "done", "done", "done", "done", "done", "failed", "done"]);
    for number in [0, 1, 2, 3, 4, 5, 7] {
        assert_eq!(completions(&sandbox, number), 1, "trial {number}");
    }
    assert_eq!(cluster.queue(), "");
    let left = fs::read_dir(sandbox.path("results/rate/slurm")).expect("a folder").count();
    assert_eq!(left, 0, "nothing of the arrays is left");
}

#[test]
#[ignore = "needs a Slurm cluster: root, slurm-wlm and munge"]
fn rounds_of_asha_and_tpe_run_as_arrays_that_are_not_too_large() {
    let (cluster, sandbox) = (Cluster::up(4), sandbox());
    let text = SWEEP.replace("trials: 5", "trials: 9").replace("set:", "set:\n  train.iterations: 18");
    let text = text.replace("sobol: {seed: 3}", "tpe: {startup: 3}") + "pruner: {asha: {}}\n";
    sandbox.write("rate.yaml", text.as_bytes());
    cluster.sweep(&sandbox, &["--jobs", "8"]).says(0, &[]);
    let rows = study(&sandbox, "results/rate");
    let rung = |rung: &str| rows.iter().filter(|row| row[2] == rung).count();
    assert_eq!(rung("0"), 9);
    assert!(rung("1") >= 3 && rung("2") >= 1, "{rows:?}");

    let plain = SWEEP.replace("name: rate", "name: plain");
    sandbox.write("rate.yaml", plain.as_bytes());
    cluster.sweep(&sandbox, &[]).says(0, &[]);
    sandbox.run(&["sweep", "rate.yaml", "--out", "here"]).says(0, &[]);
    assert_eq!(study(&sandbox, "results/plain"), study(&sandbox, "here/plain"), "the same, wherever it ran");
}

#[test]
#[ignore = "needs a Slurm cluster: root, slurm-wlm and munge"]
fn ctrl_c_asks_before_it_cancels() {
    let (cluster, sandbox) = (Cluster::up(1001), sandbox());
    sandbox.write("rate.yaml", SWEEP.replace("set:", "set:\n  train.iterations: 1000000").as_bytes());
    let interrupt = |child: Child| -> Ended {
        wait_for(&sandbox, "results/rate/trials/0001/maml-seed0/state.safetensors");
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
        child.wait_with_output().expect("ended").into()
    };
    // Without a terminal there is nobody to ask.
    interrupt(cluster.start(&sandbox)).says(130, &["5 jobs go on in Slurm", "start the sweep again"]);
    assert_eq!(cluster.queue().lines().count(), 5);
    sandbox.run(&["sweep", "rate.yaml"]).says(2, &["--launcher slurm"]);

    let plain = cluster.command(&sandbox, &[]);
    let words: Vec<String> = [plain.get_program()]
        .into_iter()
        .chain(plain.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &format!("exec {}", words.join(" ")), "/dev/null"]).current_dir(sandbox.path("."));
    terminal.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script");
    std::thread::sleep(Duration::from_secs(2));
    let mut keys = child.stdin.take().expect("a keyboard");
    let mut press =
        |keys_pressed: &[u8]| std::io::Write::write_all(&mut keys, keys_pressed).expect("pressed");
    press(b"\x03");
    std::thread::sleep(Duration::from_secs(1));
    press(b"y\n");
    let ended: Ended = child.wait_with_output().expect("ended").into();
    assert!(
        ended.stdout.contains("5 jobs of this sweep") && ended.stdout.contains("Cancel them?"),
        "{}",
        ended.stdout
    );
    let start = Instant::now();
    while !cluster.queue().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(30), "{}", cluster.queue());
        std::thread::sleep(Duration::from_millis(100));
    }
    // Not only the validation before the first iteration.
    let rows = sandbox.read("results/rate/trials/0000/maml-seed0/train.csv").lines().count();
    assert!(rows > 10, "{rows} rows: it saved what it had");
}

#[test]
#[ignore = "needs a Slurm cluster: root, slurm-wlm and munge"]
fn what_slurm_refuses_is_shown_in_its_own_words() {
    let (cluster, sandbox) = (Cluster::up(1001), sandbox());
    sandbox.write("rate.yaml", format!("{SWEEP}slurm: {{partition: nowhere}}\n").as_bytes());
    cluster.sweep(&sandbox, &[]).says(1, &["sbatch refused", "invalid partition", "nowhere"]);
    sandbox.write("rate.yaml", SWEEP.as_bytes());
    cluster.sweep(&sandbox, &[]).says(0, &[]);
}

#[test]
fn without_slurm_it_is_said_how_to_run_here() {
    let sandbox = sandbox();
    let mut command = sandbox.command(&["sweep", "rate.yaml", "--launcher", "slurm"]);
    let ended: Ended = command.env("PATH", sandbox.path("empty")).output().expect("run").into();
    ended.says(2, &["not on the PATH", "leave --launcher out"]);
    sandbox.write("rate.yaml", format!("{SWEEP}slurm: {{job-name: mine}}\n").as_bytes());
    sandbox.run(&["sweep", "rate.yaml"]).says(2, &["job-name", "set by the sweep"]);
}
