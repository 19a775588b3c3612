//! Waiting for objects: until they are ready, until they are gone, and no longer than they may take.

use std::time::Duration;

use formwork_contract::Address;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::World;
use crate::client::fault::Fault;
use crate::client::limiter::back_off;
use crate::kind::Kind;
use crate::resource::{Live, Query, State};

/// Why a wait ended without what was waited for.
#[derive(Debug)]
pub(crate) enum Unready {
    /// There is no such object.
    Absent,
    /// It will not become ready; it stands like this.
    Failed { live: Box<Live>, why: String },
    /// It is not ready after this time; it stands like this.
    Late { live: Box<Live>, why: String },
    /// Nobody can look at it.
    Blind(Fault),
}

/// One wait: longer pauses each time.
pub(super) struct Patience {
    begun: Instant,
    at_most: Duration,
    looks: u32,
    stop: watch::Receiver<bool>,
}

impl Patience {
    /// False: there is no time left, or the run is to end.
    pub(super) async fn pause(&mut self, world: &World) -> bool {
        if self.begun.elapsed() >= self.at_most || *self.stop.borrow() {
            return false;
        }
        let pause = back_off(world.pace.first, world.pace.longest, self.looks);
        self.looks += 1;
        tokio::select! {
            () = sleep(pause) => true,
            // A provider that is dropped stops nothing: whoever waits holds it.
            _ = self.stop.changed() => false,
        }
    }
}

impl World {
    pub(super) fn patience(&self, at_most: Duration) -> Patience {
        Patience { begun: Instant::now(), at_most, looks: 0, stop: self.stop.subscribe() }
    }

    /// Waits until an object is ready. One that does not show is looked for as long as AWS may hide it.
    pub(crate) async fn ready(
        &self,
        kind: &Kind,
        address: &Address,
        id: &str,
        at_most: Duration,
    ) -> Result<Live, Unready> {
        let mut patience = self.patience(at_most);
        let mut hidden = self.patience(self.pace.hidden);
        loop {
            let Some(live) = self.look(kind, id).await.map_err(Unready::Blind)? else {
                if hidden.pause(self).await {
                    continue;
                }
                return Err(Unready::Absent);
            };
            let why = match &live.state {
                State::Ready => return Ok(live),
                State::Gone => return Err(Unready::Absent),
                State::Failed(why) => return Err(Unready::Failed { why: why.clone(), live: Box::new(live) }),
                State::Pending(why) => why.clone(),
            };
            let seconds = patience.begun.elapsed().as_secs();
            tracing::info!(%address, id, state = why, seconds, "waiting until the object is ready");
            if !patience.pause(self).await {
                return Err(Unready::Late { live: Box::new(live), why });
            }
        }
    }

    /// Waits until an object is gone; answers what stands where it stays.
    pub(crate) async fn gone(
        &self,
        kind: &Kind,
        address: &Address,
        id: &str,
        at_most: Duration,
    ) -> Result<Option<Live>, Fault> {
        let mut patience = self.patience(at_most);
        loop {
            let live = match self.look(kind, id).await? {
                Some(live) if live.state != State::Gone => live,
                _ => return Ok(None),
            };
            if let State::Failed(_) = live.state {
                return Ok(Some(live));
            }
            let seconds = patience.begun.elapsed().as_secs();
            tracing::info!(%address, id, seconds, "waiting until the object is gone");
            if !patience.pause(self).await {
                return Ok(Some(live));
            }
        }
    }

    /// The object that an attempt made. After patience, that there is none is certain.
    pub(crate) async fn made_by(&self, kind: &Kind, token: &str, patient: bool) -> Result<Option<Live>, Fault> {
        let mut patience = self.patience(self.pace.hidden);
        loop {
            let found = kind.resource.find(&self.cloud, &Query::Attempt(token.to_owned())).await?;
            if let Some(live) = found.into_iter().find(|live| live.state != State::Gone) {
                return Ok(Some(live));
            }
            if !patient || !patience.pause(self).await {
                return Ok(None);
            }
        }
    }

    /// One look at one object.
    pub(crate) async fn look(&self, kind: &Kind, id: &str) -> Result<Option<Live>, Fault> {
        let found = kind.resource.find(&self.cloud, &Query::Ids(vec![id.to_owned()])).await?;
        Ok(found.into_iter().find(|live| live.id == id))
    }
}
