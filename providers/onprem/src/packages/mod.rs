//! What distributions package.

pub(crate) mod package;
