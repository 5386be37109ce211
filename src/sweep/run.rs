//! Running a sweep: keeps a launcher busy until the budget is used and nothing is left worth training.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant, SystemTime},
};

use anyhow::Result;

use super::{
    launcher::{Ended, JobEnd, Launcher},
    schedule::Trials,
    study::Study,
    trial::{Job, Trial},
};

/// What an observer is told.
pub enum SweepEvent<'a> {
    /// A trial has reached a rung or failed.
    Judged(&'a Trial),
    /// A trial was ended from outside in this way, and goes on.
    Lost(&'a Trial, &'a str),
    /// These jobs are queued or running, and the launcher has this much room left; told again and again.
    Now(&'a [Job], usize),
}

/// Told how a sweep goes on.
pub type Observer<'a> = dyn FnMut(&Trials, SweepEvent) + 'a;

/// A trial that is ended from outside so often without having learned anything counts as failed.
const ATTEMPTS: usize = 3;
/// `study.csv` and `best.yaml` are at most this old while a sweep runs.
const REPORT: Duration = Duration::from_secs(10);

/// A sweep at work.
struct Sweeping<'a> {
    study: &'a Study<'a>,
    launcher: &'a mut dyn Launcher,
    trials: Trials,
    /// How often a trial was ended from outside since its training last saved a state.
    lost: HashMap<usize, (usize, Option<SystemTime>)>,
    /// Every trial before this one has begun.
    next: usize,
    exhausted: bool,
}

/// Runs what is left to run of a study and gives its trials. A stopped sweep leaves its trials to be resumed.
///
/// # Errors
/// A job cannot be started, or a file of the study not be read or written.
pub fn run(
    study: &Study,
    launcher: &mut dyn Launcher,
    stop: &AtomicBool,
    retry: bool,
    observe: &mut Observer,
) -> Result<Trials> {
    let mut trials = study.trials()?;
    if retry {
        for trial in trials.values_mut().filter(|trial| trial.error.is_some()) {
            trial.error = None;
            study.save(trial)?;
        }
    }
    let mut sweeping = Sweeping { study, launcher, trials, lost: HashMap::new(), next: 0, exhausted: false };
    let (started, mut reported) = (Instant::now(), Instant::now());
    let mut changed = true;
    let minutes = study.plan.sweep.budget.minutes;
    loop {
        if stop.load(Ordering::Relaxed) {
            sweeping.launcher.stop(study)?;
            // What was only stopped is no news.
            sweeping.close(&mut |trials, event| {
                if let SweepEvent::Judged(_) = event {
                    observe(trials, event);
                }
            })?;
            break;
        }
        let late = minutes.is_some_and(|minutes| started.elapsed().as_secs_f64() > minutes * 60.0);
        if changed && !late {
            sweeping.fill(observe)?;
        }
        let jobs = sweeping.launcher.jobs();
        if jobs.is_empty() {
            sweeping.close(observe)?;
            break;
        }
        observe(&sweeping.trials, SweepEvent::Now(&jobs, sweeping.launcher.room()));
        wait(sweeping.launcher.pause(), stop);
        changed = sweeping.collect(observe)?;
        if changed && reported.elapsed() > REPORT {
            study.report(&sweeping.trials)?;
            reported = Instant::now();
        }
    }
    study.report(&sweeping.trials)?;
    study.draw(&sweeping.trials)?;
    Ok(sweeping.trials)
}

/// Waits, but not if the user wants to stop.
fn wait(pause: Duration, stop: &AtomicBool) {
    const SLICE: Duration = Duration::from_millis(100);
    let started = Instant::now();
    while !stop.load(Ordering::Relaxed) && started.elapsed() < pause {
        std::thread::sleep(SLICE.min(pause - started.elapsed().min(pause)));
    }
}

impl Sweeping<'_> {
    /// Starts as many jobs as the launcher has room for.
    fn fill(&mut self, observe: &mut Observer) -> Result<()> {
        let sweep = &self.study.plan.sweep;
        loop {
            let room = self.launcher.room();
            if room == 0 {
                return Ok(());
            }
            let running = self.launcher.jobs();
            let at_work = |number| running.iter().any(|job| job.trial == number);
            let mut jobs = sweep.promoted(&self.trials, at_work);
            jobs.truncate(room);
            while jobs.len() < room && self.next < sweep.budget.trials && !self.exhausted {
                let number = self.next;
                if self.trials.contains_key(&number) {
                    self.next += 1;
                    continue;
                }
                match self.study.begin(number, &self.trials)? {
                    Some(trial) => self.trials.insert(number, trial),
                    None => {
                        self.exhausted = true;
                        break;
                    }
                };
                self.next += 1;
                jobs.push(Job { trial: number, rung: 0 });
            }
            if jobs.is_empty() && running.is_empty() {
                jobs.extend(sweep.last(&self.trials));
            }
            if jobs.is_empty() {
                return Ok(());
            }
            // A choice that makes no sound experiment is a failed trial; there is then still room for another.
            let mut sound = Vec::new();
            for job in jobs {
                match self.study.experiment(&self.trials[&job.trial]) {
                    Ok(_) => sound.push(job),
                    Err(error) => self.fail(job.trial, format!("{error:#}"), observe)?,
                }
            }
            let sound = sound.into_iter().map(|job| (job, &self.trials[&job.trial])).collect();
            self.launcher.start(self.study, sound)?;
        }
    }

    /// Takes up what has ended; whether there was anything.
    fn collect(&mut self, observe: &mut Observer) -> Result<bool> {
        let ended = self.launcher.ended(self.study)?;
        let any = !ended.is_empty();
        for Ended { job, ending, seconds } in ended {
            let Some(trial) = self.trials.get_mut(&job.trial) else { continue };
            match ending {
                JobEnd::Reached if trial.rungs.len() > job.rung => {} // known already
                JobEnd::Reached => match self.study.judge(trial, job, seconds) {
                    Ok(()) => {
                        self.study.save(trial)?;
                        self.lost.remove(&job.trial);
                        observe(&self.trials, SweepEvent::Judged(&self.trials[&job.trial]));
                    }
                    Err(error) => self.fail(job.trial, format!("{error:#}"), observe)?,
                },
                JobEnd::Busy => {} // begun again, once the other has ended
                JobEnd::Failed(reason) => self.fail(job.trial, reason, observe)?,
                JobEnd::Lost(how) => {
                    let saved = self.study.saved(job.trial);
                    let (count, before) = self.lost.get(&job.trial).copied().unwrap_or((0, None));
                    let count = if count > 0 && saved == before { count + 1 } else { 1 };
                    self.lost.insert(job.trial, (count, saved));
                    if count >= ATTEMPTS {
                        let reason = format!("{how}, {count} times without getting any further");
                        self.fail(job.trial, reason, observe)?;
                    } else {
                        observe(&self.trials, SweepEvent::Lost(&self.trials[&job.trial], &how));
                    }
                }
            }
        }
        Ok(any)
    }

    /// Takes up the last, and lets the launcher put away what has been noted.
    fn close(&mut self, observe: &mut Observer) -> Result<()> {
        while self.collect(observe)? {}
        Ok(())
    }

    fn fail(&mut self, number: usize, reason: String, observe: &mut Observer) -> Result<()> {
        if let Some(trial) = self.trials.get_mut(&number) {
            trial.error = Some(reason);
            self.study.save(trial)?;
            observe(&self.trials, SweepEvent::Judged(&self.trials[&number]));
        }
        Ok(())
    }
}
