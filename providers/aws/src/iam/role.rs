//! `aws_iam_role`: what a service or a person can act as.
//!
//! No list of IAM tells all of a role. Two together do: that of roles, and that of what is authorised in the account.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_iam::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Type, Value};

use super::tags::{self, IamTags};
use super::{BUSY, FEW, PAGE, UNKNOWN_PRINCIPAL, date, details, is_denied};
use crate::client::Action;
use crate::client::fault::{Fault, unless_gone};
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{text, whole};
use crate::made_up;
use crate::policy;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

/// Paths of roles that AWS's services make and keep.
const OF_AWS: [&str; 2] = ["/aws-service-role/", "/aws-reserved/"];

pub(super) struct Role;

#[async_trait]
impl Resource for Role {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let attributes = [
            ("arn", told("What names the role across accounts.")),
            ("unique_id", told("What names it for ever: a new role of the same name has another.")),
            ("create_date", told("When it was made.")),
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
                Attribute::defaulted(Type::String).forces_replacement().describe("A folder for roles. `/` by default."),
            ),
            (
                "assume_role_policy",
                Attribute::required(Type::String).describe("Who may act as the role: a policy in JSON."),
            ),
            ("description", Attribute::optional(Type::String).describe("What the role is for.")),
            (
                "max_session_duration",
                Attribute::defaulted(Type::Number)
                    .describe("How long a session may last, in seconds: from 3600 (the default) to 43200."),
            ),
            (
                "permissions_boundary",
                Attribute::optional(Type::String).describe("The ARN of a policy beyond which the role may do nothing."),
            ),
            (
                "force_detach_policies",
                Attribute::defaulted(Type::Bool)
                    .describe("Policies that others gave the role are taken from it before it is deleted."),
            ),
        ];
        Description {
            defaults: vec![
                ("path", "/".into()),
                ("max_session_duration", Value::from(3600)),
                ("force_detach_policies", false.into()),
            ],
            kept: &["force_detach_policies"],
            import_example: "platform-nodes",
            ..Description::new("aws_iam_role", "What a service or a person can act as.", attributes)
                .tagged(&IamTags::Role)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["name", "name_prefix"]);
        policy::check(config, "assume_role_policy", problems);
        let duration = config.get("max_session_duration").and_then(Value::as_number);
        if let Some(seconds) = duration.filter(|seconds| seconds.as_i64().is_none_or(|s| !(3600..=43200).contains(&s)))
        {
            let told = format!("`{seconds}` is no length of a session");
            problems.at("max_session_duration", told, "choose from 3600 to 43200 seconds: an hour to twelve");
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        made_up::keep_taken_over(request, change);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        attribute == "assume_role_policy" && policy::is_same(known, live)
    }

    async fn id_of_attempt(&self, _cloud: &Cloud, planned: &Value, token: &str) -> Result<Option<String>, Fault> {
        Ok(Some(made_up::name(crate::fields::Fields(planned), token)))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let roles = match query {
            Query::Ids(names) if names.len() <= FEW => one_by_one(cloud, names.clone()).await?,
            _ => match listed(cloud).await {
                Err(fault) if is_denied(&fault) => {
                    let names = match query {
                        Query::Ids(names) => names.clone(),
                        _ => list(cloud).await?.into_iter().map(|role| role.role_name).collect(),
                    };
                    one_by_one(cloud, names).await?
                }
                roles => roles?,
            },
        };
        let is_of_aws = |role: &types::Role| OF_AWS.iter().any(|path| role.path().starts_with(path));
        let meant = roles.iter().filter(|role| !query.leaves_out(is_of_aws(role)));
        Ok(meant.map(live).filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let name = made_up::name(wanted, &call.token);
        let create = Action::repeatable("CreateRole").passing(&[UNKNOWN_PRINCIPAL, BUSY]);
        let made = cloud.iam.call(create, |iam| {
            iam.create_role()
                .role_name(&name)
                .set_path(wanted.text("path"))
                .set_assume_role_policy_document(wanted.text("assume_role_policy"))
                .set_description(wanted.text("description"))
                .set_max_session_duration(wanted.whole("max_session_duration"))
                .set_permissions_boundary(wanted.text("permissions_boundary"))
                .set_tags(Some(tags::to_sdk(&call.tags)))
                .send()
        });
        made.await?;
        Ok(name)
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (id, wanted) = (call.id(), call.wanted());
        if call.changes("assume_role_policy") {
            let update = Action::repeatable("UpdateAssumeRolePolicy").passing(&[UNKNOWN_PRINCIPAL, BUSY]);
            let policy = wanted.text("assume_role_policy");
            let send = |iam: &aws_sdk_iam::Client| {
                iam.update_assume_role_policy().role_name(id).set_policy_document(policy.clone()).send()
            };
            cloud.iam.call(update, send).await?;
        }
        if call.changes("description") || call.changes("max_session_duration") {
            let update = Action::repeatable("UpdateRole").passing(&[BUSY]);
            let send = |iam: &aws_sdk_iam::Client| {
                let call =
                    iam.update_role().role_name(id).set_max_session_duration(wanted.whole("max_session_duration"));
                // An empty one removes what was there.
                call.description(wanted.text("description").unwrap_or_default()).send()
            };
            cloud.iam.call(update, send).await?;
        }
        if call.changes("permissions_boundary") {
            match wanted.str("permissions_boundary") {
                Some(boundary) => {
                    let put = Action::repeatable("PutRolePermissionsBoundary").passing(&[BUSY]);
                    let send = |iam: &aws_sdk_iam::Client| {
                        iam.put_role_permissions_boundary().role_name(id).permissions_boundary(boundary).send()
                    };
                    cloud.iam.call(put, send).await?;
                }
                None => {
                    let delete = Action::repeatable("DeleteRolePermissionsBoundary").passing(&[BUSY]);
                    cloud.iam.call(delete, |iam| iam.delete_role_permissions_boundary().role_name(id).send()).await?;
                }
            }
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let id = call.id();
        if call.found().flag("force_detach_policies").unwrap_or_default() {
            strip(cloud, id).await?;
        }
        let delete = Action::repeatable("DeleteRole").passing(&["DeleteConflict", BUSY]);
        cloud.iam.call(delete, |iam| iam.delete_role().role_name(id).send()).await?;
        Ok(())
    }
}

/// Takes policies and instance profiles from a role.
async fn strip(cloud: &Cloud, id: &str) -> Result<(), Fault> {
    let profiles = cloud.iam.pages(
        "ListInstanceProfilesForRole",
        |iam, marker| iam.list_instance_profiles_for_role().role_name(id).set_marker(marker).send(),
        |page| (Some(page.instance_profiles), page.marker),
    );
    for profile in profiles.await? {
        let remove = Action::repeatable("RemoveRoleFromInstanceProfile").passing(&[BUSY]);
        let send = |iam: &aws_sdk_iam::Client| {
            let call = iam.remove_role_from_instance_profile().role_name(id);
            call.instance_profile_name(&profile.instance_profile_name).send()
        };
        unless_gone(cloud.iam.call(remove, send).await)?;
    }
    let attached = cloud.iam.pages(
        "ListAttachedRolePolicies",
        |iam, marker| iam.list_attached_role_policies().role_name(id).set_marker(marker).send(),
        |page| (page.attached_policies, page.marker),
    );
    for arn in attached.await?.into_iter().filter_map(|policy| policy.policy_arn) {
        let detach = Action::repeatable("DetachRolePolicy").passing(&[BUSY]);
        unless_gone(
            cloud.iam.call(detach, |iam| iam.detach_role_policy().role_name(id).policy_arn(&arn).send()).await,
        )?;
    }
    let inline = cloud.iam.pages(
        "ListRolePolicies",
        |iam, marker| iam.list_role_policies().role_name(id).set_marker(marker).send(),
        |page| (Some(page.policy_names), page.marker),
    );
    for name in inline.await? {
        let delete = Action::repeatable("DeleteRolePolicy").passing(&[BUSY]);
        unless_gone(
            cloud.iam.call(delete, |iam| iam.delete_role_policy().role_name(id).policy_name(&name).send()).await,
        )?;
    }
    Ok(())
}

async fn one_by_one(cloud: &Cloud, names: Vec<String>) -> Result<Vec<types::Role>, Fault> {
    each(names, |name| async move {
        Ok(cloud.iam.read("GetRole", |iam| iam.get_role().role_name(&name).send()).await?.role)
    })
    .await
}

/// All roles, without tags and boundaries.
async fn list(cloud: &Cloud) -> Result<Vec<types::Role>, Fault> {
    let found = cloud.iam.pages(
        "ListRoles",
        |iam, marker| iam.list_roles().max_items(PAGE).set_marker(marker).send(),
        |page| (Some(page.roles), page.marker),
    );
    found.await
}

/// All roles, put together from two lists.
async fn listed(cloud: &Cloud) -> Result<Vec<types::Role>, Fault> {
    let details = details::roles(cloud).await?;
    let mut details: HashMap<_, _> =
        details.into_iter().filter_map(|detail| Some((detail.role_name.clone()?, detail))).collect();
    let roles = list(cloud).await?.into_iter().filter_map(|mut role| {
        let detail = details.remove(&role.role_name)?;
        role.tags = detail.tags;
        role.permissions_boundary = detail.permissions_boundary;
        Some(role)
    });
    Ok(roles.collect())
}

fn live(role: &types::Role) -> Live {
    let tags = tags::of_live(role.tags());
    let boundary = role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
    Live {
        id: role.role_name.clone(),
        attributes: vec![
            ("arn", text(Some(role.arn()))),
            ("unique_id", text(Some(role.role_id()))),
            ("create_date", date(Some(role.create_date()))),
            ("name", text(Some(role.role_name()))),
            ("name_prefix", made_up::prefix(role.role_name(), &tags)),
            ("path", text(Some(role.path()))),
            ("assume_role_policy", text(role.assume_role_policy_document().map(policy::decoded).as_deref())),
            ("description", text(role.description())),
            ("max_session_duration", whole(role.max_session_duration().or(Some(3600)))),
            ("permissions_boundary", text(boundary)),
        ],
        tags,
        state: State::Ready,
    }
}
