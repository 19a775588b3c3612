//! `aws_iam_instance_profile`: gives machines a role.

use async_trait::async_trait;
use aws_sdk_iam::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Type, Value};

use super::tags::{self, IamTags};
use super::{BUSY, HIDDEN, PAGE, date};
use crate::client::Action;
use crate::client::fault::{Fault, unless_gone};
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::made_up;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct InstanceProfile;

#[async_trait]
impl Resource for InstanceProfile {
    fn describe(&self) -> Description {
        let told = |text: &str| Attribute::computed(Type::String).describe(text);
        let attributes = [
            ("arn", told("What names the profile across accounts.")),
            ("unique_id", told("What names it for ever: a new profile of the same name has another.")),
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
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("A folder for profiles. `/` by default."),
            ),
            ("role", Attribute::optional(Type::String).describe("The name of the role that machines have.")),
        ];
        Description {
            defaults: vec![("path", "/".into())],
            scans: true,
            import_example: "platform-nodes",
            ..Description::new("aws_iam_instance_profile", "Gives machines a role.", attributes)
                .tagged(&IamTags::InstanceProfile)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["name", "name_prefix"]);
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        made_up::keep_taken_over(request, change);
    }

    async fn id_of_attempt(&self, _cloud: &Cloud, planned: &Value, token: &str) -> Result<Option<String>, Fault> {
        Ok(Some(made_up::name(Fields(planned), token)))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let names = match query {
            Query::Ids(names) => names.clone(),
            // The list leaves tags out.
            _ => list(cloud).await?,
        };
        let profiles = each(names, |name| async move {
            let send = |iam: &aws_sdk_iam::Client| iam.get_instance_profile().instance_profile_name(&name).send();
            Ok(cloud.iam.read("GetInstanceProfile", send).await?.instance_profile)
        });
        Ok(profiles.await?.iter().map(live).filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let name = made_up::name(call.wanted(), &call.token);
        let create = Action::repeatable("CreateInstanceProfile").passing(&[BUSY]);
        let made = cloud.iam.call(create, |iam| {
            iam.create_instance_profile()
                .instance_profile_name(&name)
                .set_path(call.wanted().text("path"))
                .set_tags(Some(tags::to_sdk(&call.tags)))
                .send()
        });
        made.await?;
        Ok(name)
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if !call.changes("role") {
            return Ok(());
        }
        let id = call.id();
        // A profile holds one role.
        remove_role(cloud, call).await?;
        if let Some(role) = call.wanted().str("role") {
            let add = Action::repeatable("AddRoleToInstanceProfile").passing(&[HIDDEN, BUSY]);
            let send = |iam: &aws_sdk_iam::Client| {
                iam.add_role_to_instance_profile().instance_profile_name(id).role_name(role).send()
            };
            cloud.iam.call(add, send).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        remove_role(cloud, call).await?;
        let delete = Action::repeatable("DeleteInstanceProfile").passing(&["DeleteConflict", BUSY]);
        let send = |iam: &aws_sdk_iam::Client| iam.delete_instance_profile().instance_profile_name(call.id()).send();
        cloud.iam.call(delete, send).await?;
        Ok(())
    }
}

async fn remove_role(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let Some(role) = call.found().str("role") else { return Ok(()) };
    let remove = Action::repeatable("RemoveRoleFromInstanceProfile").passing(&[BUSY]);
    let send = |iam: &aws_sdk_iam::Client| {
        iam.remove_role_from_instance_profile().instance_profile_name(call.id()).role_name(role).send()
    };
    unless_gone(cloud.iam.call(remove, send).await)
}

async fn list(cloud: &Cloud) -> Result<Vec<String>, Fault> {
    let found = cloud.iam.pages(
        "ListInstanceProfiles",
        |iam, marker| iam.list_instance_profiles().max_items(PAGE).set_marker(marker).send(),
        |page| (Some(page.instance_profiles), page.marker),
    );
    Ok(found.await?.into_iter().map(|profile| profile.instance_profile_name).collect())
}

fn live(profile: &types::InstanceProfile) -> Live {
    let tags = tags::of_live(profile.tags());
    let name = profile.instance_profile_name();
    Live {
        id: name.to_owned(),
        attributes: vec![
            ("arn", text(Some(profile.arn()))),
            ("unique_id", text(Some(profile.instance_profile_id()))),
            ("create_date", date(Some(profile.create_date()))),
            ("name", text(Some(name))),
            ("name_prefix", made_up::prefix(name, &tags)),
            ("path", text(Some(profile.path()))),
            ("role", text(profile.roles().first().map(types::Role::role_name))),
        ],
        tags,
        state: State::Ready,
    }
}
