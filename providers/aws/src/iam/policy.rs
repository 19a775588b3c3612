//! `aws_iam_policy`: what is allowed, for roles to be given.
//!
//! A changed document is a new version of the policy. IAM keeps five; the oldest goes for a new one.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_iam::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Type, Value};

use super::tags::{self, IamTags};
use super::{BUSY, FEW, PAGE, details, is_denied};
use crate::client::Action;
use crate::client::fault::{Fault, unless_gone};
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::made_up;
use crate::policy;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct Policy;

/// How many versions of a policy IAM keeps.
const VERSIONS: usize = 5;

/// A policy with the document that is in force.
struct Found {
    policy: types::Policy,
    document: Option<String>,
}

#[async_trait]
impl Resource for Policy {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let attributes = [
            ("arn", told("What names the policy across accounts.")),
            ("policy_id", told("What names it for ever: a new policy of the same name has another.")),
            (
                "name",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("Its name, once in an account. Made up by default."),
            ),
            (
                "name_prefix",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("What a name that is made up begins with."),
            ),
            (
                "path",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("A folder for policies. `/` by default."),
            ),
            (
                "description",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("What the policy is for. IAM never changes it."),
            ),
            ("policy", Attribute::required(Type::String).describe("What is allowed and denied, in JSON.")),
        ];
        Description {
            defaults: vec![("path", "/".into())],
            scans: true,
            import_example: "arn:aws:iam::123456789012:policy/platform-logs",
            ..Description::new("aws_iam_policy", "What is allowed, for roles to be given.", attributes)
                .tagged(&IamTags::Policy)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["name", "name_prefix"]);
        policy::check(config, "policy", problems);
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        made_up::keep_taken_over(request, change);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "policy" && policy::is_same(known, live)
    }

    async fn id_of_attempt(&self, cloud: &Cloud, planned: &Value, token: &str) -> Result<Option<String>, Fault> {
        let planned = Fields(planned);
        let (path, name) = (planned.str("path").unwrap_or("/"), made_up::name(planned, token));
        super::arn(cloud, &format!("policy{path}{name}")).await.map(Some)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let policies = match query {
            Query::Ids(arns) if arns.len() <= FEW => one_by_one(cloud, arns.clone()).await?,
            _ => match listed(cloud, query).await {
                Err(fault) if is_denied(&fault) => {
                    let arns = match query {
                        Query::Ids(arns) => arns.clone(),
                        _ => list(cloud).await?,
                    };
                    one_by_one(cloud, arns).await?
                }
                policies => policies?,
            },
        };
        Ok(policies.iter().map(live).filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let name = made_up::name(wanted, &call.token);
        let create = Action::repeatable("CreatePolicy").passing(&[BUSY]);
        let made = cloud.iam.call(create, |iam| {
            iam.create_policy()
                .policy_name(&name)
                .set_path(wanted.text("path"))
                .set_description(wanted.text("description"))
                .set_policy_document(wanted.text("policy"))
                .set_tags(Some(tags::to_sdk(&call.tags)))
                .send()
        });
        Ok(made.await?.policy.and_then(|policy| policy.arn).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if call.changes("policy") {
            let id = call.id();
            make_room(cloud, id).await?;
            let document = call.wanted().text("policy");
            let create = Action::once("CreatePolicyVersion").passing(&[BUSY]);
            let send = |iam: &aws_sdk_iam::Client| {
                let call = iam.create_policy_version().policy_arn(id).set_policy_document(document.clone());
                call.set_as_default(true).send()
            };
            cloud.iam.call(create, send).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let id = call.id();
        for version in versions(cloud, id).await?.iter().filter(|version| !version.is_default_version) {
            delete_version(cloud, id, version).await?;
        }
        let delete = Action::repeatable("DeletePolicy").passing(&["DeleteConflict", BUSY]);
        cloud.iam.call(delete, |iam| iam.delete_policy().policy_arn(id).send()).await?;
        Ok(())
    }
}

/// The versions of a policy, the oldest first.
async fn versions(cloud: &Cloud, arn: &str) -> Result<Vec<types::PolicyVersion>, Fault> {
    let found = cloud.iam.pages(
        "ListPolicyVersions",
        |iam, marker| iam.list_policy_versions().policy_arn(arn).set_marker(marker).send(),
        |page| (page.versions, page.marker),
    );
    let mut versions = found.await?;
    // They are called `v1`, `v2` and so on.
    let number = |version: &types::PolicyVersion| {
        version.version_id().and_then(|id| id.trim_start_matches('v').parse::<u64>().ok())
    };
    versions.sort_by_key(number);
    Ok(versions)
}

async fn delete_version(cloud: &Cloud, arn: &str, version: &types::PolicyVersion) -> Result<(), Fault> {
    let delete = Action::repeatable("DeletePolicyVersion").passing(&[BUSY]);
    let id = version.version_id.clone();
    let send =
        |iam: &aws_sdk_iam::Client| iam.delete_policy_version().policy_arn(arn).set_version_id(id.clone()).send();
    unless_gone(cloud.iam.call(delete, send).await)
}

/// Lets the oldest version go that is not in force, where there is no room for another.
async fn make_room(cloud: &Cloud, arn: &str) -> Result<(), Fault> {
    let versions = versions(cloud, arn).await.map_err(Fault::before_anything)?;
    let too_many = (versions.len() + 1).saturating_sub(VERSIONS);
    for version in versions.iter().filter(|version| !version.is_default_version).take(too_many) {
        delete_version(cloud, arn, version).await?;
    }
    Ok(())
}

async fn one_by_one(cloud: &Cloud, arns: Vec<String>) -> Result<Vec<Found>, Fault> {
    each(arns.into_iter().filter(|arn| arn.starts_with("arn:")), |arn| async move {
        let Some(policy) = look(cloud, &arn).await? else { return Ok(None) };
        let version = policy.default_version_id.clone();
        let told = cloud.iam.read("GetPolicyVersion", |iam| {
            iam.get_policy_version().policy_arn(&arn).set_version_id(version.clone()).send()
        });
        let document = told.await?.policy_version.and_then(|version| version.document);
        Ok(Some(Found { policy, document }))
    })
    .await
}

/// A policy with its tags and without its document.
async fn look(cloud: &Cloud, arn: &str) -> Result<Option<types::Policy>, Fault> {
    Ok(cloud.iam.read("GetPolicy", |iam| iam.get_policy().policy_arn(arn).send()).await?.policy)
}

/// The account's own policies.
async fn list(cloud: &Cloud) -> Result<Vec<String>, Fault> {
    let found = cloud.iam.pages(
        "ListPolicies",
        |iam, marker| {
            let call = iam.list_policies().scope(types::PolicyScopeType::Local);
            call.max_items(PAGE).set_marker(marker).send()
        },
        |page| (page.policies, page.marker),
    );
    Ok(found.await?.into_iter().filter_map(|policy| policy.arn).collect())
}

/// The account's own policies: their documents as a list has them; the rest, tags too, is told one by one.
async fn listed(cloud: &Cloud, query: &Query) -> Result<Vec<Found>, Fault> {
    let in_force = |policy: types::ManagedPolicyDetail| {
        let version = policy.policy_version_list.into_iter().flatten().find(|version| version.is_default_version)?;
        Some((policy.arn?, version.document?))
    };
    let mut documents: HashMap<String, String> =
        details::policies(cloud).await?.into_iter().filter_map(in_force).collect();
    let (asked, rest): (Vec<String>, Vec<String>) = match query {
        // A policy of AWS's own is in no list of the account's.
        Query::Ids(arns) => arns.iter().cloned().partition(|arn| documents.contains_key(arn)),
        _ => (documents.keys().cloned().collect(), Vec::new()),
    };
    let asked: Vec<_> = asked.into_iter().map(|arn| (documents.remove(&arn), arn)).collect();
    let mut found =
        each(
            asked,
            |(document, arn)| async move { Ok(look(cloud, &arn).await?.map(|policy| Found { policy, document })) },
        )
        .await?;
    found.extend(one_by_one(cloud, rest).await?);
    Ok(found)
}

fn live(found: &Found) -> Live {
    let policy = &found.policy;
    let tags = tags::of_live(policy.tags());
    Live {
        id: policy.arn().unwrap_or_default().to_owned(),
        attributes: vec![
            ("arn", text(policy.arn())),
            ("policy_id", text(policy.policy_id())),
            ("name", text(policy.policy_name())),
            ("name_prefix", made_up::prefix(policy.policy_name().unwrap_or_default(), &tags)),
            ("path", text(policy.path())),
            ("description", text(policy.description())),
            ("policy", text(found.document.as_deref().map(policy::decoded).as_deref())),
        ],
        tags,
        state: State::Ready,
    }
}
