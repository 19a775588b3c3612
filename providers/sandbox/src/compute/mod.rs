//! Machines, and the images that they start from.

pub(crate) mod images;
pub(crate) mod machine;
