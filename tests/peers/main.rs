//! Formwork beside its peers: what others drive, and what drives us, where it is installed.
//!
//! A peer that is missing is a printed skip, never a failure; set `FORMWORK_REQUIRE_PEERS=1` to make it one.

#[cfg(test)]
mod aws_schema;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod scanners;
mod served;
#[cfg(test)]
mod terraform;
