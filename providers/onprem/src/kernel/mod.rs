//! Settings of the kernel.

pub(crate) mod sysctl;
