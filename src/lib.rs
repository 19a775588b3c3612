//! Formwork: a blueprint becomes a live factory, and goes back. See `docs/architecture.md`.

pub mod blueprint;
pub mod language;
pub mod record;
