//! A run's `log.jsonl`: what happened to it, and when.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A line of the file.
#[derive(Deserialize)]
struct Line {
    event: String,
    time: f64,
    iteration: Option<usize>,
    seconds: Option<f64>,
    reason: Option<String>,
    /// The loss and the measures of a validation, among what else there is.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A validation while training.
#[derive(Clone, Debug, PartialEq)]
pub struct Validated {
    /// Outer iterations done.
    pub iteration: usize,
    /// The mean loss and the means of measures that were numbers, by name.
    pub values: BTreeMap<String, f64>,
    /// When, in seconds since 1970.
    pub time: f64,
}

/// How a run's last session ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Ending {
    /// It has not, or nobody was left to say so.
    #[default]
    None,
    /// Trained and validated as far as was asked for.
    Validated,
    /// Tested.
    Done,
    /// Failed, for this reason.
    Failed(String),
}

/// What a run's log says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// Validations, by iteration.
    pub validations: Vec<Validated>,
    /// When the last session began to train, and at which iteration.
    pub begun: Option<(f64, usize)>,
    /// Time spent in all sessions until the last line of each.
    pub seconds: f64,
    /// When the last line was written, in seconds since 1970.
    pub time: Option<f64>,
    /// How the last session ended.
    pub ending: Ending,
    /// Lines that could not be read and were left out.
    pub damaged: usize,
}

impl Log {
    /// Reads a log; an empty one where there is no file. Damaged lines are left out and counted, a last one that is not whole yet
    /// is only left out.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = match fs::read(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            read => read.with_context(|| format!("cannot read {}", file.display()))?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut log = Self::default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            match serde_json::from_str::<Line>(line) {
                Ok(line) => log.take(line),
                Err(_) => log.damaged += 1,
            }
        }
        Ok(log)
    }

    /// What a reader of this log's file is told of damaged lines, if there are any.
    pub fn damage(&self, file: &Path) -> Option<String> {
        let (is, lines) = if self.damaged == 1 { ("is", "line") } else { ("are", "lines") };
        (self.damaged > 0)
            .then(|| format!("{} {lines} of {} {is} damaged and left out", self.damaged, file.display()))
    }

    fn take(&mut self, line: Line) {
        let before = self.time.filter(|_| self.ending == Ending::None);
        self.ending = Ending::None;
        match (line.event.as_str(), line.iteration) {
            ("started", _) => self.begin(line.time, 0),
            ("resumed", iteration) => self.begin(line.time, iteration.unwrap_or(0)),
            ("validated", Some(iteration)) => {
                let numbers = line.rest.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?)));
                self.validations.push(Validated { iteration, values: numbers.collect(), time: line.time });
            }
            ("validated", None) => self.ending = Ending::Validated,
            ("done", _) => self.ending = Ending::Done,
            ("failed", _) => self.ending = Ending::Failed(line.reason.unwrap_or_default()),
            _ => {}
        }
        // What passed between two sessions was not spent on the run.
        let begins = matches!(line.event.as_str(), "started" | "resumed");
        self.seconds += match before {
            Some(before) if !begins => (line.time - before).max(0.0),
            None if !begins => line.seconds.unwrap_or(0.0),
            _ => 0.0,
        };
        self.time = Some(line.time);
    }

    /// A session begins where the state was saved; what came after that is done again.
    fn begin(&mut self, time: f64, iteration: usize) {
        self.begun = Some((time, iteration));
        self.validations.retain(|validated| validated.iteration <= iteration);
    }

    /// Iterations, and a measure's mean or the mean loss there, where it was a number.
    pub fn curve(&self, name: &str) -> impl Iterator<Item = (usize, f64)> {
        self.validations.iter().filter_map(move |at| Some((at.iteration, *at.values.get(name)?)))
    }

    /// When an iteration was done: at the last validation until then, or when the session began.
    pub fn time_of(&self, iteration: usize) -> f64 {
        let after = self.validations.partition_point(|validated| validated.iteration <= iteration);
        let validated = after.checked_sub(1).map(|i| self.validations[i].time);
        validated.or(self.begun.map(|begun| begun.0)).or(self.time).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> Result<Log> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("log.jsonl");
        fs::write(&file, text).expect("written");
        Log::read(&file)
    }

    const KILLED: &str = r#"{"event":"started","time":100.0}
{"event":"validated","iteration":0,"loss":1.0,"accuracy":0.2,"time":101.0}
{"event":"validated","iteration":10,"loss":1.0,"accuracy":0.5,"time":105.0}
{"event":"validated","iteration":20,"loss":null,"accuracy":null,"time":110.0}
"#;

    #[test]
    fn a_resumed_run_forgets_what_it_does_again_and_does_not_count_the_time_between() {
        let resumed = format!(
            "{KILLED}{}\n{}\n{}\n",
            r#"{"event":"resumed","iteration":10,"time":1000.0}"#,
            r#"{"event":"validated","iteration":20,"accuracy":0.7,"time":1004.0}"#,
            r#"{"event":"done","seconds":6.5,"iterations":20,"time":1006.0}"#
        );
        let log = log(&resumed).expect("sound");
        let curve: Vec<_> = log.curve("accuracy").collect();
        assert_eq!(curve, [(0, 0.2), (10, 0.5), (20, 0.7)]);
        assert_eq!(log.curve("loss").collect::<Vec<_>>(), [(0, 1.0), (10, 1.0)]);
        assert_eq!((log.seconds, log.begun, log.time), (16.0, Some((1000.0, 10)), Some(1006.0)));
        assert_eq!(log.ending, Ending::Done);
        assert_eq!(
            [0, 9, 10, 15, 20, 99].map(|i| log.time_of(i)),
            [101.0, 101.0, 105.0, 105.0, 1004.0, 1004.0]
        );
    }

    #[test]
    fn a_method_that_learns_nothing_says_how_long_it_took() {
        let log =
            log("{\"event\":\"done\",\"seconds\":2.5,\"iterations\":0,\"time\":50.0}\n").expect("sound");
        assert_eq!((log.seconds, log.begun, log.ending), (2.5, None, Ending::Done));
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_damaged_ones_are_counted() {
        let whole = log(KILLED).expect("sound");
        assert_eq!(log(&format!("{KILLED}{{\"event\":\"val")).expect("sound"), whole);
        let damaged = log(&format!("{{\"event\n{KILLED}")).expect("readable");
        assert_eq!(damaged, Log { damaged: 1, ..whole });
        assert_eq!(damaged.damage(Path::new("a")).as_deref(), Some("1 line of a is damaged and left out"));
        assert_eq!(Log::read(Path::new("nowhere/log.jsonl")).expect("empty"), Log::default());
    }

    #[test]
    fn a_failure_keeps_its_reason_until_the_run_goes_on() {
        let failed = format!("{KILLED}{{\"event\":\"failed\",\"reason\":\"no disk\",\"time\":111.0}}\n");
        assert_eq!(log(&failed).expect("sound").ending, Ending::Failed("no disk".into()));
        let again = format!("{failed}{{\"event\":\"resumed\",\"iteration\":20,\"time\":120.0}}\n");
        let log = log(&again).expect("sound");
        assert_eq!((log.ending, log.seconds), (Ending::None, 11.0));
    }
}
