//! The plugins of a run, by where they come from.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use formwork_contract::Diagnostic;
use formwork_contract::provider::Provider;

use crate::provider::{HostOptions, Identity, PluginProvider};
use crate::source::{Constraints, Installed, LockFile, SourceAddress, Sources};

/// Finds plugins and hosts them: one provider a source address, however many configurations it has.
#[derive(Debug)]
pub struct Plugins {
    sources: Sources,
    lock: LockFile,
    host: HostOptions,
    hosted: Mutex<HashMap<SourceAddress, Hosted>>,
}

/// A plugin that was found. Its process starts when it is first asked something.
#[derive(Clone)]
pub struct Hosted {
    pub provider: Arc<dyn Provider>,
    pub installed: Arc<Installed>,
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted").field("installed", &self.installed).finish_non_exhaustive()
    }
}

impl Plugins {
    /// `lock` is what was read of the lock file when the run began.
    pub fn new(sources: Sources, lock: LockFile, host: HostOptions) -> Self {
        Self { sources, lock, host, hosted: Mutex::default() }
    }

    /// The plugin of a source address, the same one each time. Reads files; uses no network.
    ///
    /// # Errors
    /// It is not on this machine, in a version that the constraints and the lock file allow.
    pub fn plugin(&self, address: &SourceAddress, constraints: &Constraints) -> Result<Hosted, Box<Diagnostic>> {
        let mut hosted = self.hosted.lock().unwrap_or_else(PoisonError::into_inner);
        match hosted.entry(address.clone()) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(place) => {
                let installed = self.sources.find(address, constraints, &self.lock)?;
                Ok(place.insert(self.host(installed)).clone())
            }
        }
    }

    fn host(&self, installed: Installed) -> Hosted {
        let identity = Identity {
            name: installed.address.type_name().clone(),
            source: installed.address.to_string().into(),
            version: installed.version.as_ref().map(|version| version.to_string().into()),
        };
        let provider = PluginProvider::new(identity, installed.binary.clone(), self.host.clone());
        Hosted { provider: Arc::new(provider), installed: Arc::new(installed) }
    }
}
