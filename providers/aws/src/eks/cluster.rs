//! `aws_eks_cluster`: a control plane of Kubernetes.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eks::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Contents, Nesting, Path, Type, Value};

use super::tags::{self, EksTags};
use super::{HIDDEN, cluster_live, cluster_update, clusters, replaces_if_said, says_the_same, with_block};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, Times};

pub(super) struct Cluster;

pub(super) const VPC: &str = "vpc_config";
pub(super) const ENCRYPTION: &str = "encryption_config";
pub(super) const NETWORK: &str = "kubernetes_network_config";
pub(super) const ACCESS: &str = "access_config";
pub(super) const UPGRADE: &str = "upgrade_policy";

const BOOTSTRAP: &str = "bootstrap_cluster_creator_admin_permissions";

/// What can be logged.
pub(super) const LOGS: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

const TIMES: Times = Times {
    create: Duration::from_secs(30 * 60),
    update: Duration::from_secs(60 * 60),
    delete: Duration::from_secs(15 * 60),
};

#[async_trait]
impl Resource for Cluster {
    fn describe(&self) -> Description {
        let mut described = Description {
            contents: Contents::Data("what runs in the cluster".into()),
            defaults: vec![("bootstrap_self_managed_addons", true.into()), ("deletion_protection", false.into())],
            kept: &["bootstrap_self_managed_addons"],
            moves: &[("platform_version", &["version"])],
            only_if_set: &[ENCRYPTION, NETWORK, ACCESS, UPGRADE],
            scans: true,
            lingers: true,
            import_example: "platform",
            ..Description::new("aws_eks_cluster", "A control plane of Kubernetes.", attributes())
                .tagged(&EksTags("arn"))
                .with_timeouts(TIMES)
        };
        blocks(&mut described);
        described
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        let told = Fields(config).texts("enabled_cluster_log_types");
        if let Some(odd) = told.iter().find(|kind| !LOGS.contains(&kind.as_str())) {
            let list = LOGS.map(|kind| format!("`{kind}`")).join(", ");
            problems.at(
                "enabled_cluster_log_types",
                format!("a cluster has no logs `{odd}`"),
                &format!("choose of {list}"),
            );
        }
        if let Some(version) = config.get_str("version")
            && cluster_update::minor(version).is_none()
        {
            let told = format!("`{version}` is not a version of Kubernetes as EKS writes it");
            problems.at("version", told, "write the minor version, such as `1.34`");
        }
        let Some(network) = Fields(config).block(VPC) else {
            if config.get(VPC).is_none_or(|block| !block.is_unknown()) {
                problems.at(VPC, "a cluster needs a block `vpc_config`", "name its subnets there");
            }
            return;
        };
        if network.flag("endpoint_private_access") == Some(false)
            && network.flag("endpoint_public_access") == Some(false)
        {
            let told = "the API server can be reached from nowhere";
            problems.at(VPC, told, "set `endpoint_private_access` or `endpoint_public_access`");
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        replaces_if_said(request, change, NETWORK, &["service_ipv4_cidr", "ip_family"]);
        replaces_if_said(request, change, ACCESS, &[BOOTSTRAP]);
        // A cluster whose secrets are encrypted stays so, with the same key.
        let key = |value: &Value| value.get(ENCRYPTION).filter(|block| has_one(block)).map(Value::deep_unmarked);
        if let Some(before) = key(&request.prior)
            && request.proposed.get(ENCRYPTION).is_none_or(Value::is_wholly_known)
            && key(&request.proposed).is_none_or(|after| !self.same(ENCRYPTION, &after, &before))
        {
            change.requires_replace.push(Path::attribute(ENCRYPTION));
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        match attribute {
            ACCESS => says_the_same(&without_bootstrap(known, live), live),
            ENCRYPTION | NETWORK | UPGRADE => says_the_same(known, live),
            _ => false,
        }
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        planned.get_str("name").map(str::to_owned)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let names = match query {
            Query::Ids(names) => names.clone(),
            _ => clusters(cloud).await?,
        };
        let found = each(names, |name| async move {
            let told = cluster_live::describe(cloud, &name).await?;
            Ok(told.as_ref().map(cluster_live::live))
        });
        Ok(found.await?.into_iter().filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let network = wanted.block(VPC).map(cluster_update::network);
        let kubernetes = wanted.block(NETWORK).map(|block| {
            let network = types::KubernetesNetworkConfigRequest::builder();
            let network = network.set_service_ipv4_cidr(block.text("service_ipv4_cidr"));
            network.set_ip_family(block.word("ip_family")).build()
        });
        let access = wanted.block(ACCESS).map(|block| {
            types::CreateAccessConfigRequest::builder()
                .set_authentication_mode(block.word("authentication_mode"))
                .set_bootstrap_cluster_creator_admin_permissions(
                    block.flag("bootstrap_cluster_creator_admin_permissions"),
                )
                .build()
        });
        let logs = wanted.texts("enabled_cluster_log_types");
        let create = Action::repeatable("CreateCluster").passing(&[HIDDEN]);
        let made = cloud.eks.call(create, |eks| {
            eks.create_cluster()
                .client_request_token(&call.token)
                .set_name(wanted.text("name"))
                .set_role_arn(wanted.text("role_arn"))
                .set_version(wanted.text("version"))
                .set_resources_vpc_config(network.clone())
                .set_kubernetes_network_config(kubernetes.clone())
                .set_logging((!logs.is_empty()).then(|| cluster_update::logging(&logs)))
                .set_encryption_config(cluster_update::encryption(wanted))
                .set_access_config(access.clone())
                .set_upgrade_policy(wanted.block(UPGRADE).map(cluster_update::upgrades))
                .set_bootstrap_self_managed_addons(wanted.flag("bootstrap_self_managed_addons"))
                .set_deletion_protection(wanted.flag("deletion_protection"))
                .set_tags(tags::to_sdk(&call.tags))
                .send()
        });
        Ok(made.await?.cluster.and_then(|cluster| cluster.name).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        cluster_update::bring(cloud, call, TIMES.update).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteCluster");
        cloud.eks.call(delete, |eks| eks.delete_cluster().name(call.id()).send()).await?;
        Ok(())
    }
}

/// What a block `access_config` says, as far as EKS tells: it does not tell of every cluster what became of who made it.
fn without_bootstrap(known: &Value, live: &Value) -> Value {
    let is_told = Fields(live).0.elements().and_then(<[Value]>::first).and_then(|block| block.get(BOOTSTRAP));
    match known.elements().and_then(<[Value]>::first) {
        Some(block) if is_told.is_none_or(Value::is_null) => {
            Value::tuple(vec![block.with(BOOTSTRAP, Value::Null(Type::Bool))])
        }
        _ => known.clone(),
    }
}

pub(super) fn has_one(block: &Value) -> bool {
    block.elements().is_some_and(|items| !items.is_empty())
}

fn attributes() -> [(&'static str, Attribute); 13] {
    let told = |text: &str| Attribute::computed(Type::String).describe(text);
    let of_one = |name: &'static str, ty: Type| Type::list(Type::object([(name, ty)]));
    [
        ("arn", told("What names the cluster across regions.")),
        (
            "name",
            Attribute::required(Type::String).forces_replacement().describe("Its name, once in an account and region."),
        ),
        (
            "role_arn",
            Attribute::required(Type::String)
                .forces_replacement()
                .describe("The role by which EKS acts for the cluster."),
        ),
        (
            "version",
            Attribute::defaulted(Type::String).describe(
                "The minor version of Kubernetes, such as `1.34`: one step up at a time. EKS's newest by default.",
            ),
        ),
        (
            "enabled_cluster_log_types",
            Attribute::optional(Type::set(Type::String)).describe(
                "What goes to CloudWatch Logs: `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`.",
            ),
        ),
        (
            "bootstrap_self_managed_addons",
            Attribute::defaulted(Type::Bool).forces_replacement().describe(
                "EKS puts the network, DNS and proxy in by itself. On by default; off where `aws_eks_addon` does.",
            ),
        ),
        (
            "deletion_protection",
            Attribute::defaulted(Type::Bool).describe("The cluster cannot be deleted until this is taken back."),
        ),
        ("endpoint", told("The address of the API server.")),
        ("platform_version", told("EKS's own version of the control plane.")),
        ("status", told("`ACTIVE`, and what is between.")),
        ("created_at", told("When it was made.")),
        (
            "certificate_authority",
            Attribute::computed(of_one("data", Type::String))
                .describe("What the API server is trusted by: a certificate in base64, in `[0].data`."),
        ),
        (
            "identity",
            Attribute::computed(of_one("oidc", of_one("issuer", Type::String)))
                .describe("Who vouches for workloads: a URL, in `[0].oidc[0].issuer`."),
        ),
    ]
}

fn blocks(described: &mut Description) {
    let strings = || Type::set(Type::String);
    let network = Block::new([
        ("subnet_ids", Attribute::required(strings()).describe("Subnets of two zones at least.")),
        ("security_group_ids", Attribute::optional(strings()).describe("Groups beside the one that EKS makes.")),
        (
            "endpoint_private_access",
            Attribute::defaulted(Type::Bool)
                .describe("The API server is reached from within the network. Off by default."),
        ),
        (
            "endpoint_public_access",
            Attribute::defaulted(Type::Bool).describe("The API server is reached from the internet. On by default."),
        ),
        (
            "public_access_cidrs",
            Attribute::defaulted(strings()).describe("From where on the internet. From everywhere by default."),
        ),
        ("cluster_security_group_id", Attribute::computed(Type::String).describe("The group that EKS makes.")),
        ("vpc_id", Attribute::computed(Type::String).describe("The network of the subnets.")),
    ]);
    with_block(described, VPC, "Where the cluster stands, and from where it is reached.", network);
    let provider = Block::new([("key_arn", Attribute::required(Type::String).describe("The ARN of the key of KMS."))]);
    let mut encryption =
        Block::new([("resources", Attribute::required(strings()).describe("What is encrypted: `[\"secrets\"]`."))])
            .with_block("provider", Nesting::List, provider);
    if let Some(nested) = encryption.blocks.get_mut("provider") {
        (nested.min, nested.max) = (1, Some(1));
    }
    with_block(described, ENCRYPTION, "Encrypts what the cluster keeps. It cannot be taken back.", encryption);
    let kubernetes = Block::new([
        ("service_ipv4_cidr", Attribute::optional(Type::String).describe("The addresses of services.")),
        ("ip_family", Attribute::optional(Type::String).describe("`ipv4` (the default) or `ipv6`.")),
    ]);
    with_block(described, NETWORK, "Addresses inside the cluster. Others make another cluster.", kubernetes);
    let access = Block::new([
        (
            "authentication_mode",
            Attribute::optional(Type::String).describe("`API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`."),
        ),
        (
            "bootstrap_cluster_creator_admin_permissions",
            Attribute::optional(Type::Bool).describe("Who makes the cluster may do everything in it. On by default."),
        ),
    ]);
    with_block(described, ACCESS, "How people and programs are let in.", access);
    let upgrade = Block::new([(
        "support_type",
        Attribute::optional(Type::String)
            .describe("`STANDARD`: EKS upgrades at the end of support; `EXTENDED`: it charges."),
    )]);
    with_block(described, UPGRADE, "What comes when the version is no longer supported.", upgrade);
}
