//! The program `quickstudy`.

use std::process::ExitCode;

use clap::Parser;
use quickstudy::{cli::Cli, misuse::Misuse};

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            let misused = error.chain().any(|cause| cause.is::<Misuse>());
            ExitCode::from(if misused { 2 } else { 1 })
        }
    }
}
