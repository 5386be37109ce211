//! The program `quickstudy`.

use std::{
    panic::{catch_unwind, set_hook},
    process::ExitCode,
};

use clap::Parser;
use quickstudy::{
    cli::Cli,
    misuse::{Misuse, panic_message},
    output::whisper,
};

fn main() -> ExitCode {
    quickstudy::memory::keep_freed();
    let cli = Cli::parse();
    // libtorch's errors come as panics of tch and are reported as errors; who looks for a bug asks for the backtrace.
    if std::env::var_os("RUST_BACKTRACE").is_none_or(|value| value == "0") {
        set_hook(Box::new(|_| {}));
    }
    match catch_unwind(|| cli.run()) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            whisper(format_args!("error: {error:#}\n"));
            let misused = error.chain().any(|cause| cause.is::<Misuse>());
            ExitCode::from(if misused { 2 } else { 1 })
        }
        Err(panic) => {
            whisper(format_args!("error: {}\n", panic_message(&*panic)));
            ExitCode::FAILURE
        }
    }
}
