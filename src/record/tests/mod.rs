//! The record as its users see it.

mod adoptions;
mod history;
mod leases;
mod opening;
mod rows;
mod running;
