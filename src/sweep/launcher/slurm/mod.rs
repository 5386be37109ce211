//! Jobs as arrays of tasks in Slurm, the cluster's own engine.
//!
//! A wave is one array. `slurm/0003.json` lists its tasks, `slurm/0003.sh` is what was given to `sbatch`, and `slurm/0003-5.exit` is how its
//! task 5 ended. `squeue` says what is queued or running, by the arrays' names; the trial's own files say what came of it. No
//! accounting database is asked. A sweep that was killed finds its waves by these files.

mod commands;
mod script;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::{Ended, JobEnd, Launcher, gave_up};
use crate::{
    experiment::{INTERRUPTED, folder::write_whole},
    output::note,
    sweep::{
        study::Study,
        trial::{Job, Trial},
    },
};
use commands::{cancel, largest_array, queued, submit};
use script::{ArrayTask, Script};

/// The shortest and the longest time between two looks at the queue: short while something happens, long while nothing does.
const LOOKS: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(10)];
/// How long cancelled jobs have to save what they have.
const CANCELLING: Duration = Duration::from_secs(90);

/// A Slurm cluster that this computer can submit to.
pub struct Slurm<'a> {
    /// Arguments of every trial beside those of its experiment.
    passed: Vec<String>,
    jobs: usize,
    /// Whether what comes next depends on how trials end.
    adaptive: bool,
    largest_array: usize,
    /// What the names of this study's arrays begin with.
    name: String,
    /// Asks the user.
    confirm: &'a dyn Fn(&str) -> bool,
    /// Tasks of each wave that have not ended, by place in the array.
    waves: BTreeMap<usize, BTreeMap<usize, Job>>,
    changed: Instant,
    silent: bool,
}

impl<'a> Slurm<'a> {
    /// At most `jobs` tasks at the same time; takes up the waves that an earlier sweep left.
    ///
    /// # Errors
    /// Slurm cannot be found or asked, or a wave's file is damaged.
    pub fn new(
        study: &Study,
        jobs: usize,
        passed: Vec<String>,
        confirm: &'a dyn Fn(&str) -> bool,
    ) -> Result<Self> {
        let sweep = &study.plan.sweep;
        let path = study.path().canonicalize().context("cannot find the study's folder")?;
        let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
        let tag: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let mut latest: BTreeMap<usize, (usize, usize, Job)> = BTreeMap::new();
        for wave in open_waves(study)? {
            let file = folder(study).join(format!("{wave:04}.json"));
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let jobs: Vec<Job> = serde_json::from_str(&text).with_context(|| {
                format!("{} is damaged: remove it once its jobs have left the queue", file.display())
            })?;
            // A trial that was lost from one wave is in a later one too: only that counts.
            latest.extend(jobs.into_iter().enumerate().map(|(place, job)| (job.trial, (wave, place, job))));
        }
        let mut waves: BTreeMap<usize, BTreeMap<usize, Job>> = BTreeMap::new();
        for (wave, place, job) in latest.into_values() {
            waves.entry(wave).or_default().insert(place, job);
        }
        Ok(Self {
            passed,
            jobs,
            adaptive: sweep.pruner.is_some() || sweep.sampler.learns() || sweep.budget.minutes.is_some(),
            largest_array: largest_array()?,
            name: format!("{}-{tag}", sweep.name),
            confirm,
            waves,
            changed: Instant::now(),
            silent: false,
        })
    }

    /// Whether an earlier sweep of this study left jobs that may still run.
    ///
    /// # Errors
    /// The study's folder cannot be read.
    pub fn has_jobs(study: &Study) -> Result<bool> {
        Ok(!open_waves(study)?.is_empty())
    }

    fn wave_name(&self, wave: usize) -> String {
        format!("{}-{wave}", self.name)
    }

    /// Waves and places in them of what is queued or running.
    fn alive(&self) -> Result<BTreeSet<(usize, usize)>> {
        let tasks = queued()?;
        let own = tasks.iter().filter_map(|task| {
            let wave = task.name.strip_prefix(&self.name)?.strip_prefix('-')?;
            Some((wave.parse().ok()?, task.place))
        });
        Ok(own.collect())
    }
}

impl Launcher for Slurm<'_> {
    fn jobs(&self) -> Vec<Job> {
        self.waves.values().flat_map(|wave| wave.values().copied()).collect()
    }

    fn room(&self) -> usize {
        let there = self.jobs().len();
        match self.adaptive {
            true => self.jobs.min(self.largest_array).saturating_sub(there),
            // All that is known beforehand goes into one array, so that the cluster goes on by itself; the next begins when it is over.
            false if there == 0 => self.largest_array,
            false => 0,
        }
    }

    fn start(&mut self, study: &Study, jobs: Vec<(Job, &Trial)>) -> Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let last = self.waves.keys().copied().chain(open_waves(study)?).max();
        let wave = last.map_or(0, |last| last + 1);
        let mut tasks = Vec::new();
        for (job, trial) in &jobs {
            let arguments = [study.arguments(trial, *job)?, self.passed.clone()].concat();
            let exit = folder(study).join(format!("{wave:04}-{}.exit", tasks.len()));
            let _ = fs::remove_file(&exit); // of a wave of the same number, long ago
            tasks.push(ArrayTask { arguments, log: study.file(job.trial, ".log"), exit });
        }
        let script = Script {
            name: &self.wave_name(wave),
            options: &study.plan.sweep.slurm,
            at_once: self.jobs,
            tasks: &tasks,
        };
        let file = folder(study).join(format!("{wave:04}.sh"));
        write_whole(&file, script.text()?.as_bytes())?;
        let jobs: Vec<Job> = jobs.into_iter().map(|(job, _)| job).collect();
        // Before it is submitted: a wave that is on disk and not in the queue is only submitted again, the other way round it would be lost.
        let list = folder(study).join(format!("{wave:04}.json"));
        write_whole(&list, serde_json::to_string(&jobs)?.as_bytes())?;
        if let Err(error) = submit(&file) {
            let _ = fs::remove_file(&list);
            return Err(error);
        }
        self.waves.insert(wave, jobs.into_iter().enumerate().collect());
        self.changed = Instant::now();
        Ok(())
    }

    fn ended(&mut self, study: &Study) -> Result<Vec<Ended>> {
        // Those that ended before, of which the study has taken note by now.
        let over = |wave: &usize| self.waves.get(wave).is_none_or(BTreeMap::is_empty);
        for wave in open_waves(study)?.into_iter().filter(over) {
            remove(study, wave)?;
        }
        self.waves.retain(|_, wave| !wave.is_empty());
        let alive = match self.alive() {
            Ok(alive) => alive,
            Err(error) => {
                // The controller may be away for a while; jobs go on without it.
                if !std::mem::replace(&mut self.silent, true) {
                    note!("warning: {error:#}; asking again until it answers");
                }
                return Ok(Vec::new());
            }
        };
        self.silent = false;
        let mut ended = Vec::new();
        for (&wave, tasks) in &mut self.waves {
            tasks.retain(|&place, &mut job| {
                if alive.contains(&(wave, place)) {
                    return true;
                }
                let exit = folder(study).join(format!("{wave:04}-{place}.exit"));
                let Some((ending, seconds)) = ending(study, job.trial, &exit) else {
                    // Its computer may have been given up while the trial goes on there.
                    if study.is_at_work(job.trial) {
                        return true;
                    }
                    let how = "its job vanished: killed, for want of memory perhaps, or its computer died";
                    ended.push(Ended { job, ending: JobEnd::Lost(how.into()), seconds: 0.0 });
                    return false;
                };
                if ending == JobEnd::Busy && study.is_at_work(job.trial) {
                    return true;
                }
                ended.push(Ended { job, ending, seconds });
                false
            });
        }
        if !ended.is_empty() {
            self.changed = Instant::now();
        }
        Ok(ended)
    }

    fn pause(&self) -> Duration {
        (self.changed.elapsed() / 10).clamp(LOOKS[0], LOOKS[1])
    }

    /// Asks the user whether to cancel what is queued or running, and if so waits until it has saved its state.
    fn stop(&mut self, _: &Study) -> Result<()> {
        let count = self.jobs().len();
        if count == 0 {
            return Ok(());
        }
        if !(self.confirm)(&format!(
            "{count} jobs of this sweep are queued or running in Slurm. Cancel them?"
        )) {
            note!("{count} jobs go on in Slurm: start the sweep again to take up what they find");
            return Ok(());
        }
        for &wave in self.waves.keys() {
            cancel(&self.wave_name(wave))?;
        }
        let started = Instant::now();
        while started.elapsed() < CANCELLING && !self.alive()?.is_empty() {
            std::thread::sleep(LOOKS[0]);
        }
        Ok(())
    }
}

/// How a task ended, by the file it left, and how many seconds it took.
fn ending(study: &Study, number: usize, exit: &Path) -> Option<(JobEnd, f64)> {
    let text = fs::read_to_string(exit).ok()?;
    let mut numbers = text.split_whitespace().map(str::parse::<i64>);
    let (Some(Ok(code)), Some(Ok(milliseconds))) = (numbers.next(), numbers.next()) else { return None };
    let ending = match code {
        0 => JobEnd::Reached,
        code if code == i64::from(INTERRUPTED) => {
            JobEnd::Lost("stopped at its time limit, or from outside".into())
        }
        code if code > 128 => JobEnd::Lost(format!("ended by signal {}", code - 128)),
        _ => gave_up(study, number),
    };
    Some((ending, milliseconds as f64 / 1e3))
}

fn folder(study: &Study) -> PathBuf {
    study.path().join("slurm")
}

/// The numbers of the waves of which a list is there.
fn open_waves(study: &Study) -> Result<Vec<usize>> {
    let folder = folder(study);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut waves: Vec<usize> = names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect();
    waves.sort_unstable();
    Ok(waves)
}

/// Removes the files of a wave, its list last.
fn remove(study: &Study, wave: usize) -> Result<()> {
    let folder = folder(study);
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let begins = [format!("{wave:04}-"), format!("{wave:04}.sh")];
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if begins.iter().any(|begin| name.starts_with(begin)) {
            let _ = fs::remove_file(entry.path()); // it does no harm there
        }
    }
    let list = folder.join(format!("{wave:04}.json"));
    fs::remove_file(&list).with_context(|| format!("cannot remove {}", list.display()))
}
