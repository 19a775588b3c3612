//! The shapes of a state file of version 4. `V` is the form that values are in: text to be read, or what is written.
//!
//! What is not listed here (results of checks, identities of resources) is found anew by whoever plans next.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// What tells a state from other files.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Head {
    pub version: Option<u64>,
    /// Of the JSON that `terraform show` prints.
    pub format_version: Option<IgnoredAny>,
    /// Of a state that OpenTofu has encrypted.
    pub encrypted_data: Option<IgnoredAny>,
}

#[derive(Deserialize, Serialize)]
#[serde(expecting = "an object")]
pub(super) struct File<V> {
    #[serde(default)]
    pub version: u64,
    #[serde(default)]
    pub terraform_version: String,
    pub serial: u64,
    pub lineage: String,
    #[serde(default = "BTreeMap::new")]
    pub outputs: BTreeMap<String, Output<V>>,
    #[serde(default = "Vec::new")]
    pub resources: Vec<Resource<V>>,
}

#[derive(Deserialize, Serialize)]
#[serde(expecting = "an output")]
pub(super) struct Output<V> {
    pub value: V,
    /// As cty writes types.
    #[serde(rename = "type")]
    pub ty: Json,
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

#[derive(Deserialize, Serialize)]
#[serde(expecting = "a resource")]
pub(super) struct Resource<V> {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub module: String,
    pub mode: String,
    #[serde(rename = "type")]
    pub type_name: String,
    pub name: String,
    pub provider: String,
    pub instances: Vec<Instance<V>>,
}

#[derive(Deserialize, Serialize)]
#[serde(expecting = "an instance of a resource")]
pub(super) struct Instance<V> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_key: Option<IndexKey>,
    /// `tainted`, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<String>,
    #[serde(default)]
    pub schema_version: u64,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<V>,
    /// What Terraform 0.11 wrote: every value as text, under a flattened name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes_flat: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub sensitive_attributes: Option<Vec<Vec<PathStep>>>,
    /// In base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub create_before_destroy: bool,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(untagged, expecting = "a number or a text")]
pub(super) enum IndexKey {
    Index(u64),
    Key(String),
}

#[derive(Deserialize, Serialize)]
#[serde(expecting = "a step of a path")]
pub(super) struct PathStep {
    /// `get_attr` or `index`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The attribute's name, or the index as `{"value", "type"}`.
    pub value: Json,
}

fn none<V>() -> Option<V> {
    None
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
