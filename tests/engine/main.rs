//! The engine, from a blueprint to a live factory and back, through the workflow.

mod checks;
mod crash;
mod deferred;
mod destroy;
mod factory;
mod functions;
mod imports;
mod interrupt;
mod lifecycle;
mod modules;
mod moves;
mod plan_files;

mod providers;
mod secrets;
mod sources;
mod targets;
mod weather;
