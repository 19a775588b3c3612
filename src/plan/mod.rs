//! Desired, recorded and live to ordered steps, each with its reversal, its risk and a fingerprint of
//! what it touches.
//!
//! [`make`] walks the graph (`walk.rs`), plans each resource (`resource.rs`, asking providers through
//! `ask.rs`), finds what nobody claims any more (`orphans.rs`) and lays out the steps (`steps.rs`). What it is
//! bound to in the record is in [`bound`]. A plan can be written to a file and opened again (`file_v1.rs`).
//! `protection.rs` refuses what would take protected objects away, `risk.rs` grades each change and `blast.rs` the
//! whole.

pub mod approval;
pub mod artifacts;
mod ask;
pub mod blast;
pub mod bound;
mod checks;
mod ephemeral;
mod exclude;
pub mod failure;
pub mod file_v1;
mod fingerprint;
mod focus;
mod imports;
mod integrate;
pub mod json;
mod lifecycle;
mod make;
pub mod model;
mod moves;
mod open_conditions;
mod ordering;
mod orphans;
pub mod preflight;
pub mod protection;
pub mod release;
mod reopen;
mod resolver;
mod resource;
pub mod risk;
mod secrets;
mod steps;
pub mod undo;
mod validate;
mod view;
mod walk;
pub mod wildcard;

pub use checks::check_blocks;
pub use file_v1::{Answers, PlanFile, PlanFileError};
pub use fingerprint::fingerprint;
pub use focus::Focus;
pub use make::{Origin, Recorded, Request, make};
pub use model::Plan;
pub use protection::{Overridden, OverrideFile, Overrides};
pub use reopen::{Reopened, Reopening};
pub use resolver::Resolver;
pub use secrets::Secrets;
pub use undo::{Undo, UndoObject};
pub use validate::check_blueprint;
pub use view::PlanView;
pub use walk::{PlanOptions, PlanProgress};
