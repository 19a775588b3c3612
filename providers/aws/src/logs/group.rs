//! `aws_cloudwatch_log_group`: where logs are kept, for how long, and with which key.
//!
//! Groups are listed fifty a call; their tags are told one by one.

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Contents, Type, Value};

use super::tags::{self, LogsTags};
use super::{BUSY, PAGE};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{Fields, text, whole};
use crate::made_up;
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct LogGroup;

/// How many groups are asked for one by one, before all are listed instead.
const FEW: usize = 5;

/// The days that logs can be kept. 0 stands for ever.
const RETENTIONS: [i64; 23] =
    [0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

#[async_trait]
impl Resource for LogGroup {
    fn describe(&self) -> Description {
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the group across regions.")),
            (
                "name",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("Its name, once in an account and region. Made up by default."),
            ),
            (
                "name_prefix",
                Attribute::optional(Type::String)
                    .forces_replacement()
                    .describe("What a name that is made up begins with."),
            ),
            (
                "retention_in_days",
                Attribute::defaulted(Type::Number).describe("How many days logs are kept. 0, the default: for ever."),
            ),
            ("kms_key_id", Attribute::optional(Type::String).describe("The ARN of the key that encrypts logs.")),
            (
                "log_group_class",
                Attribute::defaulted(Type::String)
                    .forces_replacement()
                    .describe("`STANDARD` (the default), `INFREQUENT_ACCESS` or `DELIVERY`."),
            ),
            (
                "skip_destroy",
                Attribute::defaulted(Type::Bool).describe("The group stays when its block goes, and is forgotten."),
            ),
        ];
        Description {
            defaults: vec![
                ("retention_in_days", Value::from(0)),
                ("log_group_class", "STANDARD".into()),
                ("skip_destroy", false.into()),
            ],
            kept: &["skip_destroy"],
            scans: true,
            contents: Contents::Data("logs".into()),
            import_example: "/platform/cluster",
            ..Description::new("aws_cloudwatch_log_group", "Where logs are kept.", attributes).tagged(&LogsTags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.at_most_one(config, &["name", "name_prefix"]);
        problems.one_of(config, "log_group_class", &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"]);
        let days = config.get("retention_in_days").and_then(Value::as_number);
        if let Some(days) = days.filter(|days| days.as_i64().is_none_or(|days| !RETENTIONS.contains(&days))) {
            let list = RETENTIONS.map(|days| days.to_string()).join(", ");
            let told = format!("logs cannot be kept for `{days}` days");
            problems.at("retention_in_days", told, &format!("choose one of {list}"));
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        made_up::keep_taken_over(request, change);
    }

    async fn id_of_attempt(&self, _cloud: &Cloud, planned: &Value, token: &str) -> Result<Option<String>, Fault> {
        Ok(Some(made_up::name(Fields(planned), token)))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let groups = match query {
            Query::Ids(names) if names.len() <= FEW => {
                let found = each(names.clone(), |name| async move {
                    let groups = list(cloud, Some(&name)).await?;
                    // The name is a beginning of others' names too.
                    Ok(groups.into_iter().find(|group| group.log_group_name() == Some(&name)))
                });
                found.await?
            }
            Query::Ids(names) => {
                let is_wanted = |group: &types::LogGroup| names.iter().any(|name| group.log_group_name() == Some(name));
                list(cloud, None).await?.into_iter().filter(is_wanted).collect()
            }
            _ => list(cloud, None).await?,
        };
        let found = each(groups, |group| async move { live(cloud, &group).await.map(Some) }).await?;
        Ok(found.into_iter().filter(|live| query.admits(&live.tags)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let name = made_up::name(wanted, &call.token);
        let create = Action::repeatable("CreateLogGroup").passing(&[BUSY]);
        let made = cloud.logs.call(create, |logs| {
            logs.create_log_group()
                .log_group_name(&name)
                .set_kms_key_id(wanted.text("kms_key_id"))
                .set_log_group_class(wanted.word("log_group_class"))
                .set_tags(Some(call.tags.clone().into_iter().collect()))
                .send()
        });
        made.await?;
        Ok(name)
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (id, wanted) = (call.id(), call.wanted());
        if call.changes("retention_in_days") {
            match wanted.whole("retention_in_days").filter(|days| *days > 0) {
                Some(days) => {
                    let put = Action::repeatable("PutRetentionPolicy").passing(&[BUSY]);
                    let send = |logs: &aws_sdk_cloudwatchlogs::Client| {
                        logs.put_retention_policy().log_group_name(id).retention_in_days(days).send()
                    };
                    cloud.logs.call(put, send).await?;
                }
                None => {
                    let delete = Action::repeatable("DeleteRetentionPolicy").passing(&[BUSY]);
                    cloud.logs.call(delete, |logs| logs.delete_retention_policy().log_group_name(id).send()).await?;
                }
            }
        }
        if call.changes("kms_key_id") {
            match wanted.str("kms_key_id") {
                Some(key) => {
                    let associate = Action::repeatable("AssociateKmsKey").passing(&[BUSY]);
                    let send = |logs: &aws_sdk_cloudwatchlogs::Client| {
                        logs.associate_kms_key().log_group_name(id).kms_key_id(key).send()
                    };
                    cloud.logs.call(associate, send).await?;
                }
                None => {
                    let disassociate = Action::repeatable("DisassociateKmsKey").passing(&[BUSY]);
                    cloud.logs.call(disassociate, |logs| logs.disassociate_kms_key().log_group_name(id).send()).await?;
                }
            }
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if call.found().flag("skip_destroy").unwrap_or_default() {
            return Ok(());
        }
        let delete = Action::repeatable("DeleteLogGroup").passing(&[BUSY]);
        cloud.logs.call(delete, |logs| logs.delete_log_group().log_group_name(call.id()).send()).await?;
        Ok(())
    }
}

/// All groups, or those whose names begin like this.
async fn list(cloud: &Cloud, prefix: Option<&str>) -> Result<Vec<types::LogGroup>, Fault> {
    let found = cloud.logs.pages(
        "DescribeLogGroups",
        |logs, token| {
            let call = logs.describe_log_groups().set_log_group_name_prefix(prefix.map(str::to_owned));
            call.limit(PAGE).set_next_token(token).send()
        },
        |page| (page.log_groups, page.next_token),
    );
    found.await
}

async fn live(cloud: &Cloud, group: &types::LogGroup) -> Result<Live, Fault> {
    let name = group.log_group_name().unwrap_or_default();
    // An older answer has its streams in it: `...:*`.
    let arn = group.arn().map(|arn| arn.strip_suffix(":*").unwrap_or(arn)).unwrap_or_default();
    let tags = tags::of_live(cloud, arn).await?;
    let class = group.log_group_class().map_or("STANDARD", types::LogGroupClass::as_str);
    Ok(Live {
        id: name.to_owned(),
        attributes: vec![
            ("arn", text(Some(arn))),
            ("name", text(Some(name))),
            ("name_prefix", made_up::prefix(name, &tags)),
            ("retention_in_days", whole(Some(group.retention_in_days().unwrap_or_default()))),
            ("kms_key_id", text(group.kms_key_id())),
            ("log_group_class", text(Some(class))),
        ],
        tags,
        state: State::Ready,
    })
}
