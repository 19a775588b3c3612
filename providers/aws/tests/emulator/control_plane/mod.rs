//! TEST CODE: EKS, of which moto has clusters and groups of nodes that are ready at once, and no updates, add-ons or
//! access entries.
//!
//! It keeps what it is told, shows what is on the way for two looks, and refuses what EKS refuses while an update goes on.
//! `shapes` holds all of its answers against botocore's service model. What is kept here is kept for all shims together,
//! as moto is one.

mod kept;
mod objects;

use std::collections::BTreeMap;
use std::sync::Mutex;

use hyper::StatusCode;
use hyper::http::request::Parts;
use serde_json::{Value, json};

use crate::dialect::Dialect;
use crate::moto::Answer;
use crate::supplement::told;

/// How often an object is looked at until it is as it is to be.
const LOOKS: u64 = 2;

/// The versions that a cluster can be made with.
const OFFERED: [&str; 4] = ["1.32", "1.33", "1.34", "1.35"];

/// Objects by region and path, such as `clusters/a/addons/vpc-cni`.
static KEPT: Mutex<BTreeMap<(String, String), Kept>> = Mutex::new(BTreeMap::new());

/// The answers that were given: the operation, and the JSON.
static GIVEN: Mutex<Vec<(&'static str, Value)>> = Mutex::new(Vec::new());

/// One object.
#[derive(Clone, Debug, Default)]
struct Kept {
    shown: Value,
    /// So many looks at it show what goes on.
    looks: u64,
    /// Then it is gone.
    leaves: bool,
    /// The `clientRequestToken` of the call that made it.
    token: Value,
    /// What an update is of.
    subject: String,
}

type Refusal = (StatusCode, &'static str, String);
type Told = Result<(&'static str, Value), Refusal>;

/// The answer to a call of EKS; `None` where the call is another service's.
pub(crate) fn answer(parts: &Parts, region: &str, body: &str, page: usize) -> Option<Answer> {
    let signed = parts.headers.get("authorization")?.to_str().ok()?;
    if signed.split('/').nth(3) != Some("eks") {
        return None;
    }
    let path: Vec<String> = parts.uri.path().trim_matches('/').split('/').map(unescaped).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let query: BTreeMap<&str, String> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name, unescaped(value)))
        .collect();
    let tags = parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("tagKeys="));
    let call = Call {
        region,
        body: serde_json::from_str(body).unwrap_or_default(),
        query,
        tags: tags.map(unescaped).collect(),
        page,
    };
    let told_by = call.told(parts.method.as_str(), &path);
    Some(match told_by {
        Ok((operation, body)) => {
            GIVEN.lock().expect("not poisoned").push((operation, body.clone()));
            told("application/json", body.to_string())
        }
        Err((status, code, message)) => {
            let answer = Dialect::Json.error(status, code, &message);
            Answer { content_type: "application/json".into(), ..answer }
        }
    })
}

/// Changes an object behind everybody's back; null takes it away.
pub(crate) fn meddle(region: &str, path: &str, change: impl FnOnce(&mut Value)) -> Result<(), String> {
    let mut kept = KEPT.lock().expect("not poisoned");
    let place = (region.to_owned(), path.to_owned());
    let found = kept.get_mut(&place).ok_or_else(|| format!("there is no {path} in {region}"))?;
    change(&mut found.shown);
    if found.shown.is_null() {
        kept.retain(|(there, name), _| there != region || (name != path && !name.starts_with(&format!("{path}/"))));
    }
    Ok(())
}

/// All answers that were given so far, a line each: the operation, a tab, and the JSON.
pub(crate) fn given() -> String {
    let given = GIVEN.lock().expect("not poisoned");
    given.iter().map(|(operation, body)| format!("{operation}\t{body}\n")).collect()
}

struct Call<'a> {
    region: &'a str,
    body: Value,
    query: BTreeMap<&'a str, String>,
    tags: Vec<String>,
    page: usize,
}

impl Call<'_> {
    fn told(&self, method: &str, path: &[&str]) -> Told {
        if let ("POST", Some(operation), ["clusters", cluster, ..]) = (method, update(path), path)
            && let Some(begun) = self.by_token(&format!("clusters/{cluster}/updates"))
        {
            return Ok((operation, json!({ "update": begun })));
        }
        match (method, path) {
            ("POST", ["clusters"]) => self.create_cluster(),
            ("GET", ["clusters"]) => self.list("ListClusters", "clusters", "clusters"),
            ("GET", ["clusters", name]) => {
                Ok(("DescribeCluster", json!({ "cluster": self.look(&format!("clusters/{name}"), "cluster")? })))
            }
            ("DELETE", ["clusters", name]) => self.delete_cluster(name),
            ("POST", ["clusters", name, "update-config"]) => self.update_cluster(name),
            ("POST", ["clusters", name, "updates"]) => {
                let place = format!("clusters/{name}");
                self.one_step_up(&self.look(&place, "cluster")?)?;
                self.patch(&place, "cluster", &["version"], &[])?;
                self.begin("UpdateClusterVersion", name, "VersionUpdate", &place)
            }
            ("POST", ["clusters", name, "encryption-config", "associate"]) => {
                let place = format!("clusters/{name}");
                let stands = self.look(&place, "cluster")?;
                if stands["encryptionConfig"].as_array().is_some_and(|keys| !keys.is_empty()) {
                    let why = "the cluster has an encryption configuration already".to_owned();
                    return Err((StatusCode::BAD_REQUEST, "InvalidRequestException", why));
                }
                self.patch(&place, "cluster", &["encryptionConfig"], &[])?;
                self.begin("AssociateEncryptionConfig", name, "AssociateEncryptionConfig", &place)
            }
            ("GET", ["clusters", name, "updates", id]) => {
                let place = format!("clusters/{name}/updates/{id}");
                Ok(("DescribeUpdate", json!({ "update": self.look(&place, "update")? })))
            }
            ("POST" | "DELETE", ["tags", arn]) => self.tag(method, arn),
            (_, ["clusters", name, rest @ ..]) => self.inside(method, name, rest),
            _ => Err((StatusCode::NOT_FOUND, "NotFoundException", format!("{method} {path:?}"))),
        }
    }

    fn inside(&self, method: &str, cluster: &str, path: &[&str]) -> Told {
        let base = format!("clusters/{cluster}");
        let of = |kind: &str, name: &str| format!("{base}/{kind}/{name}");
        match (method, path) {
            ("POST", ["node-groups"]) => self.create_group(cluster),
            ("GET", ["node-groups"]) => self.list("ListNodegroups", &format!("{base}/node-groups"), "nodegroups"),
            ("GET", ["node-groups", name]) => {
                let group = self.look(&of("node-groups", name), "node group")?;
                Ok(("DescribeNodegroup", json!({ "nodegroup": group })))
            }
            ("DELETE", ["node-groups", name]) => {
                let group = self.leave(&of("node-groups", name), "node group")?;
                Ok(("DeleteNodegroup", json!({ "nodegroup": group })))
            }
            ("POST", ["node-groups", name, "update-config"]) => self.configure_group(cluster, name),
            ("POST", ["node-groups", name, "update-version"]) => {
                let told = ["version", "releaseVersion"];
                self.patch(&of("node-groups", name), "node group", &told, &["launchTemplate"])?;
                self.begin("UpdateNodegroupVersion", cluster, "VersionUpdate", &of("node-groups", name))
            }
            ("POST", ["addons"]) => self.create_addon(cluster),
            ("GET", ["addons"]) => self.list("ListAddons", &format!("{base}/addons"), "addons"),
            ("GET", ["addons", name]) => {
                Ok(("DescribeAddon", json!({ "addon": self.look(&of("addons", name), "addon")? })))
            }
            ("DELETE", ["addons", name]) => {
                Ok(("DeleteAddon", json!({ "addon": self.leave(&of("addons", name), "addon")? })))
            }
            ("POST", ["addons", name, "update"]) => {
                let told = ["addonVersion", "configurationValues", "serviceAccountRoleArn"];
                self.patch(&of("addons", name), "addon", &told, &[])?;
                self.begin("UpdateAddon", cluster, "AddonUpdate", &of("addons", name))
            }
            (_, ["access-entries", rest @ ..]) => self.access(method, cluster, rest),
            _ => Err((StatusCode::NOT_FOUND, "NotFoundException", format!("{method} {path:?}"))),
        }
    }

    fn access(&self, method: &str, cluster: &str, path: &[&str]) -> Told {
        let base = format!("clusters/{cluster}/access-entries");
        match (method, path) {
            ("POST", []) => self.create_entry(cluster),
            ("GET", []) => self.list("ListAccessEntries", &base, "accessEntries"),
            ("GET", [who]) => {
                let entry = self.look(&format!("{base}/{}", closed(who)), "access entry")?;
                Ok(("DescribeAccessEntry", json!({ "accessEntry": entry })))
            }
            ("POST", [who]) => {
                let place = format!("{base}/{}", closed(who));
                let entry = self.patch(&place, "access entry", &["kubernetesGroups", "username"], &[])?;
                Ok(("UpdateAccessEntry", json!({ "accessEntry": entry })))
            }
            ("DELETE", [who]) => {
                self.look(&format!("{base}/{}", closed(who)), "access entry")?;
                meddle(self.region, &format!("{base}/{}", closed(who)), |entry| *entry = Value::Null)
                    .expect("it stands");
                Ok(("DeleteAccessEntry", json!({})))
            }
            ("POST", [who, "access-policies"]) => {
                self.look(&format!("{base}/{}", closed(who)), "access entry")?;
                let policy = self.text("policyArn");
                let place = format!("{base}/{}/access-policies/{}", closed(who), closed(&policy));
                let shown = json!({ "policyArn": policy, "accessScope": self.body["accessScope"], "associatedAt": 1, "modifiedAt": 1 });
                self.keep(&place, shown.clone(), 0);
                let told = json!({ "clusterName": cluster, "principalArn": who, "associatedAccessPolicy": shown });
                Ok(("AssociateAccessPolicy", told))
            }
            ("GET", [who, "access-policies"]) => {
                self.look(&format!("{base}/{}", closed(who)), "access entry")?;
                let found = self.below(&format!("{base}/{}/access-policies", closed(who)));
                let found: Vec<Value> = found.into_iter().map(|(_, kept)| kept.shown).collect();
                let told = json!({ "clusterName": cluster, "principalArn": who, "associatedAccessPolicies": found });
                Ok(("ListAssociatedAccessPolicies", told))
            }
            ("DELETE", [who, "access-policies", policy]) => {
                let place = format!("{base}/{}/access-policies/{}", closed(who), closed(policy));
                self.look(&place, "access policy")?;
                meddle(self.region, &place, |found| *found = Value::Null).expect("it stands");
                Ok(("DisassociateAccessPolicy", json!({})))
            }
            _ => Err((StatusCode::NOT_FOUND, "NotFoundException", format!("{method} {path:?}"))),
        }
    }
}

/// The operation of a path that begins an update.
fn update(path: &[&str]) -> Option<&'static str> {
    match path {
        [_, _, "update-config"] => Some("UpdateClusterConfig"),
        [_, _, "updates"] => Some("UpdateClusterVersion"),
        [_, _, "encryption-config", "associate"] => Some("AssociateEncryptionConfig"),
        [_, _, "node-groups", _, "update-config"] => Some("UpdateNodegroupConfig"),
        [_, _, "node-groups", _, "update-version"] => Some("UpdateNodegroupVersion"),
        [_, _, "addons", _, "update"] => Some("UpdateAddon"),
        _ => None,
    }
}

fn in_use(why: String) -> Refusal {
    (StatusCode::CONFLICT, "ResourceInUseException", why)
}

fn missing(what: &str, name: &str) -> Refusal {
    (StatusCode::NOT_FOUND, "ResourceNotFoundException", format!("No {what} found for name: {name}."))
}

fn remove(shown: &mut Value, names: &[&str]) {
    if let Some(object) = shown.as_object_mut() {
        object.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// A name that may have slashes, as a part of a path, and back.
pub(crate) fn closed(name: &str) -> String {
    name.replace('/', "|")
}

fn opened(name: &str) -> String {
    name.replace('|', "/")
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits: Vec<u8> = rest.by_ref().take(2).collect();
            let digits = String::from_utf8(digits).unwrap_or_default();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'%'));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
