//! `aws_eks_access_entry`: lets an identity of IAM into a cluster.

use async_trait::async_trait;
use aws_sdk_eks::types;
use formwork_contract::{Attribute, Type, Value};

use super::tags::{self, EksTags};
use super::{HIDDEN, PAGE, joined, parted, within};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{set, text};
use crate::resource::{Call, Description, Live, Query, Resource, State};

pub(super) struct AccessEntry;

#[async_trait]
impl Resource for AccessEntry {
    fn describe(&self) -> Description {
        let named = |text: &str| Attribute::required(Type::String).forces_replacement().describe(text);
        let attributes = [
            ("access_entry_arn", Attribute::computed(Type::String).describe("What names the entry across regions.")),
            ("cluster_name", named("The cluster.")),
            ("principal_arn", named("The ARN of the role or user that is let in.")),
            (
                "kubernetes_groups",
                Attribute::optional(Type::set(Type::String)).describe("The groups that it has in Kubernetes."),
            ),
            (
                "type",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("`STANDARD` (the default), `EC2_LINUX` and others for nodes."),
            ),
            (
                "user_name",
                Attribute::defaulted(Type::String).describe("Its name in Kubernetes. Made of the ARN by default."),
            ),
        ];
        Description {
            defaults: vec![("type", "STANDARD".into())],
            scans: true,
            import_example: "platform:arn:aws:iam::123456789012:role/developers",
            ..Description::new("aws_eks_access_entry", "Lets an identity of IAM into a cluster.", attributes)
                .tagged(&EksTags("access_entry_arn"))
        }
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        Some(joined(planned.get_str("cluster_name")?, planned.get_str("principal_arn")?))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let found =
            each(within(cloud, query, |cluster| principals(cloud, cluster)).await?, |(cluster, who)| async move {
                let send = |eks: &aws_sdk_eks::Client| {
                    eks.describe_access_entry().cluster_name(&cluster).principal_arn(&who).send()
                };
                Ok(cloud.eks.read("DescribeAccessEntry", send).await?.access_entry.as_ref().map(live))
            });
        Ok(found.await?.into_iter().filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let groups = Some(wanted.texts("kubernetes_groups")).filter(|groups| !groups.is_empty());
        let create = Action::repeatable("CreateAccessEntry").passing(&[HIDDEN]);
        let made = cloud.eks.call(create, |eks| {
            eks.create_access_entry()
                .client_request_token(&call.token)
                .set_cluster_name(wanted.text("cluster_name"))
                .set_principal_arn(wanted.text("principal_arn"))
                .set_kubernetes_groups(groups.clone())
                .set_type(wanted.text("type"))
                .set_username(wanted.text("user_name"))
                .set_tags(tags::to_sdk(&call.tags))
                .send()
        });
        made.await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if !call.changes("kubernetes_groups") && !call.changes("user_name") {
            return Ok(());
        }
        let (cluster, who) = parted(call.id());
        let wanted = call.wanted();
        let send = |eks: &aws_sdk_eks::Client| {
            let call = eks.update_access_entry().cluster_name(&cluster).principal_arn(&who);
            let call = call.set_kubernetes_groups(Some(wanted.texts("kubernetes_groups")));
            call.set_username(wanted.text("user_name")).send()
        };
        cloud.eks.call(Action::repeatable("UpdateAccessEntry"), send).await?;
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (cluster, who) = parted(call.id());
        let delete = Action::repeatable("DeleteAccessEntry");
        let send =
            |eks: &aws_sdk_eks::Client| eks.delete_access_entry().cluster_name(&cluster).principal_arn(&who).send();
        cloud.eks.call(delete, send).await?;
        Ok(())
    }
}

/// Who is let into a cluster.
async fn principals(cloud: &Cloud, cluster: String) -> Result<Vec<String>, Fault> {
    let found = cloud.eks.pages(
        "ListAccessEntries",
        |eks, token| eks.list_access_entries().cluster_name(&cluster).max_results(PAGE).set_next_token(token).send(),
        |page| (page.access_entries, page.next_token),
    );
    found.await
}

fn live(entry: &types::AccessEntry) -> Live {
    Live {
        id: joined(entry.cluster_name().unwrap_or_default(), entry.principal_arn().unwrap_or_default()),
        tags: tags::of_live(entry.tags()),
        attributes: vec![
            ("access_entry_arn", text(entry.access_entry_arn())),
            ("cluster_name", text(entry.cluster_name())),
            ("principal_arn", text(entry.principal_arn())),
            ("kubernetes_groups", set(entry.kubernetes_groups())),
            ("type", text(entry.r#type())),
            ("user_name", text(entry.username())),
        ],
        state: State::Ready,
    }
}
