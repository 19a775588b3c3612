//! `aws_cloudwatch_log_resource_policy`: which services may write logs into the account.
//!
//! Such policies carry no tags: one is known by its name. An account has ten at most in a region.

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::types;
use formwork_contract::{Attribute, Type, Value};

use super::{BUSY, PAGE};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::policy;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct ResourcePolicy;

#[async_trait]
impl Resource for ResourcePolicy {
    fn describe(&self) -> Description {
        let attributes = [
            (
                "policy_name",
                Attribute::required(Type::String)
                    .forces_replacement()
                    .describe("Its name, once in an account and region."),
            ),
            ("policy_document", Attribute::required(Type::String).describe("Who may write which logs, in JSON.")),
        ];
        Description {
            overwrites: true,
            import_example: "platform-dns",
            ..Description::new(
                "aws_cloudwatch_log_resource_policy",
                "Which services may write logs into the account.",
                attributes,
            )
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        policy::check(config, "policy_document", problems);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "policy_document" && policy::is_same(known, live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        planned.get_str("policy_name").map(str::to_owned)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(names) = query else { return Ok(Vec::new()) };
        let found = cloud.logs.pages(
            "DescribeResourcePolicies",
            |logs, token| logs.describe_resource_policies().limit(PAGE).set_next_token(token).send(),
            |page| (page.resource_policies, page.next_token),
        );
        let is_wanted = |live: &Live| names.contains(&live.id);
        Ok(found.await?.iter().map(live).filter(is_wanted).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        put(cloud, call).await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if call.changes("policy_document") { put(cloud, call).await } else { Ok(()) }
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteResourcePolicy").passing(&[BUSY]);
        cloud.logs.call(delete, |logs| logs.delete_resource_policy().policy_name(call.id()).send()).await?;
        Ok(())
    }
}

async fn put(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let (name, document) = (call.wanted().text("policy_name"), call.wanted().text("policy_document"));
    let put = Action::repeatable("PutResourcePolicy").passing(&[BUSY]);
    let send = |logs: &aws_sdk_cloudwatchlogs::Client| {
        logs.put_resource_policy().set_policy_name(name.clone()).set_policy_document(document.clone()).send()
    };
    cloud.logs.call(put, send).await?;
    Ok(())
}

fn live(policy: &types::ResourcePolicy) -> Live {
    Live {
        id: policy.policy_name().unwrap_or_default().to_owned(),
        tags: Tags::new(),
        attributes: vec![
            ("policy_name", text(policy.policy_name())),
            ("policy_document", text(policy.policy_document())),
        ],
        state: State::Ready,
    }
}
