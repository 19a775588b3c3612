//! Providers whose objects exist in the record alone.
//!
//! Nothing outside the record is ever touched, so a read answers what was last seen, and an intent without an
//! outcome never happened.
//!
//! - [`terraform_data`]: the provider `terraform`; a value that lives as a resource does;
//! - [`random`]: the provider `random`; names, passwords and ids, drawn once;
//! - [`tls`]: the provider `tls`; keys, certificates, and authorities that issue them;
//! - `life`: what the types of `random` and `tls` have in common: made once, kept, given back;
//! - `draw`: randomness that is the same for a repeated attempt and for nobody else;
//! - `clock`: the time, which a test can give;
//! - `attributes`: reads attributes of values; `digits` writes bytes; `fault` is why something is refused.

mod attributes;
mod clock;
mod digits;
mod draw;
mod fault;
mod life;
pub mod random;
pub mod terraform_data;
pub mod tls;

pub use clock::Clock;
pub use life::Recorded;
pub use terraform_data::{Builtin, TERRAFORM_DATA};
