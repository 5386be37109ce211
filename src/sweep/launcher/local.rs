//! Jobs as child processes, each with one thread and its own share of the cores.

use std::{
    fs::File,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::{Ended, JobEnd, Launcher, gave_up};
use crate::{
    experiment::INTERRUPTED,
    sweep::{
        study::Study,
        trial::{Job, Trial},
    },
};

/// How often running jobs are looked after.
const LOOK: Duration = Duration::from_millis(10);

/// This computer.
pub struct Local {
    /// Arguments of every trial beside those of its experiment.
    passed: Vec<String>,
    /// The cores of each place for a job.
    places: Vec<Cores>,
    running: Vec<Running>,
}

struct Running {
    job: Job,
    place: usize,
    arguments: Vec<String>,
    /// None while another process is at work on the trial: one whose sweep was killed has to save what it has.
    child: Option<Child>,
    started: Instant,
}

impl Running {
    /// Starts it as soon as its trial's folder is free.
    fn start(&mut self, study: &Study, cores: Cores) -> Result<()> {
        if !study.is_at_work(self.job.trial) {
            self.child = Some(spawn(study, self.job.trial, &self.arguments, cores)?);
            self.started = Instant::now();
        }
        Ok(())
    }
}

impl Local {
    /// With so many jobs at the same time.
    pub fn new(jobs: usize, passed: Vec<String>) -> Self {
        Self { passed, places: Cores::shares(jobs), running: Vec::new() }
    }
}

impl Launcher for Local {
    fn jobs(&self) -> Vec<Job> {
        self.running.iter().map(|running| running.job).collect()
    }

    fn room(&self) -> usize {
        self.places.len() - self.running.len()
    }

    fn start(&mut self, study: &Study, jobs: Vec<(Job, &Trial)>) -> Result<()> {
        for (job, trial) in jobs {
            let taken: Vec<usize> = self.running.iter().map(|running| running.place).collect();
            let place = (0..self.places.len()).find(|place| !taken.contains(place)).unwrap_or(0);
            let arguments = [study.arguments(trial, job)?, self.passed.clone()].concat();
            let mut running = Running { job, place, arguments, child: None, started: Instant::now() };
            running.start(study, self.places[place])?;
            self.running.push(running);
        }
        Ok(())
    }

    fn ended(&mut self, study: &Study) -> Result<Vec<Ended>> {
        let (mut ended, mut still) = (Vec::new(), Vec::new());
        for mut running in std::mem::take(&mut self.running) {
            let Some(child) = &mut running.child else {
                running.start(study, self.places[running.place])?;
                still.push(running);
                continue;
            };
            match child.try_wait().context("cannot wait for a trial")? {
                None => still.push(running),
                Some(status) => ended.push(Ended {
                    job: running.job,
                    ending: ending(study, running.job.trial, status),
                    seconds: running.started.elapsed().as_secs_f64(),
                }),
            }
        }
        self.running = still;
        Ok(ended)
    }

    fn pause(&self) -> Duration {
        LOOK
    }

    /// Asks all jobs to save what they have, and waits until they did.
    fn stop(&mut self, _: &Study) -> Result<()> {
        self.running.retain(|running| running.child.is_some());
        let mut children: Vec<&mut Child> = self.running.iter_mut().flat_map(|r| &mut r.child).collect();
        for child in &children {
            let _ = kill_process(Pid::from_child(child), Signal::TERM); // it may have ended by itself
        }
        for child in &mut children {
            child.wait().context("cannot wait for a trial")?;
        }
        Ok(())
    }
}

fn ending(study: &Study, number: usize, status: ExitStatus) -> JobEnd {
    match (status.code(), status.signal()) {
        (Some(0), _) => JobEnd::Reached,
        (Some(code), _) if code != i32::from(INTERRUPTED) => gave_up(study, number),
        (_, Some(libc::SIGKILL)) => JobEnd::Lost("killed, perhaps for want of memory".into()),
        (_, Some(signal)) => JobEnd::Lost(format!("ended by signal {signal}")),
        _ => JobEnd::Lost("stopped from outside".into()),
    }
}

fn spawn(study: &Study, number: usize, arguments: &[String], cores: Cores) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program's file")?);
    let log = study.file(number, ".log");
    let log = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    command.args(arguments).args(["--threads", "1"]);
    // Ctrl-C in the terminal is for the sweep alone, which passes it on once; and a trial does not outlive a sweep that is killed.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec only system calls, which are safe there.
    unsafe {
        command.pre_exec(move || {
            cores.pin()?;
            Ok(rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?)
        });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = cores;
    command.spawn().context("cannot start a trial")
}

/// The cores that a job may use.
#[derive(Clone, Copy)]
#[cfg(target_os = "linux")]
struct Cores(Option<rustix::thread::CpuSet>);

/// Elsewhere they cannot be chosen.
#[derive(Clone, Copy)]
#[cfg(not(target_os = "linux"))]
struct Cores;

#[cfg(not(target_os = "linux"))]
impl Cores {
    fn shares(jobs: usize) -> Vec<Self> {
        vec![Self; jobs]
    }
}

#[cfg(target_os = "linux")]
impl Cores {
    /// The cores of this process, dealt out to so many jobs; with more jobs than cores nobody has one of his own.
    fn shares(jobs: usize) -> Vec<Self> {
        use rustix::thread::{CpuSet, sched_getaffinity};
        let own = sched_getaffinity(None).ok();
        let within = |set: CpuSet| (0..CpuSet::MAX_CPU).filter(move |&core| set.is_set(core));
        let cores: Vec<usize> = own.into_iter().flat_map(within).collect();
        if cores.len() < jobs {
            return vec![Self(None); jobs];
        }
        (0..jobs)
            .map(|place| {
                let mut share = CpuSet::new();
                let own = &cores[place * cores.len() / jobs..(place + 1) * cores.len() / jobs];
                own.iter().for_each(|&core| share.set(core));
                Self(Some(share))
            })
            .collect()
    }

    /// Keeps the calling process on these cores.
    fn pin(&self) -> std::io::Result<()> {
        self.0.iter().try_for_each(|set| Ok(rustix::thread::sched_setaffinity(None, set)?))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn cores_are_dealt_out_and_each_to_one_job() {
        let all = Cores::shares(1)[0].0.expect("the cores are known").count();
        for jobs in 1..=all as usize {
            let shares: Vec<_> = Cores::shares(jobs).into_iter().filter_map(|share| share.0).collect();
            let count: u32 = shares.iter().map(|share| share.count()).sum();
            assert_eq!((shares.len(), count), (jobs, all));
            for core in 0..rustix::thread::CpuSet::MAX_CPU {
                assert!(shares.iter().filter(|share| share.is_set(core)).count() <= 1, "core {core}");
            }
        }
        assert!(Cores::shares(all as usize + 1).iter().all(|share| share.0.is_none()));
    }
}
