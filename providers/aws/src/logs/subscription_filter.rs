//! `aws_cloudwatch_log_subscription_filter`: sends what is logged in a group elsewhere.
//!
//! Filters carry no tags: one is known by its group and its name. A group has two at most.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::types;
use formwork_contract::{Attribute, Type, Value};

use super::{BUSY, PAGE};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::client::several::each;
use crate::cloud::Cloud;
use crate::fields::{Fields, text};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};
use crate::tags::Tags;

pub(super) struct SubscriptionFilter;

/// Between a group and a filter in an id: neither has it in its name.
const BETWEEN: char = '|';

#[async_trait]
impl Resource for SubscriptionFilter {
    fn describe(&self) -> Description {
        let fixed = |text: &str| Attribute::required(Type::String).forces_replacement().describe(text);
        let attributes = [
            ("name", fixed("Its name, once in a group.")),
            ("log_group_name", fixed("The group whose logs are sent.")),
            (
                "destination_arn",
                Attribute::required(Type::String)
                    .describe("The ARN of a Kinesis stream, a Firehose stream, a function of Lambda or a destination."),
            ),
            ("filter_pattern", Attribute::required(Type::String).describe("What is sent. Empty: everything.")),
            (
                "role_arn",
                Attribute::optional(Type::String).describe("The role that CloudWatch Logs writes to a stream with."),
            ),
            (
                "distribution",
                Attribute::defaulted(Type::String)
                    .describe("How logs are spread over a stream: `ByLogStream` (the default) or `Random`."),
            ),
        ];
        Description {
            defaults: vec![("distribution", "ByLogStream".into())],
            overwrites: true,
            import_example: "/platform/cluster|central",
            ..Description::new(
                "aws_cloudwatch_log_subscription_filter",
                "Sends what is logged in a group elsewhere.",
                attributes,
            )
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.one_of(config, "distribution", &["ByLogStream", "Random"]);
    }

    fn id_of(&self, planned: &Value) -> Option<String> {
        let planned = Fields(planned);
        Some(format!("{}{BETWEEN}{}", planned.str("log_group_name")?, planned.str("name")?))
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let Query::Ids(ids) = query else { return Ok(Vec::new()) };
        let groups: BTreeSet<&str> =
            ids.iter().filter_map(|id| id.split_once(BETWEEN)).map(|(group, _)| group).collect();
        let found = each(groups.into_iter().map(str::to_owned), |group| async move {
            let filters = cloud.logs.pages(
                "DescribeSubscriptionFilters",
                |logs, token| {
                    let call = logs.describe_subscription_filters().log_group_name(&group);
                    call.limit(PAGE).set_next_token(token).send()
                },
                |page| (page.subscription_filters, page.next_token),
            );
            Ok(Some(filters.await?))
        });
        let is_wanted = |live: &Live| ids.contains(&live.id);
        Ok(found.await?.iter().flatten().map(live).filter(is_wanted).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        put(cloud, call).await?;
        Ok(self.id_of(&call.planned).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        put(cloud, call).await
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let (group, name) = call.id().split_once(BETWEEN).unwrap_or_default();
        let delete = Action::repeatable("DeleteSubscriptionFilter").passing(&[BUSY]);
        let send = |logs: &aws_sdk_cloudwatchlogs::Client| {
            logs.delete_subscription_filter().log_group_name(group).filter_name(name).send()
        };
        cloud.logs.call(delete, send).await?;
        Ok(())
    }
}

async fn put(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let wanted = call.wanted();
    // The service tries the destination out: a new role does not show to it at once.
    let put = Action::repeatable("PutSubscriptionFilter").passing(&[BUSY, "InvalidParameterException"]);
    let put = cloud.logs.call(put, |logs| {
        logs.put_subscription_filter()
            .set_log_group_name(wanted.text("log_group_name"))
            .set_filter_name(wanted.text("name"))
            .set_filter_pattern(wanted.text("filter_pattern"))
            .set_destination_arn(wanted.text("destination_arn"))
            .set_role_arn(wanted.text("role_arn"))
            .set_distribution(wanted.word("distribution"))
            .send()
    });
    put.await?;
    Ok(())
}

fn live(filter: &types::SubscriptionFilter) -> Live {
    let (group, name) = (filter.log_group_name().unwrap_or_default(), filter.filter_name().unwrap_or_default());
    let distribution = filter.distribution().map_or("ByLogStream", types::Distribution::as_str);
    Live {
        id: format!("{group}{BETWEEN}{name}"),
        tags: Tags::new(),
        attributes: vec![
            ("name", text(Some(name))),
            ("log_group_name", text(Some(group))),
            ("destination_arn", text(filter.destination_arn())),
            // Empty is a pattern too.
            ("filter_pattern", Value::from(filter.filter_pattern().unwrap_or_default())),
            ("role_arn", text(filter.role_arn())),
            ("distribution", text(Some(distribution))),
        ],
        state: State::Ready,
    }
}
