//! What is to be shown, as text. Nothing here prints.

pub mod adopt;
pub mod approval;
pub mod artifacts;
mod blast;
pub mod diagnostic;
pub mod diff;
pub mod graph;
pub mod history;
pub mod layout;
pub mod outcome;
pub mod plan;
pub mod policy;
#[cfg(feature = "terraform")]
pub mod providers;
pub mod recover;
pub mod rehearsal;
mod release;
pub mod secrets;
pub mod sequence;
pub mod state;
pub mod style;
pub mod table;
pub mod text;
pub mod value;

#[cfg(test)]
mod tests;
