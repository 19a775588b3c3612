//! A revision to what an ordinary plan back to it needs.
//!
//! A revision keeps the blueprint that it was made from, its variables and the results of its data
//! sources. Going back plans that blueprint again: references are evaluated anew, so that an object that
//! is made again gets the identities that its neighbours have now. What the blueprint is silent about, and
//! a provider or a later revision set, comes from the before-images. A run that broke is taken back otherwise:
//! see `undo.rs`.

mod undo;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use formwork_contract::{Address, Str};

use crate::record::model::{RevisionKind, RevisionStatus};
use crate::record::{Record, RecordError};

pub use undo::{broken, is_taken_back, undo};

/// What the factory is to be again.
#[derive(Debug)]
pub struct Target {
    pub revision: u64,
    /// Nothing stood at the end of that revision.
    pub empty: bool,
    /// Everything that the blueprint was read from.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// In the exact form.
    pub variables: BTreeMap<Str, serde_json::Value>,
    /// Results of data sources, in the exact form.
    pub pinned: HashMap<Address, serde_json::Value>,
    /// Values to return to, in the exact form.
    pub restore: HashMap<Address, serde_json::Value>,
    /// Where objects stood that were moved since, by where they stand now.
    pub returns: HashMap<Address, Address>,
}

/// Why there is nothing to go back to.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    #[error("there is no revision to go back to")]
    NoEarlier,
    #[error("there is no revision {wanted}; the last one is {last}")]
    NoSuch { wanted: u64, last: u64 },
    #[error("revision {revision} did not complete")]
    Incomplete { revision: u64 },
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl RollbackError {
    /// What a person can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoEarlier => {
                Some("`formwork history` shows what there is; `formwork destroy` takes everything down".into())
            }
            Self::NoSuch { .. } | Self::Incomplete { .. } => {
                Some("`formwork history` shows the revisions; choose a complete one with `--to`".into())
            }
            Self::Record(error) => error.hint(),
        }
    }
}

/// Finds the revision to return to: the one given, or the last complete one before the latest. `seen` is the latest
/// revision when the way back is planned: what came later is no part of it.
///
/// # Errors
/// There is no such revision, it did not complete, or the record cannot be read.
pub fn target(record: &Record, to: Option<u64>, seen: Option<u64>) -> Result<Target, RollbackError> {
    let history = record.history()?;
    let Some(last) = history.iter().map(|summary| summary.number).max() else {
        return Err(RollbackError::NoEarlier);
    };
    let number = match to {
        Some(wanted) if wanted > last => return Err(RollbackError::NoSuch { wanted, last }),
        Some(wanted) => wanted,
        None => history
            .iter()
            .filter(|summary| summary.number < last && summary.status == RevisionStatus::Complete)
            .map(|summary| summary.number)
            .max()
            .ok_or(RollbackError::NoEarlier)?,
    };
    let Some(mut revision) = record.revision(number)? else {
        return Err(RollbackError::NoSuch { wanted: number, last });
    };
    if revision.summary.status != RevisionStatus::Complete {
        return Err(RollbackError::Incomplete { revision: number });
    }
    let stood = record.resources_at(number)?;
    // Where nothing stood nothing was described: how the providers are reached, the last blueprint knows.
    if revision.files.is_empty()
        && stood.is_empty()
        && let Some(latest) = record.revision(last)?
    {
        (revision.files, revision.variables, revision.pinned) = (latest.files, latest.variables, latest.pinned);
    }
    let pinned = entries(&revision.pinned);
    let mut returns = origins(record.moves_between(number, seen.unwrap_or(last))?);
    let known: HashSet<&Address> = stood.iter().map(|resource| &resource.address).collect();
    returns.retain(|_, before| known.contains(before));
    Ok(Target {
        revision: number,
        empty: stood.is_empty()
            && (revision.summary.kind == RevisionKind::Destroy || revision.summary.undoes.is_some()),
        returns,
        files: revision.files,
        variables: entries(&revision.variables).map(|(name, json)| (name.into(), json.clone())).collect(),
        pinned: pinned.filter_map(|(address, json)| Some((address.parse().ok()?, json.clone()))).collect(),
        restore: stood
            .into_iter()
            .filter(|resource| resource.deposed.is_none())
            .map(|resource| (resource.address, resource.value))
            .collect(),
    })
}

/// What a revision began with.
#[derive(Debug)]
pub struct Begun {
    /// Everything that the blueprint was read from.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// In the exact form.
    pub variables: BTreeMap<Str, serde_json::Value>,
    /// Results of data sources, in the exact form.
    pub pinned: HashMap<Address, serde_json::Value>,
}

/// The blueprint of a run, for the providers that it was made with.
///
/// # Errors
/// There is no such revision, or the record cannot be read.
pub fn begun(record: &Record, number: u64) -> Result<Begun, RollbackError> {
    let history = record.history()?;
    let last = history.iter().map(|summary| summary.number).max().ok_or(RollbackError::NoEarlier)?;
    let revision = record.revision(number)?.ok_or(RollbackError::NoSuch { wanted: number, last })?;
    Ok(Begun {
        variables: entries(&revision.variables).map(|(name, json)| (name.into(), json.clone())).collect(),
        pinned: entries(&revision.pinned)
            .filter_map(|(address, json)| Some((address.parse().ok()?, json.clone())))
            .collect(),
        files: revision.files,
    })
}

/// Where each moved object stood before the first of its moves, by where it stands after the last.
fn origins(moves: Vec<(Address, Address)>) -> HashMap<Address, Address> {
    let mut origins: HashMap<Address, Address> = HashMap::new();
    for (from, to) in moves {
        let origin = origins.remove(&from).unwrap_or(from);
        origins.insert(to, origin);
    }
    origins
}

fn entries(json: &serde_json::Value) -> impl Iterator<Item = (&str, &serde_json::Value)> {
    json.as_object().into_iter().flatten().map(|(name, json)| (name.as_str(), json))
}
