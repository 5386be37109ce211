//! `quickstudy watch`.

mod view;

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use clap::Args;
use ratatui::{
    DefaultTerminal,
    crossterm::{
        event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
        terminal,
    },
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::say;
use crate::{
    misuse::misuse,
    runs::{Listed, scan},
};
use view::View;

/// Follow the runs of an experiment, or the trials of a study, in the terminal
///
/// Shows validation over iterations, speed and the time that training will still take. It only
/// reads, so that it can be started, left (q) and started again at any time. Without a terminal (in a
/// pipe, or with TERM=dumb) it prints how things stand once. NO_COLOR is respected.
///
/// Examples:
///   quickstudy watch results/maml
///   quickstudy watch results/maml --once
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// A results folder, for example results/maml
    folder: PathBuf,
    /// Print how things stand now, as plain text
    #[arg(long)]
    once: bool,
}

/// How often the files are read again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a signal may go unnoticed.
const SLICE: Duration = Duration::from_millis(100);

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let listed = read(&self.folder)?;
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if self.once || is_dumb || !std::io::stdout().is_terminal() {
            say(&View { listed: &listed, color: false }.text(columns()))?;
            return Ok(ExitCode::SUCCESS);
        }
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot listen for signals")?;
        }
        let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let terminal = ratatui::try_init();
        let followed = terminal
            .context("cannot use the terminal: --once prints how things stand")
            .and_then(|mut terminal| follow(&self.folder, &mut terminal, color, &stop));
        let _ = ratatui::try_restore(); // the terminal may be gone
        followed.map(|()| ExitCode::SUCCESS)
    }
}

/// The experiment or study in a folder.
fn read(folder: &Path) -> Result<Listed> {
    let mut found = scan(folder)?;
    match (found.pop(), found.len()) {
        (Some(listed), 0) => Ok(listed),
        (None, _) => misuse!("{} has no results: name a folder like results/maml", folder.display()),
        (Some(last), _) => misuse!(
            "{} holds several results: name one of them, for example {}",
            folder.display(),
            last.path.display()
        ),
    }
}

/// Draws until the user leaves.
fn follow(folder: &Path, terminal: &mut DefaultTerminal, color: bool, stop: &AtomicBool) -> Result<()> {
    loop {
        let listed = read(folder)?;
        let view = View { listed: &listed, color };
        terminal.draw(|frame| view.draw(frame.area(), frame.buffer_mut())).context("cannot draw")?;
        for _ in 0..PAUSE.as_millis() / SLICE.as_millis() {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if event::poll(SLICE).context("cannot read the terminal")? {
                match event::read().context("cannot read the terminal")? {
                    Event::Key(key) if leaves(key) => return Ok(()),
                    Event::Resize(..) => break,
                    _ => {}
                }
            }
        }
    }
}

fn leaves(key: KeyEvent) -> bool {
    let ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press && (ctrl_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}

/// How wide plain text may be: COLUMNS, the terminal, or the usual 80.
fn columns() -> u16 {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let is_terminal = std::io::stdout().is_terminal();
    let seen = || is_terminal.then(|| terminal::size().ok().map(|size| size.0)).flatten();
    said.or_else(seen).unwrap_or(80).clamp(20, 500)
}
