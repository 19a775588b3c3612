//! `aws_eks_addon`: a part of a cluster that EKS keeps, such as its network or its DNS.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eks::types;
use formwork_contract::{Attribute, Type, Value};

use super::progress::{Subject, at_most, token};
use super::tags::{self, EksTags};
use super::{HIDDEN, PAGE, issues, joined, parted, within};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::policy;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State, Times};

pub(super) struct Addon;

const TIMES: Times = Times {
    create: Duration::from_secs(20 * 60),
    update: Duration::from_secs(20 * 60),
    delete: Duration::from_secs(40 * 60),
};

#[async_trait]
impl Resource for Addon {
    fn describe(&self) -> Description {
        let named = |text: &str| Attribute::required(Type::String).forces_replacement().describe(text);
        let given = |text: &str| Attribute::optional(Type::String).describe(text);
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the add-on across regions.")),
            ("cluster_name", named("The cluster.")),
            ("addon_name", named("Which one: `vpc-cni`, `coredns`, `kube-proxy`, `aws-ebs-csi-driver` and others.")),
            (
                "addon_version",
                Attribute::defaulted(Type::String).describe("Its version. The one that suits the cluster by default."),
            ),
            ("configuration_values", given("Its settings, in JSON or YAML.")),
            ("service_account_role_arn", given("The role by which it acts. That of the nodes by default.")),
            (
                "resolve_conflicts_on_create",
                given("What becomes of settings that stand already: `NONE` (refused) or `OVERWRITE`."),
            ),
            (
                "resolve_conflicts_on_update",
                given("What becomes of settings that others changed: `NONE`, `OVERWRITE` or `PRESERVE`."),
            ),
            ("preserve", Attribute::optional(Type::Bool).describe("What it runs stays when the add-on goes.")),
        ];
        Description {
            kept: &["resolve_conflicts_on_create", "resolve_conflicts_on_update", "preserve"],
            scans: true,
            lingers: true,
            import_example: "platform:vpc-cni",
            ..Description::new("aws_eks_addon", "A part of a cluster that EKS keeps.", attributes)
                .tagged(&EksTags("arn"))
                .with_timeouts(TIMES)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.one_of(config, "resolve_conflicts_on_create", &["NONE", "OVERWRITE"]);
        problems.one_of(config, "resolve_conflicts_on_update", &["NONE", "OVERWRITE", "PRESERVE"]);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "configuration_values" && policy::is_same_json(known, live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        Some(joined(planned.get_str("cluster_name")?, planned.get_str("addon_name")?))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let list = |cluster: String| async move {
            let found = cloud.eks.pages(
                "ListAddons",
                |eks, token| eks.list_addons().cluster_name(&cluster).max_results(PAGE).set_next_token(token).send(),
                |page| (page.addons, page.next_token),
            );
            found.await
        };
        let found = each(within(cloud, query, list).await?, |(cluster, name)| async move {
            let send = |eks: &aws_sdk_eks::Client| eks.describe_addon().cluster_name(&cluster).addon_name(&name).send();
            Ok(cloud.eks.read("DescribeAddon", send).await?.addon.as_ref().map(live))
        });
        Ok(found.await?.into_iter().filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let create = Action::repeatable("CreateAddon").passing(&[HIDDEN]);
        let made = cloud.eks.call(create, |eks| {
            eks.create_addon()
                .client_request_token(&call.token)
                .set_cluster_name(wanted.text("cluster_name"))
                .set_addon_name(wanted.text("addon_name"))
                .set_addon_version(wanted.text("addon_version"))
                .set_configuration_values(wanted.text("configuration_values"))
                .set_service_account_role_arn(wanted.text("service_account_role_arn"))
                .set_resolve_conflicts(wanted.word("resolve_conflicts_on_create"))
                .set_tags(tags::to_sdk(&call.tags))
                .send()
        });
        made.await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let told = ["addon_version", "configuration_values", "service_account_role_arn"];
        if !told.iter().any(|name| call.changes(name)) {
            return Ok(());
        }
        let (cluster, name) = parted(call.id());
        let wanted = call.wanted();
        // An empty text takes settings back: what is left out stays as it is.
        let settings = wanted.text("configuration_values").unwrap_or_default();
        let send = |eks: &aws_sdk_eks::Client| {
            eks.update_addon()
                .cluster_name(&cluster)
                .addon_name(&name)
                .client_request_token(token(call, "settings"))
                .set_addon_version(wanted.text("addon_version"))
                .set_configuration_values(call.changes("configuration_values").then(|| settings.clone()))
                .set_service_account_role_arn(wanted.text("service_account_role_arn"))
                .set_resolve_conflicts(wanted.word("resolve_conflicts_on_update"))
                .send()
        };
        let update = cloud.eks.call(Action::repeatable("UpdateAddon").passing(&[HIDDEN]), send).await?.update;
        let subject = Subject { addon: Some(&name), ..Subject::cluster(&cluster, at_most(call, TIMES.update)) };
        subject.through(cloud, update).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (cluster, name) = parted(call.id());
        let preserve = call.found().flag("preserve").unwrap_or_default();
        let delete = Action::repeatable("DeleteAddon");
        let send = |eks: &aws_sdk_eks::Client| {
            eks.delete_addon().cluster_name(&cluster).addon_name(&name).preserve(preserve).send()
        };
        cloud.eks.call(delete, send).await?;
        Ok(())
    }
}

fn live(addon: &types::Addon) -> Live {
    Live {
        id: joined(addon.cluster_name().unwrap_or_default(), addon.addon_name().unwrap_or_default()),
        tags: tags::of_live(addon.tags()),
        attributes: vec![
            ("arn", text(addon.addon_arn())),
            ("cluster_name", text(addon.cluster_name())),
            ("addon_name", text(addon.addon_name())),
            ("addon_version", text(addon.addon_version())),
            ("configuration_values", text(addon.configuration_values())),
            ("service_account_role_arn", text(addon.service_account_role_arn())),
        ],
        state: state(addon),
    }
}

fn state(addon: &types::Addon) -> State {
    let status = addon.status().map_or("", types::AddonStatus::as_str);
    let why = || {
        let told = addon.health().map(types::AddonHealth::issues).unwrap_or_default().iter();
        let told = issues(told.map(|issue| (issue.code().map(|code| code.as_str()), issue.message())));
        if told.is_empty() { status.to_lowercase() } else { told }
    };
    match status {
        // One that cannot run yet becomes active by itself when there are nodes.
        "CREATING" | "UPDATING" | "DELETING" | "DEGRADED" => State::Pending(why()),
        "CREATE_FAILED" | "UPDATE_FAILED" | "DELETE_FAILED" => State::Failed(why()),
        _ => State::Ready,
    }
}
