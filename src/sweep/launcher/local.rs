//! Jobs as child processes, each with one thread and its own share of the cores.

use std::{
    fs::File,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{Ended, Ending, Launcher};
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
    child: Child,
    started: Instant,
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
            wait_for_orphan(study, trial.number);
            let child = spawn(study, trial, &arguments, self.places[place])?;
            self.running.push(Running { job, place, child, started: Instant::now() });
        }
        Ok(())
    }

    fn ended(&mut self, study: &Study) -> Result<Vec<Ended>> {
        let (mut ended, mut still) = (Vec::new(), Vec::new());
        for mut running in std::mem::take(&mut self.running) {
            match running.child.try_wait().context("cannot wait for a trial")? {
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
        for running in &self.running {
            if let Ok(id) = i32::try_from(running.child.id()) {
                // SAFETY: kill only sends a signal; the child is ours and not yet waited for, so its number is not another's.
                unsafe { libc::kill(id, libc::SIGTERM) };
            }
        }
        for running in &mut self.running {
            running.child.wait().context("cannot wait for a trial")?;
        }
        Ok(())
    }
}

fn ending(study: &Study, number: usize, status: ExitStatus) -> Ending {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ending::Reached,
        (Some(code), _) if code != i32::from(INTERRUPTED) => Ending::Failed(study.last_words(number)),
        (_, Some(libc::SIGKILL)) => Ending::Lost("killed, perhaps for want of memory".into()),
        (_, Some(signal)) => Ending::Lost(format!("ended by signal {signal}")),
        _ => Ending::Lost("stopped from outside".into()),
    }
}

fn spawn(study: &Study, trial: &Trial, arguments: &[String], cores: Cores) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program's file")?);
    let log = study.file(trial.number, ".log");
    let log = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    command.args(arguments).args(["--threads", "1"]);
    // Ctrl-C in the terminal is for the sweep alone, which passes it on once; and a trial does not outlive a sweep that is killed.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    #[cfg(target_os = "linux")]
    // SAFETY: between fork and exec only system calls, which are safe there.
    unsafe {
        command.pre_exec(move || {
            cores.pin()?;
            match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    command.spawn().context("cannot start a trial")
}

/// A trial whose sweep was killed has a moment to save what it has; until then its folder is its own.
fn wait_for_orphan(study: &Study, number: usize) {
    const LONGEST: Duration = Duration::from_secs(10);
    let started = Instant::now();
    while study.is_at_work(number) && started.elapsed() < LONGEST {
        std::thread::sleep(LOOK);
    }
}

/// The cores that a job may use; all, where they cannot be chosen.
#[derive(Clone, Copy)]
struct Cores {
    #[cfg(target_os = "linux")]
    set: Option<libc::cpu_set_t>,
}

#[cfg(not(target_os = "linux"))]
impl Cores {
    fn shares(jobs: usize) -> Vec<Self> {
        vec![Self {}; jobs]
    }
}

#[cfg(target_os = "linux")]
impl Cores {
    /// The cores of this process, dealt out to so many jobs; with more jobs than cores nobody has one of his own.
    fn shares(jobs: usize) -> Vec<Self> {
        // SAFETY: the set is plain bits, for which zero is a value, and its size is given.
        let own = unsafe {
            let mut own: libc::cpu_set_t = std::mem::zeroed();
            let known = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut own) == 0;
            known.then_some(own)
        };
        // SAFETY: only numbers that the set has room for.
        let within =
            |own| (0..libc::CPU_SETSIZE as usize).filter(move |&core| unsafe { libc::CPU_ISSET(core, &own) });
        let cores: Vec<usize> = own.into_iter().flat_map(within).collect();
        (0..jobs)
            .map(|place| {
                let share = &cores[place * cores.len() / jobs..(place + 1) * cores.len() / jobs];
                if cores.len() < jobs || share.is_empty() {
                    return Self { set: None };
                }
                // SAFETY: as above.
                let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
                share.iter().for_each(|&core| unsafe { libc::CPU_SET(core, &mut set) });
                Self { set: Some(set) }
            })
            .collect()
    }

    /// Keeps the calling process on these cores.
    fn pin(&self) -> std::io::Result<()> {
        let Some(set) = &self.set else { return Ok(()) };
        // SAFETY: the set lives as long as the call, and its size is given.
        match unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), set) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    }
}
