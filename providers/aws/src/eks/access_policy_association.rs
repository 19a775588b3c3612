//! `aws_eks_access_policy_association`: what an identity that is let into a cluster may do there.
//!
//! It carries no tags: one is known by its cluster, identity and policy.

use async_trait::async_trait;
use aws_sdk_eks::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Type, Value};

use super::{HIDDEN, PAGE, block, replaces, says_the_same, with_block};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{set, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct AccessPolicyAssociation;

const SCOPE: &str = "access_scope";

#[async_trait]
impl Resource for AccessPolicyAssociation {
    fn describe(&self) -> Description {
        let named = |text: &str| Attribute::required(Type::String).forces_replacement().describe(text);
        let attributes = [
            ("cluster_name", named("The cluster.")),
            ("principal_arn", named("The ARN of the role or user, as its `aws_eks_access_entry` has it.")),
            (
                "policy_arn",
                named("What it may do: `arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy` and others."),
            ),
        ];
        let mut described = Description {
            overwrites: true,
            import_example: "platform#arn:aws:iam::123456789012:role/developers#arn:aws:eks::aws:cluster-access-policy/\
                             AmazonEKSViewPolicy",
            ..Description::new(
                "aws_eks_access_policy_association",
                "What an identity that is let into a cluster may do there.",
                attributes,
            )
        };
        let scope = Block::new([
            ("type", Attribute::required(Type::String).describe("`cluster` or `namespace`.")),
            ("namespaces", Attribute::optional(Type::set(Type::String)).describe("The namespaces, if it is not all.")),
        ]);
        with_block(&mut described, SCOPE, "Where it may do so.", scope);
        described
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        let Some(scope) = crate::fields::Fields(config).block(SCOPE) else {
            if config.get(SCOPE).is_none_or(|block| !block.is_unknown()) {
                problems.at(
                    SCOPE,
                    "a block `access_scope` is missing",
                    "say `type = \"cluster\"` in it, or name namespaces",
                );
            }
            return;
        };
        if scope.str("type").is_some_and(|kind| !["cluster", "namespace"].contains(&kind)) {
            problems.at(SCOPE, "a scope is `cluster` or `namespace`", "set `type` to one of them");
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        replaces(request, change, SCOPE, &["type", "namespaces"]);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == SCOPE && says_the_same(known, live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        let part = |name: &str| planned.get_str(name);
        Some([part("cluster_name")?, part("principal_arn")?, part("policy_arn")?].join("#"))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(ids) = query else { return Ok(Vec::new()) };
        each(ids.clone(), |id| async move {
            let (cluster, who, policy) = parts(&id);
            if who.is_empty() || policy.is_empty() {
                return Ok(None);
            }
            let found = cloud.eks.pages(
                "ListAssociatedAccessPolicies",
                |eks, token| {
                    let call = eks.list_associated_access_policies().cluster_name(cluster).principal_arn(who);
                    call.max_results(PAGE).set_next_token(token).send()
                },
                |page| (page.associated_access_policies, page.next_token),
            );
            let found = found.await?.into_iter().find(|found| found.policy_arn() == Some(policy));
            Ok(found.map(|found| Live {
                id: id.clone(),
                tags: Tags::new(),
                attributes: vec![
                    ("cluster_name", text(Some(cluster))),
                    ("principal_arn", text(Some(who))),
                    ("policy_arn", text(Some(policy))),
                    (SCOPE, scope(found.access_scope())),
                ],
                state: State::Ready,
            }))
        })
        .await
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let scope = wanted.block(SCOPE).map(|block| {
            let namespaces = Some(block.texts("namespaces")).filter(|names| !names.is_empty());
            types::AccessScope::builder().set_type(block.word("type")).set_namespaces(namespaces).build()
        });
        // The entry may not show yet.
        let create = Action::repeatable("AssociateAccessPolicy").passing(&[HIDDEN, "ResourceNotFoundException"]);
        let send = |eks: &aws_sdk_eks::Client| {
            eks.associate_access_policy()
                .set_cluster_name(wanted.text("cluster_name"))
                .set_principal_arn(wanted.text("principal_arn"))
                .set_policy_arn(wanted.text("policy_arn"))
                .set_access_scope(scope.clone())
                .send()
        };
        cloud.eks.call(create, send).await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (cluster, who, policy) = parts(call.id());
        let delete = Action::repeatable("DisassociateAccessPolicy");
        let send = |eks: &aws_sdk_eks::Client| {
            eks.disassociate_access_policy().cluster_name(cluster).principal_arn(who).policy_arn(policy).send()
        };
        cloud.eks.call(delete, send).await?;
        Ok(())
    }
}

/// Cluster, identity and policy, as an id joins them.
fn parts(id: &str) -> (&str, &str, &str) {
    let mut parts = id.splitn(3, '#');
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

fn scope(found: Option<&types::AccessScope>) -> Value {
    let Some(found) = found else { return super::no_block() };
    let names = found.namespaces();
    let names = if names.is_empty() { Value::NULL } else { set(names) };
    block([("type", text(found.r#type().map(types::AccessScopeType::as_str))), ("namespaces", names)])
}
