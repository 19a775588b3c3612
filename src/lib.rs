//! Formwork: a blueprint becomes a live factory, and goes back. See `docs/architecture.md`.

pub mod apply;
pub mod approve;
pub mod artifacts;
pub mod blueprint;
pub mod cli;
pub mod graph;
pub mod language;
pub mod live;
pub mod plan;
pub mod record;
mod registry;
pub mod rollback;
pub mod tfstate;
pub mod workflow;
