//! `aws_kms_alias`: a name for a key, which may lead to another one later.
//!
//! Aliases carry no tags: one is known by its name.

use async_trait::async_trait;
use aws_sdk_kms::types::AliasListEntry;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Type, Value};

use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::made_up;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct Alias;

/// What names of aliases begin with.
const PREFIX: &str = "alias/";

/// How many aliases a page holds: the most that KMS gives.
const PAGE: i32 = 100;

#[async_trait]
impl Resource for Alias {
    fn describe(&self) -> Description {
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the alias across regions.")),
            (
                "name",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("Its name, `alias/` first, once in an account and region. Made up by default."),
            ),
            (
                "name_prefix",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("What a name that is made up begins with, `alias/` first."),
            ),
            ("target_key_id", Attribute::required(Type::String).describe("The key's id or ARN.")),
            ("target_key_arn", Attribute::computed(Type::String).describe("The key's ARN.")),
        ];
        Description {
            moves: &[("target_key_arn", &["target_key_id"])],
            kept: &["name_prefix"],
            import_example: "alias/platform",
            ..Description::new("aws_kms_alias", "A name for a key.", attributes)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["name", "name_prefix"]);
        for attribute in ["name", "name_prefix"] {
            let Some(given) = config.get_str(attribute) else { continue };
            if !given.starts_with(PREFIX) {
                let told = format!("`{given}` does not begin with `{PREFIX}`");
                problems.at(attribute, told, &format!("write `{PREFIX}{given}`"));
            } else if given.starts_with("alias/aws/") {
                let told = format!("`{given}` is a name of AWS's own");
                problems.at(attribute, told, "choose one that does not begin with `alias/aws/`");
            }
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        made_up::keep_taken_over(request, change);
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        let id = |key: &Value| key.as_str().map(|key| key.rsplit('/').next().unwrap_or(key).to_owned());
        attribute == "target_key_id" && id(known) == id(live)
    }

    async fn id_of_attempt(&self, _cloud: &Cloud, planned: &Value, token: &str) -> Result<Option<String>, Fault> {
        Ok(Some(name(Fields(planned), token)))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(names) = query else { return Ok(Vec::new()) };
        let found = cloud.kms.pages(
            "ListAliases",
            |kms, marker| kms.list_aliases().limit(PAGE).set_marker(marker).send(),
            |page| (page.aliases, page.next_marker),
        );
        let is_wanted =
            |alias: &&AliasListEntry| alias.alias_name().is_some_and(|name| names.iter().any(|other| other == name));
        Ok(found.await?.iter().filter(is_wanted).map(|alias| live(cloud, alias)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let name = name(call.wanted(), &call.token);
        let create = Action::once("CreateAlias").passing(&["NotFoundException"]);
        let key = call.wanted().text("target_key_id");
        let send =
            |kms: &aws_sdk_kms::Client| kms.create_alias().alias_name(&name).set_target_key_id(key.clone()).send();
        cloud.kms.call(create, send).await?;
        Ok(name)
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if call.changes("target_key_id") {
            let update = Action::repeatable("UpdateAlias").passing(&["NotFoundException"]);
            let key = call.wanted().text("target_key_id");
            let send = |kms: &aws_sdk_kms::Client| {
                kms.update_alias().alias_name(call.id()).set_target_key_id(key.clone()).send()
            };
            cloud.kms.call(update, send).await?;
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteAlias");
        cloud.kms.call(delete, |kms| kms.delete_alias().alias_name(call.id()).send()).await?;
        Ok(())
    }
}

fn name(wanted: Fields<'_>, token: &str) -> String {
    let name = made_up::name(wanted, token);
    if name.starts_with(PREFIX) { name } else { format!("{PREFIX}{name}") }
}

fn live(cloud: &Cloud, alias: &AliasListEntry) -> Live {
    let (name, arn) = (alias.alias_name().unwrap_or_default(), alias.alias_arn().unwrap_or_default());
    let key = alias.target_key_id();
    // An alias and its key are of the same account and region.
    let account = arn.split(':').nth(4).unwrap_or_default();
    let key_arn = key.map(|key| cloud.region.arn("kms", account, &format!("key/{key}")));
    Live {
        id: name.to_owned(),
        tags: Tags::new(),
        attributes: vec![
            ("arn", text(Some(arn))),
            ("name", text(Some(name))),
            ("target_key_id", text(key)),
            ("target_key_arn", text(key_arn.as_deref())),
        ],
        state: State::Ready,
    }
}
