//! `quickstudy completions`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, say};

/// Print completions for a shell
///
/// Examples:
///   source <(quickstudy completions bash)
///   quickstudy completions bash \
///     > ~/.local/share/bash-completion/completions/quickstudy
///   quickstudy completions fish \
///     > ~/.config/fish/completions/quickstudy.fish
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Arguments {
    pub fn run(self) -> Result<ExitCode> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "quickstudy", &mut text);
        say(&String::from_utf8_lossy(&text))?;
        Ok(ExitCode::SUCCESS)
    }
}
