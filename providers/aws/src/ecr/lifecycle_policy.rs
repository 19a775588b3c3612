//! `aws_ecr_lifecycle_policy`: which images of a repository go by themselves.
//!
//! A policy carries no tags: one is known by its repository, which has one at most.

use async_trait::async_trait;
use formwork_contract::{Attribute, Type, Value};

use super::HIDDEN;
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::policy;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct LifecyclePolicy;

#[async_trait]
impl Resource for LifecyclePolicy {
    fn describe(&self) -> Description {
        let attributes = [
            ("repository", Attribute::required(Type::String).forces_replacement().describe("The repository's name.")),
            ("policy", Attribute::required(Type::String).describe("The rules by which images go, in JSON.")),
            ("registry_id", Attribute::computed(Type::String).describe("The account whose registry it is in.")),
        ];
        Description {
            overwrites: true,
            import_example: "platform/web",
            ..Description::new("aws_ecr_lifecycle_policy", "Which images of a repository go by themselves.", attributes)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        policy::check(config, "policy", problems);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "policy" && policy::is_same_json(known, live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        planned.get_str("repository").map(str::to_owned)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(names) = query else { return Ok(Vec::new()) };
        each(names.clone(), |name| async move {
            let send = |ecr: &aws_sdk_ecr::Client| ecr.get_lifecycle_policy().repository_name(&name).send();
            let told = match cloud.ecr.read("GetLifecyclePolicy", send).await {
                Err(fault) if fault.is(&["InvalidParameterException"]) => return Ok(None),
                told => told?,
            };
            Ok(Some(Live {
                id: name.clone(),
                tags: Tags::new(),
                attributes: vec![
                    ("repository", text(Some(&name))),
                    ("policy", text(told.lifecycle_policy_text())),
                    ("registry_id", text(told.registry_id())),
                ],
                state: State::Ready,
            }))
        })
        .await
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        put(cloud, call).await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if call.changes("policy") { put(cloud, call).await } else { Ok(()) }
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteLifecyclePolicy");
        cloud.ecr.call(delete, |ecr| ecr.delete_lifecycle_policy().repository_name(call.id()).send()).await?;
        Ok(())
    }
}

async fn put(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let (repository, policy) = (call.wanted().text("repository"), call.wanted().text("policy"));
    let put = Action::repeatable("PutLifecyclePolicy").passing(&[HIDDEN]);
    let send = |ecr: &aws_sdk_ecr::Client| {
        let call = ecr.put_lifecycle_policy().set_repository_name(repository.clone());
        call.set_lifecycle_policy_text(policy.clone()).send()
    };
    cloud.ecr.call(put, send).await?;
    Ok(())
}
