//! The provider before an emulator of AWS (moto), behind a shim that counts, spoils and completes its calls.
//!
//! Nothing here has been run on AWS itself: quotas, timing and what moto accepts wrongly are not shown by it.

mod bench;
mod compute;
mod guarding;
mod moto;
mod network;
mod pages;
mod routing;
mod shim;
mod steps;
mod strict;

mod budget;
mod data;
mod interrupted;
mod machines;
mod suite;
mod words;
