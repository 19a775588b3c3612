//! `aws_internet_gateway`: lets a network reach the internet, and be reached.

use async_trait::async_trait;
use aws_sdk_ec2::types;
use formwork_contract::{Attribute, Type, Value};

use super::tags::{self, Ec2Tags};
use super::{PAGE, filters};
use crate::client::Action;
use crate::client::fault::Fault;
use crate::cloud::Cloud;
use crate::fields::text;
use crate::resource::{Call, Description, Live, Query, Resource, State};

pub(super) struct InternetGateway;

#[async_trait]
impl Resource for InternetGateway {
    fn describe(&self) -> Description {
        let attributes = [
            ("arn", Attribute::computed(Type::String).describe("What names the gateway across regions.")),
            ("owner_id", Attribute::computed(Type::String).describe("The account that owns it.")),
            ("vpc_id", Attribute::optional(Type::String).describe("The network that it is attached to.")),
        ];
        Description {
            can_rehearse: true,
            import_example: "igw-0123456789abcdef0",
            ..Description::new("aws_internet_gateway", "A way between a network and the internet.", attributes)
                .tagged(&Ec2Tags)
        }
    }

    async fn find(&self, cloud: &Cloud, query: &Query) -> Result<Vec<Live>, Fault> {
        let filters = filters(query, "internet-gateway-id");
        let found = cloud.ec2.pages(
            "DescribeInternetGateways",
            |ec2, token| {
                let call = ec2.describe_internet_gateways().set_filters(Some(filters.clone()));
                call.max_results(PAGE).set_next_token(token).send()
            },
            |page| (page.internet_gateways, page.next_token),
        );
        Ok(found.await?.iter().map(|gateway| live(cloud, gateway)).collect())
    }

    async fn create(&self, cloud: &Cloud, call: &Call) -> Result<String, Fault> {
        let tags = tags::of_new(types::ResourceType::InternetGateway, &call.tags);
        let made = cloud.ec2.call(Action::once("CreateInternetGateway"), |ec2| {
            ec2.create_internet_gateway().set_tag_specifications(Some(tags.clone())).send()
        });
        Ok(made.await?.internet_gateway.and_then(|gateway| gateway.internet_gateway_id).unwrap_or_default())
    }

    async fn update(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        if call.changes("vpc_id") {
            detach(cloud, call).await?;
            if let Some(vpc) = call.wanted().str("vpc_id") {
                let attach = Action::repeatable("AttachInternetGateway")
                    .passing(&["InvalidInternetGatewayID.NotFound", "InvalidVpcID.NotFound"]);
                let send = |ec2: &aws_sdk_ec2::Client| {
                    ec2.attach_internet_gateway().internet_gateway_id(call.id()).vpc_id(vpc).send()
                };
                cloud.ec2.call(attach, send).await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, cloud: &Cloud, call: &Call) -> Result<(), Fault> {
        detach(cloud, call).await?;
        let delete = Action::repeatable("DeleteInternetGateway").passing(&["DependencyViolation"]);
        cloud.ec2.call(delete, |ec2| ec2.delete_internet_gateway().internet_gateway_id(call.id()).send()).await?;
        Ok(())
    }
}

async fn detach(cloud: &Cloud, call: &Call) -> Result<(), Fault> {
    let Some(vpc) = call.found().str("vpc_id") else { return Ok(()) };
    // Public addresses in use hold the gateway until their machines are gone.
    let detach = Action::repeatable("DetachInternetGateway").passing(&["DependencyViolation"]);
    let send =
        |ec2: &aws_sdk_ec2::Client| ec2.detach_internet_gateway().internet_gateway_id(call.id()).vpc_id(vpc).send();
    match cloud.ec2.call(detach, send).await {
        Err(fault) if fault.is(&["Gateway.NotAttached"]) => Ok(()),
        done => done.map(|_| ()),
    }
}

fn live(cloud: &Cloud, gateway: &types::InternetGateway) -> Live {
    let id = gateway.internet_gateway_id().unwrap_or_default();
    let owner = gateway.owner_id().unwrap_or_default();
    let vpc = gateway.attachments().first().and_then(|attachment| attachment.vpc_id());
    Live {
        id: id.to_owned(),
        tags: tags::of_live(gateway.tags()),
        attributes: vec![
            ("arn", Value::from(cloud.region.arn("ec2", owner, &format!("internet-gateway/{id}")))),
            ("owner_id", text(Some(owner))),
            ("vpc_id", text(vpc)),
        ],
        state: State::Ready,
    }
}
