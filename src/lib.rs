//! Formwork: a blueprint becomes a live factory, and goes back. See `docs/architecture.md`.

pub mod record;
