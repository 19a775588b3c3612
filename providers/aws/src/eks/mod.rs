//! EKS: clusters of Kubernetes, their nodes and add-ons, and who may enter them.
//!
//! EKS lists names alone, so that each object takes a call; a few are asked for at once.

mod access_entry;
mod access_policy_association;
mod addon;
mod cluster;
mod cluster_live;
mod cluster_lookup;
mod cluster_update;
mod node_group;
mod node_group_live;
mod node_group_update;
mod progress;
mod tags;

use std::future::Future;
use std::sync::Arc;

use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Block, Nesting, Path, Value};

use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{DataSource, Description, Query, Resource};

pub(crate) fn resources() -> Vec<Arc<dyn Resource>> {
    vec![
        Arc::new(cluster::Cluster),
        Arc::new(node_group::NodeGroup),
        Arc::new(addon::Addon),
        Arc::new(access_entry::AccessEntry),
        Arc::new(access_policy_association::AccessPolicyAssociation),
    ]
}

pub(crate) fn data_sources() -> Vec<Box<dyn DataSource>> {
    vec![Box::new(cluster_lookup::ClusterLookup)]
}

/// How many names a page holds: the most that EKS gives.
const PAGE: i32 = 100;

/// What EKS answers while a role, a subnet or a key does not show yet.
const HIDDEN: &str = "InvalidParameterException";

/// The names of all clusters.
async fn clusters(cloud: &Cloud) -> Result<Vec<String>, Fault> {
    let found = cloud.eks.pages(
        "ListClusters",
        |eks, token| eks.list_clusters().max_results(PAGE).set_next_token(token).send(),
        |page| (page.clusters, page.next_token),
    );
    found.await
}

/// The id of what stands in a cluster. No cluster's name has a colon.
fn joined(cluster: &str, name: &str) -> String {
    format!("{cluster}:{name}")
}

/// The cluster and the name that an id means.
fn parted(id: &str) -> (String, String) {
    let (cluster, name) = id.split_once(':').unwrap_or((id, ""));
    (cluster.to_owned(), name.to_owned())
}

/// The objects in clusters that a query may mean: those of its ids, or all that `list` names.
async fn within<F>(cloud: &Cloud, query: &Query, list: impl Fn(String) -> F) -> Result<Vec<(String, String)>, Fault>
where
    F: Future<Output = Result<Vec<String>, Fault>>,
{
    if let Query::Ids(ids) = query {
        // What is no id of such an object means none.
        let parts = ids.iter().map(|id| parted(id));
        return Ok(parts.filter(|(cluster, name)| !cluster.is_empty() && !name.is_empty()).collect());
    }
    let list = &list;
    let found = each(clusters(cloud).await?, |cluster| async move {
        let names = list(cluster.clone()).await?;
        Ok(Some(names.into_iter().map(|name| (cluster.clone(), name)).collect::<Vec<_>>()))
    });
    Ok(found.await?.into_iter().flatten().collect())
}

/// Adds a block that may stand once.
fn with_block(description: &mut Description, name: &str, text: &str, block: Block) {
    let outer = std::mem::take(&mut description.block);
    let mut outer = outer.with_block(name, Nesting::List, Block { description: text.into(), ..block });
    if let Some(nested) = outer.blocks.get_mut(name) {
        nested.max = Some(1);
    }
    description.block = outer;
}

/// Asks for a new object where one of these attributes of a block is to become another.
fn replaces(request: &PlanRequest, change: &mut PlannedChange, block: &str, attributes: &[&str]) {
    if request.prior.is_null() {
        return;
    }
    let part = |value: &Value, name: &str| {
        let block = Fields(value).block(block)?;
        block.0.get(name).map(Value::deep_unmarked).filter(|part| !part.is_null())
    };
    let differs = |name: &&str| match (part(&request.prior, name), part(&request.proposed, name)) {
        (_, Some(after)) if after.is_unknown() => false,
        (before, after) => before != after,
    };
    if attributes.iter().any(differs) {
        change.requires_replace.push(Path::attribute(block));
    }
}

/// Asks for a new object where an attribute of a block is said before and after, and is another. Of what was never said,
/// nobody knows yet what it is: AWS may have it as it is to be.
fn replaces_if_said(request: &PlanRequest, change: &mut PlannedChange, block: &str, attributes: &[&str]) {
    let part = |value: &Value, name: &str| {
        let part = Fields(value).block(block)?.0.get(name)?.deep_unmarked();
        (!part.is_null() && part.is_wholly_known()).then_some(part)
    };
    let differs = |name: &&str| match (part(&request.prior, name), part(&request.proposed, name)) {
        (Some(before), Some(after)) => before != after,
        _ => false,
    };
    if attributes.iter().any(differs) {
        change.requires_replace.push(Path::attribute(block));
    }
}

/// Whether all that is said in the first block of `known` stands in that of `live`. What is left out is not compared.
fn says_the_same(known: &Value, live: &Value) -> bool {
    let first = |value: &Value| value.elements().and_then(<[Value]>::first).cloned();
    match (first(known), first(live)) {
        (Some(known), Some(live)) => {
            let entries = known.entries().into_iter().flat_map(formwork_contract::Entries::iter);
            entries.filter(|(_, said)| !said.is_null()).all(|(name, said)| live.get(name) == Some(said))
        }
        (None, None) => true,
        _ => false,
    }
}

/// A list of one block.
fn block<const N: usize>(parts: [(&'static str, Value); N]) -> Value {
    Value::tuple(vec![Value::object(parts)])
}

fn no_block() -> Value {
    Value::tuple(Vec::new())
}

/// Problems that EKS tells of an object, in one line.
fn issues<'a>(told: impl IntoIterator<Item = (Option<&'a str>, Option<&'a str>)>) -> String {
    let lines = told.into_iter().map(|(code, message)| {
        let parts = [code, message].into_iter().flatten().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(": ")
    });
    lines.collect::<Vec<_>>().join("; ")
}
