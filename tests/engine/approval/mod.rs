//! Approvals: who signs a plan, what counts, and every reason why something does not.

mod agent;
mod office;
mod refusals;
mod rules;
mod ssh_keygen;
