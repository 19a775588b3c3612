//! The verbs: each parses what it was given, calls one function of the workflow, and renders the answer.

pub(super) mod adopt;
pub(super) mod approval;
pub(super) mod artifacts;
pub(super) mod change;
pub(super) mod console;
pub(super) mod discover;
pub(super) mod fmt;
pub(super) mod look;
pub(super) mod policy;
pub(super) mod protect;
pub(super) mod providers;
pub(super) mod record;
pub(super) mod recover;
pub(super) mod rehearse;
pub(super) mod resume;
pub(super) mod sandbox;
pub(super) mod secrets;
pub(super) mod serve_provider;
pub(super) mod start;
mod wave;
