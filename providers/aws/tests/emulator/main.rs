//! The provider before an emulator of AWS (moto), behind a shim that counts, spoils and completes its calls.
//!
//! Nothing here has been run on AWS itself: quotas, timing and what moto accepts wrongly are not shown by it.

mod bench;
mod buckets;
mod clusters;
mod compute;
mod control_plane;
mod dialect;
mod guarding;
mod identity;
mod images;
mod keys;
mod logs;
mod moto;
mod network;
mod nodes;
mod pages;
mod routing;
mod shapes;
#[expect(dead_code, reason = "the tests of the whole program, which share it, use the rest")]
mod shim;
mod steps;
mod strict;
mod supplement;
mod tokens;

mod budget;
mod data;
mod forced;
mod interrupted;
mod machines;
mod policies;
mod suite;
mod traffic;
mod untagged;
mod upgrades;
mod words;
