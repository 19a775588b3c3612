//! The provider `aws` through the whole program: `formwork` as a process, before an emulator of AWS.
//!
//! Emulator and shim are those of the provider's own tests. Nothing here has been run on AWS itself.

#[path = "../../providers/aws/tests/emulator/control_plane/mod.rs"]
#[expect(dead_code, reason = "the provider's own tests use the rest")]
mod control_plane;
#[path = "../../providers/aws/tests/emulator/dialect.rs"]
mod dialect;
#[path = "../../providers/aws/tests/emulator/moto.rs"]
#[expect(dead_code, reason = "calls behind the program's back are made with boto3 here")]
mod moto;
#[path = "../../providers/aws/tests/emulator/pages.rs"]
mod pages;
#[path = "../../providers/aws/tests/emulator/shim.rs"]
#[expect(dead_code, reason = "the provider's own tests use the rest")]
mod shim;
#[path = "../../providers/aws/tests/emulator/strict.rs"]
mod strict;
#[path = "../../providers/aws/tests/emulator/supplement.rs"]
mod supplement;
#[path = "../../providers/aws/tests/emulator/tokens.rs"]
mod tokens;

mod cloud;
mod factory;

#[cfg(test)]
mod basics;
#[cfg(test)]
mod discovered;
#[cfg(test)]
mod example;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod recovered;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod repeated;
#[cfg(test)]
mod spoiled;
