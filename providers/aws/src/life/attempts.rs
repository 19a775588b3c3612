//! Attempts at creations: one is never made by two calls at once, and what an earlier try made is found.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use formwork_contract::provider::AttemptKey;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex as AsyncMutex, OnceCell, OwnedMutexGuard};

use super::World;
use crate::client::fault::Fault;
use crate::kind::Kind;
use crate::resource::{Query, State};
use crate::tags::owner;

/// The ids of objects by the attempts that made them, listed once.
type Earlier = OnceCell<HashMap<String, String>>;

/// All attempts of this run.
#[derive(Default)]
pub(crate) struct Attempts {
    slots: Mutex<HashMap<String, Arc<AsyncMutex<Slot>>>>,
    /// By type: which object each attempt made, as it was before this run's first creation of the type.
    earlier: Mutex<HashMap<&'static str, Arc<Earlier>>>,
}

/// What is known of one attempt. Whoever holds it is the only one who acts on it.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// The creating call was made, or may have been.
    pub tried: bool,
    /// The object that it made.
    pub id: Option<String>,
    /// The last call certainly made nothing.
    pub failed: bool,
}

/// What an attempt is called in AWS: a client token, and the value of a tag.
pub(crate) fn token(attempt: &AttemptKey) -> String {
    let digest = Sha256::digest(attempt.0.as_bytes());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Attempts {
    /// Waits until nobody else acts on the attempt.
    pub(crate) async fn slot(&self, token: &str) -> OwnedMutexGuard<Slot> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(token.to_owned()).or_default())
        };
        slot.lock_owned().await
    }

    fn earlier(&self, kind: &Kind) -> Arc<Earlier> {
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(earlier.entry(kind.description.type_name).or_default())
    }
}

impl World {
    /// The object that an earlier try made. The first creation of a type lists what the environment has of it, and so
    /// answers for all others; only an attempt of this run is looked for by itself.
    pub(crate) async fn made_before(&self, kind: &Kind, token: &str, slot: &Slot) -> Result<Option<String>, Fault> {
        if kind.description.tagger.is_none() {
            return Ok(None);
        }
        if slot.tried {
            let query = Query::Attempt(token.to_owned());
            let found = kind.resource.find(&self.cloud, &query).await?;
            return Ok(found.into_iter().find(|live| live.state != State::Gone).map(|live| live.id));
        }
        let earlier = self.attempts.earlier(kind);
        let list = || async {
            let owned = kind.resource.find(&self.cloud, &Query::Owned(self.environment.clone())).await?;
            let standing = owned.into_iter().filter(|live| live.state != State::Gone);
            let made = standing.filter_map(|mut live| Some((live.tags.remove(owner::ATTEMPT)?, live.id)));
            Ok::<_, Fault>(made.collect())
        };
        Ok(earlier.get_or_try_init(list).await?.get(token).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_same_for_the_same_attempt() {
        let of = |key: &str| token(&AttemptKey(key.into()));
        assert_eq!(of("plan-1 step-2"), of("plan-1 step-2"));
        assert_ne!(of("plan-1 step-2"), of("plan-1 step-3"));
        assert_eq!(of("x").len(), 32);
    }
}
