//! Handshakes that are none.

use std::io::Write;

use crate::{Failure, log, say};

/// How the host is met instead of with a handshake.
#[derive(Clone, Copy)]
pub(crate) enum Greeting {
    Garbage,
    Silence,
    /// A line that never ends.
    Endless,
    /// An end without a word on standard output.
    Goodbye,
    /// A version of the protocol that is none.
    Version,
    /// A socket that nobody listens at.
    Nowhere,
}

impl Greeting {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "greet-garbage" => Self::Garbage,
            "greet-silence" => Self::Silence,
            "greet-endless" => Self::Endless,
            "greet-goodbye" => Self::Goodbye,
            "greet-version" => Self::Version,
            "greet-nowhere" => Self::Nowhere,
            _ => return None,
        })
    }

    pub(crate) async fn give(self) -> Result<(), Failure> {
        log("hostile: this is not how to say hello");
        match self {
            Self::Garbage => say("\u{1b}[2Jhello | world \u{7}")?,
            Self::Silence => {}
            Self::Endless => loop {
                // Ends when the host closes the pipe.
                std::io::stdout().write_all(&[b'x'; 4096])?;
            },
            Self::Goodbye => std::process::exit(7),
            Self::Version => say("1|9|unix|/tmp/none.sock|grpc")?,
            Self::Nowhere => say("1|6|unix|/nonexistent/none.sock|grpc")?,
        }
        std::future::pending().await
    }
}
