//! Factories on one's own machines: agentless over SSH, and without the internet.
//!
//! Nothing is installed on a host. What is asked and done there are programs of POSIX sh that come over a channel of
//! one SSH connection, run when they have wholly arrived, and answer in frames of lines.
//!
//! A tour:
//! - `provider` speaks the provider contract and knows no resource type;
//! - `settings` reads the hosts from the provider's configuration, `fleet` holds those that were wanted, `machine` is
//!   one of them: its connection, and what is asked of it, gathered into few round trips;
//! - `transport` is the way to a host (SSH or a shell here): keys of hosts, logging in, `sudo`;
//! - `shell` makes programs and reads answers; `shell/prelude.sh` is what all programs can use, `shell/change.sh` how
//!   a change is carried out: lock, look, mark as ours, change, look again;
//! - `change` words that program for one object and says what its outcome means;
//! - `delivery` brings artifacts to a host before a change that needs them;
//! - `identity`: an object is `HOST:KEY`, and its mark of ownership a file in the ledger of its host;
//! - `resource` is the trait that each type implements; a folder a service, a file a type: schema, checks, the
//!   reader, create, update and delete side by side. `files/directory.rs` is a good first read;
//! - `beyond` is the trait of types whose objects do not stand on their host alone: `registry/image.rs`;
//! - `catalog` lists the types.
//!
//! To add a type:
//! 1. Copy `files/directory.rs` into a file of the folder of its service, and name it in `catalog`.
//! 2. Say what names it on its host (`key`), and write its schema; `id` and `host` are there already.
//! 3. Write the reader, `TYPE_read KEY ARGUMENTS...`: `put NAME VALUE` an attribute, or `gone`. It runs with many others
//!    in one program, so its variables and functions begin with a word of its own. It changes nothing.
//! 4. Turn the answer into attributes (`value`). Where the live thing means what the configuration says in other
//!    words, answer the configuration's words: `known` has them. What cannot be seen goes into `kept`.
//! 5. Write the change as functions of sh and call them from `create`, `update` and `delete`: words by `Script::run`;
//!    secrets and contents by `Script::feed`, on standard input. Each can come twice. `fail WHY` ends it; `place` and
//!    `rewrite` write files whole or not at all. Objects that share a file share a `lock`.
//! 6. What was there before and is to be there again goes into `TYPE_before` (see `kernel/sysctl.rs`).
//! 7. Add a fixture to `tests/onprem/fixtures.rs`: the suite does the rest.

mod accounts;
mod beyond;
mod catalog;
mod change;
mod command;
mod delivery;
mod files;
mod fleet;
mod host;
mod identity;
mod kernel;
mod machine;
mod packages;
mod provider;
mod registry;
mod resource;
mod settings;
mod shell;
mod swarm;
mod systemd;
mod transport;

pub use fleet::Trips;
pub use provider::OnPrem;
