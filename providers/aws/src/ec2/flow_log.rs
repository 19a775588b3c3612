//! `aws_flow_log`: a record of what goes through a network, a subnet or an interface.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::provider::{PlanRequest, PlannedChange};
use formwork_contract::{Attribute, Block, Nesting, Path, Type, Value};

use super::tags::{self, Ec2Tags};
use super::{PAGE, filters};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::{Fields, flag, text, whole};
use crate::resource::{Call, Description, Live, Problems, Query, Resource, State};

pub(super) struct FlowLog;

/// What may be recorded: the attribute, what the ids begin with, and what EC2 calls the kind.
const OBJECTS: [(&str, &str, &str); 5] = [
    ("vpc_id", "vpc-", "VPC"),
    ("subnet_id", "subnet-", "Subnet"),
    ("eni_id", "eni-", "NetworkInterface"),
    ("transit_gateway_attachment_id", "tgw-attach-", "TransitGatewayAttachment"),
    ("transit_gateway_id", "tgw-", "TransitGateway"),
];

#[async_trait]
impl Resource for FlowLog {
    fn describe(&self) -> Description {
        let fixed = |text: &str| Attribute::optional(Type::String).forces_replacement().describe(text);
        let given = |ty: Type, text: &str| Attribute::defaulted(ty).forces_replacement().describe(text);
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the flow log across regions.")),
            ("vpc_id", fixed("The network that is recorded.")),
            ("subnet_id", fixed("The subnet that is recorded.")),
            ("eni_id", fixed("The network interface that is recorded.")),
            ("transit_gateway_id", fixed("The transit gateway that is recorded.")),
            ("transit_gateway_attachment_id", fixed("The attachment of a transit gateway that is recorded.")),
            ("traffic_type", fixed("`ALL`, `ACCEPT` or `REJECT`. Not for transit gateways.")),
            (
                "log_destination_type",
                given(Type::String, "`cloud-watch-logs` (the default), `s3` or `kinesis-data-firehose`."),
            ),
            ("log_destination", given(Type::String, "Where records go, by its ARN: a log group, a bucket, a stream.")),
            ("log_group_name", given(Type::String, "The log group that records go to, by its name.")),
            ("iam_role_arn", fixed("The role that CloudWatch Logs are written by.")),
            ("deliver_cross_account_role", fixed("The role that records go to another account by.")),
            ("log_format", given(Type::String, "What a record holds, such as `${srcaddr} ${dstaddr}`.")),
            (
                "max_aggregation_interval",
                given(Type::Number, "The most seconds that are put together: 60, or 600, which is the default."),
            ),
        ];
        let options = Block::new([
            ("file_format", Attribute::defaulted(Type::String).describe("`plain-text` or `parquet`.")),
            (
                "hive_compatible_partitions",
                Attribute::defaulted(Type::Bool).describe("Folders are named as Hive names them."),
            ),
            ("per_hour_partition", Attribute::defaulted(Type::Bool).describe("A folder an hour, not a day.")),
        ]);
        let mut description = Description::new("aws_flow_log", "A record of what goes through a network.", attributes);
        let options = Block { description: "How records lie in a bucket.".into(), ..options };
        description.block = description.block.with_block("destination_options", Nesting::List, options);
        if let Some(nested) = description.block.blocks.get_mut("destination_options") {
            nested.max = Some(1);
        }
        Description {
            defaults: vec![
                ("log_destination_type", "cloud-watch-logs".into()),
                ("max_aggregation_interval", Value::from(600)),
            ],
            only_if_set: &["destination_options"],
            has_client_token: true,
            can_rehearse: true,
            import_example: "fl-0123456789abcdef0",
            ..description.tagged(&Ec2Tags)
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        problems.exactly_one(config, &OBJECTS.map(|(attribute, _, _)| attribute));
        problems.at_most_one(config, &["log_destination", "log_group_name"]);
        problems.one_of(config, "traffic_type", &["ALL", "ACCEPT", "REJECT"]);
        let kinds = ["cloud-watch-logs", "s3", "kinesis-data-firehose"];
        problems.one_of(config, "log_destination_type", &kinds);
        if Fields(config).whole("max_aggregation_interval").is_some_and(|seconds| ![60, 600].contains(&seconds)) {
            let told = "`max_aggregation_interval` is 60 or 600";
            problems.at("max_aggregation_interval", told, "choose 60 for records that come sooner, or 600");
        }
        let silent = |name: &str| config.get(name).is_none_or(Value::is_null);
        if silent("log_destination") && silent("log_group_name") {
            let told = "a flow log needs a place that records go to";
            problems.at("log_destination", told, "set it to the ARN of a log group or a bucket");
        }
    }

    fn refine(&self, request: &PlanRequest, change: &mut PlannedChange) {
        // EC2 changes nothing of a flow log but its tags.
        let of = |value: &Value| value.get("destination_options").map(Value::deep_unmarked);
        if !request.prior.is_null() && of(&request.prior) != of(&change.planned) {
            change.requires_replace.push(Path::attribute("destination_options"));
        }
    }

    fn same(&self, attribute: &str, known: &Value, live: &Value) -> bool {
        // CloudWatch ends the ARNs of groups with `:*`, and EC2 does not.
        let arn = |value: &Value| value.as_str().map(|arn| arn.trim_end_matches(":*").to_owned());
        attribute == "log_destination" && arn(known).is_some() && arn(known) == arn(live)
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "flow-log-id");
        let found = cloud.ec2.pages(
            "DescribeFlowLogs",
            |ec2, token| {
                let call = ec2.describe_flow_logs().set_filter(Some(filters.clone()));
                call.max_results(PAGE).set_next_token(token).send()
            },
            |page| (page.flow_logs, page.next_token),
        );
        let found = found.await?;
        let account = if found.is_empty() { "" } else { &*cloud.caller().await?.account };
        Ok(found.iter().map(|log| live(cloud, account, log)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let wanted = call.wanted();
        let object = OBJECTS.iter().find_map(|(name, _, kind)| Some((wanted.text(name)?, *kind)));
        let (object, kind) = object.ok_or_else(|| Fault::own("incomplete", "a flow log is of one object"))?;
        let tags = tags::of_new(types::ResourceType::VpcFlowLog, &call.tags);
        let options = wanted.block("destination_options").map(|block| {
            types::DestinationOptionsRequest::builder()
                .set_file_format(block.word("file_format"))
                .set_hive_compatible_partitions(block.flag("hive_compatible_partitions"))
                .set_per_hour_partition(block.flag("per_hour_partition"))
                .build()
        });
        let destination = wanted.text("log_destination").map(|arn| arn.trim_end_matches(":*").to_owned());
        // A new role shows after a while.
        let action = Action::repeatable("CreateFlowLogs").passing(&["InvalidParameter"]);
        let made = cloud.ec2.call(action, |ec2| {
            ec2.create_flow_logs()
                .client_token(&call.token)
                .resource_ids(&object)
                .resource_type(kind.into())
                .set_traffic_type(wanted.word("traffic_type"))
                .set_log_destination_type(wanted.word("log_destination_type"))
                .set_log_destination(destination.clone())
                .set_log_group_name(wanted.text("log_group_name"))
                .set_deliver_logs_permission_arn(wanted.text("iam_role_arn"))
                .set_deliver_cross_account_role(wanted.text("deliver_cross_account_role"))
                .set_log_format(wanted.text("log_format"))
                .set_max_aggregation_interval(wanted.whole("max_aggregation_interval"))
                .set_destination_options(options.clone())
                .set_tag_specifications(Some(tags.clone()))
                .send()
        });
        let made = made.await?;
        refused("CreateFlowLogs", made.unsuccessful())?;
        Ok(made.flow_log_ids.unwrap_or_default().into_iter().next().unwrap_or_default())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        let delete = Action::repeatable("DeleteFlowLogs");
        let told = cloud.ec2.call(delete, |ec2| ec2.delete_flow_logs().flow_log_ids(call.id()).send()).await?;
        refused("DeleteFlowLogs", told.unsuccessful())
    }
}

/// A call for several objects goes well also where it did nothing for one.
fn refused(action: &'static str, unsuccessful: &[types::UnsuccessfulItem]) -> Result<(), Fault> {
    match unsuccessful.iter().find_map(|item| item.error()) {
        Some(error) => {
            let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
            Err(Fault::within("ec2", action, code, message))
        }
        None => Ok(()),
    }
}

fn live(cloud: &Cloud, account: &str, log: &types::FlowLog) -> Live {
    let id = log.flow_log_id().unwrap_or_default();
    let object = log.resource_id().unwrap_or_default();
    // The longer beginning comes first.
    let kind = OBJECTS.iter().find(|(_, start, _)| object.starts_with(start)).map(|(attribute, _, _)| *attribute);
    let options = log.destination_options().map(|options| {
        Value::object([
            ("file_format", text(options.file_format().map(|format| format.as_str()))),
            ("hive_compatible_partitions", flag(Some(options.hive_compatible_partitions().unwrap_or_default()))),
            ("per_hour_partition", flag(Some(options.per_hour_partition().unwrap_or_default()))),
        ])
    });
    let mut attributes = vec![
        ("arn", Value::from(cloud.region.arn("ec2", account, &format!("vpc-flow-log/{id}")))),
        ("traffic_type", text(log.traffic_type().map(types::TrafficType::as_str))),
        ("log_destination_type", text(log.log_destination_type().map(|kind| kind.as_str()))),
        ("log_destination", text(log.log_destination())),
        ("log_group_name", text(log.log_group_name())),
        ("iam_role_arn", text(log.deliver_logs_permission_arn())),
        ("deliver_cross_account_role", text(log.deliver_cross_account_role())),
        ("log_format", text(log.log_format())),
        ("max_aggregation_interval", whole(log.max_aggregation_interval())),
        ("destination_options", Value::tuple(options.into_iter().collect())),
    ];
    attributes.extend(
        OBJECTS.iter().map(|(attribute, _, _)| (*attribute, text(Some(object).filter(|_| kind == Some(*attribute))))),
    );
    Live { id: id.to_owned(), tags: tags::of_live(log.tags()), attributes, state: State::Ready }
}
