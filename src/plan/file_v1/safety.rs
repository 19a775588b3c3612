//! What a plan file keeps of the command line, of preflight checks and of overrides.

use std::collections::BTreeMap;

use formwork_contract::Address;
use formwork_contract::provider::PreflightGrade;
use serde::{Deserialize, Serialize};

use super::{Answers, PlanFile};
use crate::plan::Focus;
use crate::plan::model::Change;
use crate::plan::preflight::{grade_name, grade_of};
use crate::plan::protection::OverrideFile;

/// `--target`, `--exclude` and `--replace`, as they were given.
#[derive(Clone, Debug)]
pub struct FiledSelection {
    pub targets: Vec<Focus>,
    pub excludes: Vec<Focus>,
    pub replace: Vec<Address>,
}

/// An override with its signatures, as they were found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FiledOverride {
    name: String,
    text: String,
    signatures: Vec<String>,
}

impl FiledOverride {
    pub(super) fn of(file: &OverrideFile) -> Self {
        Self {
            name: file.name.to_string(),
            text: file.text.to_string(),
            signatures: file.signatures.iter().map(ToString::to_string).collect(),
        }
    }

    fn file(&self) -> OverrideFile {
        OverrideFile {
            name: self.name.as_str().into(),
            text: self.text.as_str().into(),
            signatures: self.signatures.iter().map(|armored| armored.as_str().into()).collect(),
        }
    }
}

impl PlanFile {
    /// The overrides that the plan was made with: to be checked again.
    pub fn overrides(&self) -> Vec<OverrideFile> {
        self.content.overrides.iter().map(FiledOverride::file).collect()
    }
}

impl Answers {
    /// The grade that a change was given when the plan was made.
    pub fn preflight(&self, address: &Address, deposed: Option<&str>) -> Option<PreflightGrade> {
        grade_of(self.preflight.get(&key(address, deposed))?)
    }
}

/// The grades of all changes that were checked.
pub(super) fn grades(changes: &[Change]) -> BTreeMap<String, String> {
    let graded = changes.iter().filter_map(|change| {
        Some((key(&change.address, change.deposed.as_deref()), grade_name(change.preflight?).into()))
    });
    graded.collect()
}

fn key(address: &Address, deposed: Option<&str>) -> String {
    match deposed {
        Some(deposed) => format!("{address} {deposed}"),
        None => address.to_string(),
    }
}
