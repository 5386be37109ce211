//! What a user sees of a running experiment: one line for each method, drawn only on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::spec::Experiment;
use crate::{output::note, train::Progress};

/// The line of one method.
pub struct MethodLine {
    bar: ProgressBar,
    quiet: bool,
    name: String,
    started: Instant,
    phase: Instant,
    from: usize,
}

impl MethodLine {
    /// A line for a method, names padded to `width`.
    pub fn new(name: &str, width: usize, quiet: bool) -> Self {
        let bar = ProgressBar::new(1);
        if quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{prefix:.bold} {bar:24} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        bar.set_prefix(format!("{name:<width$}"));
        let now = Instant::now();
        Self { bar, quiet, name: name.to_owned(), started: now, phase: now, from: 0 }
    }

    /// A line for a method of an experiment, beside those of its other methods.
    pub fn of(experiment: &Experiment, name: &str, quiet: bool) -> Self {
        Self::new(name, experiment.methods.keys().map(String::len).max().unwrap_or(0), quiet)
    }

    /// A run's training starts, or goes on, at an iteration.
    pub fn train(&mut self, from: usize, iterations: usize) {
        self.bar.reset();
        self.bar.set_length(iterations as u64);
        self.bar.set_position(from as u64);
        self.from = from;
        self.phase = Instant::now();
        self.bar.enable_steady_tick(Duration::from_millis(250));
    }

    /// An iteration is done; the best validation so far is given in words.
    pub fn iteration(&self, run: &str, progress: &Progress, tasks: usize, best: Option<String>) {
        self.bar.set_position(progress.iteration as u64);
        let done = (progress.iteration - self.from).max(1) as f64;
        let seconds = self.phase.elapsed().as_secs_f64();
        let left =
            seconds / done * self.bar.length().unwrap_or(0).saturating_sub(progress.iteration as u64) as f64;
        let best = best.map(|best| format!("  validation {best}")).unwrap_or_default();
        self.bar.set_message(format!(
            "{run}  {:.0} tasks/s  loss {:.3}{best}  {left:.0} s left",
            done * tasks as f64 / seconds.max(1e-9),
            progress.loss.unwrap_or(f64::NAN)
        ));
    }

    /// A run's test starts.
    pub fn test(&mut self, run: &str, episodes: usize) {
        self.train(0, episodes);
        self.bar.set_message(format!("{run}  testing"));
    }

    /// More test episodes are done.
    pub fn tested(&self, episodes: usize) {
        self.bar.inc(episodes as u64);
    }

    /// All runs of the method are done; its line stays.
    pub fn finish(self, what: &str) {
        let line = format!("{} {what}, {:.0} s", self.bar.prefix(), self.started.elapsed().as_secs_f64());
        if self.bar.is_hidden() {
            if !self.quiet {
                note!("{}: {what}, {:.0} s", self.name, self.started.elapsed().as_secs_f64());
            }
            return;
        }
        self.bar.set_style(
            ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        self.bar.finish_with_message(line);
    }
}
