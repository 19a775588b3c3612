//! Stands in where this build reaches no other machine.

use formwork_contract::Diagnostic;

use super::{Fetched, NetworkOptions, Progress};
use crate::source::{Place, Platform, Settings, SourceAddress, Version};

#[derive(Debug)]
pub(in crate::source) struct Remote;

impl Remote {
    pub(in crate::source) fn new(_options: &NetworkOptions, _settings: &Settings) -> Result<Self, Box<Diagnostic>> {
        Ok(Self)
    }

    pub(in crate::source) async fn versions(
        &self,
        place: &Place,
        address: &SourceAddress,
    ) -> Result<Vec<Version>, Box<Diagnostic>> {
        Err(Box::new(refusal(place, address)))
    }

    pub(in crate::source) async fn fetch(
        &self,
        place: &Place,
        address: &SourceAddress,
        _version: &Version,
        _platform: &Platform,
        _progress: &dyn Progress,
    ) -> Result<Option<Fetched>, Box<Diagnostic>> {
        Err(Box::new(refusal(place, address)))
    }
}

fn refusal(place: &Place, address: &SourceAddress) -> Diagnostic {
    let place = match place {
        Place::NetworkMirror(url) => format!("the mirror at `{url}`"),
        _ => format!("the registry at `{}`", address.host()),
    };
    Diagnostic::error(format!("this build of Formwork does not ask {place} for provider `{}`", address.short()))
        .detail("Registries and network mirrors are left out of it.")
        .hint(
            "build with `--features registry`, or bring a folder that `providers mirror` has filled on another machine",
        )
}
