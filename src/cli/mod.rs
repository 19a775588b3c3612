//! Arguments, rendering, progress, exit codes: the only place that prints or reads the environment.

pub mod args;
mod console;
mod downloads;
mod interrupt;
mod limits;
mod log;
mod panic;
mod progress;
pub mod render;
mod run;
mod session;
mod terminal;
mod verbs;

pub use run::main;
