//! Reads many objects in few calls: those of the environment as a list, the rest by their ids.

use std::collections::{BTreeSet, HashMap};

use formwork_contract::provider::{Discovered, Imported, Private, ReadOutcome, ReadRequest, Unowned};
use formwork_contract::{Diagnostic, Diagnostics, Str, Value};
use futures_util::future::join_all;

use super::World;
use crate::client::fault::Fault;
use crate::kind::{Kind, View};
use crate::resource::{Live, Query, State};
use crate::tags::owner;

/// The most ids of one [`Query::Ids`]: EC2 takes so many values of a filter.
pub(crate) const BATCH: usize = 200;

type Found = HashMap<String, Live>;

impl World {
    /// One answer a request, in the same order.
    pub(crate) async fn read(&self, requests: &[ReadRequest]) -> Vec<Result<ReadOutcome, Diagnostics>> {
        let mut wanted: HashMap<&Str, BTreeSet<String>> = HashMap::new();
        for request in requests {
            let ids = wanted.entry(&request.type_name).or_default();
            ids.extend(self.id_of(request));
        }
        let lists = wanted.into_iter().map(|(type_name, ids)| async move {
            let answer = match self.catalog.kind(type_name) {
                Ok(kind) => self.fetch(kind, &ids).await.map_err(|fault| Diagnostics::from(fault.diagnostic())),
                Err(unknown) => Err(Diagnostics::from(*unknown)),
            };
            (type_name, answer)
        });
        let lists: HashMap<&Str, Result<Found, Diagnostics>> = join_all(lists).await.into_iter().collect();
        requests.iter().map(|request| self.outcome(request, &lists[&request.type_name])).collect()
    }

    fn outcome(&self, request: &ReadRequest, list: &Result<Found, Diagnostics>) -> Result<ReadOutcome, Diagnostics> {
        let found = list.as_ref().map_err(|problems| {
            problems.iter().cloned().map(|problem| problem.address(&request.address)).collect::<Diagnostics>()
        })?;
        let kind = self.catalog.kind(&request.type_name).map_err(|unknown| *unknown)?;
        let live = self.id_of(request).and_then(|id| found.get(&id));
        let stands = |live: &&Live| live.state != State::Gone && !kind.resource.is_as_gone(&request.value, live);
        Ok(match live.filter(stands) {
            Some(live) => {
                let value = self.value(kind, live, &request.value, View::Configured);
                ReadOutcome::Present { value, private: request.private.clone() }
            }
            None => ReadOutcome::Absent,
        })
    }

    /// What AWS knows the recorded object by.
    fn id_of(&self, request: &ReadRequest) -> Option<String> {
        let kind = self.catalog.kind(&request.type_name).ok()?;
        let own = || request.value.get_str("id").map(str::to_owned);
        kind.resource.recorded(&request.value).or_else(own)
    }

    /// Objects of one type by their ids. Many are found in the list of what the environment owns, a thousand a call;
    /// what is not there (taken over, or tagged by others) is asked for by id.
    async fn fetch(&self, kind: &Kind, ids: &BTreeSet<String>) -> Result<Found, Fault> {
        let mut found = Found::new();
        let keep = |found: &mut Found, lives: Vec<Live>| {
            let lives = lives.into_iter().filter(|live| ids.contains(live.id.as_str()));
            found.extend(lives.map(|live| (live.id.clone(), live)));
        };
        if ids.len() > BATCH && kind.description.tagger.is_some() && !kind.description.scans {
            keep(&mut found, kind.resource.find(&self.cloud, &Query::Owned(self.environment.clone())).await?);
        }
        let missing: Vec<String> = ids.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
        for some in missing.chunks(BATCH) {
            keep(&mut found, kind.resource.find(&self.cloud, &Query::Ids(some.to_vec())).await?);
        }
        Ok(found)
    }

    pub(crate) async fn import(&self, kind: &Kind, id: &str) -> Result<Imported, Diagnostics> {
        let live = self.look(kind, &kind.resource.imported(id)).await.map_err(|fault| fault.diagnostic())?;
        let Some(live) = live.filter(|live| live.state != State::Gone) else {
            let (name, region) = (kind.description.type_name, &self.cloud.region.name);
            return Err(Diagnostic::error(format!("there is no `{name}` with the id `{id}` in `{region}`"))
                .hint(format!("an id of this type looks like `{}`", kind.description.import_example))
                .into());
        };
        let value = self.value(kind, &live, &Value::NULL, View::Configured);
        Ok(Imported { value, private: Private::default() })
    }

    /// All objects that carry no owner tag, of one type or of all; `None` where a type's objects carry no tags.
    pub(crate) async fn unowned(&self, type_name: Option<&str>) -> Result<Option<Vec<Unowned>>, Diagnostics> {
        let asked: Vec<_> = match type_name {
            Some(name) => vec![self.catalog.kind(name).map_err(|unknown| *unknown)?],
            None => self.catalog.kinds().filter(|kind| kind.description.tagger.is_some()).collect(),
        };
        if asked.iter().any(|kind| kind.description.tagger.is_none()) {
            return Ok(None);
        }
        let lists = asked.into_iter().map(|kind| async move {
            let found = kind.resource.find(&self.cloud, &Query::Unowned).await;
            (kind, found.map_err(|fault| fault.diagnostic()))
        });
        let mut unowned = Vec::new();
        for (kind, found) in join_all(lists).await {
            let is_meant = |live: &Live| live.state != State::Gone && Query::Unowned.admits(&live.tags);
            unowned.extend(found?.into_iter().filter(is_meant).map(|live| Unowned {
                type_name: kind.description.type_name.into(),
                import_id: live.id.as_str().into(),
                value: self.value(kind, &live, &Value::NULL, View::Configured),
                private: Private::default(),
            }));
        }
        Ok(Some(unowned))
    }

    /// All objects that carry the owner tag of an environment.
    pub(crate) async fn discover(&self, environment: &str) -> Result<Vec<Discovered>, Diagnostics> {
        let tagged = self.catalog.kinds().filter(|kind| kind.description.tagger.is_some());
        let lists = tagged.map(|kind| async move {
            let owned = kind.resource.find(&self.cloud, &Query::Owned(environment.into())).await;
            (kind, owned.map_err(|fault| fault.diagnostic()))
        });
        let mut discovered = Vec::new();
        for (kind, owned) in join_all(lists).await {
            // A filter of AWS takes `*` and `?` for any characters: the tag itself decides.
            let is_owned = |live: &Live| live.tags.get(owner::ENVIRONMENT).is_some_and(|owner| owner == environment);
            for live in owned?.into_iter().filter(|live| live.state != State::Gone && is_owned(live)) {
                let Some(address) = owner::address(&live.tags) else { continue };
                let address = address.map_err(|text| {
                    Diagnostic::error(format!("the owner tag of `{}` is not an address", live.id))
                        .detail(format!("Its tag `{}` is `{text}`.", owner::ADDRESS))
                        .hint("correct the tag, or remove it")
                })?;
                let value = self.value(kind, &live, &Value::NULL, View::Configured);
                let type_name = kind.description.type_name.into();
                discovered.push(Discovered { type_name, address, value, private: Private::default() });
            }
        }
        Ok(discovered)
    }
}
