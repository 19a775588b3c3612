//! The engine, from a blueprint to a live factory and back, through the workflow.

#[cfg(test)]
mod approval;
mod artifacts;
mod bound;
mod certificates;
mod checks;
mod crash;
mod deferred;
mod destroy;
mod discover;
mod ephemeral;
mod factory;
mod failure;
mod fake;
mod functions;
#[cfg(feature = "terraform")]
mod hostile;
#[cfg(feature = "terraform")]
#[path = "../../providers/terraform/tests/hostile/binary.rs"]
mod hostile_binary;
mod imports;
mod interrupt;
mod leaks;
mod lifecycle;
mod modules;
mod moves;
mod null;
mod plan_files;
#[cfg(feature = "terraform")]
mod planted;
mod plugins;
#[cfg(test)]
#[cfg(feature = "policy")]
mod policy;
mod preflight;
mod protection;
mod providers;
mod recover;
mod rehearse;
mod rekey;
#[cfg(test)]
mod release;
mod resume;
mod risk;
mod secrets;
mod sources;
mod targets;
mod ways_back;
mod weather;
