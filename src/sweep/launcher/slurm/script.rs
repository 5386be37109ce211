//! The script of an array of trials.

use std::{fmt::Write, path::PathBuf};

use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde_json::Value;

/// One task: a trial up to a rung.
pub struct ArrayTask {
    /// Arguments of this program.
    pub arguments: Vec<String>,
    /// Where its errors go.
    pub log: PathBuf,
    /// Where its exit code and its time in milliseconds go.
    pub exit: PathBuf,
}

/// An array.
pub struct Script<'a> {
    /// By which the queue knows it.
    pub name: &'a str,
    /// The user's options of `sbatch`.
    pub options: &'a IndexMap<String, Value>,
    /// Tasks at the same time.
    pub at_once: usize,
    /// What it runs.
    pub tasks: &'a [ArrayTask],
}

/// Before the time limit, so that trials save their state: to the script, which passes it on.
const SIGNAL: &str = "B:TERM@60";

impl Script<'_> {
    /// Its text.
    ///
    /// # Errors
    /// This program's own file or the working folder cannot be found.
    pub fn text(&self) -> Result<String> {
        let program = std::env::current_exe().context("cannot find this program's file")?;
        let here = std::env::current_dir().context("cannot find the working folder")?;
        let mut text = String::from("#!/bin/bash\n");
        let last = self.tasks.len().saturating_sub(1);
        let mut option = |key: &str, value: &str| {
            let value = if value.is_empty() { String::new() } else { format!("={value}") };
            let _ = writeln!(text, "#SBATCH --{key}{value}"); // a String takes everything
        };
        option("job-name", self.name);
        option("array", &format!("0-{last}%{}", self.at_once));
        option("chdir", &format!("\"{}\"", here.display()));
        option("output", "/dev/null");
        option("error", "/dev/null");
        option("no-requeue", ""); // the sweep submits anew what is missing
        if !self.options.contains_key("signal") {
            option("signal", SIGNAL);
        }
        for (key, value) in self.options {
            match value {
                Value::Bool(false) | Value::Null => {}
                Value::Bool(true) => option(key, ""),
                Value::String(value) => option(key, value),
                value => option(key, &value.to_string()),
            }
        }
        text += "\ncase $SLURM_ARRAY_TASK_ID in\n";
        for (place, task) in self.tasks.iter().enumerate() {
            let arguments: Vec<String> = task.arguments.iter().map(|argument| quoted(argument)).collect();
            let _ = writeln!(
                text,
                "{place}) log={} exit={} arguments=({});;",
                quoted(&task.log.display().to_string()),
                quoted(&task.exit.display().to_string()),
                arguments.join(" ")
            );
        }
        let (program, here) = (program.display().to_string(), here.display().to_string());
        // Where the folder is missing Slurm starts the script in another one.
        let _ = write!(text, "esac\n\ncd {} || exit 1\nprogram={}\n{REST}", quoted(&here), quoted(&program));
        Ok(text)
    }
}

/// The same for every task. `wait` returns early when the signal comes; the trial then saves its state, and is waited for again.
const REST: &str = r#"started=$(date +%s%N)
"$program" "${arguments[@]}" --threads "${SLURM_CPUS_PER_TASK:-1}" < /dev/null > /dev/null 2> "$log" &
child=$!
trap 'kill -TERM "$child" 2> /dev/null' TERM
wait "$child"
code=$?
while kill -0 "$child" 2> /dev/null; do
    wait "$child"
    code=$?
done
echo "$code $((($(date +%s%N) - started) / 1000000))" > "$exit.part" && mv "$exit.part" "$exit"
exit "$code"
"#;

/// As the shell takes it for one word.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> IndexMap<String, Value> {
        serde_saphyr::from_str(text).expect("options")
    }

    #[test]
    fn options_are_passed_on() {
        let fine = options("{partition: gpu, time: 60, exclusive: true, overcommit: false}");
        let task = ArrayTask { arguments: vec!["it's".into()], log: "l".into(), exit: "e".into() };
        let script = Script { name: "n", options: &fine, at_once: 3, tasks: &[task] };
        let text = script.text().expect("a script");
        for line in [
            "#SBATCH --array=0-0%3",
            "#SBATCH --partition=gpu",
            "#SBATCH --time=60",
            "#SBATCH --exclusive",
            "#SBATCH --signal=B:TERM@60",
            r"0) log='l' exit='e' arguments=('it'\''s');;",
        ] {
            assert!(text.lines().any(|there| there == line), "no {line} in\n{text}");
        }
        assert!(!text.contains("overcommit"));
    }

    /// The exit code and the time are written, also when the signal comes in between.
    #[test]
    fn the_script_passes_the_signal_on_and_notes_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let exit = folder.path().join("exit");
        let run = |program: &str, signal: bool| {
            let lines = [
                format!("log={}", quoted(&folder.path().join("log").display().to_string())),
                format!("exit={}", quoted(&exit.display().to_string())),
                format!("program=bash arguments=(-c {} --)", quoted(program)),
                REST.to_owned(),
            ];
            let mut script = std::process::Command::new("bash");
            let mut child = script.arg("-c").arg(lines.join("\n")).spawn().expect("bash");
            if signal {
                while !folder.path().join("ready").exists() {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                let id = child.id().to_string();
                std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill");
            }
            child.wait().expect("ended");
            std::fs::read_to_string(&exit).expect("noted")
        };
        assert!(run("exit 0", false).starts_with("0 "));
        assert!(run("exit 2", false).starts_with("2 "));
        let ready = folder.path().join("ready").display().to_string();
        let saving =
            format!("trap 'sleep 0.2; exit 130' TERM; touch '{ready}'; while :; do sleep 0.05; done");
        assert!(run(&saving, true).starts_with("130 "));
    }
}
