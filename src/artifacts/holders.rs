//! Who needs what in a store: several blueprints and environments may share one.
//!
//! Each environment leaves a file here, named by the id of its record, with the digests that it needs: those of its
//! revisions, so that each can be gone back to. Nothing that a file names is ever collected.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use formwork_contract::Str;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::error::StoreError;
use super::store::{OWN_FOLDER, Store};

const HOLDERS: &str = "holders";

/// An environment, and what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Of its record.
    pub id: Str,
    /// The folder of the blueprint, and the environment's name: for people.
    pub blueprint: PathBuf,
    pub environment: Str,
    pub digests: BTreeSet<Digest>,
}

#[derive(Serialize, Deserialize)]
struct Filed {
    blueprint: PathBuf,
    environment: String,
    digests: Vec<String>,
}

impl Store {
    /// Everybody who needs something.
    ///
    /// # Errors
    /// A file of a holder cannot be read: better nothing is collected then.
    pub fn holders(&self) -> Result<Vec<Holder>, StoreError> {
        let folder = self.own().join(HOLDERS);
        let Ok(listed) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
        let mut holders = Vec::new();
        for entry in listed {
            let path = entry.map_err(|error| StoreError::read(&folder, &error))?.path();
            let text = fs::read(&path).map_err(|error| StoreError::read(&path, &error))?;
            let damaged = |problem: String| StoreError::Unreadable {
                path: path.clone(),
                problem: format!("it is damaged: {problem}"),
            };
            let filed: Filed = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
            let digests = filed.digests.iter().map(|text| text.parse()).collect::<Result<_, super::NotADigest>>();
            holders.push(Holder {
                id: path.file_stem().unwrap_or_default().to_string_lossy().into(),
                blueprint: filed.blueprint,
                environment: filed.environment.into(),
                digests: digests.map_err(|error| damaged(error.to_string()))?,
            });
        }
        holders.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(holders)
    }

    /// Writes down what an environment needs, in place of what it needed before.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn hold(&self, holder: &Holder) -> Result<(), StoreError> {
        let folder = self.own().join(HOLDERS);
        fs::create_dir_all(&folder).map_err(|error| StoreError::write(&folder, &error))?;
        let filed = Filed {
            blueprint: holder.blueprint.clone(),
            environment: holder.environment.to_string(),
            digests: holder.digests.iter().map(ToString::to_string).collect(),
        };
        let text = serde_json::to_vec_pretty(&filed).expect("names and digests are JSON");
        self.replace(&format!("{OWN_FOLDER}/{HOLDERS}/{}.json", holder.id), &text)
    }
}
