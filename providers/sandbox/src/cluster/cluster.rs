//! `sandbox_cluster`: a Kubernetes cluster with its node pools.

use std::collections::BTreeSet;

use formwork_contract::{Attribute, Block, Nesting, Type, Value};

use super::kubeconfig;
use crate::compute::machine::SIZES;
use crate::fault::{Code, Fault};
use crate::network::{network, subnet};
use crate::resource::{Call, Computed, Description, Names, Problems, Reference, Resource, in_block, whole};
use crate::store::objects;

pub(crate) const TYPE: &str = "sandbox_cluster";

/// From the oldest to the newest; a cluster moves to the right only.
const VERSIONS: [&str; 5] = ["1.30", "1.31", "1.32", "1.33", "1.34"];

const MAX_NODES: i64 = 1000;

pub(crate) struct Cluster;

impl Resource for Cluster {
    fn describe(&self) -> Description {
        let mut block = block().with_block("node_pool", Nesting::List, node_pool());
        if let Some(pools) = block.blocks.get_mut("node_pool") {
            pools.min = 1;
        }
        Description {
            type_name: TYPE,
            id_prefix: "cluster",
            block: Block { description: "A Kubernetes cluster.".into(), ..block },
            defaults: vec![
                ("version", "1.34".into()),
                ("public_endpoint", false.into()),
                ("node_pool.size", "medium".into()),
                ("node_pool.min_nodes", 1.into()),
            ],
            references: &[
                Reference { attribute: "network_id", types: &[network::TYPE] },
                Reference { attribute: "subnet_ids", types: &[subnet::TYPE] },
            ],
            names: Names::InRegion("name"),
            recomputed: &[],
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.name(config, "name");
        problems.one_of(config, "version", &VERSIONS);
        if config.get("subnet_ids").and_then(Value::elements).is_some_and(<[_]>::is_empty) {
            problems.at("subnet_ids", "a cluster needs a subnet", "name at least one subnet of its network");
        }
        let mut names = BTreeSet::new();
        let pools = config.get("node_pool").and_then(Value::elements).unwrap_or_default();
        for (index, pool) in pools.iter().enumerate() {
            if let Some(name) = pool.get_str("name")
                && !names.insert(name)
            {
                let summary = format!("two node pools are named `{name}`");
                problems.push(in_block("node_pool", index, "name"), summary, "give each a name of its own");
            }
            check_pool(pool, index, problems);
        }
    }

    fn check_update(&self, live: &Value, planned: &Value, problems: &mut Problems) {
        let rank = |value: &Value| VERSIONS.iter().position(|version| Some(*version) == value.get_str("version"));
        if let (Some(from), Some(to)) = (rank(live), rank(planned))
            && to < from
        {
            problems.at(
                "version",
                format!("a cluster cannot go from version `{}` back to `{}`", VERSIONS[from], VERSIONS[to]),
                "keep the version, or make a new cluster beside this one",
            );
        }
    }

    fn create(&self, call: &Call<'_>, planned: &Value) -> Result<Computed, Fault> {
        let network_id = planned.get_str("network_id").unwrap_or_default();
        let subnets = planned.get("subnet_ids").and_then(Value::elements).unwrap_or_default();
        for subnet_id in subnets.iter().filter_map(Value::as_str) {
            let subnet = objects::by_id(call.connection, subnet_id)?;
            if subnet.is_none_or(|subnet| subnet.attribute("network_id") != Some(network_id)) {
                let message = format!("The subnet `{subnet_id}` is not in the network `{network_id}`.");
                return Err(Fault::new(Code::InvalidParameter, message)
                    .attribute("subnet_ids")
                    .hint("name subnets of the cluster's network"));
            }
        }
        let (region, name) = (&call.settings.region, planned.get_str("name").unwrap_or_default());
        Ok(vec![
            ("endpoint", kubeconfig::endpoint(call.id, region).into()),
            ("ca_certificate", kubeconfig::certificate(call.id).into()),
            ("kubeconfig", kubeconfig::kubeconfig(call.id, name, region, &call.secret()).into()),
            ("path", call.path("cluster")),
        ])
    }

    fn update(&self, _call: &Call<'_>, live: &Value, planned: &Value) -> Result<Computed, Fault> {
        let mut problems = Problems::default();
        self.check_update(live, planned, &mut problems);
        match problems.into_diagnostics().iter().next() {
            Some(problem) => {
                Err(Fault::new(Code::InvalidParameter, format!("Refused: {}.", problem.summary)).attribute("version"))
            }
            None => Ok(Vec::new()),
        }
    }
}

fn block() -> Block {
    let fixed = |ty: Type, description: &str| Attribute::required(ty).forces_replacement().describe(description);
    let computed = |description: &str| Attribute::computed(Type::String).describe(description);
    Block::new([
        ("id", computed("The cluster's id, such as `cluster-0a1b...`.")),
        ("name", fixed(Type::String, "A name that is unique in the region.")),
        ("network_id", fixed(Type::String, "The network that it stands in.")),
        ("subnet_ids", fixed(Type::set(Type::String), "The subnets of its nodes, all in that network.")),
        ("version", Attribute::defaulted(Type::String).describe("`1.30` to `1.34` (the default); it cannot go down.")),
        (
            "public_endpoint",
            Attribute::defaulted(Type::Bool)
                .describe("Whether it is reached from outside its network; not by default."),
        ),
        ("endpoint", computed("The address of its API server.")),
        ("ca_certificate", computed("The certificate that its API server is trusted by, as PEM.")),
        ("kubeconfig", computed("A client's configuration, with a token in it.").sensitive()),
        ("path", computed("What names the cluster across regions.")),
        ("tags", Attribute::optional(Type::map(Type::String)).describe("Free keys and values.")),
    ])
}

fn node_pool() -> Block {
    let block = Block::new([
        ("name", Attribute::required(Type::String).describe("A name that is unique in the cluster.")),
        ("size", Attribute::defaulted(Type::String).describe("The size of its machines, `medium` by default.")),
        ("min_nodes", Attribute::defaulted(Type::Number).describe("The fewest nodes; 1 by default.")),
        ("max_nodes", Attribute::required(Type::Number).describe("The most nodes, at most 1000.")),
        ("labels", Attribute::optional(Type::map(Type::String)).describe("Labels that its nodes carry.")),
    ]);
    Block { description: "Machines of one size that carry the cluster's work.".into(), ..block }
}

fn check_pool(pool: &Value, index: usize, problems: &mut Problems) {
    if let Some(size) = pool.get_str("size") {
        problems.one_of_at(in_block("node_pool", index, "size"), size, &SIZES);
    }
    let (min, max) = (whole(pool, "min_nodes"), whole(pool, "max_nodes"));
    for (name, count) in [("min_nodes", min), ("max_nodes", max)] {
        if count.is_some_and(|count| !(0..=MAX_NODES).contains(&count)) {
            let summary = format!("`{name}` is out of range");
            problems.push(in_block("node_pool", index, name), summary, "use a number from 0 to 1000");
        }
    }
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let summary = format!("`min_nodes` is {min} but `max_nodes` is {max}");
        problems.push(in_block("node_pool", index, "min_nodes"), summary, "make the smaller one `min_nodes`");
    }
}
