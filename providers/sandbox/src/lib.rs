//! The sandbox: an embedded cloud that behaves as real ones do, kept in one SQLite file.
//!
//! It makes a factory stand with nothing installed, and gives tests a cloud whose weather (latency,
//! throttling, partial failure, lost answers, eventual consistency) is decided by a seed.
//!
//! A tour:
//! - `provider` speaks the provider contract and knows no resource type;
//! - `client` is how it calls the cloud: weather, retries by error code, waiting until an object shows;
//! - `service` is the cloud's side: dependencies, names, quotas and attempts, the same for all types;
//! - `store` keeps objects, `fault` words what the cloud answers when it refuses;
//! - `resource` is the trait that each type implements; a folder a service, a file a type: schema,
//!   checks, create, update and delete side by side. `network` is a good first read;
//! - `function` is the trait of what expressions may call, `ephemeral` of what is given for a while;
//! - `catalog` lists the types; [`control`] changes the cloud behind Formwork's back.

mod catalog;
mod client;
mod cluster;
mod compute;
pub mod control;
mod ephemeral;
mod fault;
mod function;
mod identity;
mod logging;
mod mesh;
mod network;
mod path;
mod preflight;
mod provider;
mod region;
mod registry;
mod resource;
mod service;
mod settings;
mod store;
mod weather;

pub use provider::Sandbox;
pub use store::FILE_NAME;
