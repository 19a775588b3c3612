//! `aws_launch_template`: what machines of a group start as. A change makes a new version of it.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Type, Unknown, Value};

use super::filters;
use super::launch_template_data as data;
use super::tags::{self, Ec2Tags};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::made_up;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct LaunchTemplate;

/// How many templates or versions a page holds: the most that EC2 gives.
const PAGE: i32 = 200;

/// So many templates are asked for their last version one by one; of more, all of the region's are listed.
const FEW: usize = 5;

#[async_trait]
impl Resource for LaunchTemplate {
    fn describe(&self) -> Description {
        let number = |text: &str| Attribute::computed(Type::Number).describe(text);
        let mut description = Description::new(
            "aws_launch_template",
            "What machines of a group start as.",
            [
                ("arn", Attribute::computed(Type::String).describe("What names the template across regions.")),
                ("latest_version", number("The last version.")),
                (
                    "default_version",
                    Attribute::defaulted(Type::Number)
                        .describe("The version for who names none. The first one by default."),
                ),
                (
                    "update_default_version",
                    Attribute::optional(Type::Bool).describe("Each new version becomes the default one."),
                ),
                (
                    "name",
                    Attribute::defaulted(Type::String)
                        .forces_replacement()
                        .describe("Its name, once in a region. Made up by default."),
                ),
                (
                    "name_prefix",
                    Attribute::optional(Type::String)
                        .forces_replacement()
                        .describe("What a name that is made up begins with."),
                ),
                ("description", Attribute::optional(Type::String).describe("What the last version is for.")),
            ],
        );
        description.block = data::schema(description.block);
        Description {
            kept: &["update_default_version"],
            moves: &[("latest_version", &data::PARTS)],
            has_client_token: true,
            can_rehearse: true,
            import_example: "lt-0123456789abcdef0",
            ..description.tagged(&Ec2Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["name", "name_prefix"]);
        problems.at_most_one(config, &["default_version", "update_default_version"]);
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        made_up::keep_taken_over(request, change);
        let (prior, planned) = (&request.prior, &change.planned);
        let follows = planned.get("update_default_version").and_then(Value::as_bool).unwrap_or_default();
        if prior.is_null() || !follows {
            return;
        }
        let is_new = planned.get("latest_version").is_some_and(Value::is_unknown);
        let unknown = Value::Unknown(Unknown { ty: Type::Number, not_null: false });
        let version = if is_new { unknown } else { prior.get("latest_version").cloned().unwrap_or(unknown) };
        change.planned = change.planned.with("default_version", version);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        data::same(attribute, known, live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let templates = match query {
            Query::Ids(ids) => by_ids(cloud, ids).await?,
            _ => list(cloud, Some(filters(query, "")), None).await?,
        };
        let templates: Vec<_> =
            templates.into_iter().filter(|template| query.admits(&tags::of_live(template.tags()))).collect();
        let account = if templates.is_empty() { "" } else { &*cloud.caller().await?.account };
        let versions = last_versions(cloud, &templates).await?;
        let version = |template: &types::LaunchTemplate| {
            versions.iter().find(|version| version.launch_template_id() == template.launch_template_id())
        };
        Ok(templates.iter().map(|template| live(cloud, account, template, version(template))).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let name = made_up::name(wanted, &call.token);
        let data = data::to_sdk(wanted);
        let tags = tags::of_new(types::ResourceType::LaunchTemplate, &call.tags);
        let made = cloud.ec2.call(Action::repeatable("CreateLaunchTemplate"), |ec2| {
            ec2.create_launch_template()
                .client_token(&call.token)
                .launch_template_name(&name)
                .set_version_description(wanted.text("description"))
                .launch_template_data(data.clone())
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        Ok(made.await?.launch_template.and_then(|template| template.launch_template_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (id, wanted) = (call.id(), call.wanted());
        let mut default = wanted.whole("default_version").filter(|_| call.changes("default_version"));
        if data::PARTS.iter().any(|part| call.changes(part)) {
            let data = data::to_sdk(wanted);
            let made = cloud.ec2.call(Action::repeatable("CreateLaunchTemplateVersion"), |ec2| {
                ec2.create_launch_template_version()
                    .client_token(&call.token)
                    .launch_template_id(id)
                    .set_version_description(wanted.text("description"))
                    .launch_template_data(data.clone())
                    .send()
            });
            let version = made.await?.launch_template_version.and_then(|version| version.version_number);
            if wanted.flag("update_default_version").unwrap_or_default() {
                default = version.and_then(|version| i32::try_from(version).ok());
            }
        }
        if let Some(version) = default {
            let send = |ec2: &aws_sdk_ec2::Client| {
                ec2.modify_launch_template().launch_template_id(id).default_version(version.to_string()).send()
            };
            cloud.ec2.call(Action::repeatable("ModifyLaunchTemplate"), send).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteLaunchTemplate");
        let send = |ec2: &aws_sdk_ec2::Client| ec2.delete_launch_template().launch_template_id(call.id()).send();
        match cloud.ec2.call(delete, send).await {
            Err(fault) if is_none(&fault) => Ok(()),
            done => done.map(|_| ()),
        }
    }
}

/// EC2 has a word of its own for templates that are not there.
fn is_none(fault: &Fault) -> bool {
    fault.is_not_found() || fault.code.starts_with("InvalidLaunchTemplate") && fault.code.contains("NotFound")
}

/// EC2 has no filter for ids, and refuses a list of ids of which one is not there: such a list is halved.
async fn by_ids(cloud: &Cloud, ids: &[String]) -> Result<Vec<types::LaunchTemplate>, Fault> {
    let known = |id: &&String| id.starts_with("lt-");
    let mut open = vec![ids.iter().filter(known).cloned().collect::<Vec<_>>()];
    let mut found = Vec::new();
    while let Some(some) = open.pop().filter(|some| !some.is_empty()) {
        match list(cloud, None, Some(some.clone())).await {
            Ok(templates) => found.extend(templates),
            Err(fault) if is_none(&fault) || fault.is(&["InvalidLaunchTemplateId.Malformed"]) => {
                if some.len() > 1 {
                    let (left, right) = some.split_at(some.len() / 2);
                    open.extend([left.to_vec(), right.to_vec()]);
                }
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

async fn list(
    cloud: &Cloud,
    filters: Option<Vec<types::Filter>>,
    ids: Option<Vec<String>>,
) -> Result<Vec<types::LaunchTemplate>, Fault> {
    let found = cloud.ec2.pages(
        "DescribeLaunchTemplates",
        |ec2, token| {
            let call = ec2.describe_launch_templates().set_filters(filters.clone());
            let call = call.set_launch_template_ids(ids.clone());
            // A list of ids is not paged.
            call.set_max_results(ids.is_none().then_some(PAGE)).set_next_token(token).send()
        },
        |page| (page.launch_templates, page.next_token),
    );
    found.await
}

/// The last version of each template.
async fn last_versions(
    cloud: &Cloud,
    templates: &[types::LaunchTemplate],
) -> Result<Vec<types::LaunchTemplateVersion>, Fault> {
    let latest = |id: Option<String>| async move {
        let found = cloud.ec2.pages(
            "DescribeLaunchTemplateVersions",
            |ec2, token| {
                let call = ec2.describe_launch_template_versions().set_launch_template_id(id.clone());
                let call = call.versions("$Latest").set_next_token(token);
                call.set_max_results(id.is_none().then_some(PAGE)).send()
            },
            |page| (page.launch_template_versions, page.next_token),
        );
        found.await
    };
    if templates.len() > FEW {
        return latest(None).await;
    }
    let mut versions = Vec::new();
    for template in templates {
        match latest(template.launch_template_id.clone()).await {
            // It went meanwhile.
            Err(fault) if is_none(&fault) => {}
            found => versions.extend(found?),
        }
    }
    Ok(versions)
}

fn live(
    cloud: &Cloud,
    account: &str,
    template: &types::LaunchTemplate,
    version: Option<&types::LaunchTemplateVersion>,
) -> Live {
    let id = template.launch_template_id().unwrap_or_default();
    let name = template.launch_template_name().unwrap_or_default();
    let tags = tags::of_live(template.tags());
    let number = |number: Option<i64>| number.map_or(Value::Null(Type::Number), Value::from);
    let mut attributes = vec![
        ("arn", Value::from(cloud.region.arn("ec2", account, &format!("launch-template/{id}")))),
        ("name", text(Some(name))),
        ("name_prefix", made_up::prefix(name, &tags)),
        ("latest_version", number(template.latest_version_number())),
        ("default_version", number(template.default_version_number())),
        ("description", text(version.and_then(|version| version.version_description()))),
    ];
    attributes.extend(data::to_value(version.and_then(|version| version.launch_template_data())));
    Live { id: id.to_owned(), tags, attributes, state: State::Ready }
}
