//! The record as its users see it.

mod history;
mod leases;
mod opening;
mod running;
