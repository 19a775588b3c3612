//! What a person sees of a fault in Formwork itself.

use std::any::Any;
use std::panic::PanicHookInfo;
use std::sync::Arc;

use super::terminal::Terminal;
use crate::live::Redactor;

/// Replaces Rust's message by one that says what it means and what to do.
pub(super) fn install(terminal: Terminal, redactor: Arc<Redactor>) {
    std::panic::set_hook(Box::new(move |info| terminal.tell(&redactor.clean(&message(info)))));
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or_else(|| "an unknown place".into(), ToString::to_string);
    format!(
        "\nerror: Formwork has a fault of its own: {} (at {place}, version {})\n\
         The record is safe: every step was written down before it began. Run `formwork apply` again to settle what is open.\n\
         Please report this text together with the command that you ran.\n",
        payload(info.payload()),
        env!("CARGO_PKG_VERSION"),
    )
}

fn payload(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
