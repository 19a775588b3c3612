//! Takes out of the store what nobody needs any more.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::time::Duration;

use formwork_contract::Str;

use super::digest::Digest;
use super::error::StoreError;
use super::layout::REF_NAME;
use super::store::{Entry, Store};
use super::write::INCOMING;

/// What was taken out, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    pub artifacts: Vec<Entry>,
    pub blobs: usize,
    /// In bytes.
    pub freed: u64,
    /// Files that whoever was interrupted left on their way in.
    pub unfinished: usize,
}

/// Takes out each artifact that has no name and that neither `needed` nor a holder names, and each blob that belongs
/// to none that stays. Of the holders `own`, only what is in `needed` counts. With `dry_run` nothing is taken.
///
/// # Errors
/// The store is in use; or something in it cannot be read, so that it is not known what is needed: nothing is taken
/// then.
pub fn collect(
    store: &Store,
    needed: &BTreeSet<Digest>,
    own: &BTreeSet<Str>,
    dry_run: bool,
    patience: Duration,
) -> Result<Collected, StoreError> {
    if !store.exists() {
        return Err(StoreError::NoStore { path: store.root().to_owned() });
    }
    let _alone = store.alone(patience)?;
    let held: BTreeSet<Digest> = store
        .holders()?
        .into_iter()
        .filter(|holder| !own.contains(&holder.id))
        .flat_map(|holder| holder.digests)
        .collect();
    let (staying, going): (Vec<Entry>, Vec<Entry>) = store
        .entries()?
        .into_iter()
        .partition(|entry| entry.name.is_some() || entry.is_among(needed) || entry.is_among(&held));
    let mut reached = BTreeSet::new();
    for entry in &staying {
        store.walk(entry, &mut |_, digest| {
            reached.insert(digest.clone());
            Ok(())
        })?;
    }
    if !dry_run && !going.is_empty() {
        let gone: BTreeSet<String> = going.iter().map(|entry| entry.manifest.to_string()).collect();
        let mut index = store.index()?;
        index
            .manifests
            .retain(|descriptor| descriptor.annotation(REF_NAME).is_some() || !gone.contains(&descriptor.digest));
        store.write_index(&index)?;
    }
    let mut collected = Collected { artifacts: going, ..Collected::default() };
    sweep(store, &reached, dry_run, &mut collected)?;
    collected.unfinished = unfinished(store, dry_run)?;
    Ok(collected)
}

fn sweep(
    store: &Store,
    reached: &BTreeSet<Digest>,
    dry_run: bool,
    collected: &mut Collected,
) -> Result<(), StoreError> {
    let folder = store.blobs();
    let listed = fs::read_dir(&folder).map_err(|error| StoreError::read(&folder, &error))?;
    for entry in listed.flatten() {
        // What is no blob was put there by somebody else.
        let Ok(digest) = entry.file_name().to_string_lossy().parse::<Digest>() else { continue };
        if reached.contains(&digest) {
            continue;
        }
        collected.blobs += 1;
        collected.freed += entry.metadata().map(|metadata| metadata.len()).unwrap_or(0);
        if !dry_run {
            removed(&entry.path(), fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}

/// Nobody adds while the store is held alone: what is on its way in belongs to nobody.
fn unfinished(store: &Store, dry_run: bool) -> Result<usize, StoreError> {
    let Ok(listed) = fs::read_dir(store.own().join(INCOMING)) else { return Ok(0) };
    let mut count = 0;
    for entry in listed.flatten() {
        count += 1;
        if !dry_run {
            removed(&entry.path(), fs::remove_file(entry.path()))?;
        }
    }
    Ok(count)
}

fn removed(path: &std::path::Path, result: io::Result<()>) -> Result<(), StoreError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::write(path, &error)),
        _ => Ok(()),
    }
}
