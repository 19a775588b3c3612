//! Real third-party providers, hosted: each in its whole life.
//!
//! The binaries are found under the folder in `FORMWORK_TEST_PROVIDERS`; `README.md` beside this file says how it
//! is filled. A test whose binary is missing says so and passes.

mod files;
mod lives;
mod lxd;
mod null;
mod tally;
mod vsphere;
