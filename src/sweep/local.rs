//! Running a study's trials as child processes of this one.

use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{
    sampler::Told,
    study::{End, Study, Trial},
};
use crate::experiment::folder::{Folder, write_whole};

/// How trials are run.
pub struct Launch<'a> {
    /// Trials at the same time, each with one thread.
    pub jobs: usize,
    /// Where data sets lie, if not in the cache.
    pub data_dir: Option<&'a Path>,
    /// Set when the user wants to stop.
    pub stop: &'a AtomicBool,
    /// Told of every trial that ends, and how far the study is then.
    pub observe: &'a mut dyn FnMut(&Trial, &End, Progress),
}

/// How far a study is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Trials that have ended.
    pub ended: usize,
    /// The best score so far.
    pub best: Option<f64>,
}

/// How often running trials are looked after.
const LOOK: Duration = Duration::from_millis(10);

struct Running {
    trial: Trial,
    child: Child,
    started: Instant,
    asked_to_stop: bool,
}

/// Runs what is left to run of a study; gives all trials that have ended, in order. A stopped sweep leaves its trials to be resumed.
///
/// # Errors
/// A trial cannot be started, or a file of the study not be read or written.
pub fn run(study: &Study, launch: &mut Launch) -> Result<Vec<(Trial, End)>> {
    let budget = &study.plan.sweep.budget;
    let started = Instant::now();
    let mut ended: BTreeMap<usize, (Trial, End)> = BTreeMap::new();
    let mut running: Vec<Running> = Vec::new();
    let (mut next, mut exhausted) = (0, false);
    loop {
        let late = budget.minutes.is_some_and(|minutes| started.elapsed().as_secs_f64() > minutes * 60.0);
        let stopping = launch.stop.load(Ordering::Relaxed);
        while running.len() < launch.jobs && next < budget.trials && !exhausted && !late && !stopping {
            let told = || {
                let told =
                    |(trial, end): &(Trial, End)| Told { point: trial.point.clone(), score: end.score };
                ended.values().map(told).collect()
            };
            let Some(trial) = study.trial(next, told)? else {
                exhausted = true;
                break;
            };
            next += 1;
            if let Some(end) = study.end(trial.number)? {
                ended.insert(trial.number, (trial, end)); // of an earlier session
                continue;
            }
            match start(study, &trial, launch.data_dir) {
                Ok(child) => {
                    running.push(Running { trial, child, started: Instant::now(), asked_to_stop: false })
                }
                Err(error) => {
                    let end = End { score: None, error: Some(format!("{error:#}")), seconds: 0.0 };
                    note(study, launch, &mut ended, trial, end)?;
                }
            }
        }
        if running.is_empty() {
            break;
        }
        let mut still = Vec::new();
        for mut one in running {
            let Some(status) = one.child.try_wait().context("cannot wait for a trial")? else {
                if stopping && !one.asked_to_stop {
                    interrupt(&one.child); // once: the second signal would not let it save
                    one.asked_to_stop = true;
                }
                still.push(one);
                continue;
            };
            if stopping && !status.success() {
                continue; // it is resumed when the sweep is
            }
            let seconds = one.started.elapsed().as_secs_f64();
            let result =
                if status.success() { study.score(&one.trial) } else { Err(reason(study, &one.trial)) };
            let end = match result {
                Ok(score) => End { score: Some(score), error: None, seconds },
                Err(error) => End { score: None, error: Some(format!("{error:#}")), seconds },
            };
            note(study, launch, &mut ended, one.trial, end)?;
        }
        running = still;
        std::thread::sleep(LOOK);
    }
    let trials: Vec<(Trial, End)> = ended.into_values().collect();
    study.report(&trials)?;
    Ok(trials)
}

/// Starts a trial, or goes on with it.
fn start(study: &Study, trial: &Trial, data_dir: Option<&Path>) -> Result<Child> {
    let name = format!("{:04}", trial.number);
    let experiment = study.plan.experiment(&name, &trial.values)?;
    let file = study.file(trial.number, ".yaml");
    write_whole(&file, serde_saphyr::to_string(&experiment)?.as_bytes())?;
    let mut command = Command::new(std::env::current_exe().context("cannot find this program's file")?);
    command.arg("experiment").arg(&file).args([
        "--no-test",
        "--resume",
        "--quiet",
        "--threads",
        "1",
        "--out",
    ]);
    command.arg(study.path().join("trials"));
    if let Some(folder) = data_dir {
        command.arg("--data-dir").arg(folder);
    }
    wait_for_orphan(&study.file(trial.number, ""));
    let log = study.file(trial.number, ".log");
    let log = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    // Ctrl-C in the terminal is for the sweep alone, which passes it on once; and a trial does not outlive a sweep that is killed.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec only a system call that is safe there.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    command.spawn().context("cannot start a trial")
}

/// A trial whose sweep was killed has a moment to save what it has; until then its folder is its own.
fn wait_for_orphan(folder: &Path) {
    const LONGEST: Duration = Duration::from_secs(10);
    let started = Instant::now();
    while folder.exists() && Folder::at(folder).is_err() && started.elapsed() < LONGEST {
        std::thread::sleep(LOOK);
    }
}

/// Why a trial failed, by its own last words.
fn reason(study: &Study, trial: &Trial) -> anyhow::Error {
    let log = std::fs::read_to_string(study.file(trial.number, ".log")).unwrap_or_default();
    let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it ended without a word");
    anyhow::anyhow!("{}", last.trim_start_matches("error: "))
}

fn note(
    study: &Study,
    launch: &mut Launch,
    ended: &mut BTreeMap<usize, (Trial, End)>,
    trial: Trial,
    end: End,
) -> Result<()> {
    study.finish(trial.number, &end)?;
    ended.insert(trial.number, (trial.clone(), end.clone()));
    let best = ended.values().filter_map(|(_, end)| end.score).reduce(f64::max);
    (launch.observe)(&trial, &end, Progress { ended: ended.len(), best });
    Ok(())
}

/// Asks a trial to save what it has and stop.
fn interrupt(child: &Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        // SAFETY: kill only sends a signal; the child is ours and not yet waited for, so its number is not another's.
        unsafe { libc::kill(id, libc::SIGTERM) };
    }
}
