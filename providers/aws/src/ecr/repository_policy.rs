//! `aws_ecr_repository_policy`: who beside the account may use a repository.
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

pub(super) struct RepositoryPolicy;

#[async_trait]
impl Resource for RepositoryPolicy {
    fn describe(&self) -> Description {
        let attributes = [
            ("repository", Attribute::required(Type::String).forces_replacement().describe("The repository's name.")),
            ("policy", Attribute::required(Type::String).describe("Who may do what with the images, in JSON.")),
            ("registry_id", Attribute::computed(Type::String).describe("The account whose registry it is in.")),
        ];
        Description {
            overwrites: true,
            import_example: "platform/web",
            ..Description::new("aws_ecr_repository_policy", "Who may use a repository.", attributes)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        policy::check(config, "policy", problems);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "policy" && policy::is_same(known, live)
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        planned.get_str("repository").map(str::to_owned)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(names) = query else { return Ok(Vec::new()) };
        each(names.clone(), |name| async move {
            let send = |ecr: &aws_sdk_ecr::Client| ecr.get_repository_policy().repository_name(&name).send();
            let told = match cloud.ecr.read("GetRepositoryPolicy", send).await {
                Err(fault) if fault.is(&["InvalidParameterException"]) => return Ok(None),
                told => told?,
            };
            Ok(Some(Live {
                id: name.clone(),
                tags: Tags::new(),
                attributes: vec![
                    ("repository", text(Some(&name))),
                    ("policy", text(told.policy_text())),
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
        let delete = Action::repeatable("DeleteRepositoryPolicy");
        cloud.ecr.call(delete, |ecr| ecr.delete_repository_policy().repository_name(call.id()).send()).await?;
        Ok(())
    }
}

async fn put(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let (repository, policy) = (call.wanted().text("repository"), call.wanted().text("policy"));
    // Roles that the policy names may not show yet; ECR calls them invalid then.
    let set = Action::repeatable("SetRepositoryPolicy").passing(&[HIDDEN, "InvalidParameterException"]);
    let send = |ecr: &aws_sdk_ecr::Client| {
        let call = ecr.set_repository_policy().set_repository_name(repository.clone());
        call.set_policy_text(policy.clone()).send()
    };
    cloud.ecr.call(set, send).await?;
    Ok(())
}
