//! In what order and under which conditions a plan is carried out: waves, the gates between them, change windows.
//!
//! [`read`] gives the `release` block of the blueprint its meaning, [`assign`] says which step belongs to which
//! wave, [`Calendar`] when a change may begin. A [`Gate`]'s expressions are evaluated when it is asked.

mod assign;
mod calendar;
mod duration;
mod fresh;
mod gate;
mod model;
mod read;
mod schema;
mod select;

pub use calendar::{Calendar, Closed, Freeze, Window};
pub use duration::{duration_text, parse_duration};
pub use fresh::{Behind, Fresh};
pub use gate::{GateCheck, HttpProbe, Probe, ProbeKind, Requirement};
pub use model::{Drawn, Gate, Release, Share, Wave};

pub(super) use assign::assign;
pub(super) use read::{Declared, Knowledge, read};
