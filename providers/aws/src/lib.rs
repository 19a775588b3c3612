//! Amazon Web Services, by the official SDK. Types and attributes have the names of Terraform's AWS provider.
//!
//! A tour:
//! - `provider` speaks the provider contract and knows no resource type;
//! - `settings` reads a `provider "aws"` block and connects: region, credentials, network;
//! - `client` is how AWS is called: at its pace, again where that does no harm, and saying what happened;
//!   `cloud` holds a client a service;
//! - `resource` is the trait that each type implements; `kind` turns what AWS has into values; `tags` says who owns
//!   an object; `fields` converts to and from the SDK; `made_up` names what a blueprint gives a `name_prefix` for;
//!   `policy` compares documents in JSON by what they mean;
//! - `life` is what all types share: planning, batched reads, changes, waiting, settling, finding, preflight;
//! - a folder a service, a file a type: schema, checks, find, create, update and delete side by side.
//!   `ec2/internet_gateway.rs` is a good first read, `ec2/vpc.rs` a second;
//! - `catalog` lists the services.
//!
//! To add a resource type:
//! 1. Write `SERVICE/TYPE.rs` with a unit struct, and list it in `SERVICE/mod.rs`.
//! 2. `describe`: the attributes, with Terraform's names. `defaulted` for what AWS fills in, `forces_replacement` for
//!    what it never changes; then `tagged(&...)`, `with_timeouts(...)`, and the fields of `Description`: `defaults`
//!    that are the same everywhere, `moves` for computed attributes that change, `kept` for what AWS does not know,
//!    `lingers` where a deletion takes time, `has_client_token`, `can_rehearse` for calls of EC2.
//! 3. `find`: one function for all look-ups: by ids, by owner, by attempt. List with `pages`, filter by
//!    `ec2::filters`, and turn each object into a `Live` with its `State`. Never one call an object where
//!    the service has a list; where its lists leave something out, `client::several` asks for a few at once.
//! 4. `create`: one call with the tags in it, answering the id. `Action::once`, unless there is a client token
//!    (`call.token`): then `Action::repeatable`. Say the id in `id_of` (or `id_of_attempt`) where a name decides it: then
//!    nothing is listed before. `overwrites` where the call would change what somebody else put there. Name in `passing`
//!    the codes that mean "does not show yet".
//! 5. `update`: a call for each thing that `call.changes(...)`. It also finishes what `create` could not set.
//! 6. `delete`: one call. A not-found is success without a word; waiting is done by `lingers`.
//! 7. Add codes that people will meet to `client/hint.rs`, and a fixture to `tests/emulator/`.

mod catalog;
mod cidr;
mod client;
mod cloud;
mod duration;
mod ec2;
mod ecr;
mod eks;
mod fields;
mod iam;
mod kind;
mod kms;
mod life;
mod logs;
mod made_up;
mod place;
mod policy;
mod provider;
mod region;
mod resource;
mod s3;
mod settings;
mod sts;
mod tags;

pub use client::Pace;
pub use provider::Aws;
