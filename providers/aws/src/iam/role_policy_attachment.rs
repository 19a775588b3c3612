//! `aws_iam_role_policy_attachment`: a policy that a role is given.
//!
//! Attachments carry no tags: one is known by its role and its policy.

use std::collections::BTreeSet;

use async_trait::async_trait;
use formwork_contract::{Attribute, Type, Value};

use super::{BUSY, FEW, HIDDEN, details, is_denied};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::Fields;
use crate::resource::{Call, Description, Live, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct RolePolicyAttachment;

#[async_trait]
impl Resource for RolePolicyAttachment {
    fn describe(&self) -> Description {
        let attributes = [
            ("role", Attribute::required(Type::String).forces_replacement().describe("The role's name.")),
            ("policy_arn", Attribute::required(Type::String).forces_replacement().describe("The policy's ARN.")),
        ];
        Description {
            overwrites: true,
            import_example: "platform-nodes/arn:aws:iam::123456789012:policy/platform-logs",
            ..Description::new("aws_iam_role_policy_attachment", "A policy that a role is given.", attributes)
        }
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        let planned = Fields(planned);
        Some(format!("{}/{}", planned.str("role")?, planned.str("policy_arn")?))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(ids) = query else { return Ok(Vec::new()) };
        let roles: BTreeSet<&str> = ids.iter().filter_map(|id| id.split_once('/')).map(|(role, _)| role).collect();
        let names = || roles.iter().map(|role| (*role).to_owned()).collect();
        let attached = if roles.len() <= FEW {
            role_by_role(cloud, names()).await?
        } else {
            match listed(cloud).await {
                Err(fault) if is_denied(&fault) => role_by_role(cloud, names()).await?,
                attached => attached?,
            }
        };
        let wanted = |live: &Live| ids.contains(&live.id);
        Ok(attached.iter().map(|(role, policy)| live(role, policy)).filter(wanted).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let (role, policy) = (call.wanted().text("role"), call.wanted().text("policy_arn"));
        let attach = Action::repeatable("AttachRolePolicy").passing(&[HIDDEN, BUSY]);
        let send = |iam: &aws_sdk_iam::Client| {
            iam.attach_role_policy().set_role_name(role.clone()).set_policy_arn(policy.clone()).send()
        };
        cloud.iam.call(attach, send).await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (role, policy) = (call.found().text("role"), call.found().text("policy_arn"));
        let detach = Action::repeatable("DetachRolePolicy").passing(&[BUSY]);
        let send = |iam: &aws_sdk_iam::Client| {
            iam.detach_role_policy().set_role_name(role.clone()).set_policy_arn(policy.clone()).send()
        };
        cloud.iam.call(detach, send).await?;
        Ok(())
    }
}

/// Roles and the ARNs of their policies.
type Attached = Vec<(String, String)>;

async fn role_by_role(cloud: &Cloud, roles: Vec<String>) -> Result<Attached, Fault> {
    let found = each(roles, |role| async move {
        let attached = cloud.iam.pages(
            "ListAttachedRolePolicies",
            |iam, marker| iam.list_attached_role_policies().role_name(&role).set_marker(marker).send(),
            |page| (page.attached_policies, page.marker),
        );
        let attached: Attached =
            attached.await?.into_iter().filter_map(|policy| Some((role.clone(), policy.policy_arn?))).collect();
        Ok(Some(attached))
    });
    Ok(found.await?.into_iter().flatten().collect())
}

async fn listed(cloud: &Cloud) -> Result<Attached, Fault> {
    let attached = details::roles(cloud).await?.into_iter().flat_map(|detail| {
        let role = detail.role_name.unwrap_or_default();
        let policies = detail.attached_managed_policies.unwrap_or_default();
        policies.into_iter().filter_map(move |policy| Some((role.clone(), policy.policy_arn?)))
    });
    Ok(attached.collect())
}

fn live(role: &str, policy: &str) -> Live {
    Live {
        id: format!("{role}/{policy}"),
        tags: Tags::new(),
        attributes: vec![("role", Value::from(role)), ("policy_arn", Value::from(policy))],
        state: State::Ready,
    }
}
