//! A provider that does what no provider should: its host says who did what, and goes on.
//!
//! The provider is the example `hostile_provider`, which is built along with the tests, and once by the first test
//! that misses it.

mod binary;
mod calls;
mod changes;
mod greetings;
mod stage;
