//! What a user sees of a running sweep: on a terminal a table that is kept up to date, elsewhere a line for each trial that is judged.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::note;
use crate::sweep::{
    names::Names,
    report::Standing,
    run::SweepEvent,
    schedule::Trials,
    spec::Sweep,
    trial::{Job, Trial},
};

/// Running trials that have a line of their own.
const LINES: usize = 12;
/// How often the table is drawn.
const REFRESH: Duration = Duration::from_millis(250);

/// The table of a running sweep.
pub struct Board<'a> {
    sweep: &'a Sweep,
    names: Names,
    quiet: bool,
    lines: MultiProgress,
    head: ProgressBar,
    running: BTreeMap<usize, (Job, Instant, Option<ProgressBar>)>,
    started: Instant,
    drawn: Option<Instant>,
}

impl<'a> Board<'a> {
    /// An empty one.
    pub fn new(sweep: &'a Sweep, quiet: bool) -> Self {
        let lines = MultiProgress::new();
        if quiet {
            lines.set_draw_target(ProgressDrawTarget::hidden());
        }
        let head = lines.add(ProgressBar::new(sweep.budget.trials as u64));
        let style = ProgressStyle::with_template("{prefix:.bold} {bar:24} {pos}/{len}  {wide_msg}");
        head.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        head.set_prefix(sweep.name.clone());
        let names = Names::of(&sweep.space);
        Self {
            sweep,
            names,
            quiet,
            lines,
            head,
            running: BTreeMap::new(),
            started: Instant::now(),
            drawn: None,
        }
    }

    /// Takes in what happened.
    pub fn observe(&mut self, trials: &Trials, event: SweepEvent) {
        match event {
            SweepEvent::Judged(trial) => self.judged(trials, trial),
            SweepEvent::Lost(trial, how) => self.say(&format!("trial {}: {how}; it goes on", trial.number)),
            SweepEvent::Now(jobs, _) => self.now(trials, jobs),
        }
    }

    /// Takes the table away.
    pub fn finish(self) {
        self.head.finish_and_clear();
        let _ = self.lines.clear(); // only a terminal can fail here
    }

    fn judged(&self, trials: &Trials, trial: &Trial) {
        if let Some(error) = &trial.error {
            self.say(&format!("trial {} failed: {error}", trial.number));
        } else if self.lines.is_hidden()
            && let Some(rung) = trial.rungs.last()
        {
            let objective = self.sweep.objective();
            let best = self.sweep.best(trials).map(|best| (best.number, best.score().unwrap_or(f64::NAN)));
            let best =
                best.map(|(number, score)| format!("; best {}, trial {number}", objective.text(score)));
            self.say(&format!(
                "trial {}: {} after {} iterations{}",
                trial.number,
                objective.text(rung.score),
                rung.iterations,
                best.unwrap_or_default()
            ));
        }
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            // On a terminal above the table.
            if self.lines.is_hidden() {
                note!("{line}");
            } else {
                let _ = self.lines.println(line); // the terminal may be gone
            }
        }
    }

    fn now(&mut self, trials: &Trials, jobs: &[Job]) {
        if self.lines.is_hidden() || self.drawn.is_some_and(|drawn| drawn.elapsed() < REFRESH) {
            return;
        }
        self.drawn = Some(Instant::now());
        self.head.set_position(trials.values().filter(|t| t.score().is_some() || t.error.is_some()).count() as u64);
        self.head.set_message(self.summary(trials, jobs));
        let gone: Vec<usize> = self
            .running
            .iter()
            .filter(|(_, (job, ..))| !jobs.contains(job))
            .map(|(number, _)| *number)
            .collect();
        for number in gone {
            if let Some((_, _, Some(line))) = self.running.remove(&number) {
                line.finish_and_clear();
                self.lines.remove(&line);
            }
        }
        for job in jobs {
            let free = self.running.values().filter(|(.., line)| line.is_some()).count() < LINES;
            let (_, since, line) = self.running.entry(job.trial).or_insert((*job, Instant::now(), None));
            if line.is_none() && free {
                let new = self.lines.add(ProgressBar::new_spinner());
                let style = ProgressStyle::with_template("  {wide_msg}");
                new.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                *line = Some(new);
            }
            if let (Some(line), Some(trial)) = (line, trials.get(&job.trial)) {
                let rungs = self.sweep.rungs(job.trial).len();
                let rung = if rungs > 1 { format!("rung {}/{rungs}  ", job.rung + 1) } else { String::new() };
                let time = clock(since.elapsed().as_secs_f64());
                line.set_message(format!(
                    "trial {:<4} {time}  {rung}{}",
                    job.trial,
                    self.names.describe(&trial.values)
                ));
            }
        }
    }

    /// Best, numbers of trials by state, times.
    fn summary(&self, trials: &Trials, jobs: &[Job]) -> String {
        let best = self.sweep.best(trials);
        let best = best.and_then(|best| Some((best.number, best.score()?)));
        let mut parts = vec![best.map_or_else(
            || "none done".to_owned(),
            |(number, score)| format!("best {} (trial {number})", self.sweep.objective().text(score)),
        )];
        parts.push(format!("{} running", jobs.len()));
        for state in [Standing::Pruned, Standing::Failed] {
            let at_work = |number| jobs.iter().any(|job| job.trial == number);
            let count =
                trials.values().filter(|t| !at_work(t.number) && self.sweep.state(t) == state).count();
            if count > 0 {
                parts.push(format!("{count} {}", state.name()));
            }
        }
        parts.push(format!("{} so far", clock(self.started.elapsed().as_secs_f64())));
        if let Some(left) = seconds_left(self.sweep, trials, jobs.len()) {
            parts.push(format!("about {} left", clock(left)));
        }
        parts.join(", ")
    }
}

/// If trials to come take as long as those so far.
fn seconds_left(sweep: &Sweep, trials: &Trials, at_once: usize) -> Option<f64> {
    let judged: Vec<f64> = trials.values().map(Trial::seconds).filter(|seconds| *seconds > 0.0).collect();
    let mean = judged.iter().sum::<f64>() / judged.len() as f64;
    let to_come = sweep.budget.trials.saturating_sub(judged.len()) as f64;
    (!judged.is_empty()).then(|| mean * to_come / at_once.max(1) as f64)
}

/// Minutes and seconds, with hours if there are any.
pub fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}
