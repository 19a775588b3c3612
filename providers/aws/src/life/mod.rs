//! What all resource types have in common: planning, reading in batches, changing, waiting, settling, finding.

pub(crate) mod attempts;
pub(crate) mod change;
pub(crate) mod plan;
mod preflight;
pub(crate) mod read;
mod settle;
mod wait;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use formwork_contract::{Str, Value};
use tokio::sync::watch;

use crate::catalog::Catalog;
use crate::client::Pace;
use crate::cloud::Cloud;
use crate::kind::{Kind, View};
use crate::resource::Live;
use crate::tags::{TagRules, Tags};
use attempts::Attempts;

/// One account and region as an environment sees it.
pub(crate) struct World {
    pub catalog: Arc<Catalog>,
    pub cloud: Cloud,
    /// Checks calls and makes none.
    pub rehearsing: Cloud,
    pub rules: TagRules,
    pub environment: Str,
    pub pace: Pace,
    pub attempts: Attempts,
    /// The run is to end: nobody waits any longer.
    pub stop: watch::Sender<bool>,
    /// The tags that objects carried when they were last looked at, by type and id.
    seen: Mutex<HashMap<(&'static str, String), Tags>>,
}

impl World {
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        [cloud, rehearsing]: [Cloud; 2],
        rules: TagRules,
        environment: Str,
        pace: Pace,
    ) -> Self {
        let (attempts, seen) = (Attempts::default(), Mutex::default());
        let (stop, _) = watch::channel(false);
        Self { catalog, cloud, rehearsing, rules, environment, pace, attempts, stop, seen }
    }

    /// The value of a live object, of which `known` was known.
    fn value(&self, kind: &Kind, live: &Live, known: &Value, view: View) -> Value {
        self.remember(kind, live);
        kind.value(live, &known.deep_unmarked(), view, &self.rules)
    }

    fn remember(&self, kind: &Kind, live: &Live) {
        if kind.description.tagger.is_some() {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert((kind.description.type_name, live.id.clone()), live.tags.clone());
        }
    }

    /// The tags that an object carried last, if it was looked at.
    fn tags_of(&self, kind: &Kind, id: &str) -> Option<Tags> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&(kind.description.type_name, id.to_owned())).cloned()
    }
}
