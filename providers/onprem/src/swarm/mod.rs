//! Docker Swarm: its members, and what they run. What is asked and done goes through the engine of a manager.

pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod inspect;
pub(crate) mod network;
pub(crate) mod node;
pub(crate) mod secret;
pub(crate) mod service;
mod service_spec;
