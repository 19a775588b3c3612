//! The provider before an emulator of AWS (moto), behind a shim that counts, spoils and completes its calls.
//!
//! Nothing here has been run on AWS itself: quotas, timing and what moto accepts wrongly are not shown by it.

mod bench;
mod buckets;
mod dialect;
mod identity;
mod images;
mod keys;
mod logs;
mod moto;
mod network;
mod pages;
mod shim;
mod supplement;

mod budget;
mod data;
mod forced;
mod interrupted;
mod policies;
mod suite;
mod untagged;
mod words;
