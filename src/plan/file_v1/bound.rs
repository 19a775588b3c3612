//! What a plan is bound to, as the file has it: parts of the record, and builds of providers.

use std::collections::BTreeMap;

use formwork_contract::{Address, Str};
use serde::{Deserialize, Serialize};

use super::PlanFileError;
use crate::live::ProviderBuild;
use crate::plan::bound::{Bound, RowKey};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FiledBound {
    touched: Vec<String>,
    read: Vec<String>,
    ending: Vec<String>,
    rows: Vec<FiledRow>,
    /// Digests of what is recorded; null for what is not.
    outputs: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FiledRow {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    deposed: Option<String>,
    serial: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FiledBuild {
    version: Option<String>,
    digest: Option<String>,
}

impl FiledBound {
    pub(super) fn of(bound: &Bound) -> Self {
        let row = |((address, deposed), serial): (&RowKey, &u64)| FiledRow {
            address: address.to_string(),
            deposed: deposed.as_ref().map(ToString::to_string),
            serial: *serial,
        };
        let output = |(name, digest): (&Str, &Option<Str>)| (name.to_string(), digest.as_ref().map(Str::to_string));
        Self {
            touched: bound.touched.iter().map(ToString::to_string).collect(),
            read: bound.read.iter().map(ToString::to_string).collect(),
            ending: bound.ending.iter().map(ToString::to_string).collect(),
            rows: bound.rows.iter().map(row).collect(),
            outputs: bound.outputs.iter().map(output).collect(),
        }
    }

    /// Names of the outputs that change.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.keys().map(String::as_str)
    }

    pub(super) fn bound(&self) -> Result<Bound, PlanFileError> {
        let addresses = |texts: &[String]| texts.iter().map(|text| address(text)).collect::<Result<_, _>>();
        let row = |row: &FiledRow| -> Result<(RowKey, u64), PlanFileError> {
            Ok(((address(&row.address)?, row.deposed.as_deref().map(Str::from)), row.serial))
        };
        let output =
            |(name, digest): (&String, &Option<String>)| (name.as_str().into(), digest.as_deref().map(Str::from));
        Ok(Bound {
            touched: addresses(&self.touched)?,
            read: self.read.iter().map(|name| name.as_str().into()).collect(),
            ending: addresses(&self.ending)?,
            rows: self.rows.iter().map(row).collect::<Result<_, _>>()?,
            outputs: self.outputs.iter().map(output).collect(),
        })
    }
}

pub(super) fn filed_builds(builds: &BTreeMap<Str, ProviderBuild>) -> BTreeMap<String, FiledBuild> {
    let filed = |build: &ProviderBuild| FiledBuild {
        version: build.version.as_ref().map(ToString::to_string),
        digest: build.digest.as_ref().map(ToString::to_string),
    };
    builds.iter().map(|(source, build)| (source.to_string(), filed(build))).collect()
}

pub(super) fn builds(filed: &BTreeMap<String, FiledBuild>) -> BTreeMap<Str, ProviderBuild> {
    let build = |filed: &FiledBuild| ProviderBuild {
        version: filed.version.as_deref().map(Str::from),
        digest: filed.digest.as_deref().map(Str::from),
    };
    filed.iter().map(|(source, filed)| (source.as_str().into(), build(filed))).collect()
}

fn address(text: &str) -> Result<Address, PlanFileError> {
    text.parse::<Address>().map_err(|error| PlanFileError::Damaged(format!("`{text}` is no address: {error}")))
}
